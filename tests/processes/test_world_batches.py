"""Batches that another key made, that are archived, or whose results are not what their counts say."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from processes.cards import TITLES, Cards
from servers.processes import MessagesServer

BATCHES = "/v1/messages/batches"
BATCH = ("--mode", "batch")
OTHER_KEY, OTHER = "sk-ant-test-other-workspace", "wrkspc_other"
FIVE = TITLES[:5]


@pytest.fixture
def left(cards: Cards, messages: MessagesServer) -> Cards:
    """Five items: one stored, four in a batch that a killed run has left behind."""
    cards.program.settings |= {"SEED_LIBRARY_BATCH_POLL_SECONDS": "0.05", "SEED_LIBRARY_BATCH_GRACE_SECONDS": "0.5"}
    cards.write(FIVE)
    messages.control(batch_polls=10**9, workspaces={OTHER_KEY: OTHER})
    run = cards.start(*BATCH)
    assert run.wait_for("batch_waiting")
    run.kill()
    return cards


def _created(messages: MessagesServer) -> list[int]:
    """Return the sizes of the batches that were created."""
    return [entry["body"]["requests"] for entry in messages.log(BATCHES) if entry["method"] == "POST"]


def _paid_once(messages: MessagesServer) -> bool:
    return set(Counter(entry["prompt"] for entry in messages.billed()).values()) == {1}


@pytest.mark.parametrize("mode", ["messages", "batch"])
def test_a_batch_of_another_workspace_is_never_given_up(left: Cards, messages: MessagesServer, mode: str) -> None:
    """The journal knows whose it is: the run with the wrong key says which one it needs, and asks for nothing again."""
    messages.control(batch_polls=0)
    wrong = left.run("--mode", mode, ANTHROPIC_API_KEY=OTHER_KEY)
    assert wrong.code != 0
    assert "wrkspc_test" in wrong.out + wrong.err
    assert (_created(messages), len(messages.log())) == ([4], 1)
    right = left.run("--mode", mode)
    assert (right.code, left.stored()) == (0, set(FIVE))
    assert _paid_once(messages)


def test_with_another_key_the_rest_is_done_and_cancel_closes_nothing(left: Cards, messages: MessagesServer) -> None:
    """Two new items are written, what is in the batch is left; plan, status and cancel say whose it is."""
    messages.control(batch_polls=0)
    left.write(TITLES[:7])
    other = {"ANTHROPIC_API_KEY": OTHER_KEY}
    wrong = left.run("--mode", "messages", **other)
    assert (wrong.code, wrong.document["stored"], wrong.document["left"]) == (4, 2, 4)
    assert (wrong.error["code"], "wrkspc_test" in wrong.error["message"]) == ("batch_withheld", True)
    assert "with a key of wrkspc_test" in left.program.run("plan", "cards").out
    assert "of wrkspc_test" in left.program.run("status").out
    assert left.run(verb="cancel", **other).code == 4
    right = left.run("--mode", "messages")
    assert (right.code, left.stored(), _created(messages)) == (0, set(TITLES[:7]), [4])
    assert _paid_once(messages)


def test_a_lost_answer_is_not_looked_for_with_another_key(cards: Cards, messages: MessagesServer) -> None:
    """The intent knows the workspace: the list of another one says nothing about it."""
    cards.program.settings |= {"SEED_LIBRARY_BATCH_POLL_SECONDS": "0.05", "SEED_LIBRARY_BATCH_GRACE_SECONDS": "0.5"}
    cards.write(FIVE)
    messages.control(batch_polls=10**9, workspaces={OTHER_KEY: OTHER})
    messages.faults({"path": BATCHES, "method": "POST", "drop": "after"})
    run = cards.start(*BATCH)
    assert run.wait_for("batch_waiting")
    run.kill()
    messages.control(batch_polls=0)
    wrong = cards.run(*BATCH, ANTHROPIC_API_KEY=OTHER_KEY)
    assert (wrong.code, _created(messages), "wrkspc_test" in wrong.error["hint"]) == (4, [4], True)
    assert (cards.run(*BATCH).code, cards.stored(), _created(messages)) == (0, set(FIVE), [4])
    assert _paid_once(messages)


@pytest.mark.parametrize("mode", ["messages", "batch"])
def test_an_archived_batch_is_said_and_its_items_asked_for_again(
    left: Cards, messages: MessagesServer, mode: str
) -> None:
    """Its results are gone for good: they count as paid for, and the run goes on."""
    messages.control(archive_batches=True, batch_polls=0)
    ended = left.run("--mode", mode)
    assert (ended.code, left.stored()) == (0, set(FIVE))
    assert any("archived" in str(event.get("message")) for event in ended.documents)
    assert ended.document["spent_usd"] + ended.document["maybe_spent_usd"] > 0


def test_cancel_closes_an_archived_batch(left: Cards, messages: MessagesServer) -> None:
    """There is nothing left to cancel or to fetch."""
    messages.control(archive_batches=True, batch_polls=0)
    assert left.run(verb="cancel").code == 0
    assert "msgbatch_000001" not in left.program.run("status").out


@pytest.mark.parametrize(
    "results",
    [
        {"missing": 4, "counts": {"succeeded": 0}},
        {"missing": 1, "repeated": 1},
        {"missing": 2, "counts": {"succeeded": 2}},
        {"missing": 3, "repeated": 1, "counts": {"succeeded": 1, "errored": 1}},
    ],
    ids=["counts of 0 and no results", "a duplicate hides a missing one", "counts that fit", "all of it"],
)
def test_results_that_are_missing_are_not_paid_for_again(
    left: Cards, messages: MessagesServer, results: dict[str, Any]
) -> None:
    """The custom_ids say what is missing. The results are billed, so they are waited for: later they are complete."""
    messages.control(batch_results=results, batch_polls=0)
    left.run(*BATCH)
    assert _created(messages) == [4]
    messages.control(batch_results={})
    ended = left.run(*BATCH)
    assert (ended.code, left.stored(), _created(messages)) == (0, set(FIVE), [4])
    assert _paid_once(messages)


@pytest.mark.parametrize("counts", [{"succeeded": 0}, {"succeeded": 40}, {"succeeded": "four"}, {"processing": 4}])
def test_counts_that_are_wrong_delay_nothing(left: Cards, messages: MessagesServer, counts: dict[str, Any]) -> None:
    """All results are there."""
    messages.control(batch_results={"counts": counts, "repeated": 2}, batch_polls=0)
    ended = left.run(*BATCH)
    assert (ended.code, left.stored(), _created(messages)) == (0, set(FIVE), [4])
    assert _paid_once(messages)
