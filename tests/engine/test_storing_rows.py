"""The storer: small batches, patience with a table that is down, and one guilty row found among many."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.store import MemoryStore

from seed_library.core.catalog import ItemId
from seed_library.core.errors import BudgetReached, RowsRefused, RunBlocked, SeedLibraryError, Stopped, StoreUnavailable
from seed_library.core.events import ItemFailed, RunFailed, Warned
from seed_library.ports import Row

DOWN = StoreUnavailable("503 service unavailable")


async def test_rows_travel_in_batches_of_fifty_at_most() -> None:
    """A hundred and twenty texts that arrive together do not make a hundred and twenty upserts."""
    world = world_of(121)
    await world.run(concurrency=64)
    assert sum(world.store.batches) == 121
    assert max(world.store.batches) <= 50
    assert len(world.store.batches) <= 8


async def test_a_text_does_not_wait_for_a_batch_to_fill() -> None:
    """One slow request is under way; the texts that have arrived are in the table meanwhile."""
    world = world_of(9)
    async with world.running(1, before=8):
        await world.reporter.until(lambda: len(world.store.table) == 8)
        assert world.writer.in_flight == 1
    assert len(world.store.table) == 9


async def test_a_table_that_is_down_for_a_while_is_waited_for() -> None:
    """Every try is announced; nothing is paid for twice, nothing is missing."""
    world = world_of(9)
    world.store.failures = [None, DOWN, DOWN, DOWN]
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.requests) == (0, 9, 9)
    messages = [event.message for event in world.reporter.of(Warned)]
    assert [f"(attempt {number})" in messages[number - 1] for number in (1, 2, 3)] == [True] * 3
    assert "503" in messages[0]
    assert len(world.clock.sleeps) == 3


async def test_a_table_that_stays_down_ends_the_run() -> None:
    """Exit 4; what is paid is in the journal."""
    world = world_of(3)
    world.store.away = True
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.generated) == (4, 0, 1)
    assert world.reporter.of(RunFailed)[0].error["code"] == "store_unavailable"


@pytest.mark.parametrize("cause", [Stopped("SIGTERM"), BudgetReached("none left")], ids=["stopped", "budget"])
async def test_a_run_that_is_to_end_still_waits_a_little_for_the_table(cause: SeedLibraryError) -> None:
    """What was under way is stored although the first try fails."""
    world = world_of(9)
    async with world.running(3, concurrency=3) as task:
        world.halt.because(cause)
        world.store.failures = [DOWN]
    assert (task.result().exit_code, task.result().stored) == (cause.exit_code, 4)


async def test_a_stop_ends_the_wait_for_a_table_with_one_more_try() -> None:
    """The clock stands still: the storer is in the middle of its wait, and the table is back by now."""
    world = world_of(9)
    async with world.running(1, before=2, concurrency=1) as task:
        world.clock.stands = True
        world.store.failures = [DOWN]
        await world.clock.asleep.wait()
        world.halt.because(Stopped("SIGTERM"))
    assert (task.result().exit_code, task.result().stored) == (8, 3)


async def test_a_run_that_is_to_end_does_not_wait_long_for_a_dead_table() -> None:
    """Ten seconds of waiting at most, then the texts are left to the next run."""
    world = world_of(9)
    async with world.running(3, concurrency=3) as task:
        world.halt.because(Stopped("SIGTERM"))
        world.store.away = True
    assert (task.result().exit_code, task.result().stored) == (8, 1)
    assert world.clock.monotonic() <= 10
    world.store.away = False
    assert (await world.run()).recovered == 3


@pytest.mark.parametrize("guilty", [(1,), (4,), (7,), (3, 4, 8), tuple(range(1, 9))])
async def test_a_refused_batch_is_halved_until_the_guilty_rows_stand_alone(guilty: tuple[int, ...]) -> None:
    """The innocent ones are stored, the guilty ones named with the table's reason."""
    world = World(catalog_of(9), store=_Picky({item_id(number) for number in guilty}))
    finished = await world.run(concurrency=9)
    assert (finished.exit_code, finished.failed, finished.stored) == (6, len(guilty), 9 - len(guilty))
    assert sorted(event.item for event in world.reporter.of(ItemFailed)) == [item_id(number) for number in guilty]
    assert "value too long" in finished.troubles[0].reason


async def test_a_table_that_refuses_one_row_after_the_other_ends_the_run() -> None:
    """Good texts in between are no comfort when none of them can be stored."""
    world = World(catalog_of(200), store=_Picky({item_id(number) for number in range(1, 200)}))
    finished = await world.run(concurrency=1)
    assert (finished.exit_code, finished.stored, finished.failed) == (4, 1, 10)
    assert "10 items in a row could not be stored" in world.reporter.of(RunFailed)[0].error["message"]


async def test_refused_rows_with_stored_ones_in_between_end_nothing() -> None:
    """Every second row is too long: unlucky, but the table takes the others."""
    world = World(catalog_of(40), store=_Picky({item_id(number) for number in range(1, 40, 2)}))
    finished = await world.run()
    assert (finished.exit_code, finished.stored, finished.failed) == (6, 20, 20)


async def test_a_refusal_of_everything_ends_the_run_at_first_sight() -> None:
    """Missing privileges are not waited for."""
    world = world_of(9)
    world.store.failures = [None, RunBlocked("42501 permission denied", hint="Grant it.")]
    finished = await world.run()
    assert (finished.exit_code, finished.stored, world.clock.sleeps) == (4, 1, [])
    assert world.reporter.of(RunFailed)[0].error["hint"] == "Grant it."


class _Picky(MemoryStore):
    """Refuses every batch that holds one of these rows."""

    def __init__(self, refused: set[ItemId]) -> None:
        super().__init__()
        self._refused = refused

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        if self._refused & {row.id for row in rows}:
            raise RowsRefused("value too long for type character varying(80)")
        return await super().upsert(rows)
