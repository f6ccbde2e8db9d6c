"""Batches that cannot be collected: of another workspace, archived, deleted, or with results that are missing."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.journal import MemoryJournal

from seed_library.core.batches import BatchState
from seed_library.core.errors import Stopped, WriteRetryable
from seed_library.core.events import BatchCollected, BatchLeft, BatchWaiting, RunFailed, RunFinished, Warned

MODES = pytest.mark.parametrize("mode", ["messages", "batch"])
LOST = WriteRetryable("No answer.", maybe_billed=True)
OURS, OTHER = "wrkspc_a", "wrkspc_b"
A_MONTH = timedelta(days=30).total_seconds()


async def _left(items: int = 5, *, answer_lost: bool = False) -> World:
    """Return a world in which a stopped run has left all but the canary in a batch."""
    world = world_of(items)
    world.batches.looks = 10**6
    world.batches.create_failures = [(LOST, True)] if answer_lost else []
    task = asyncio.create_task(world.run(mode="batch"))
    await world.reporter.until(lambda: bool(world.reporter.of(BatchWaiting)))
    world.halt.because(Stopped("Stopped on request.", hint=""))
    assert (await task).exit_code == 8
    for batch in world.batches.batches.values():
        batch.looks_left = 1
    world.batches.looks = 2
    world.reporter.events.clear()
    return world


def _worst_of_batch(world: World) -> int:
    (intent,) = world.journal.of("batch_intent")
    return int(intent["worst"])


def _paid_once(world: World) -> bool:
    return set(Counter([*world.writer.calls, *world.batches.billed]).values()) <= {1}


def _said(world: World) -> str:
    return " ".join(event.message for event in world.reporter.of(Warned))


@MODES
@pytest.mark.parametrize("answer_lost", [False, True])
async def test_what_another_workspace_has_in_a_batch_is_left_and_the_rest_is_done(mode: str, answer_lost: bool) -> None:
    """The run names whose key it needs and ends with 4; with that key the batch is collected, and paid for once."""
    world = await _left(answer_lost=answer_lost)
    world.catalog = catalog_of(7)
    world.batches.workspace = OTHER
    wrong = await world.run(mode=mode)
    assert (wrong.exit_code, wrong.stored, wrong.requests, wrong.left) == (4, 2, 2, 4)
    (failed,) = world.reporter.of(RunFailed)
    assert failed.error["code"] == "batch_withheld"
    assert OURS in failed.error["message"]
    assert OTHER in failed.error["message"]
    assert OURS in failed.error["hint"]
    assert [event.items for event in world.reporter.of(BatchLeft)] == [4]
    assert (await world.plan()).totals["submitted"] == 4
    world.batches.workspace = OURS
    right = await world.run(mode=mode)
    assert (right.exit_code, right.stored, right.requests) == (0, 4, 0)
    assert _paid_once(world)


async def test_a_new_machine_with_another_key_asks_for_nothing_since_it_knows_nothing() -> None:
    """The database says that there is a batch and whose, and not what is in it."""
    world = await _left()
    world.journal, world.batches.workspace = MemoryJournal(), OTHER
    wrong = await world.run()
    assert (wrong.exit_code, wrong.stored, wrong.requests) == (4, 0, 0)
    assert OURS in world.reporter.of(RunFailed)[0].error["message"]
    world.batches.workspace = OURS
    assert (await world.run()).stored == 4
    assert _paid_once(world)


async def test_cancel_with_another_key_cancels_nothing_and_says_whose_it_needs() -> None:
    """The batch goes on; nothing is closed."""
    world = await _left()
    world.batches.workspace = OTHER
    finished = await world.run(purpose="cancel", command="cancel")
    assert (finished.exit_code, finished.requests, world.batches.canceled) == (4, 0, [])
    assert OURS in world.reporter.of(RunFailed)[0].error["message"]
    assert len(world.journal.ledger().open_batches) == 1


@pytest.mark.parametrize(("its", "ours"), [("", ""), ("", OTHER), (OURS, ""), ("organization o", "organization o")])
async def test_where_nobody_says_whose_it_is_a_batch_that_is_not_seen_is_not_given_up(its: str, ours: str) -> None:
    """A gateway may swallow the names; an organization has many workspaces."""
    world = await _left()
    for batch in world.batches.batches.values():
        batch.state = replace(batch.state, workspace="wrkspc_hidden")
    for _, record in world.journal.records:
        if "workspace" in record:
            record["workspace"] = its
    world.batches.workspace = ours
    finished = await world.run()
    assert (finished.exit_code, finished.requests) == (4, 0)
    world.batches.workspace = "wrkspc_hidden"
    assert (await world.run()).stored == 4
    assert _paid_once(world)


async def test_a_batch_of_another_workspace_is_lost_when_nobody_can_fetch_it_any_more() -> None:
    """After 29 days whoever asks gets nothing: that is said and counted, and the items are asked for again."""
    world = await _left()
    world.batches.workspace = OTHER
    await world.clock.sleep(A_MONTH)
    finished = await world.run(mode="messages")
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 4, 4)
    assert finished.maybe_spent_usd * 1e6 == _worst_of_batch(world)


@MODES
async def test_an_archived_batch_is_said_closed_and_counted(mode: str) -> None:
    """It may have been billed, so it counts against the budget; what was in it is asked for again."""
    world = await _left()
    worst = _worst_of_batch(world)
    world.batches.archive()
    finished = await world.run(mode=mode)
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 4, 4)
    assert "archived" in _said(world)
    assert "4 of its 4 requests count as lost" in _said(world)
    assert finished.maybe_spent_usd * 1e6 == worst
    ledger = world.journal.ledger()
    assert (dict(ledger.open_batches), ledger.maybe_spent, ledger.last_run.maybe_spent) == ({}, worst, worst)
    again = await world.run(mode=mode)
    assert (again.requests, again.maybe_spent_usd) == (0, 0)


async def test_a_budget_that_the_lost_batch_has_used_up_pays_for_nothing_else() -> None:
    """The ceiling holds for what may have been billed, too."""
    world = await _left()
    world.batches.archive()
    finished = await world.run(budget=_worst_of_batch(world) + world.worst - 1)
    assert (finished.exit_code, finished.requests) == (7, 0)


async def test_what_was_read_before_the_archive_is_stored_and_the_rest_is_lost() -> None:
    """Two of four results had arrived when the connection broke."""
    world = await _left()
    world.batches.cut_after = [(2, WriteRetryable("cut", maybe_billed=False))] * 99
    assert (await world.run()).exit_code == 4
    spent = sum(int(record["cost"]) for record in world.journal.of("paid")[1:])
    world.batches.archive()
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 2, 2)
    assert "2 of its 4 requests count as lost" in _said(world)
    assert finished.maybe_spent_usd * 1e6 == _worst_of_batch(world) - spent


async def test_an_archived_batch_whose_id_got_lost_counts_as_ours() -> None:
    """Nothing tells whose it is any more; its number of requests and its time are those of our intent."""
    world = await _left(answer_lost=True)
    world.batches.archive()
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 4, 4)
    assert finished.maybe_spent_usd * 1e6 == _worst_of_batch(world)
    assert "archived" in _said(world)


async def test_a_new_machine_counts_an_archived_batch_once() -> None:
    """It is in the database's notes, and noted as settled afterwards."""
    world = await _left()
    worst = _worst_of_batch(world)
    world.journal = MemoryJournal()
    world.batches.archive()
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.maybe_spent_usd * 1e6) == (0, 4, worst)
    world.journal = MemoryJournal()
    third = await world.run()
    assert (third.exit_code, third.requests, third.maybe_spent_usd) == (0, 0, 0)


