"""What happens in a run, as values. The engine reports them; the command line decides how they look.

`name` is the `event` field of `run --json`; the other fields follow it as they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Diversity, Finding


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all events."""

    name: ClassVar[str] = "event"

    def as_json(self) -> dict[str, Any]:
        """Return the event as the fields of one JSON line, without its time."""
        return {"event": self.name} | {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class WaitingForLock(Event):
    """Another run holds the target and we wait for it; the message names it and says how far it is."""

    name: ClassVar[str] = "waiting"
    message: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something the user should act on although the run goes on."""

    name: ClassVar[str] = "warning"
    message: str


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The lock is held and the plan is made. Money in USD.

    Attributes:
        set_aside: how many records of the journal are not understood.
    """

    name: ClassVar[str] = "run_started"
    run_id: str
    catalog: str
    target: str
    model: str
    totals: dict[str, int]
    to_generate: int
    to_recover: int
    to_collect: int
    likely_usd: float
    at_most_usd: float
    budget_usd: float
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class RequestSent(Event):
    """A request is about to leave; its intent is durable."""

    name: ClassVar[str] = "request"
    item: ItemId
    attempt: int


@dataclass(frozen=True, slots=True)
class TextPaid(Event):
    """An answer arrived and is durable in the journal."""

    name: ClassVar[str] = "paid"
    item: ItemId
    cost_usd: float
    spent_usd: float


@dataclass(frozen=True, slots=True)
class RetryScheduled(Event):
    """A request failed and will be tried again after `wait_seconds`."""

    name: ClassVar[str] = "retry"
    item: ItemId
    attempt: int
    wait_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class PaceChanged(Event):
    """How many requests may be in flight has changed."""

    name: ClassVar[str] = "pace"
    limit: int
    reason: str


@dataclass(frozen=True, slots=True)
class RateLearned(Event):
    """What the account allows holds the run back."""

    name: ClassVar[str] = "rate"
    per_minute: int
    reason: str


@dataclass(frozen=True, slots=True)
class ItemRejected(Event):
    """A paid text did not pass the gates; it is kept in the journal."""

    name: ClassVar[str] = "rejected"
    item: ItemId
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ItemConflicted(Event):
    """A row was not written: something else is stored there than when that was decided. Nothing is lost."""

    name: ClassVar[str] = "conflict"
    item: ItemId
    reason: str


@dataclass(frozen=True, slots=True)
class ItemRepaired(Event):
    """The gates refuse a text, and a better one will be asked for; the request will say what was wrong."""

    name: ClassVar[str] = "repairing"
    item: ItemId
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ItemFailed(Event):
    """An item got no text in this run."""

    name: ClassVar[str] = "failed"
    item: ItemId
    reason: str


@dataclass(frozen=True, slots=True)
class RowsStored(Event):
    """Rows are in the table. `recovered` of them were paid for by an earlier run."""

    name: ClassVar[str] = "stored"
    items: tuple[ItemId, ...]
    recovered: int


@dataclass(frozen=True, slots=True)
class CanaryPassed(Event):
    """The first text went the whole way and was read back."""

    name: ClassVar[str] = "canary"
    item: ItemId


@dataclass(frozen=True, slots=True)
class BatchSubmitted(Event):
    """The provider has a batch; from now on it works by itself."""

    name: ClassVar[str] = "batch_submitted"
    batch_id: str
    items: int


@dataclass(frozen=True, slots=True)
class BatchWaiting(Event):
    """A batch was looked at and has not ended. The provider does not say how far it is."""

    name: ClassVar[str] = "batch_waiting"
    batch_id: str
    status: str
    items: int
    seconds: int


@dataclass(frozen=True, slots=True)
class BatchCollected(Event):
    """Every result of a batch is in the journal; what was not answered is asked for again, and was not billed."""

    name: ClassVar[str] = "batch_collected"
    batch_id: str
    counts: dict[str, int]
    spent_usd: float


@dataclass(frozen=True, slots=True)
class BatchLeft(Event):
    """The run ends and the batch stays at the provider; the next run collects it."""

    name: ClassVar[str] = "batch_left"
    batch_id: str
    items: int


@dataclass(frozen=True, slots=True)
class StopRequested(Event):
    """A stop was asked for; requests in flight are finished and stored."""

    name: ClassVar[str] = "stopping"
    reason: str


@dataclass(frozen=True, slots=True)
class RunFailed(Event):
    """The run ends early; `error` has code, message and hint."""

    name: ClassVar[str] = "run_failed"
    error: dict[str, str]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One item that is not stored at the end of a run, and why."""

    item: ItemId
    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The last event of every run that began. Money in USD, counts in items.

    Attributes:
        conflicts: items whose rows hold something else than when it was decided to write them; nothing was lost.
        left: items that are still to be done; None where the run never got to a plan.
        diversity: how varied the texts are that the journal holds of what was asked for; None where nothing was stored.
    """

    name: ClassVar[str] = "run_finished"
    run_id: str
    exit_code: int
    stored: int
    generated: int
    recovered: int
    rejected: int
    failed: int
    conflicts: int
    left: int | None
    requests: int
    spent_usd: float
    maybe_spent_usd: float
    estimated_usd: float
    seconds: float
    troubles: tuple[Trouble, ...] = field(default=())
    diversity: Diversity | None = None


def _plain(value: Any) -> Any:
    if isinstance(value, ItemId):
        return value._asdict()
    if isinstance(value, Finding | Trouble | Diversity):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
