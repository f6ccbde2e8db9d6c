"""The order is the promise: intent, request, paid, judged, stored; each durable before the next thing happens."""

from __future__ import annotations

from collections.abc import Sequence

from engine.world import World, catalog_of, item_id, world_of
from fakes.store import MemoryStore
from fakes.writer import answer

from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Request
from seed_library.core.errors import ItemRefused, WriteRetryable
from seed_library.core.events import CanaryPassed, RequestSent, RowsStored, RunFinished, RunStarted, TextPaid
from seed_library.ports import Row


async def test_every_item_goes_through_intent_paid_judged_and_stored_in_this_order() -> None:
    """One record of each kind per item, none before its time."""
    world = world_of(9)
    await world.run()
    for number in range(9):
        assert _story(world, number) == ["intent", "paid", "judged", "stored"]


async def test_an_attempt_that_failed_is_closed_before_the_next_one_begins() -> None:
    """Every intent has its own attempt and is closed by `failed` or `paid`."""
    world = world_of(2)
    world.writer.scripts[item_id(1)] = [
        WriteRetryable("busy", maybe_billed=False),
        ItemRefused("no", maybe_billed=True),
    ]
    await world.run()
    assert _story(world, 1) == ["intent", "failed", "intent", "failed"]
    opened = [record["attempt"] for record in world.journal.of("intent")]
    assert len(set(opened)) == 3
    assert sorted(opened) == sorted(record["attempt"] for record in world.journal.of("paid", "failed"))


async def test_the_intent_is_durable_before_the_request_leaves() -> None:
    """A power cut while a request is on its way never forgets that it was sent."""
    world = world_of(6)
    seen: list[bool] = []

    def look(request: Request) -> None:
        durable = world.journal.records[: world.journal.durable]
        seen.append(any(said["kind"] == "intent" and said["item"] == list(request.item.id) for _, said in durable))

    world.writer.on_call = look
    await world.run()
    assert seen == [True] * 6


async def test_a_paid_text_is_durable_before_it_reaches_the_table() -> None:
    """At the moment of an upsert, a power cut would leave every text of it in the journal."""
    world = World(catalog_of(8), store=_Watching())
    assert isinstance(world.store, _Watching)
    world.store.world = world
    await world.run()
    assert world.store.durable == [True] * 8


async def test_a_text_that_is_not_durable_is_neither_judged_nor_stored() -> None:
    """When the journal dies under a paid answer, nothing is built on it."""
    world = world_of(3)
    world.journal.breaks_at = "paid"
    finished = await world.run()
    assert (finished.exit_code, finished.generated, finished.stored) == (4, 0, 0)
    assert world.store.table == {}
    assert world.journal.of("judged", "stored") == []


async def test_events_are_reported_when_what_they_say_is_true() -> None:
    """Started, asked, paid, stored, read back, finished; money adds up."""
    world = world_of(1)
    await world.run()
    kinds = [type(event) for event in world.reporter.events]
    assert kinds == [RunStarted, RequestSent, TextPaid, RowsStored, CanaryPassed, RunFinished]
    assert world.reporter.of(TextPaid)[0].spent_usd == world.reporter.of(RunFinished)[0].spent_usd == 0.0006
    assert world.lock.begun_at == [0]


async def test_an_answer_that_does_not_say_what_it_cost_is_counted_at_its_worst() -> None:
    """A proxy that drops the usage does not make texts free."""
    for usage in (None, {}, {"input_tokens": 7}):
        world = world_of(1)
        world.writer.script = [answer(usage=usage)]
        await world.run()
        assert world.journal.of("paid")[0]["cost"] == world.worst


async def test_the_provenance_says_where_a_text_comes_from() -> None:
    """All of it can be found again in the journal."""
    world = world_of(1)
    await world.run()
    said = world.store.table[item_id(0)].provenance
    paid = world.journal.of("paid")[0]
    assert said == {
        "writer": "claude",
        "model": "fable-1",
        "fingerprint": world.chosen.fingerprints[0],
        "run": "r1",
        "generated_at": paid["at"],
        "message_id": "msg_1",
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_micro_usd": 600,
        "findings": [],
        "version": world.store.table[item_id(0)].version,
    }


class _Watching(MemoryStore):
    """Notes for every row whether its text was durable when the row arrived."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.durable: list[bool] = []

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        journal = self.world.journal
        safe = [said["item"] for _, said in journal.records[: journal.durable] if said["kind"] == "paid"]
        self.durable += [list(row.id) in safe for row in rows]
        return await super().upsert(rows)


def _story(world: World, number: int) -> list[str]:
    """Return the kinds of all records that name this item, in order."""
    mine = list(item_id(number))
    return [
        record["kind"]
        for _, record in world.journal.records
        if record.get("item") == mine or mine in [row[:3] for row in record.get("items", [])]
    ]
