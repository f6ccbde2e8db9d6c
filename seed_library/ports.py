"""What the engine needs from the world, in domain verbs.

Each port has one real adapter or more under `adapters/`, and hand-written fakes in the tests that pass the same
contract tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from seed_library.core.batches import BatchNote, BatchResult, BatchState
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.drafts import Answer, Request
from seed_library.core.events import Event
from seed_library.core.pricing import ModelFacts
from seed_library.core.versions import version_of


@dataclass(frozen=True, slots=True)
class Row:
    """What is written to the target: one accepted text with its provenance, and the columns generated with it.

    Attributes:
        over: the stored text that it was decided to replace; None: there was no row.
    """

    id: ItemId
    title: str
    text: str
    provenance: dict[str, Any] = field(default_factory=dict)
    generated: Mapping[str, str] = field(default_factory=dict)
    over: StoredText | None = None

    @property
    def version(self) -> str:
        """The version of the stored text that it makes."""
        return version_of(self.title, self.text, self.generated)

    def columns(self, table: TableSpec) -> dict[str, Any]:
        """Return the row as the columns that every table of this form has."""
        return {
            table.category: self.id.category,
            table.key: self.id.key,
            table.locale: self.id.locale,
            table.title: self.title,
            table.text: self.text,
            **table.constants,
            **self.generated,
        }


@dataclass(frozen=True, slots=True)
class StoredRow:
    """What a plan needs to know of a stored row.

    Attributes:
        fingerprint: from the provenance; empty where the row has none (an older tool or a person wrote it).
        writer: "claude", "rehearsal" or "human" from the provenance; empty where the row has none.
    """

    id: ItemId
    fingerprint: str = ""
    writer: str = ""


@dataclass(frozen=True, slots=True)
class StoredText:
    """A stored row in full, for reading: with the columns generated beside its text, empty where they are null."""

    id: ItemId
    title: str
    text: str
    provenance: dict[str, Any] | None
    updated_at: str = ""
    generated: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """What a write over it is decided on."""
        return version_of(self.title, self.text, self.generated)

    @property
    def writer(self) -> str:
        """Who wrote it, by its provenance: "claude", "rehearsal", "human", or empty."""
        return str((self.provenance or {}).get("writer") or "")

    @property
    def touched(self) -> bool:
        """Whether somebody has changed it since it was stored, other than through this program."""
        noted = (self.provenance or {}).get("version")
        return bool(noted) and noted != self.version


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one preflight check.

    Attributes:
        locked: whether it failed because another run is at work, so that nothing needs to be mended.
        passing: whether it failed for a reason that may pass by itself in a moment: the other side did not answer.
    """

    name: str
    ok: bool
    message: str
    hint: str = ""
    locked: bool = False
    passing: bool = False


class Writer(Protocol):
    """Turns requests into texts, for money or for nothing."""

    async def look_up(self, model: str) -> tuple[ModelFacts, Check]:
        """Ask the provider about a model, free of charge.

        Returns the facts to work with and the finding about key, lifecycle and abilities; a failed check is
        returned, not raised. Where the provider does not say, the facts come from the dated table.
        """

    async def count_tokens(self, request: Request) -> int | None:
        """Return the exact number of input tokens, free of charge; None where the provider cannot say."""

    async def write(self, request: Request) -> Answer:
        """Send one request, once, and return the raw answer.

        Raises:
            WriteRetryable: the same request may succeed later.
            ItemRefused: this item only.
            RunBlocked: no request can succeed.
        """

    async def aclose(self) -> None:
        """Free the connections."""


class BatchWriter(Protocol):
    """Turns many requests into texts at half the price, within a day."""

    @property
    def workspace(self) -> str:
        """The workspace of the key in use, as the last answer that named one said; empty where none has."""

    async def create(self, requests: Sequence[tuple[str, Request]]) -> BatchState:
        """Send these requests, by custom_id, as one batch; once, without trying again.

        Raises:
            WriteFailed: no answer. With `maybe_billed` the batch may exist all the same.
            SeedLibraryError: the provider refuses it; it does not exist.
        """

    async def find(self, since: datetime) -> list[BatchState]:
        """Return the batches of the workspace that were created since then, oldest first.

        Raises:
            WriteRetryable: no answer; asking again is harmless.
            RunBlocked: the provider refuses.
        """

    async def look(self, batch_id: str) -> BatchState | None:
        """Return where a batch stands; None where the provider does not know it (for minutes, that may be untrue).

        Raises:
            WriteRetryable, RunBlocked: as `find`.
        """

    def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        """Yield the results of an ended batch as they come, in any order, from the first one on.

        Raises:
            BatchNotFound: there are none.
            WriteRetryable: they broke off, or some could not be read; they can be asked for again from the top.
            RunBlocked: the provider refuses.
        """

    async def cancel(self, batch_id: str) -> BatchState:
        """Ask for what has not begun to be given up. What is finished is billed and can be fetched.

        Raises:
            WriteRetryable, RunBlocked: as `find`.
        """


class BatchNotes(Protocol):
    """What other machines need to know of batches, kept in the target. Written under the lease."""

    @property
    def kept(self) -> bool:
        """Whether there is such a place. Where there is none, a lost state folder loses the batches."""

    async def read(self) -> list[BatchNote]:
        """Return what is noted.

        Raises:
            StoreUnavailable, RunBlocked: as `Store.rows`.
        """

    async def write(self, note: BatchNote) -> None:
        """Note a batch, or what is new about it.

        Raises:
            LeaseLost: the lease is another run's; nothing was changed.
            StoreUnavailable, RunBlocked: as `Store.rows`.
        """


