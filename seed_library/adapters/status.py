"""Where a target stands, read from its files alone. Acquires nothing, loads no vendor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from seed_library.adapters.journal_lines import Damage, records
from seed_library.adapters.lock import Holder, is_held, read_holder
from seed_library.adapters.state import TargetFolder
from seed_library.core.ledger import Ledger
from seed_library.core.open_batches import OpenBatch
from seed_library.core.pricing import usd
from seed_library.core.run_tally import RunTally

State = Literal["running", "idle", "interrupted", "finished"]


@dataclass(frozen=True, slots=True)
class Status:
    """The answer to "where do we stand?". Money in micro-dollars.

    Attributes:
        state: running: a process holds the lock. interrupted: the last run that began ended without a last word.
            finished: it said its last word (how it ended is in its exit code). idle: no run has begun yet.
        parts: per "category/locale", how many items there are and how many are stored.
        batches: those at the provider that are not collected yet.
        lease: the fencing token of the run's lease across machines; 0 where it has none.
        set_aside: how many records of the journal are not understood; `damaged` is where copies of them are.
    """

    state: State
    holder: Holder | None
    run: RunTally
    parts: dict[str, dict[str, int]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    maybe_in_flight: int = 0
    started_at: str = ""
    target: str = ""
    lease: int = 0
    batches: tuple[OpenBatch, ...] = ()
    set_aside: int = 0
    damaged: Path | None = None

    @property
    def left(self) -> int:
        """How many items the run still has to do."""
        run = self.run
        return max(0, run.to_do - run.stored - run.failed - run.rejected - len(run.conflicts))

    @property
    def spent_usd(self) -> float:
        """What the run has spent for certain."""
        return usd(self.run.spent)

    @property
    def maybe_spent_usd(self) -> float:
        """What may have been billed beyond that: requests without an answer, and those in flight."""
        return usd(self.run.maybe_spent + self.maybe_in_flight)

    def batches_as_json(self, now: datetime) -> list[dict[str, Any]]:
        """Return the batches for programs."""
        return [
            {
                "batch_id": batch.note.batch_id or None,
                "workspace": batch.note.workspace or None,
                "items": batch.note.count,
                "collected": len(batch.collected),
                "age_seconds": round((now - datetime.fromisoformat(batch.note.at)).total_seconds()),
                "at_most_usd": usd(batch.at_most),
            }
            for batch in self.batches
        ]

    def per_minute(self, now: datetime) -> float | None:
        """Return how many rows the run has stored a minute so far; None where nothing can be said."""
        if not self.run.stored or not self.run.started_at:
            return None
        end = datetime.fromisoformat(self.run.finished_at) if self.run.finished_at else now
        elapsed = (end - datetime.fromisoformat(self.run.started_at)).total_seconds()
        return self.run.stored / elapsed * 60 if elapsed > 0 else None

    def eta_seconds(self, now: datetime) -> int | None:
        """Return the seconds that the rest takes at the run's pace so far; None where nothing can be said."""
        pace = self.per_minute(now)
        return round(self.left / pace * 60) if pace and self.state == "running" else None


def read_status(folder: TargetFolder) -> Status:
    """Read where a target stands."""
    holder, held = read_holder(folder), is_held(folder)
    ledger, damage, opening = Ledger(), Damage(), dict[str, Any]()
    if holder is not None:
        for position, record in records(folder.journal, damage, holder.journal_start):
            unread = len(ledger.unread)
            ledger.read(position, 0, record)
            if record.get("kind") == "run" and len(ledger.unread) == unread:
                opening = record
    run = ledger.last_run
    set_aside = int(opening.get("set_aside", 0)) + len(ledger.unread) + len(damage.lines)
    if held and holder is not None and run.run_id != holder.run_id:
        run, opening = RunTally(), {}  # the holder has not begun yet; the journal still speaks of the run before
    return Status(
        state=_state(held=held, holder=holder, run=run),
        holder=holder,
        run=run,
        parts=_parts(opening, run),
        totals=dict(opening.get("totals", {})),
        maybe_in_flight=sum(intent.worst for intent in ledger.open_intents.values()),
        started_at=holder.started_at if holder else "",
        target=str(opening.get("target", "")),
        lease=int(opening.get("lease", 0)),
        batches=tuple(ledger.open_batches.values()),
        set_aside=set_aside,
        damaged=folder.damaged,
    )


def _state(*, held: bool, holder: Holder | None, run: RunTally) -> State:
    if held:
        return "running"
    if holder is None or not run.run_id:
        return "idle"
    return "finished" if run.finished_at else "interrupted"


def _parts(opening: dict[str, Any], run: RunTally) -> dict[str, dict[str, int]]:
    parts = {name: dict(counts) for name, counts in opening.get("parts", {}).items()}
    for name, stored in run.stored_per_part.items():
        part = parts.setdefault(name, {"items": 0, "done": 0})
        part["done"] += stored
    return parts
