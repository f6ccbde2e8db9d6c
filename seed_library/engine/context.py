"""What all parts of one run share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seed_library.core.batches import BatchTimes
from seed_library.core.catalog import Catalog, ItemId
from seed_library.core.events import Warned
from seed_library.core.gates.corpus import Corpus
from seed_library.core.ledger import Ledger
from seed_library.core.open_batches import digest_of
from seed_library.core.pricing import ModelFacts
from seed_library.core.prompts import PromptBook
from seed_library.engine.budget import Budget
from seed_library.engine.stopping import Halt
from seed_library.engine.store_patience import StorePatience
from seed_library.engine.tally import Tally
from seed_library.engine.throttle import Throttle
from seed_library.ports import BatchNotes, BatchWriter, Clock, Journal, Lease, Library, Reporter, RunLock, Writer


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of a run."""

    writer: Writer
    store: Library
    journal: Journal
    lock: RunLock
    lease: Lease
    clock: Clock
    reporter: Reporter
    batches: BatchWriter
    notes: BatchNotes


@dataclass(frozen=True, slots=True)
class RunContext:
    """One run: its ports, what it asks for, and what it keeps count of.

    Attributes:
        writer_name: "claude" or "rehearsal"; goes into the provenance.
        ledger: what the journal holds.
        patience: with the target.
        corpus: the texts that a new one is compared with.
        seen: versions of the stored texts that it was decided to replace, by the digest of their item.
    """

    run_id: str
    writer_name: str
    ports: Ports
    catalog: Catalog
    book: PromptBook
    model: ModelFacts
    ledger: Ledger
    budget: Budget
    throttle: Throttle
    halt: Halt
    patience: StorePatience
    tally: Tally
    batch_times: BatchTimes = field(default_factory=BatchTimes)
    corpus: Corpus = field(default_factory=Corpus)
    seen: dict[bytes, str] = field(default_factory=dict)

    def version_seen(self, item: ItemId) -> str:
        """Return the version of the stored text that it was decided to replace; empty where there was none."""
        return self.seen.get(digest_of(*item), "")

    async def require_hold(self) -> None:
        """Prove that nobody else works on the target, before something is paid, written or removed.

        Raises:
            LockLost, LeaseLost: that cannot be said any more.
            SeedLibraryError: the run has to end.
        """
        self.ports.lock.assert_held()
        if self.ports.lease.stale:  # this machine was asleep, or the target away
            await self.patience.call("The lease could not be renewed", self.ports.lease.renew)
        self.ports.lease.assert_held()

    def warn(self, message: str) -> None:
        """Say something that the user should know although the run goes on."""
        self.ports.reporter.report(Warned(message))

    def record(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return a journal record of this run (the kinds are listed in `core.journal_records`)."""
        now = self.ports.clock.now().isoformat(timespec="milliseconds")
        return {"kind": kind, "run": self.run_id, "at": now, **fields}

    def attempt_record(self, kind: str, item: ItemId, attempt: str, **fields: Any) -> dict[str, Any]:
        """Return a journal record about one attempt at one item."""
        return self.record(kind, item=list(item), attempt=attempt, **fields)
