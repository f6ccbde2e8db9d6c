"""Making a plan from the table and the journal, and saying what it would cost. Free of charge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from seed_library.core.catalog import Catalog, Item, Selection
from seed_library.core.drafts import Request
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Action, Lookup, Plan, Planner, Step, make_plan
from seed_library.core.pricing import (
    TOKENS_PER_WORD,
    ModelFacts,
    at_batch_rate,
    estimated_tokens,
    likely_cost,
    likely_words,
    max_tokens,
    worst_cost,
)
from seed_library.core.prompts import PromptBook
from seed_library.core.repairs import FRAME_TOKENS
from seed_library.ports import Store, StoredRow, Writer

_COUNTED_AT_MOST = 400  # requests; above that a spread sample is counted: the free calls have a rate limit too
_COUNTING_AT_ONCE = 8
_MOST_CANARIES = 3  # what is asked for as a message at most before a batch is created
_REPAIRED_ONE_IN = 10  # texts that the gates refuse once, where the catalog allows repairs; an assumption
_QUOTED_FRAME_TOKENS = FRAME_TOKENS // 4  # what a repair usually adds beside the draft


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a plan is made for: the selected items and their fingerprints, in the same order.

    Attributes:
        whole: whether they are everything that the catalog has in these categories and locales.
        by_name: whether keys were selected.
    """

    items: Sequence[Item]
    fingerprints: Sequence[str]
    categories: tuple[str, ...]
    locales: tuple[str, ...]
    whole: bool
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """What the items to generate would cost, in micro-dollars, and where the figures come from."""

    likely: int
    at_most: int
    basis: str


@dataclass(frozen=True, slots=True)
class Prices:
    """The cost of the same items in both modes. Before a batch, the first text is asked for at the full price."""

    messages: Cost
    batch: Cost

    def of(self, mode: Literal["messages", "batch"]) -> Cost:
        """Return the cost in one mode."""
        return self.batch if mode == "batch" else self.messages


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
        by_name=bool(selection.keys),
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


def estimate(steps: Sequence[Step], book: PromptBook, model: ModelFacts) -> Prices:
    """Return the cost of generating these steps, from the length of their prompts."""
    modes = (model, at_batch_rate(model))
    likely, at_most = _Sums(), _Sums(_MOST_CANARIES)
    for step in steps:
        request = book.request(step.item)
        tokens = estimated_tokens(request)
        likely.add(*(_likely(request, tokens, facts, book.repairs) for facts in modes))
        at_most.add(*(_at_most(request, facts, book.repairs) for facts in modes))
    basis = "input tokens estimated from the length of the prompts"
    return Prices(Cost(likely.messages, at_most.messages, basis), Cost(likely.batch, at_most.batch, basis))


async def count(steps: Sequence[Step], book: PromptBook, model: ModelFacts, writer: Writer) -> Prices:
    """Return the cost with the provider's own token counts, where it gives them."""
    rough = estimate(steps, book, model)
    sample = _spread(steps, _COUNTED_AT_MOST)
    exact, modes = _Sums(), (model, at_batch_rate(model))
    async for request, tokens in _counted([book.request(step.item) for step in sample], writer):
        if tokens is None:
            return rough
        exact.add(*(_likely(request, tokens, facts, book.repairs) for facts in modes))
    if len(sample) == len(steps):
        basis = "input tokens counted exactly by the provider, for every request"
    else:
        basis = f"input tokens counted by the provider for {len(sample)} requests"
    # A sample may be dearer than the rest.
    messages, batch = (
        min(part * len(steps) // max(1, len(sample)), most)
        for part, most in ((exact.messages, rough.messages.at_most), (exact.batch, rough.batch.at_most))
    )
    return Prices(Cost(messages, rough.messages.at_most, basis), Cost(batch, rough.batch.at_most, basis))


class _Sums:
    """Adds up what requests cost in both modes, in micro-dollars.

    Attributes:
        canaries: how many of the first ones are messages in any mode.
    """

    def __init__(self, canaries: int = 1) -> None:
        self.messages = self.batch = 0
        self._canaries = canaries

    def add(self, message: int, in_batch: int) -> None:
        """Add one request by its cost either way."""
        self.batch += message if self._canaries > 0 else in_batch
        self.messages += message
        self._canaries -= 1


def _at_most(request: Request, model: ModelFacts, repairs: int) -> int:
    """Return what a text costs at worst, repairs included: each of them quotes the refused draft."""
    quoted = max_tokens(request.spec, model) + FRAME_TOKENS
    again = worst_cost(request, model, more_tokens=quoted)
    return worst_cost(request, model) + repairs * again


def _likely(request: Request, tokens: int, model: ModelFacts, repairs: int) -> int:
    """Return what a text probably costs, its share of the repairs included; never more than it can cost."""
    words = likely_words(request)
    likely = likely_cost(tokens, words, request.spec, model)
    if repairs:
        quoted = tokens + _QUOTED_FRAME_TOKENS + round(words * TOKENS_PER_WORD)
        likely += -(-likely_cost(quoted, words, request.spec, model) // _REPAIRED_ONE_IN)
    return min(likely, _at_most(request, model, repairs))


def _spread(steps: Sequence[Step], most: int) -> Sequence[Step]:
    """Return at most so many steps, evenly spread."""
    return steps[:: -(-len(steps) // most)] if len(steps) > most else steps


async def _counted(requests: Sequence[Request], writer: Writer) -> AsyncIterator[tuple[Request, int | None]]:
    rest = iter(requests)
    while group := list(islice(rest, _COUNTING_AT_ONCE)):
        counts = await asyncio.gather(*(writer.count_tokens(request) for request in group))
        for pair in zip(group, counts, strict=True):
            yield pair


def counted_by_part(plan: Plan) -> dict[str, dict[str, int]]:
    """Count items and finished items per category and locale, for `status`."""
    parts: dict[str, dict[str, int]] = {}
    for step in plan.steps:
        part = parts.setdefault(f"{step.item.id.category}/{step.item.id.locale}", {"items": 0, "done": 0})
        part["items"] += 1
        part["done"] += step.action is Action.DONE or (step.action is Action.CHANGED and not plan.generates(step))
    return parts
