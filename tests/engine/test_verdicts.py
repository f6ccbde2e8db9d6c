"""What becomes of an item: stored, rejected or failed; and when so much goes wrong that the run ends."""

from __future__ import annotations

from itertools import cycle, islice

import pytest
from engine.world import catalog_of, item_id, world_of
from fakes.writer import Script, answer

from seed_library.core.errors import ItemRefused, WriteRetryable
from seed_library.core.events import ItemFailed, ItemRejected, RetryScheduled, RunFailed

REJECTED = answer("Short.")
LATER = WriteRetryable("busy", maybe_billed=False)


async def test_a_rejected_text_is_kept_counted_and_not_asked_for_again() -> None:
    """It is in the journal with its findings; a rerun leaves it alone and still says that it is missing."""
    world = world_of(4)
    world.writer.scripts[item_id(2)] = [REJECTED]
    first = await world.run()
    assert (first.exit_code, first.stored, first.rejected) == (6, 3, 1)
    assert item_id(2) not in world.store.table
    assert world.reporter.of(ItemRejected)[0].findings[0].gate == "length"
    verdict = [said for said in world.journal.of("judged") if not said["accepted"]]
    assert verdict[0]["findings"][0]["message"] == "1 words; 2 to 10 are allowed"
    again = await world.run()
    assert (again.exit_code, again.requests, again.rejected, again.left) == (6, 0, 1, 0)
    world.catalog = catalog_of(7)
    partly = await world.run(budget=world.worst)
    assert (partly.exit_code, partly.stored, partly.rejected, partly.left) == (7, 1, 1, 2)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([answer(stop_reason="max_tokens")], "cut off at max_tokens"),
        ([answer(stop_reason="refusal", content=[])], "refused to answer"),
        ([answer("")], "holds no text"),
        ([ItemRefused("413 request_too_large", maybe_billed=False)], "413"),
        (8 * [LATER], "busy"),
    ],
    ids=["cut off", "refusal", "empty", "refused", "never ready"],
)
async def test_an_item_without_a_text_fails_alone_and_is_asked_for_again_by_the_next_run(
    script: list[Script], reason: str
) -> None:
    """The others are stored; the reason is named; the next run repairs it."""
    world = world_of(5)
    world.writer.scripts[item_id(3)] = script
    first = await world.run()
    assert (first.exit_code, first.stored, first.failed) == (6, 4, 1)
    assert first.troubles[0].item == item_id(3)
    assert reason in first.troubles[0].reason
    assert reason in world.reporter.of(ItemFailed)[0].reason
    asked = len(world.writer.calls)
    second = await world.run()
    assert (second.exit_code, second.stored) == (0, 1)
    assert world.writer.calls[asked:] == [item_id(3)]


async def test_a_request_that_may_have_been_billed_is_tried_once_more_at_most() -> None:
    """Certain refusals in between do not count; the wait is announced with its reason."""
    world = world_of(1)
    maybe = WriteRetryable("no answer", maybe_billed=True)
    world.writer.script = [LATER, maybe, LATER, LATER, maybe, answer()]
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.failed) == (6, 5, 1)
    assert [event.reason for event in world.reporter.of(RetryScheduled)] == ["busy", "no answer", "busy", "busy"]
    assert len(world.clock.sleeps) == 4


@pytest.mark.parametrize("trouble", [REJECTED, ItemRefused("413", maybe_billed=False)], ids=["rejected", "failed"])
async def test_ten_troubles_in_a_row_end_the_run(trouble: Script) -> None:
    """The canary was good; then nothing works, so nothing more is paid than was under way."""
    world = world_of(40)
    world.writer.script = [answer(), *[trouble] * 39]
    finished = await world.run(concurrency=1)
    assert (finished.exit_code, finished.stored) == (4, 1)
    assert finished.rejected + finished.failed == 10
    assert finished.requests <= 11 + 1
    assert "10 items in a row" in world.reporter.of(RunFailed)[0].error["message"]


async def test_many_troubles_with_good_texts_in_between_end_nothing() -> None:
    """Nine in a row, a good one, nine in a row: unlucky, but alive."""
    world = world_of(40)
    world.writer.script = list(islice(cycle([answer(), *[REJECTED] * 9]), 40))
    finished = await world.run(concurrency=1)
    assert (finished.exit_code, finished.stored, finished.rejected) == (6, 4, 36)
