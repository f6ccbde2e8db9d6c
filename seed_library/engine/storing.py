"""The storer: accepted drafts reach the table in small batches, within about a second of their arrival.

A batch is one transaction. Repeating it changes nothing, so an answer that got lost is simply asked for again.
When the table refuses a batch for what one row contains, the batch is halved until that row stands alone.
Drafts that cannot be stored are not lost: they are in the journal, and the next run stores them free of charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from seed_library.core.errors import RowsRefused, SeedLibraryError
from seed_library.core.events import RowsStored, Warned
from seed_library.engine.context import RunContext
from seed_library.engine.judging import Draft
from seed_library.engine.retrying import Pause, store_retrying
from seed_library.ports import StoredText

_ROWS_PER_BATCH = 50
_WINDOW_SECONDS = 0.25
_WAITING_DRAFTS = 4 * _ROWS_PER_BATCH  # then the workers wait: nothing is paid ahead of a table that takes nothing

_GRACE_SECONDS = 10.0  # for a target that is not ready when the run is to end; then the next run stores the rest


class Storer:
    """Takes drafts from many workers and upserts them from one task."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._queue: asyncio.Queue[Draft | None] = asyncio.Queue(_WAITING_DRAFTS)
        self._grace = _GRACE_SECONDS

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

    async def store(self, drafts: Sequence[Draft]) -> int:
        """Store these drafts now, in batches, and return how many of them the table took.

        Raises:
            SeedLibraryError: the target does not take them; they stay in the journal.
        """
        before = self._context.tally.stored
        for start in range(0, len(drafts), _ROWS_PER_BATCH):
            await self._store_batch(drafts[start : start + _ROWS_PER_BATCH])
        return self._context.tally.stored - before

    async def gives_back(self, draft: Draft) -> bool:
        """Whether the table holds the text of a stored draft as it was written."""
        item, store = draft.row.id, self._context.ports.store
        retrying = store_retrying(self._pause("The target did not give the first text back"))
        found: list[StoredText] = await retrying(store.read, item.key, (item.category,), (item.locale,))
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

    async def _store_or_halt(self, batch: Sequence[Draft]) -> bool:
        try:
            await self._store_batch(batch)
        except SeedLibraryError as error:
            self._context.halt.because(error)
            return False
        except Exception as bug:  # noqa: BLE001  raised at the end of the run: the workers must not wait for ever
            self._context.halt.broken(bug)
            return False
        return True

    async def _store_batch(self, batch: Sequence[Draft]) -> None:
        try:
            await self._upsert(batch)
        except RowsRefused as refusal:
            if len(batch) == 1:
                self._context.tally.refuse_row(batch[0].row.id, f"the table refuses its row: {refusal.message}")
                return
            middle = len(batch) // 2
            await self._store_batch(batch[:middle])
            await self._store_batch(batch[middle:])
        else:
            self._note_stored(batch)

    async def _upsert(self, batch: Sequence[Draft]) -> None:
        ports = self._context.ports
        rows = [draft.row for draft in batch]

        async def upsert() -> None:
            ports.lock.assert_held()
            await ports.store.upsert(rows)

        await store_retrying(self._pause(f"The target did not take {len(rows)} rows"))(upsert)

    def _pause(self, trouble: str) -> Pause:
        ports = self._context.ports

        def announce(number: int, seconds: float, error: BaseException) -> None:
            message = f"{trouble} (attempt {number}): {error}"
            ports.reporter.report(Warned(f"{message} Next attempt in {seconds:.1f} s; nothing is lost."))

        return Pause(ports.clock, self._wait, announce)

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
        context.ports.journal.note(context.record("stored", items=items, recovered=recovered))
        context.ports.reporter.report(RowsStored(tuple(draft.row.id for draft in batch), recovered))
