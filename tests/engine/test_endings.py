"""How a run ends early: no new request, what is under way is finished and stored, and the exit code says why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.store import MemoryStore
from fakes.writer import ANSWER_COST

from seed_library.core.errors import (
    BudgetReached,
    LockLost,
    RunBlocked,
    SeedLibraryError,
    Stopped,
    StoreUnavailable,
    WriteRetryable,
)
from seed_library.core.events import RunFailed, RunFinished
from seed_library.ports import StoredRow

CAUSES: list[SeedLibraryError] = [Stopped("SIGTERM"), RunBlocked("401"), BudgetReached("none left"), LockLost("gone")]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: type(cause).__name__)
async def test_what_is_under_way_is_finished_and_stored_whatever_ends_the_run(cause: SeedLibraryError) -> None:
    """Three requests were in flight; none is lost, none is added."""
    world = world_of(9)
    async with world.running(3, concurrency=3) as task:
        world.halt.because(cause)
    finished = task.result()
    assert (finished.exit_code, finished.requests, finished.stored, finished.left) == (cause.exit_code, 4, 4, 5)
    assert len(world.store.table) == 4
    assert world.journal.of("finished")[-1]["exit_code"] == cause.exit_code
    assert world.reporter.of(RunFailed)[0].error["code"] == cause.code
    assert isinstance(world.reporter.events[-1], RunFinished)


async def test_answers_that_never_come_keep_a_stopped_run_only_for_a_while() -> None:
    """They are waited for, since they are paid for; then the run ends, and says that they may have been billed."""
    world = world_of(9)
    world.writer.gate.clear()
    world.writer.free = 1
    task = asyncio.create_task(world.run(concurrency=3))
    await world.writer.until_held(3)
    world.halt.because(Stopped("SIGTERM"))
    finished = await task
    assert (finished.exit_code, finished.stored) == (8, 1)
    assert 120 in world.clock.sleeps
    assert [record["billed"] for record in world.journal.of("failed")] == ["maybe"] * 3
    assert round(finished.maybe_spent_usd * 1_000_000) == 3 * world.worst


async def test_a_stopped_run_is_finished_by_the_next_one() -> None:
    """Nothing is asked twice."""
    world = world_of(9)
    async with world.running(1, before=0) as task:
        world.halt.because(Stopped("SIGINT"))
    assert (task.result().exit_code, task.result().stored) == (8, 1)
    assert (await world.run()).stored == 8
    assert sorted(world.writer.calls) == [item_id(number) for number in range(9)]


async def test_a_stop_before_anything_was_sent_sends_nothing() -> None:
    """The signal came during the preflight."""
    world = world_of(3)
    world.halt.because(Stopped("SIGINT"))
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.left) == (8, 0, 3)


async def test_a_stop_when_everything_is_done_changes_nothing() -> None:
    """All rows are stored, so that is what the exit code says; also for a library that was finished before."""
    world = world_of(1)
    async with world.running(1, before=0) as task:
        world.halt.because(Stopped("SIGINT"))
    assert (task.result().exit_code, task.result().stored) == (0, 1)
    world.halt.because(Stopped("SIGINT"))
    assert (await world.run()).exit_code == 0
    assert world.reporter.of(RunFailed) == []


async def test_a_stop_ends_the_wait_for_another_try() -> None:
    """The clock stands still: only being woken by the stop gets the run out of its wait."""
    world = world_of(5)
    world.clock.stands = True
    world.writer.script = [WriteRetryable("429", maybe_billed=False, retry_after=60)]
    task = asyncio.create_task(world.run())
    await world.clock.asleep.wait()
    world.halt.because(Stopped("SIGINT"))
    finished = await task
    assert (finished.exit_code, finished.requests) == (8, 1)


async def test_a_reached_budget_ends_the_run_with_everything_paid_in_the_table() -> None:
    """Exit 7; a higher budget goes on without paying anything again."""
    world = world_of(9)
    first = await world.run(budget=3 * ANSWER_COST + world.worst, concurrency=4)
    assert (first.exit_code, first.generated, first.stored) == (7, 4, 4)
    second = await world.run()
    assert (second.exit_code, second.stored) == (0, 5)
    assert len(world.writer.calls) == 9


async def test_a_key_that_is_refused_ends_the_run_at_first_sight() -> None:
    """Requests that are under way are finished; what was refused is not billed and not tried again."""
    world = world_of(9)
    world.writer.scripts[item_id(1)] = [RunBlocked("401 authentication_error", hint="Check ANTHROPIC_API_KEY.")]
    async with world.running(3, concurrency=3) as task:
        pass
    finished = task.result()
    assert (finished.exit_code, finished.requests, finished.stored, finished.maybe_spent_usd) == (4, 4, 3, 0)
    assert world.reporter.of(RunFailed)[0].error["hint"] == "Check ANTHROPIC_API_KEY."


async def test_of_several_causes_the_first_is_reported() -> None:
    """Three workers find the key dead at once; one failure is reported."""
    world = world_of(9)
    for number in (1, 2, 3):
        world.writer.scripts[item_id(number)] = [RunBlocked(f"401 for {number}")]
    async with world.running(3, concurrency=3) as task:
        pass
    assert task.result().exit_code == 4
    assert [event.error["message"] for event in world.reporter.of(RunFailed)] == ["401 for 1"]


async def test_a_lost_lock_stops_requests_and_upserts_and_keeps_the_texts() -> None:
    """Somebody else may hold the target: after the canary no row is written, and the journal keeps what is paid."""
    world = world_of(9)
    async with world.running(3, concurrency=3) as task:
        world.lock.lost = True
    finished = task.result()
    assert (finished.exit_code, finished.requests, finished.generated, finished.stored) == (4, 4, 4, 1)
    world.lock.lost = False
    assert (await world.run()).recovered == 3


async def test_a_full_disk_takes_the_answers_under_way_and_lets_nothing_more_be_paid() -> None:
    """Intents are refused; three answers still find room and are stored."""
    world = world_of(9)
    async with world.running(3, concurrency=3) as task:
        world.journal.full = True
    finished = task.result()
    assert (finished.exit_code, finished.requests, finished.stored, finished.maybe_spent_usd) == (4, 4, 4, 0)
    assert world.reporter.of(RunFailed)[0].error["code"] == "journal"


@pytest.mark.parametrize("kind", ["run", "intent"])
async def test_a_journal_that_takes_nothing_lets_nothing_be_asked(kind: str) -> None:
    """Exit 4, no request."""
    world = world_of(3)
    world.journal.breaks_at = kind
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.spent_usd, finished.maybe_spent_usd) == (4, 0, 0, 0)


async def test_a_bug_in_the_writer_ends_the_run_when_the_others_are_finished() -> None:
    """It is raised as it is; its own request may have been billed; the two others under way are stored."""
    world = world_of(9)
    world.writer.scripts[item_id(1)] = [KeyError("usage")]
    async with asyncio.timeout(20), world.running(3, concurrency=3) as task:
        pass
    assert repr(task.exception()) == "KeyError('usage')"
    assert (len(world.writer.calls), len(world.store.table)) == (4, 3)
    assert (
        world.journal.of("failed")[0] | {"reason": "interrupted (KeyError)", "billed": "maybe"}
        == (world.journal.of("failed")[0])
    )


async def test_a_bug_in_the_store_ends_the_run_and_hangs_nobody() -> None:
    """More texts arrive than the storer may let wait; they are in the journal, and the next run stores them."""
    world = world_of(600)
    world.store.failures = [None, KeyError("id")]
    async with asyncio.timeout(60):
        with pytest.raises(KeyError, match="id"):
            await world.run(concurrency=8)
    assert len(world.writer.calls) < 600
    calls = len(world.journal.of("paid"))
    finished = await world.run(concurrency=8)
    assert (finished.exit_code, finished.recovered) == (0, calls - 1)
    assert len(world.writer.calls) == 600


async def test_a_cancelled_run_says_of_every_request_under_way_that_it_may_have_been_billed() -> None:
    """Nothing hangs, no intent stays open, and the next run asks for those items again."""
    world = world_of(5)
    async with world.running(3, concurrency=3) as task:
        task.cancel()
    assert task.cancelled()
    assert [said["billed"] for said in world.journal.of("failed")] == ["maybe"] * 3
    assert world.journal.ledger().open_intents == {}
    assert (await world.run()).stored == 4


async def test_a_table_that_cannot_be_read_ends_the_run_before_it_begins() -> None:
    """Nothing is asked, and the failure is reported as every other one."""
    world = World(catalog_of(3), store=_Silent())
    finished = await world.run()
    assert (finished.exit_code, finished.requests) == (4, 0)
    assert world.reporter.of(RunFailed)[0].error["code"] == "store_unavailable"
    assert finished.left is None
    assert [record["kind"] for _, record in world.journal.records] == ["run", "finished"], "a trace for `status`"


class _Silent(MemoryStore):
    """Never says what it holds."""

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        raise StoreUnavailable("no answer")
        yield  # makes it an iterator
