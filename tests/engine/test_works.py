"""What is done under the lock besides seeding: samples, accepted texts, people's texts, pruned rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine.world import World, item_id, world_of
from fakes.writer import ANSWER_COST, answer

from seed_library.core.answers import Content
from seed_library.core.batches import BatchNote
from seed_library.core.catalog import ItemId
from seed_library.core.errors import RowsRefused, Stopped
from seed_library.core.plan import Action
from seed_library.engine.row_works import HumanText, Prune, Restore, WriteByHand
from seed_library.engine.works import Accept, AskAgain, Sample, TurnDown, spread

BAD = answer("Short.")


async def test_samples_are_far_apart_kept_and_not_stored_and_a_run_stores_them_for_nothing() -> None:
    """Four drafts, four payments; the run pays for the others only."""
    world = world_of(20)
    work = Sample(4)
    sampled = await world.run(work=work, command="sample")
    assert (sampled.exit_code, sampled.stored, sampled.requests) == (0, 0, 4)
    assert [int(draft.item.id.key[1:]) for draft in work.drafts] == [2, 8, 13, 17]
    assert [draft.cost for draft in work.drafts] == [ANSWER_COST] * 4
    assert world.store.table == {}
    finished = await world.run()
    assert (finished.stored, finished.recovered, finished.requests) == (20, 4, 16)


async def test_the_same_samples_are_shown_again_without_paying() -> None:
    """Asked for once; the second time they come out of the journal."""
    world = world_of(20)
    first, second = Sample(4), Sample(4)
    await world.run(work=first, command="sample")
    again = await world.run(work=second, command="sample")
    assert again.requests == 0
    assert [draft.item.id for draft in second.drafts] == [draft.item.id for draft in first.drafts]


async def test_a_rejected_sample_is_shown_with_what_is_wrong() -> None:
    """That is what a sample is for."""
    world = world_of(3)
    world.writer.script = [BAD]
    work = Sample(1)
    finished = await world.run(work=work, command="sample")
    assert finished.exit_code == 6
    assert [finding.gate for finding in work.drafts[0].findings if finding.severity == "error"] == ["length"]


async def test_a_sample_meets_every_category_before_one_comes_twice() -> None:
    """Evenly spread, and always the same."""
    world = world_of(9)
    items = [
        replace(item, id=item.id._replace(category=f"c{number % 3}")) for number, item in enumerate(world.catalog.items)
    ]
    steps = (await world.plan()).steps
    plan = replace(
        await world.plan(), steps=[step._replace(item=item) for step, item in zip(steps, items, strict=True)]
    )
    assert sorted(step.item.id.category for step in spread(plan, 3)) == ["c0", "c1", "c2"]
    assert spread(plan, 5) == spread(plan, 5)
    assert len({step.item.id for step in spread(plan, 99)}) == 9


async def test_an_accepted_text_is_stored_whatever_the_gates_say() -> None:
    """Its provenance says who has accepted it; the next run leaves it."""
    world = world_of(2)
    world.writer.scripts[item_id(1)] = [BAD]
    await world.run()
    work = Accept("k001")
    accepted = await world.run(work=work, command="accept")
    assert (accepted.exit_code, accepted.stored, work.accepted) == (0, 1, [item_id(1)])
    assert world.store.table[item_id(1)].text == "Short."
    assert world.store.table[item_id(1)].provenance["accepted_by"] == "human"
    again = await world.run()
    assert (again.exit_code, again.requests, again.rejected) == (0, 0, 0)


async def test_nothing_to_accept_is_an_error_of_usage() -> None:
    """Nothing was rejected under that key."""
    world = world_of(2)
    await world.run()
    assert (await world.run(work=Accept("k001"), command="accept")).exit_code == 2


async def test_a_persons_text_is_never_replaced_by_a_run() -> None:
    """Not even by `--refresh all`; with and without provenance in the table."""
    world = world_of(2)
    await world.run()
    mine = _mine(world)
    written = await world.run(work=WriteByHand([mine]), command="import")
    assert (written.exit_code, written.stored) == (0, 1)
    assert world.store.table[item_id(1)].provenance["writer"] == "human"
    await world.run(refresh="all")
    assert world.store.table[item_id(1)].text == "My own words about it."
    row = world.store.table[item_id(1)]
    world.store.table[item_id(1)] = replace(row, provenance={})
    steps = {step.item.id: step for step in (await world.plan("all")).steps}
    assert steps[item_id(1)].action is Action.DONE


async def test_only_orphans_are_pruned() -> None:
    """A row that the catalog has is left, whatever is asked for."""
    world: World = world_of(2)
    await world.run()
    foreign = ItemId("signs", "sheep", "en")
    world.store.table[foreign] = replace(world.store.table[item_id(0)], id=foreign)
    finished = await world.run(work=Prune(await world.store.whole([foreign, item_id(1)])), command="prune")
    assert finished.exit_code == 0
    assert sorted(world.store.table) == [item_id(0), item_id(1)]


async def test_works_leave_an_unfinished_library_unasked() -> None:
    """Accepting or writing asks the model for nothing, and looks it up for nothing."""
    world = world_of(5)
    mine = _mine(world)
    await world.run(work=WriteByHand([mine]), command="import")
    assert (world.writer.calls, world.writer.looked_up, len(world.store.table)) == ([], 0, 1)


async def test_a_sample_asks_for_nothing_while_a_batch_of_another_machine_is_not_collected() -> None:
    """Its texts may be among those that are paid for already; a run collects it first."""
    world = world_of(5)
    note = BatchNote("0a1b2c3d4e5f", 4, world.clock.now().isoformat(), world.catalog.request.model, 9_000, "msgbatch_9")
    await world.notes.write(note)
    finished = await world.run(work=Sample(2), command="sample")
    assert (finished.exit_code, world.writer.calls) == (4, [])


async def test_another_text_of_an_item_in_a_batch_is_not_asked_for() -> None:
    """It is at the provider, and will be paid for."""
    world = world_of(3)
    world.batches.on_create = lambda: world.halt.because(Stopped("Stopped on request.", hint=""))
    await world.run(mode="batch")
    asked = len(world.writer.calls)
    finished = await world.run(work=AskAgain(item_id(2), ""), command="review")
    assert (finished.exit_code, len(world.writer.calls)) == (2, asked)


async def test_another_text_replaces_a_stored_one_and_leaves_a_persons_alone() -> None:
    """One request, one row."""
    world = world_of(2)
    await world.run()
    world.writer.script = [answer("Another calm sign, then.")]
    finished = await world.run(work=AskAgain(item_id(1), _version(world)), command="review")
    assert (finished.exit_code, finished.requests) == (0, 1)
    assert world.store.table[item_id(1)].text == "Another calm sign, then."
    mine = _mine(world)
    await world.run(work=WriteByHand([mine]), command="import")
    assert (await world.run(work=AskAgain(item_id(1), _version(world)), command="review")).exit_code == 2


async def test_a_text_that_a_person_does_not_want_stays_until_a_better_one_is_there() -> None:
    """The plan says so; `--refresh rejected` asks for another one."""
    world = world_of(2)
    await world.run()
    await world.run(work=TurnDown(item_id(1), _version(world)), command="review")
    assert (await world.plan()).totals["rejected"] == 1
    assert item_id(1) in world.store.table
    world.writer.script = [answer("Another calm sign, then.")]
    finished = await world.run(refresh="rejected")
    assert (finished.exit_code, finished.requests) == (0, 1)
    assert world.store.table[item_id(1)].text == "Another calm sign, then."
    assert (await world.plan()).totals["rejected"] == 0


def _mine(world: World) -> HumanText:
    """A person's text of the second item, written over what is stored there."""
    return HumanText(world.catalog.items[1], Content("My own words about it."), _version(world))


def _version(world: World) -> str:
    stored = world.store.table.get(item_id(1))
    return stored.version if stored is not None else ""


@pytest.mark.parametrize("culprits", [[7], [0, 31], [3, 4, 5]])
async def test_rows_that_the_table_refuses_are_found_by_halving(culprits: list[int]) -> None:
    """The others are put back, and it takes far fewer calls than rows."""
    world = world_of(32)
    await world.run()
    rows = await world.store.whole([item_id(number) for number in range(32)])
    await world.store.remove(rows)
    world.store.refused = {item_id(number): RowsRefused("no such parent") for number in culprits}
    world.store.batches.clear()
    finished = await world.run(work=Restore(rows), command="import")
    assert (finished.exit_code, finished.failed) == (6, len(culprits))
    assert set(world.store.table) == {item_id(number) for number in range(32)} - set(world.store.refused)
    assert len(world.store.batches) <= 2 * 5 * len(culprits) + 1
