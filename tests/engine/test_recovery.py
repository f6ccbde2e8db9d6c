"""What earlier runs have paid for is stored without asking, and what they left open is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import count

from engine.world import World, catalog_of, item_id, rules_of, world_of
from fakes.store import MemoryStore
from fakes.writer import answer

from seed_library.core.catalog import ItemId, WordRule
from seed_library.core.errors import StoreUnavailable
from seed_library.core.events import RequestSent, RowsStored, RunFailed, RunStarted, Warned
from seed_library.core.plan import Action
from seed_library.core.pricing import usd
from seed_library.ports import Check, Row, StoredRow


async def test_a_finished_library_costs_nothing_not_even_a_question() -> None:
    """No request, no look-up of the model, no row written; exit 0."""
    world = world_of(5)
    await world.run()
    looked_up, batches = world.writer.looked_up, len(world.store.batches)
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.stored) == (0, 0, 0)
    assert (world.writer.looked_up, len(world.store.batches)) == (looked_up, batches)
    assert len(world.writer.calls) == 5


async def test_texts_that_a_dead_table_did_not_take_are_stored_by_the_next_run() -> None:
    """Exit 4 after patience; then everything paid is stored first, free of charge, and only the rest is asked."""
    world = World(catalog_of(150), store=_Dying(after=1))
    assert isinstance(world.store, _Dying)
    first = await world.run(concurrency=8)
    assert (first.exit_code, first.stored) == (4, 1)
    assert 1 < first.generated <= 150
    world.store.alive = True
    second = await world.run(concurrency=8)
    assert (second.exit_code, second.recovered, second.stored) == (0, first.generated - 1, 149)
    assert second.requests == 150 - first.generated
    assert len(world.writer.calls) == 150
    assert sum(event.recovered for event in world.reporter.of(RowsStored)) == second.recovered
    assert sorted(world.store.table) == [item_id(number) for number in range(150)]


async def test_a_recovered_row_says_the_same_as_one_that_was_stored_at_once() -> None:
    """The provenance names the run that paid."""
    at_once, later = world_of(1), world_of(1)
    await at_once.run()
    later.store.away = True
    await later.run()
    later.store.away = False
    await later.run()
    assert later.store.table == at_once.store.table


async def test_paid_texts_are_stored_before_anything_is_asked() -> None:
    """The first upsert of the second run is the recovery."""
    world = world_of(3)
    world.store.away = True
    await world.run()
    world.store.away = False
    assert world.store.table == {}
    world.reporter.events.clear()
    await world.run()
    kinds = [type(event) for event in world.reporter.events if isinstance(event, RowsStored | RequestSent)]
    assert kinds[0] is RowsStored


async def test_a_deleted_row_is_stored_again_from_the_journal() -> None:
    """The table is the truth for what is stored, the journal for what is paid."""
    world = world_of(9)
    await world.run()
    for number in (2, 5, 7):
        del world.store.table[item_id(number)]
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.recovered) == (0, 0, 3)
    assert len(world.store.table) == 9


async def test_a_killed_run_leaves_intents_that_the_next_one_closes_and_reports() -> None:
    """Three requests were in flight: each may have been billed, is named, and is asked for again."""
    world = world_of(9)
    async with world.running(3, concurrency=3):
        killed = _after_kill(world)
    assert len(killed.journal.ledger().open_intents) == 3
    finished = await killed.run()
    assert (finished.exit_code, finished.stored) == (0, 8)
    warnings = [event.message for event in killed.reporter.of(Warned)]
    assert [f"{item_id(number)}: in flight when a run was killed" in warnings[number - 1] for number in (1, 2, 3)]
    ledger = killed.journal.ledger()
    assert (ledger.open_intents, ledger.maybe_spent) == ({}, 3 * killed.worst)
    again = await killed.run()
    assert (again.requests, len(killed.reporter.of(Warned))) == (0, 3)


async def test_a_power_cut_after_any_record_costs_no_paid_text() -> None:
    """Whatever prefix of the journal survives: nothing that is paid in it is asked for again, and all ends stored."""
    world = world_of(4)
    await world.run()
    for length in range(len(world.journal.records) + 1):
        survivor = world_of(4)
        survivor.numbers = count(2)  # no two runs have the same id
        survivor.journal.records = deepcopy(world.journal.records[:length])
        survivor.journal.mend()
        paid = [tuple(record["item"]) for record in survivor.journal.of("paid")]
        finished = await survivor.run()
        assert finished.exit_code == 0
        assert len(survivor.store.table) == 4
        assert not set(paid) & set(survivor.writer.calls)


async def test_a_text_that_was_paid_but_not_judged_is_judged_before_it_is_stored() -> None:
    """The run died between the two; a bad text does not slip through."""
    world = world_of(2)
    world.writer.script = [answer(), answer("Short.")]
    await world.run()
    world.journal.records = [(at, record) for at, record in world.journal.records if record["kind"] != "judged"]
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.rejected) == (6, 0, 1)
    assert list(world.store.table) == [item_id(0)]


async def test_an_answer_without_a_text_that_a_killed_run_left_is_asked_for_again_at_once() -> None:
    """Whoever starts again wants the rows; a second start would do nothing else."""
    world = world_of(3)
    world.writer.script = [answer(), answer(stop_reason="max_tokens")]
    assert (await world.run(concurrency=1)).exit_code == 6
    world.journal.records = [(at, record) for at, record in world.journal.records if record["kind"] != "judged"]
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.failed, finished.stored) == (0, 1, 0, 1)
    assert len(world.store.table) == 3


async def test_a_text_that_todays_gates_refuse_is_rejected_for_good() -> None:
    """It was accepted by older rules and waits in the journal; `--refresh rejected` replaces it."""
    world = world_of(1)
    world.store.away = True
    await world.run()
    world.store.away = False
    world.catalog = replace(world.catalog, rules={("signs", "en"): rules_of(WordRule(20, 30, 15, 40))})
    finished = await world.run()
    assert (finished.exit_code, finished.rejected) == (6, 1)
    assert [step.action for step in (await world.plan()).steps] == [Action.REJECTED]
    world.writer.script = [answer("One two three four five. " * 4)]
    assert (await world.run(refresh="rejected")).stored == 1


async def test_a_rehearsal_is_not_taken_for_the_real_thing() -> None:
    """A real run replaces what a rehearsal stored, and never the other way round."""
    world = world_of(3)
    await world.run(writer_name="rehearsal")
    assert {row.provenance["writer"] for row in world.store.table.values()} == {"rehearsal"}
    world.journal.records.clear()
    assert (await world.run()).generated == 3
    assert {row.provenance["writer"] for row in world.store.table.values()} == {"claude"}
    world.journal.records.clear()
    assert (await world.run(writer_name="rehearsal")).requests == 0


async def test_all_failed_checks_are_reported_together_and_nothing_is_sent() -> None:
    """The table, the key and the budget in one report; a hint of a passed check is a warning."""
    world = world_of(3)
    world.store.checks = [Check("table", ok=False, message="no unique index"), Check("x", ok=True, message="old")]
    world.writer.check = Check("claude key", ok=False, message="refused")
    finished = await world.run(budget=1)
    assert (finished.exit_code, finished.requests) == (4, 0)
    assert world.reporter.of(RunStarted) == []
    message = world.reporter.of(RunFailed)[0].error["message"]
    assert all(f"  - {name}: " in message for name in ("table", "claude key", "budget"))
    assert [record["kind"] for _, record in world.journal.records] == ["run", "finished"]
    hinted = world_of(1)
    hinted.store.checks = [Check("table", ok=True, message="no provenance column", hint="See `schema`.")]
    await hinted.run()
    assert hinted.reporter.of(Warned)[0].message == "table: no provenance column. See `schema`."


async def test_what_a_killed_run_had_in_flight_counts_against_the_budget_of_the_next() -> None:
    """It may have been billed: the next run has so much less to spend, and says so in its sum."""
    world = world_of(1)
    await world.run()
    world.journal.records = [
        (at, record) for at, record in world.journal.records if record["kind"] in {"run", "intent"}
    ]
    world.store.table.clear()
    poor = world_of(1)
    poor.journal.records = deepcopy(world.journal.records)
    poor.journal.mend()
    assert (await poor.run(budget=2 * world.worst - 1)).exit_code == 4
    finished = await world.run(budget=2 * world.worst)
    assert (finished.exit_code, finished.generated) == (0, 1)
    assert finished.maybe_spent_usd == usd(world.worst)
    assert world.journal.ledger().last_run.maybe_spent == world.worst


async def test_a_table_that_stumbles_while_it_is_read_is_read_again() -> None:
    """A plan over a large table takes many reads; one lost answer must not end an unattended run."""
    world = World(catalog_of(3), store=_Stumbling())
    assert (await world.run()).exit_code == 0
    assert "could not be read (attempt 1)" in world.reporter.of(Warned)[0].message


class _Stumbling(MemoryStore):
    """Loses the answer to its first read."""

    def __init__(self) -> None:
        super().__init__()
        self._stumbled = False

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Fail once, then answer."""
        if not self._stumbled:
            self._stumbled = True
            raise StoreUnavailable("no answer.")
        async for row in super().rows(categories, locales):
            yield row


class _Dying(MemoryStore):
    """Takes some batches and then none, until it is alive again."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.alive = False
        self._left = after

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        self._left -= 1
        if not self.alive and self._left < 0:
            raise StoreUnavailable("503")
        return await super().upsert(rows)


def _after_kill(world: World) -> World:
    """Return what a power cut at this moment leaves: the durable journal and the table."""
    left = World(world.catalog, numbers=count(2))  # no two runs have the same id
    left.journal.records = deepcopy(world.journal.records)
    left.journal.durable = world.journal.durable
    left.journal.cut_power()
    left.store.table = dict(world.store.table)
    return left
