"""The first text goes the whole way alone; only when the table gives it back do the others start."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.store import MemoryStore
from fakes.writer import Script, answer

from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Request
from seed_library.core.errors import ItemRefused, RowsRefused, StoreUnavailable
from seed_library.core.events import CanaryPassed, RunFailed, Warned
from seed_library.ports import StoredText

UNUSABLE: dict[str, Script] = {
    "rejected": answer("Short."),
    "cut off": answer(stop_reason="max_tokens"),
    "refused": ItemRefused("too large", maybe_billed=False),
}


async def test_nothing_else_is_asked_before_the_first_text_is_back_from_the_table() -> None:
    """The second request leaves after the canary has passed; then all slots are used."""
    world = world_of(9)
    passed_before: list[int] = []
    world.writer.on_call = lambda request: passed_before.append(len(world.reporter.of(CanaryPassed)))
    await world.run(concurrency=4)
    assert passed_before == [0] + 8 * [1]
    assert world.writer.most_in_flight == 4
    assert world.store.batches[0] == 1


@pytest.mark.parametrize("why", UNUSABLE)
async def test_an_unusable_canary_is_followed_by_the_next_ones_alone(why: str) -> None:
    """Two unlucky items are counted; the third is the canary."""
    world = world_of(8)
    world.writer.script = [UNUSABLE[why], UNUSABLE[why]]
    in_flight: list[int] = []

    def look(request: Request) -> None:
        in_flight.append(world.writer.in_flight)

    world.writer.on_call = look
    finished = await world.run()
    assert in_flight[:4] == [0, 0, 0, 0]
    assert (finished.exit_code, finished.stored, finished.rejected + finished.failed) == (6, 6, 2)
    assert [event.item for event in world.reporter.of(CanaryPassed)] == [item_id(2)]


@pytest.mark.parametrize("why", UNUSABLE)
async def test_three_unusable_texts_at_the_start_end_the_run(why: str) -> None:
    """The cause is not the items; the reason of the last one is named."""
    world = world_of(8)
    world.writer.script = 3 * [UNUSABLE[why]]
    finished = await world.run()
    assert (finished.exit_code, finished.requests, finished.left) == (4, 3, 5)
    assert finished.troubles[-1].reason in world.reporter.of(RunFailed)[0].error["message"]


async def test_three_unusable_texts_are_no_verdict_on_a_catalog_of_three() -> None:
    """There is nothing left to protect: the items failed, and that is all."""
    world = world_of(3)
    world.writer.script = 3 * [UNUSABLE["rejected"]]
    finished = await world.run()
    assert (finished.exit_code, finished.rejected, finished.left) == (6, 3, 0)


async def test_a_canary_whose_row_is_refused_is_unlucky_too() -> None:
    """Its good text waits in the journal; three refusals say that the table wants something else."""
    world = world_of(8)
    world.store.failures = [RowsRefused("new row violates check constraint"), None]
    assert (await world.run()).stored == 7
    blocked = world_of(8)
    blocked.store.failures += 3 * [RowsRefused("new row violates check constraint")]
    finished = await blocked.run()
    assert (finished.exit_code, finished.requests, finished.failed) == (4, 3, 3)
    assert "check constraint" in blocked.reporter.of(RunFailed)[0].error["message"]
    assert (await blocked.run()).recovered == 3


@pytest.mark.parametrize("given_back", ["another text", ""])
async def test_a_table_that_gives_another_text_back_ends_the_run(given_back: str) -> None:
    """A trigger or a policy changes or hides rows: one text is paid, not a hundred."""
    world = World(catalog_of(8), store=_Distorting(given_back))
    finished = await world.run()
    assert (finished.exit_code, finished.requests) == (4, 1)
    assert "does not give it back" in world.reporter.of(RunFailed)[0].error["message"]


async def test_a_table_that_hesitates_to_give_the_text_back_is_asked_again() -> None:
    """One lost answer is no reason to end a run."""
    world = World(catalog_of(4), store=_Hesitating())
    finished = await world.run()
    assert (finished.exit_code, finished.stored) == (0, 4)
    assert "did not give the first text back" in world.reporter.of(Warned)[0].message


class _Distorting(MemoryStore):
    """Gives every text back as another one, or hides it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    async def read(self, items: Sequence[ItemId]) -> list[StoredText]:
        found = await super().read(items)
        return [StoredText(one.id, one.title, self._text, one.provenance) for one in found if self._text]


class _Hesitating(MemoryStore):
    """Does not answer the first question."""

    _asked = False

    async def read(self, items: Sequence[ItemId]) -> list[StoredText]:
        if not self._asked:
            self._asked = True
            raise StoreUnavailable("no answer")
        return await super().read(items)
