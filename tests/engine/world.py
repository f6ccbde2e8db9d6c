"""A whole world for runs, in memory: one catalog, and everything that a run touches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from fakes.batches import MemoryBatches, MemoryNotes
from fakes.clock import FakeClock
from fakes.journal import MemoryJournal
from fakes.lease import FakeLease
from fakes.lock import FakeLock
from fakes.reporter import RecordingReporter
from fakes.store import MemoryStore
from fakes.writer import MODEL, ScriptedWriter

from seed_library.core.catalog import (
    Catalog,
    GateRules,
    Item,
    ItemId,
    PromptSource,
    RequestSpec,
    Selection,
    TableSpec,
    WordRule,
    select,
)
from seed_library.core.events import RunFinished
from seed_library.core.gates import CORPUS_GATES
from seed_library.core.plan import Lookup, Plan, Refresh
from seed_library.core.pricing import worst_cost
from seed_library.core.prompts import PromptBook
from seed_library.engine.context import Ports
from seed_library.engine.planning import Chosen, choose, plan_from_store
from seed_library.engine.runner import RunOrder, run
from seed_library.engine.stopping import Halt

RICH = 1_000_000_000
_PLACE = ("signs", "en")


def catalog_of(items: int, prompt: str = "Write about {{ key }}.") -> Catalog:
    """Return a catalog of one category; its texts have three to eight words."""
    return Catalog(
        name="signs",
        description="for tests",
        categories=("signs",),
        locales=("en",),
        table=TableSpec(),
        request=RequestSpec(MODEL, max_tokens=100),
        rules={_PLACE: rules_of(WordRule(3, 8, 2, 10))},
        sources={_PLACE: PromptSource("system.md", "Write plainly.", "signs.md", prompt)},
        items=[Item(item_id(number), f"Sign {number}", {}) for number in range(items)],
    )


def rules_of(words: WordRule) -> GateRules:
    """Return rules that let all texts be alike, as those of the scripted writers are."""
    return GateRules(words, severity=dict.fromkeys(CORPUS_GATES, "off"))


def item_id(number: int) -> ItemId:
    """Return the id of the item with this number."""
    return ItemId("signs", f"k{number:03d}", "en")


@dataclass
class World:
    """Everything outside the engine. Runs share the journal and the table, as real ones do.

    Attributes:
        halt: of the run that is going on, or of the next one.
        numbers: of the runs to come; part of their ids.
    """

    catalog: Catalog
    writer: ScriptedWriter = field(default_factory=ScriptedWriter)
    store: MemoryStore = field(default_factory=MemoryStore)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    lock: FakeLock = field(default_factory=FakeLock)
    lease: FakeLease = field(default_factory=FakeLease)
    clock: FakeClock = field(default_factory=FakeClock)
    reporter: RecordingReporter = field(default_factory=RecordingReporter)
    batches: MemoryBatches = field(init=False)
    notes: MemoryNotes = field(default_factory=MemoryNotes)
    halt: Halt = field(init=False)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Make what needs the clock; the halt of the first run, so that it can be asked before it begins."""
        self.halt = Halt(self.clock)
        self.batches = MemoryBatches(self.clock)

    async def run(self, **how: Any) -> RunFinished:
        """Do one run; the journal is read afresh, as a new process does. `how` replaces fields of its order."""
        order = RunOrder(
            run_id=f"r{next(self.numbers)}",
            command="run",
            writer_name="claude",
            catalog=self.catalog,
            book=PromptBook(self.catalog),
            chosen=self.chosen,
            target="memory",
            budget=RICH,
            concurrency=4,
        )
        order = replace(order, **how)
        try:
            return await run(order, self.ports, self.journal.ledger(), self.halt)
        finally:
            self.halt = Halt(self.clock)

    @asynccontextmanager
    async def running(
        self, requests: int, *, before: int = 1, concurrency: int = 4
    ) -> AsyncIterator[asyncio.Task[RunFinished]]:
        """Have a run with so many requests in flight; they are answered when the block ends.

        Args:
            requests: how many are to be in flight.
            before: how many are answered before them; 1 is the canary.
            concurrency: of the run.
        """
        self.writer.gate.clear()
        self.writer.free = before
        task = asyncio.create_task(self.run(concurrency=concurrency))
        arrived = asyncio.create_task(self.writer.until_held(requests))
        await asyncio.wait({task, arrived}, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        yield task
        self.writer.gate.set()
        await asyncio.wait([task])

    async def plan(self, refresh: Refresh = "") -> Plan:
        """Return what a run would do."""
        return await plan_from_store(self.chosen, self.store, Lookup(self.journal.ledger(), refresh))

    @property
    def ports(self) -> Ports:
        """All of it."""
        return Ports(
            self.writer,
            self.store,
            self.journal,
            self.lock,
            self.lease,
            self.clock,
            self.reporter,
            self.batches,
            self.notes,
        )

    @property
    def chosen(self) -> Chosen:
        """The whole catalog."""
        everything = Selection()
        return choose(self.catalog, PromptBook(self.catalog), everything, select(self.catalog, everything))

    @property
    def worst(self) -> int:
        """The most that one request can cost; keys are equally long, so it is the same for all."""
        request = PromptBook(self.catalog).request(self.catalog.items[0])
        return worst_cost(request, self.writer.facts)


def world_of(items: int) -> World:
    """Return an empty world with a catalog of so many items."""
    return World(catalog_of(items))
