"""Finding a batch whose id nobody knows, among all batches of the workspace. The protocol is in `engine.batches`."""

from __future__ import annotations

from datetime import datetime, timedelta

from seed_library.core.batches import BatchNote, BatchState, parts_of
from seed_library.core.errors import WriteRetryable
from seed_library.core.events import BatchWaiting, Warned
from seed_library.engine.context import RunContext

_TWINS_WITHIN = timedelta(seconds=60)


class Finder:
    """Looks for one batch by its time, its number of requests and, once it has ended, its custom_ids."""

    def __init__(self, context: RunContext, note: BatchNote) -> None:
        self._context = context
        self._note = note
        self._intended = datetime.fromisoformat(note.at)
        self._foreign: set[str] = set()
        self._canceled: set[str] = set()

    async def find(self) -> BatchState | None:
        """Return the batch once it has ended; None when it is certain that there is none.

        Raises:
            SeedLibraryError: the run has to end.
        """
        context, times = self._context, self._context.batch_times
        began = context.ports.clock.monotonic()
        while True:
            try:
                found = await self._candidates()
                mine = await self._verified(found)
            except WriteRetryable as failure:
                context.ports.reporter.report(Warned(f"{failure.message} Looking for the batch again."))
            else:
                if mine is not None:
                    return mine
                candidates = [one for one in found if one.id not in self._foreign]
                if not candidates and context.ports.clock.monotonic() - began > times.grace:
                    return None
                await self._cancel_twins(candidates)
                for one in candidates[:1]:
                    waited = round(context.ports.clock.monotonic() - began)
                    context.ports.reporter.report(BatchWaiting(one.id, one.status, one.count, waited))
            await context.halt.sleep(min(times.poll_every, times.grace / 4))

    async def _candidates(self) -> list[BatchState]:
        """Return what could be it, oldest first."""
        known = set(self._context.ledger.known_batches.values())
        since = self._intended - timedelta(seconds=self._context.batch_times.skew)
        found = await self._context.ports.batches.find(since)
        return [one for one in found if one.count == self._note.count and one.id not in known | self._foreign]

    async def _verified(self, candidates: list[BatchState]) -> BatchState | None:
        """Return the oldest that has ended and carries our token. Ended ones that do not are not looked at again."""
        for one in candidates:
            if not one.ended or one.id in self._canceled:
                continue
            async for result in self._context.ports.batches.results(one.id):
                if parts_of(result.custom_id)[0] == self._note.token:
                    return one
                break
            self._foreign.add(one.id)
        return None

    async def _cancel_twins(self, candidates: list[BatchState]) -> None:
        """Of batches that a repeated POST can have made, keep the oldest."""
        for one in candidates[1:]:
            if one.status == "in_progress" and one.created_at - candidates[0].created_at <= _TWINS_WITHIN:
                self._context.ports.reporter.report(
                    Warned(f"{one.id} looks like a second copy of the same batch; it is canceled.")
                )
                self._canceled.add(one.id)
                await self._context.ports.batches.cancel(one.id)
