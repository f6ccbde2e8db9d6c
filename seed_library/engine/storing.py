"""The storer: accepted drafts reach the table in small batches, within about a second of their arrival.

A batch is one transaction. Repeating it changes nothing, so an answer that got lost is simply asked for again.
When the table refuses a batch for what one row contains, the batch is halved until that row stands alone.
Drafts that cannot be stored are not lost: they are in the journal, and the next run stores them free of charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from seed_library.core.errors import RowsRefused, SeedLibraryError
from seed_library.core.events import RowsStored, Warned
from seed_library.engine.context import RunContext
from seed_library.engine.drafting import Draft
from seed_library.engine.retrying import Pause, store_retrying

_ROWS_PER_BATCH = 50
_WINDOW_SECONDS = 0.25
_WAITING_DRAFTS = 4 * _ROWS_PER_BATCH  # then the workers wait: nothing is paid ahead of a table that takes nothing


class Storer:
    """Takes drafts from many workers and upserts them from one task."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._queue: asyncio.Queue[Draft | None] = asyncio.Queue(_WAITING_DRAFTS)

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
            if batch and usable:
                usable = await self._store_or_halt(batch)

    async def store(self, drafts: Sequence[Draft]) -> None:
        """Store these drafts now, in batches.

        Raises:
            SeedLibraryError: the target does not take them; they stay in the journal.
        """
        for start in range(0, len(drafts), _ROWS_PER_BATCH):
            await self._store_batch(drafts[start : start + _ROWS_PER_BATCH])

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

    async def _store_or_halt(self, batch: Sequence[Draft]) -> bool:
        try:
            await self._store_batch(batch)
        except SeedLibraryError as error:
            self._context.halt.because(error)
            return False
        return True

    async def _store_batch(self, batch: Sequence[Draft]) -> None:
        try:
            await self._upsert(batch)
        except RowsRefused as refusal:
            if len(batch) == 1:
                self._context.tally.fail(batch[0].row.id, f"the table refuses its row: {refusal.message}")
                return
            middle = len(batch) // 2
            await self._store_batch(batch[:middle])
            await self._store_batch(batch[middle:])
        else:
            self._note_stored(batch)

    async def _upsert(self, batch: Sequence[Draft]) -> None:
        ports = self._context.ports
        rows = [draft.row for draft in batch]

        def announce(number: int, seconds: float, error: BaseException) -> None:
            message = f"The target did not take {len(rows)} rows (attempt {number}): {error}"
            ports.reporter.report(Warned(f"{message} Next attempt in {seconds:.1f} s; nothing is lost."))

        async def upsert() -> None:
            ports.lock.assert_held()
            await ports.store.upsert(rows)

        await store_retrying(Pause(ports.clock, self._context.halt.sleep, announce))(upsert)

    def _note_stored(self, batch: Sequence[Draft]) -> None:
        context = self._context
        recovered = sum(draft.recovered for draft in batch)
        context.tally.stored += len(batch)
        context.tally.recovered += recovered
        items = [[*draft.row.id, draft.fingerprint] for draft in batch]
        context.ports.journal.note(context.record("stored", items=items, recovered=recovered))
        context.ports.reporter.report(RowsStored(tuple(draft.row.id for draft in batch), recovered))
