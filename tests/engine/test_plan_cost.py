"""What a plan says about money, and what it says without the table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from engine.world import World, catalog_of, item_id, world_of
from fakes.writer import FACTS, ScriptedWriter, answer

from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Request
from seed_library.core.plan import Lookup, Plan
from seed_library.core.pricing import likely_cost
from seed_library.core.prompts import PromptBook
from seed_library.engine.planning import Cost, count, estimate, plan_from_journal


async def test_the_estimate_bounds_what_a_run_can_cost() -> None:
    """Likely is below at most, at most is the sum of the worst; nobody is asked."""
    world, plan, book = await _planned(7)
    prices = estimate(plan.to_generate, book, FACTS)
    cost = prices.messages
    assert cost.at_most == 7 * world.worst
    assert 0 < cost.likely < cost.at_most
    assert cost.basis == "input tokens estimated from the length of the prompts"
    assert (world.writer.counted, world.writer.calls) == (0, [])


async def test_a_batch_costs_half_but_for_its_canary() -> None:
    """The first text is asked for as a message, so that bad parameters cost no more; at worst the first three are."""
    world, plan, book = await _planned(7)
    prices = estimate(plan.to_generate, book, FACTS)
    assert prices.batch.at_most == pytest.approx(3 * world.worst + 4 * world.worst / 2, abs=7)
    assert prices.batch.likely == pytest.approx(prices.messages.likely * 4 / 7, abs=7)
    counted = await count(plan.to_generate, book, FACTS, world.writer)
    assert counted.batch.likely == pytest.approx(counted.messages.likely * 4 / 7, abs=7)
    assert prices.of("batch") == prices.batch
    assert prices.of("messages") == prices.messages


async def test_a_provider_that_counts_makes_the_likely_cost_exact() -> None:
    """One free question per request."""
    world, plan, book = await _planned(7)
    cost = (await count(plan.to_generate, book, FACTS, world.writer)).messages
    assert (cost.likely, cost.at_most) == (7 * _likely(world, 100), 7 * world.worst)
    assert cost.basis == "input tokens counted exactly by the provider, for every request"
    assert world.writer.counted == 7


async def test_many_requests_are_counted_as_a_sample_spread_over_the_catalog() -> None:
    """Four hundred questions at most, never more than eight at once, from the first item to the last ones."""
    world, plan, book = await _planned(1000)
    asked = _CountingWriter(lambda request: 100 if int(request.item.id.key[1:]) < 500 else 300)
    cost = (await count(plan.to_generate, book, FACTS, asked)).messages
    assert len(asked.asked) == 334
    assert asked.asked[0] == item_id(0)
    assert asked.asked[-1] == item_id(999)
    assert asked.most_at_once == 8
    assert cost.likely == pytest.approx(500 * _likely(world, 100) + 500 * _likely(world, 300), rel=0.01)
    assert cost.basis == "input tokens counted by the provider for 334 requests"


@pytest.mark.parametrize("counts", [[None], [100, 100, None]])
async def test_a_provider_that_cannot_count_leaves_the_estimate(counts: list[int | None]) -> None:
    """One missing figure is enough: half a count would be neither."""
    _, plan, book = await _planned(3)
    rest = iter(counts + [100] * 3)
    writer = _CountingWriter(lambda request: next(rest))
    assert await count(plan.to_generate, book, FACTS, writer) == estimate(plan.to_generate, book, FACTS)


async def test_a_finished_library_costs_nothing() -> None:
    """And no division by zero."""
    world = world_of(2)
    await world.run()
    steps = (await world.plan()).to_generate
    cost = (await count(steps, PromptBook(world.catalog), FACTS, world.writer)).messages
    assert cost == Cost(0, 0, "input tokens counted exactly by the provider, for every request")


async def test_the_plan_says_beforehand_what_the_run_then_does() -> None:
    """New, rejected, changed, orphaned: the totals are those of the next run."""
    world = world_of(5)
    world.writer.scripts[item_id(4)] = [answer("Short.")]
    await world.run()
    world.catalog = catalog_of(6)
    foreign = ItemId("signs", "someone_elses", "en")
    world.store.table[foreign] = replace(world.store.table.pop(item_id(0)), id=foreign)
    totals = (await world.plan()).totals
    assert totals == {"new": 1, "paid": 1, "changed": 0, "done": 3, "orphaned": 1, "rejected": 1}
    finished = await world.run()
    assert (finished.requests, finished.recovered, finished.rejected) == (1, 1, 1)


async def test_without_the_table_the_journal_stands_for_it() -> None:
    """What it remembers as stored counts as done, and the plan says that the table was not seen."""
    world = world_of(5)
    world.writer.scripts[item_id(3)] = [answer("Short.")]
    await world.run()
    world.catalog = catalog_of(6)
    plan = plan_from_journal(world.chosen, Lookup(world.journal.ledger()), "claude")
    assert not plan.stored_known
    assert [step.action for step in plan.steps] == ["done", "done", "done", "rejected", "done", "new"]


class _CountingWriter(ScriptedWriter):
    """Counts by a rule of its own, takes its time, and notes who was asked."""

    def __init__(self, tokens_of: Callable[[Request], int | None]) -> None:
        super().__init__()
        self.asked: list[ItemId] = []
        self.most_at_once = 0
        self._at_once = 0
        self._tokens_of = tokens_of

    async def count_tokens(self, request: Request) -> int | None:
        self.asked.append(request.item.id)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        return self._tokens_of(request)


async def _planned(items: int) -> tuple[World, Plan, PromptBook]:
    world = world_of(items)
    return world, await world.plan(), PromptBook(world.catalog)


def _likely(world: World, tokens: int) -> int:
    request = PromptBook(world.catalog).request(world.catalog.items[0])
    return likely_cost(tokens, (request.words.low + request.words.high) // 2, request.spec, FACTS)
