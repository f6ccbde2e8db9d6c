"""A run writes over rows only while they hold what that was decided on; what goes away is in the journal first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from engine.world import World, item_id, world_of
from fakes.store import MemoryStore
from fakes.writer import answer

from seed_library.core.catalog import ItemId
from seed_library.core.errors import Stopped, StoreUnavailable
from seed_library.core.events import ItemConflicted
from seed_library.engine.works import Accept
from seed_library.ports import Row

MINE = "My own words about it."
NEW = "Another calm sign, then."


async def _full(items: int = 3) -> World:
    """A world whose library is full; the model writes other texts from now on."""
    world = world_of(items)
    await world.run()
    world.writer.script = [answer(f"{NEW[:-1]} {number}.") for number in range(items)]
    return world


async def test_a_text_that_was_changed_before_the_refresh_is_not_paid_for() -> None:
    """The provenance says what was stored, and it is something else."""
    world = await _full()
    world.store.edit(item_id(1), MINE)
    finished = await world.run(refresh="all")
    assert (finished.exit_code, finished.conflicts, finished.requests, finished.left) == (6, 1, 2, 0)
    assert world.store.table[item_id(1)].text == MINE
    assert [event.item for event in world.reporter.of(ItemConflicted)] == [item_id(1)]


async def test_a_text_that_is_changed_while_its_replacement_is_written_stays() -> None:
    """The new one is paid for and waits; every later run says so and pays for nothing; a person decides."""
    world = await _full()
    world.writer.script = [answer(NEW)] * 3
    _meanwhile(world, 1, lambda: world.store.edit(item_id(1), MINE))
    finished = await world.run(refresh="all", concurrency=1)
    assert (finished.exit_code, finished.conflicts, finished.stored) == (6, 1, 2)
    assert world.store.table[item_id(1)].text == MINE
    _meanwhile(world, 1, lambda: None)
    asked = len(world.writer.calls)
    again = await world.run()
    assert (again.exit_code, again.conflicts, len(world.writer.calls)) == (6, 1, asked)
    accepted = await world.run(work=Accept("k001"), command="accept")
    assert (accepted.exit_code, world.store.table[item_id(1)].text) == (0, NEW)
    assert (await world.run()).exit_code == 0
    kept = [text for record in world.journal.of("replaced") for text in record["texts"]]
    assert MINE in {text["text"] for text in kept}


async def test_a_batch_that_comes_home_a_day_later_replaces_nothing_newer() -> None:
    """What it was decided on is in the journal with the batch."""
    world = await _full()
    world.batches.on_create = lambda: world.halt.because(Stopped("Stopped on request.", hint=""))
    await world.run(refresh="all", mode="batch")
    world.batches.on_create = lambda: None
    world.store.edit(item_id(2), MINE)
    finished = await world.run(mode="batch")
    assert (finished.exit_code, finished.conflicts) == (6, 1)
    assert world.store.table[item_id(2)].text == MINE


async def test_a_row_that_has_appeared_since_stays() -> None:
    """Decided on nothing: somebody else was faster."""
    world = world_of(3)
    _meanwhile(world, 2, lambda: world.store.appear(item_id(2), MINE))
    finished = await world.run(concurrency=1)
    assert (finished.exit_code, finished.conflicts, finished.stored) == (6, 1, 2)
    assert world.store.table[item_id(2)].text == MINE


async def test_a_row_that_was_removed_meanwhile_is_there_again() -> None:
    """No text of anybody is replaced by that."""
    world = await _full()
    _meanwhile(world, 1, lambda: world.store.table.pop(item_id(1)))
    finished = await world.run(refresh="all", concurrency=1)
    assert (finished.exit_code, finished.stored, len(world.store.table)) == (0, 3, 3)


async def test_what_goes_away_is_durable_before_the_write() -> None:
    """With everything that a row needs to come back."""
    world = await _full()
    before = {item: row.text for item, row in world.store.table.items()}
    watching = _Watching(world)
    world.store = watching
    assert (await world.run(refresh="all")).exit_code == 0
    assert watching.kept == before


@pytest.mark.parametrize("touched", [False, True])
async def test_a_draft_of_an_older_version_replaces_the_programs_own_text_only(touched: bool) -> None:
    """Its journal does not say what it was decided on."""
    world = await _full(2)
    world.store.failures = [StoreUnavailable("503")] * 50
    await world.run(refresh="all", concurrency=1)
    world.store.failures = []
    for _, record in world.journal.records:
        record.pop("over", None)
    waiting = [step.item.id for step in (await world.plan()).to_recover]
    assert waiting
    for item in waiting if touched else ():
        world.store.edit(item, MINE)
    finished = await world.run()
    assert finished.conflicts == (len(waiting) if touched else 0)


@pytest.mark.parametrize("culprit", [1, 3, 6])
async def test_only_the_row_that_the_target_fails_on_fails(culprit: int) -> None:
    """Whatever the code of the failure; it is found by halving, wherever it stands."""
    world = world_of(7)
    world.store.refused = {item_id(culprit): StoreUnavailable("500", about_rows=True)}
    finished = await world.run(concurrency=7)
    assert (finished.exit_code, finished.failed, len(world.store.table)) == (6, 1, 6)
    assert [trouble.item for trouble in finished.troubles] == [item_id(culprit)]


async def test_a_target_that_fails_on_everything_is_no_fault_of_the_rows() -> None:
    """The run ends, and nothing counts as failed; the next run stores it all, unpaid."""
    world = world_of(7)
    world.store.refused = {item_id(number): StoreUnavailable("500", about_rows=True) for number in range(1, 7)}
    finished = await world.run(concurrency=7)
    assert (finished.exit_code, finished.failed) == (4, 0)
    world.store.refused = {}
    asked = len(world.writer.calls)
    again = await world.run()
    assert (again.exit_code, len(world.store.table)) == (0, 7)
    assert len(world.writer.calls) - asked <= 1


async def test_the_rows_to_come_are_tried_before_anything_is_paid() -> None:
    """Those that a run would bring into the table, and no others."""
    world = world_of(4)
    await world.run()
    del world.store.table[item_id(2)]
    world.store.rehearsals.clear()
    await world.run()
    assert world.store.rehearsals[0] == [item_id(2)]


def _meanwhile(world: World, number: int, happens: Callable[[], object]) -> None:
    """Let something happen while the request of this item is in flight."""
    world.writer.on_call = lambda request: happens() if request.item.id == item_id(number) else None  # type: ignore[assignment]  # nobody looks at what it returns


class _Watching(MemoryStore):
    """Keeps, of every row that is written over, the text that the durable journal holds by then."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.table = dict(world.store.table)
        self._world = world
        self.kept: dict[ItemId, str] = {}

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        durable: list[dict[str, Any]] = [said for _, said in self._world.journal.records[: self._world.journal.durable]]
        texts = [text for said in durable if said["kind"] == "replaced" for text in said["texts"]]
        held = {ItemId(*text["item"]): text["text"] for text in texts}
        self.kept |= {row.id: held[row.id] for row in rows if row.over is not None and row.id in held}
        return await super().upsert(rows)
