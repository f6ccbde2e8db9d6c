"""The storer: accepted drafts reach the table in small batches, within about a second of their arrival.

A batch is one transaction. Repeating it changes nothing, so an answer that got lost is simply asked for again. When
the table refuses a batch, or fails twice on it although it answers, the batch is halved until the row at fault stands
alone; batches that take the database too long become smaller for the rest of the run. A row that holds something else
by now than when it was decided to write is left alone (see `engine.replacing`). Drafts that cannot be stored are not
lost: they are in the journal, and the next run stores them free of charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from seed_library.core.catalog import ItemId
from seed_library.core.errors import RowsRefused, SeedLibraryError, StoreUnavailable
from seed_library.core.events import RowsStored
from seed_library.engine.context import RunContext
from seed_library.engine.judging import Draft
from seed_library.engine.replacing import Decided, Replacer, note_conflicts
from seed_library.engine.store_patience import TRIES_ON_ROWS
from seed_library.ports import StoredText

_ROWS_PER_BATCH = 50
_WINDOW_SECONDS = 0.25
_TRIES_BEFORE_DIVIDING = 2
_WAITING_DRAFTS = 4 * _ROWS_PER_BATCH  # then the workers wait: nothing is paid ahead of a table that takes nothing

_GRACE_SECONDS = 10.0  # for a target that is not ready when the run is to end; then the next run stores the rest
_GRACE_AT_LEAST = 5.0  # for one write, which may have to wait for the database


class Storer:
    """Takes drafts from many workers and upserts them from one task."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._queue: asyncio.Queue[Draft | None] = asyncio.Queue(_WAITING_DRAFTS)
        self._grace = _GRACE_SECONDS
        self._replacer = Replacer(context)
        self._stored: list[ItemId] | None = None  # by this call of `store`
        self._at_once = _ROWS_PER_BATCH
        self._taken = False  # whether the table took anything
        self._suspect: tuple[Draft, StoreUnavailable] | None = None  # failed alone; other rows will show why

    async def put(self, draft: Draft) -> None:
        """Hand over a draft. Waits while too many are waiting already."""
        await self._queue.put(draft)

    async def close(self) -> None:
        """Say that no more drafts will come."""
        await self._queue.put(None)

    async def serve(self) -> None:
        """Store until closed. Where the target fails for good, the run is halted and later drafts are left."""
        more, usable = True, True
        while more:
            batch, more = await self._gather()
            if usable and (batch or not more):
                usable = await self._store_or_halt(batch, last=not more)

    async def store(self, drafts: Sequence[Draft]) -> list[ItemId]:
        """Store these drafts now, in batches, and return the items that the table took.

        Raises:
            SeedLibraryError: the target does not take them; they stay in the journal.
        """
        stored: list[ItemId] = []
        self._stored = stored
        for start in range(0, len(drafts), _ROWS_PER_BATCH):
            await self._store_batch(drafts[start : start + _ROWS_PER_BATCH])
        self._judge_suspect()
        self._stored = None
        return stored

    async def gives_back(self, draft: Draft) -> bool:
        """Whether the table holds the text of a stored draft as it was written."""
        retrying = self._context.patience.retrying("The target did not give the first text back", self._wait)
        found: list[StoredText] = await retrying(self._context.ports.store.read, [draft.row.id])
        return [text.text for text in found] == [draft.row.text]

    async def _gather(self) -> tuple[list[Draft], bool]:
        """Wait for a draft and collect what follows within the window. False when no more will come."""
        batch: list[Draft] = []
        draft = await self._queue.get()
        try:
            async with asyncio.timeout(_WINDOW_SECONDS):
                while draft is not None:
                    batch.append(draft)
                    if len(batch) == _ROWS_PER_BATCH:
                        return batch, True
                    draft = await self._queue.get()
        except TimeoutError:
            return batch, True
        return batch, False

    async def _store_or_halt(self, batch: Sequence[Draft], *, last: bool) -> bool:
        try:
            if batch:
                await self._store_batch(batch)
            if last:
                self._judge_suspect()
        except SeedLibraryError as error:
            self._context.halt.because(error)
            return False
        except Exception as bug:  # noqa: BLE001  raised at the end of the run: the workers must not wait for ever
            self._context.halt.broken(bug)
            return False
        return True

    async def _store_batch(self, batch: Sequence[Draft]) -> None:
        """Store these drafts; narrow down what the table does not take."""
        if len(batch) > self._at_once:
            await self._store_batch(batch[: self._at_once])
            await self._store_batch(batch[self._at_once :])
            return
        try:
            conflicts = await self._upsert(batch)
        except RowsRefused as refusal:
            await self._narrow(batch, refusal.message)
        except StoreUnavailable as failure:
            if not failure.about_rows:
                raise
            if len(batch) == 1:
                self._suspect_row(batch[0], failure)
                return
            self._at_once = max(1, len(batch) // 2)
            await self._narrow(batch, failure.message)
        else:
            self._taken = True
            self._clear_suspect()
            out = set(conflicts)
            note_conflicts(self._context, conflicts)
            if stored := [draft for draft in batch if draft.row.id not in out]:
                self._note_stored(stored)

    def _suspect_row(self, draft: Draft, failure: StoreUnavailable) -> None:
        """Take a row for the culprit that the target fails on alone, until a second one in a row clears it.

        Raises:
            StoreUnavailable: two rows in a row failed; it is the target.
        """
        if self._suspect is not None:
            raise failure
        self._suspect = draft, failure

    def _clear_suspect(self) -> None:
        """Hold a failure against its row: the target has taken others."""
        if self._suspect is not None:
            draft, failure = self._suspect
            self._suspect = None
            self._context.tally.refuse_row(draft.row.id, f"the table refuses its row: {failure.message}")

    def _judge_suspect(self) -> None:
        """Decide about a row that nothing came after.

        Raises:
            StoreUnavailable: the target has taken nothing at all.
        """
        if self._suspect is not None and not self._taken:
            raise self._suspect[1]
        self._clear_suspect()

    async def _narrow(self, batch: Sequence[Draft], reason: str) -> None:
        if len(batch) == 1:
            self._context.tally.refuse_row(batch[0].row.id, f"the table refuses its row: {reason}")
            return
        middle = len(batch) // 2
        await self._store_batch(batch[:middle])
        await self._store_batch(batch[middle:])

    async def _upsert(self, batch: Sequence[Draft]) -> list[ItemId]:
        """Write the rows, and return the items that something else is stored for by now."""
        ports = self._context.ports
        decided = [Decided(draft.row, draft.over) for draft in batch]

        async def write() -> list[ItemId]:
            rows, conflicts = await self._replacer.settle(decided)
            return [*conflicts, *(await ports.store.upsert(rows) if rows else ())]

        async def upsert() -> list[ItemId]:
            ports.lock.assert_held()
            return await self._context.halt.during(write(), max(self._grace, _GRACE_AT_LEAST))

        trouble, patience = f"The target did not take {len(batch)} rows", self._context.patience
        conflicts: list[ItemId] = await patience.retrying(trouble, self._wait, self._tries(batch))(upsert)
        return conflicts

    def _tries(self, batch: Sequence[Draft]) -> int | None:
        """Return how often the target may fail on these rows before others are tried; None where it is the target."""
        if len(batch) > 1:
            return _TRIES_BEFORE_DIVIDING
        return TRIES_ON_ROWS if self._taken and self._suspect is None else None

    async def _wait(self, seconds: float) -> None:
        """Wait for a target that is not ready. A run that is to end grants it a little time, too."""
        halt, clock = self._context.halt, self._context.ports.clock
        if halt.cause is None:
            with suppress(SeedLibraryError):  # asked to end: the wait is over, and what is held is tried again
                await halt.sleep(seconds)
            return
        self._grace -= seconds
        if self._grace < 0:
            halt.check()
        await clock.sleep(seconds)

    def _note_stored(self, batch: Sequence[Draft]) -> None:
        context = self._context
        recovered = sum(draft.recovered for draft in batch)
        context.tally.store(len(batch), recovered)
        items = [[*draft.row.id, draft.fingerprint] for draft in batch]
        versions = [draft.row.version for draft in batch]
        context.ports.journal.note(context.record("stored", items=items, versions=versions, recovered=recovered))
        ids = tuple(draft.row.id for draft in batch)
        context.ports.reporter.report(RowsStored(ids, recovered))
        if self._stored is not None:
            self._stored += ids