async def test_cancel_closes_an_archived_batch_without_asking_to_cancel_it() -> None:
    """There is nothing left to cancel."""
    world = await _left()
    world.batches.archive()
    finished = await world.run(purpose="cancel", command="cancel")
    assert (finished.exit_code, finished.requests, world.batches.canceled) == (0, 0, [])
    assert not world.journal.ledger().open_batches


async def test_a_batch_that_was_deleted_may_have_been_billed() -> None:
    """The workspace is the right one, and it does not know the batch: somebody has deleted it."""
    world = await _left()
    worst = _worst_of_batch(world)
    world.batches.batches.clear()
    world.batches.billed.clear()
    finished = await world.run(mode="messages")
    assert (finished.exit_code, finished.stored, finished.maybe_spent_usd * 1e6) == (0, 4, worst)
    assert "does not know this batch any more" in _said(world)


@pytest.mark.parametrize(("missing", "repeated"), [(1, 0), (1, 1), (3, 3), (4, 0)])
async def test_missing_results_are_waited_for_and_never_asked_for_again(missing: int, repeated: int) -> None:
    """However many come twice. Three runs later nothing was paid again; when they are there, everything is stored."""
    world = await _left()
    world.batches.missing, world.batches.repeated = missing, repeated
    for number in range(3):
        finished = await world.run(mode="batch")
        assert finished.exit_code == 4
        assert finished.stored == (4 - missing if not number else 0)
    assert f"{missing} of 4 results of msgbatch_1 are missing" in _said(world)
    assert len(world.batches.batches) == 1
    world.batches.missing = 0
    finished = await world.run(mode="batch")
    assert (finished.exit_code, finished.stored, finished.requests) == (0, missing, 0)
    assert len(world.journal.of("paid")) == 5
    assert _paid_once(world)


