"""`--refresh` over several runs: what it replaces, what it leaves alone, and that it goes on where it ended."""

from __future__ import annotations

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.writer import ANSWER_COST, answer

from seed_library.core.errors import RowsRefused
from seed_library.core.plan import Refresh

NEW = answer("A new and bright sign.")


async def test_a_changed_prompt_alone_changes_nothing() -> None:
    """The plan says "changed"; a plain run asks for nothing and is content."""
    world = await _finished_with_a_changed_prompt(4)
    assert (await world.plan()).totals["changed"] == 4
    finished = await world.run()
    assert (finished.exit_code, finished.requests) == (0, 0)


async def test_refresh_changed_replaces_what_has_changed_once() -> None:
    """Every row gets a new text; a second refresh finds nothing to do."""
    world = await _finished_with_a_changed_prompt(4)
    world.writer.script = [NEW] * 4
    finished = await world.run(refresh="changed")
    assert (finished.exit_code, finished.stored) == (0, 4)
    assert {row.text for row in world.store.table.values()} == {"A new and bright sign."}
    assert (await world.run(refresh="changed")).requests == 0


async def test_an_interrupted_refresh_changed_goes_on_without_paying_again() -> None:
    """Two texts were paid when the budget ended, and one more waits because the table was down."""
    world = await _finished_with_a_changed_prompt(5)
    first = await world.run(refresh="changed", budget=ANSWER_COST + world.worst, concurrency=1)
    assert (first.exit_code, first.stored) == (7, 2)
    world.store.away = True
    second = await world.run(refresh="changed")
    world.store.away = False
    assert (second.exit_code, second.generated, second.stored) == (4, 1, 0)
    third = await world.run(refresh="changed")
    assert (third.exit_code, third.recovered, third.requests) == (0, 1, 2)


async def test_refresh_all_replaces_everything_and_is_one_job_over_several_runs() -> None:
    """What an interrupted refresh has replaced stays replaced; when it is complete, the next one is a new round."""
    world = world_of(5)
    await world.run()
    first = await world.run(refresh="all", budget=ANSWER_COST + world.worst, concurrency=1)
    assert (first.exit_code, first.stored) == (7, 2)
    second = await world.run(refresh="all")
    assert (second.exit_code, second.requests) == (0, 3)
    third = await world.run(refresh="all")
    assert (third.exit_code, third.requests) == (0, 5)


@pytest.mark.parametrize("then", ["all", ""])
async def test_a_replacement_that_was_paid_is_stored_by_the_next_run(then: Refresh) -> None:
    """The table was down in the middle of `--refresh all`; the new texts wait and win."""
    world = world_of(1)
    await world.run()
    world.writer.script = [NEW]
    world.store.away = True
    await world.run(refresh="all")
    world.store.away = False
    finished = await world.run(refresh=then)
    assert (finished.exit_code, finished.recovered, finished.requests) == (0, 1, 0)
    assert world.store.table[item_id(0)].text == "A new and bright sign."


async def test_refresh_rejected_asks_again_for_what_the_gates_refused() -> None:
    """Only that, and once it is good the library is complete."""
    world = world_of(4)
    world.writer.scripts[item_id(2)] = [answer("Short."), answer("Short."), answer()]
    assert (await world.run()).exit_code == 6
    still = await world.run(refresh="rejected")
    assert (still.exit_code, still.requests, still.rejected, still.left) == (6, 1, 1, 0)
    good = await world.run(refresh="rejected")
    assert (good.exit_code, good.requests, good.rejected) == (0, 1, 0)
    assert (await world.run()).exit_code == 0


async def test_a_rejected_replacement_leaves_the_older_text_in_place() -> None:
    """The run says so with exit 6."""
    world = await _finished_with_a_changed_prompt(2)
    world.writer.scripts[item_id(1)] = [answer("Short.")]
    finished = await world.run(refresh="changed")
    assert (finished.exit_code, finished.stored, finished.rejected) == (6, 1, 1)
    assert world.store.table[item_id(1)].text == "A calm and steady sign."


async def test_a_text_whose_row_is_refused_stays_paid() -> None:
    """Every run offers it again, free of charge."""
    world = world_of(2)
    world.store.failures = [None, RowsRefused("value too long"), RowsRefused("value too long"), None]
    for _ in range(2):
        finished = await world.run()
        assert (finished.exit_code, finished.failed) == (6, 1)
        assert "value too long" in finished.troubles[0].reason
    assert (await world.run()).recovered == 1
    assert len(world.writer.calls) == 2


async def _finished_with_a_changed_prompt(items: int) -> World:
    world = world_of(items)
    await world.run()
    world.catalog = catalog_of(items, prompt="Tell of {{ key }}.")
    return world


async def test_rows_that_are_new_are_tried_before_those_that_are_replaced() -> None:
    """A table that is slow takes a few of them only before the time is up, and refuses new rows most."""
    world = world_of(6)
    await world.run()
    for number in (3, 5):
        del world.store.table[item_id(number)]
    world.store.rehearsals.clear()
    assert (await world.run(refresh="all")).exit_code == 0
    assert world.store.rehearsals[0][:2] == [item_id(3), item_id(5)]
    assert len(world.store.rehearsals[0]) == 6