class Store(Protocol):
    """The target that is seeded. One store is bound to one table."""

    def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield every stored row of these categories and locales, page by page, each exactly once.

        Raises:
            StoreUnavailable: the target did not answer.
            RunBlocked: the target refuses.
        """

    async def read(self, items: Sequence[ItemId]) -> list[StoredText]:
        """Return the stored texts of these items in full, ordered by category, key and locale."""

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        """Insert or replace these rows in one transaction; repeating it changes nothing.

        A row is written only where the target still has what it was decided on: nothing, or the version of
        `Row.over`. Where it was removed meanwhile, the row is inserted. Returns the items whose rows were not
        written, because something else is stored there now.

        Raises:
            LeaseLost: another run holds the target; none was written.
            RowsRefused: at least one row is unacceptable for its content; none was written.
            StoreUnavailable: no answer, or an answer that says "later"; whether rows were written is unknown.
            RunBlocked: the target refuses whatever the rows.
        """

    async def aclose(self) -> None:
        """Free the connections."""


class Prover(Protocol):
    """Finds what would stop a write, without writing."""

    async def check(self, sample: Row) -> list[Check]:
        """Prove the target itself: reachable, key accepted and privileged, table, columns, unique index, NOT NULL.

        `sample` is a real item of the catalog with placeholder text. Failed checks are returned, all that can be
        known at once.
        """

    async def rehearse(self, rows: Sequence[Row]) -> list[Check]:
        """Try the rows to come, placeholder texts in them: what refuses one of them, and how their keys come back.

        Nothing of it stays. What could not be tried is said in a check that did not fail. Only after `check`.
        """


@dataclass(frozen=True, slots=True)
class WholeRow:
    """A row with every column that the table has, by the table's own names."""

    id: ItemId
    columns: Mapping[str, Any]


class Archive(Protocol):
    """What people do with the rows of a target: read all of them, take some out, put some back."""

    def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield every stored row of these categories and locales in full, each exactly once.

        Raises:
            StoreUnavailable, RunBlocked: as `Store.rows`.
        """

    async def whole(self, items: Sequence[ItemId]) -> list[WholeRow]:
        """Return these rows with all their columns; those that are not there are left out.

        Raises:
            StoreUnavailable, RunBlocked: as `Store.rows`.
        """

    async def remove(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Delete these rows and return those that were deleted.

        One that has changed since it was read, is gone already, or is kept by the table, is not among them.

        Raises:
            StoreUnavailable, RunBlocked: as `Store.rows`.
        """

    async def restore(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Insert rows as they were and return those that are there now; a row that is there already stays as it is.

        Raises:
            RowsRefused: at least one row is unacceptable; none was written.
            StoreUnavailable, RunBlocked: as `Store.rows`.
        """


class Library(Store, Prover, Archive, Protocol):
    """A target with all its sides."""


class Journal(Protocol):
    """The durable record of everything asked, paid for, judged and stored."""

    async def write(self, record: dict[str, Any]) -> int:
        """Append a record and return its position once it is durable.

        Raises:
            JournalUnavailable: it could not be made durable.
        """

    def note(self, record: dict[str, Any]) -> None:
        """Append a record without waiting; it becomes durable with the next `write` or at `close`."""

    def read(self, position: int) -> dict[str, Any]:
        """Return the record at a position that `write` or the ledger gave."""

    async def aclose(self) -> None:
        """Make everything durable and free the file."""


class RunLock(Protocol):
    """The exclusive hold on a target."""

    def assert_held(self) -> None:
        """Prove that the hold is still ours.

        Raises:
            LockLost: the lock file is gone or another one.
        """

    def begun(self, journal_position: int) -> None:
        """Publish from where in the journal this run's records follow."""


class Lease(Protocol):
    """The exclusive hold on a target across machines. What is stored while it is held carries its token."""

    @property
    def applies(self) -> bool:
        """Whether the target can be reached from other machines at all."""

    async def take(self, dead_runs: Collection[str]) -> tuple[int, Check]:
        """Take the lease and return its fencing token, and the finding; 0 where the target has no leases.

        `dead_runs` are known to have ended: what one of them still holds is taken over at once.

        Raises:
            TargetLocked: a run elsewhere holds it.
            StoreUnavailable: no answer; asking again is harmless.
            RunBlocked: the target refuses.
        """

    @property
    def stale(self) -> bool:
        """Whether the last renewal is so old that the lease is to be renewed before anything is paid or written."""

    async def renew(self) -> None:
        """Prolong the lease; also one that has run out, if nobody has taken it since.

        Raises:
            LeaseLost: it is not ours any more.
            StoreUnavailable: no answer.
            RunBlocked: the target refuses.
        """

    def assert_held(self) -> None:
        """Prove that the lease has not run out, as far as this machine knows.

        Raises:
            LeaseLost: the last renewal is too old for that, or the lease was taken away.
        """

    async def release(self) -> None:
        """Give the lease back, if that is quickly done. Never raises an expected failure."""


class Clock(Protocol):
    """Time, injected."""

    def now(self) -> datetime:
        """Return the wall-clock time in UTC."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Reporter(Protocol):
    """Where the engine says what happens; how it looks is the command line's business."""

    def report(self, event: Event) -> None:
        """Take note of an event. Never raises, never blocks for long."""


__all__ = [
    "Archive",
    "BatchNotes",
    "BatchWriter",
    "Check",
    "Clock",
    "Journal",
    "Lease",
    "Library",
    "Prover",
    "Reporter",
    "Row",
    "RunLock",
    "Store",
    "StoredRow",
    "StoredText",
    "WholeRow",
    "Writer",
]
