"""Making a plan from the table and the journal, and saying what it would cost. Free of charge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from seed_library.core.catalog import Catalog, Item, Selection
from seed_library.core.drafts import Request
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Lookup, Plan, Planner, Step, make_plan
from seed_library.core.pricing import ModelFacts, estimated_tokens, likely_cost, worst_cost
from seed_library.core.prompts import PromptBook
from seed_library.ports import Store, StoredRow, Writer

_COUNTED_AT_MOST = 400  # requests; above that a spread sample is counted: the free calls have a rate limit too
_COUNTING_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a plan is made for: the selected items and their fingerprints, in the same order."""

    items: Sequence[Item]
    fingerprints: Sequence[str]
    categories: tuple[str, ...]
    locales: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """What the items to generate would cost, in micro-dollars, and where the figures come from."""

    likely: int
    at_most: int
    basis: str


def choose(catalog: Catalog, book: PromptBook, selection: Selection, items: list[Item]) -> Chosen:
    """Join the selected items with their fingerprints; renders every one of them.

    Raises:
        CatalogInvalid: items that cannot be rendered, named together.
    """
    return Chosen(
        items,
        book.fingerprints(items),
        selection.categories or catalog.categories,
        selection.locales or catalog.locales,
        whole=not selection.narrows,
    )


async def plan_from_store(chosen: Chosen, store: Store, lookup: Lookup) -> Plan:
    """Plan with both truths: the table and the journal."""
    planner = Planner(chosen.items, chosen.fingerprints, lookup, whole=chosen.whole)
    async for row in store.rows(chosen.categories, chosen.locales):
        planner.see(row)
    return planner.plan()


def plan_from_journal(chosen: Chosen, lookup: Lookup, writer_name: str) -> Plan:
    """Plan without the table: what the journal remembers as stored stands for it."""
    rows = _remembered(chosen.items, lookup.ledger, writer_name)
    plan = make_plan(chosen.items, chosen.fingerprints, rows, lookup, whole=False)
    plan.stored_known = False
    return plan


def _remembered(items: Iterable[Item], ledger: Ledger, writer_name: str) -> Iterator[StoredRow]:
    for item in items:
        if fingerprint := ledger.stored_fingerprint(item.id):
            yield StoredRow(item.id, fingerprint, writer_name)


def estimate(steps: Sequence[Step], book: PromptBook, model: ModelFacts) -> Cost:
    """Return the cost of generating these steps, from the length of their prompts."""
    likely = at_most = 0
    for step in steps:
        request = book.request(step.item)
        likely += _likely(request, estimated_tokens(request.prompt), model)
        at_most += worst_cost(request.prompt, request.spec, model)
    return Cost(likely, at_most, "input tokens estimated from the length of the prompts")


async def count(steps: Sequence[Step], book: PromptBook, model: ModelFacts, writer: Writer) -> Cost:
    """Return the cost with the provider's own token counts, where it gives them."""
    rough = estimate(steps, book, model)
    sample = _spread(steps, _COUNTED_AT_MOST)
    exact = 0
    async for request, tokens in _counted([book.request(step.item) for step in sample], writer):
        if tokens is None:
            return rough
        exact += _likely(request, tokens, model)
    if len(sample) == len(steps):
        return Cost(exact, rough.at_most, "input tokens counted exactly by the provider, for every request")
    likely = exact * len(steps) // max(1, len(sample))
    return Cost(likely, rough.at_most, f"input tokens counted by the provider for {len(sample)} requests")


def _likely(request: Request, tokens: int, model: ModelFacts) -> int:
    words = (request.words.low + request.words.high) // 2
    return likely_cost(tokens, words, request.spec, model)


def _spread(steps: Sequence[Step], most: int) -> Sequence[Step]:
    """Return at most so many steps, evenly spread."""
    return steps[:: -(-len(steps) // most)] if len(steps) > most else steps


async def _counted(requests: Sequence[Request], writer: Writer) -> AsyncIterator[tuple[Request, int | None]]:
    rest = iter(requests)
    while group := list(islice(rest, _COUNTING_AT_ONCE)):
        counts = await asyncio.gather(*(writer.count_tokens(request) for request in group))
        for pair in zip(group, counts, strict=True):
            yield pair