async def test_a_run_whose_own_batch_is_incomplete_stores_what_came() -> None:
    """The rest stays at the provider: it is not handed to a second batch."""
    world = world_of(5)
    world.batches.missing = 2
    finished = await world.run(mode="batch")
    assert (finished.exit_code, finished.stored, finished.left, finished.failed) == (4, 3, 2, 0)
    assert len(world.batches.batches) == 1
    world.batches.missing = 0
    assert (await world.run(mode="batch")).stored == 2
    assert _paid_once(world)


async def test_results_that_come_late_are_taken_in_the_same_run() -> None:
    """Within the grace period."""
    world = await _left()
    world.batches.missing = 4
    task: asyncio.Task[RunFinished] = asyncio.create_task(world.run(mode="batch"))
    await world.reporter.until(lambda: "missing" in _said(world))
    world.batches.missing = 0
    finished = await task
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 4, 0)


async def test_results_that_do_not_come_for_a_month_are_lost() -> None:
    """Then they are gone at the provider as well: said, counted, asked for again."""
    world = await _left()
    world.batches.missing = 1
    assert (await world.run(mode="messages")).exit_code == 4
    await world.clock.sleep(A_MONTH)
    finished = await world.run(mode="messages")
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 1, 1)
    assert finished.maybe_spent_usd > 0


@pytest.mark.parametrize("counts", [{}, {"succeeded": 0}, {"succeeded": 99}, {"succeeded": 1, "errored": 1}])
async def test_counts_that_are_wrong_change_nothing(counts: dict[str, int]) -> None:
    """All four results are there: their names say so."""
    world = await _left()
    for batch in world.batches.batches.values():
        _end(batch.state.id, world, counts)
    finished = await world.run(mode="batch")
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 4, 0)
    assert world.reporter.of(BatchCollected)[0].counts == {"succeeded": 4}
    assert _paid_once(world)


async def test_a_batch_whose_id_got_lost_is_found_though_its_counts_are_gone() -> None:
    """Its results carry our token."""
    world = await _left(answer_lost=True)
    _end("msgbatch_1", world, {})
    finished = await world.run(mode="batch")
    assert (finished.exit_code, finished.stored, len(world.batches.batches)) == (0, 4, 1)
    assert _paid_once(world)


async def test_a_stranger_that_has_ended_without_results_keeps_nobody_waiting_for_ever() -> None:
    """It has our number of requests and tells nobody whose it is: our items are left until it is clear."""
    world = await _left(answer_lost=True)
    world.batches.missing = 4
    finished = await world.run(mode="batch")
    assert (finished.exit_code, finished.requests) == (4, 0)
    assert "may be a batch of this target" in world.reporter.of(RunFailed)[0].error["message"]
    world.batches.missing = 0
    assert (await world.run(mode="batch")).stored == 4
    assert _paid_once(world)


async def test_item_that_another_batch_has_answered_twice_counts_once() -> None:
    """Each result of a duplicate is the same payment."""
    world = await _left()
    world.batches.repeated = 4
    finished = await world.run(mode="batch")
    paid = world.journal.of("paid")
    assert (finished.exit_code, finished.stored, len(paid)) == (0, 4, 5)
    assert finished.spent_usd * 1e6 == sum(int(record["cost"]) for record in paid[1:])
    assert item_id(4) in world.store.table


def _end(batch_id: str, world: World, counts: dict[str, int]) -> None:
    batch = world.batches.batches[batch_id]
    world.batches._end(batch)
    batch.state = _recounted(batch.state, counts)


def _recounted(state: BatchState, counts: dict[str, int]) -> BatchState:
    return replace(state, counts=counts, count=sum(counts.values()))
