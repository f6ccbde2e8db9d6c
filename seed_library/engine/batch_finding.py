"""Finding a batch whose id nobody knows, among all batches of the workspace. The protocol is in `engine.batches`."""

from __future__ import annotations

from datetime import datetime, timedelta

from seed_library.core.batches import BatchNote, BatchState, expired, of_another_workspace, parts_of
from seed_library.core.errors import BatchLost, BatchNotFound, BatchWithheld, WriteRetryable
from seed_library.core.events import BatchWaiting, Warned
from seed_library.engine.context import RunContext

_TWINS_WITHIN = timedelta(seconds=60)


def withheld_from_this_key(note: BatchNote, ours: str) -> BatchWithheld:
    """Return the failure of a batch that the key in use does not see: it is never given up for that."""
    named = note.batch_id or "whose id got lost"
    its = note.workspace or "a workspace that nobody noted"
    return BatchWithheld(
        f"The batch of {note.count} requests ({named}) was made with a key of {its}; the key in use, of "
        f"{ours or 'a workspace that no answer names'}, does not see it.",
        hint=f"Run with a key of {its}. What is in it is not asked for again; after 29 days its results are gone.",
    )


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
            BatchWithheld: the key in use does not see it, or no results tell whose the one is that could be it.
            BatchLost: the one that could be it is archived.
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
                self._require_its_key()
                candidates = [one for one in found if one.id not in self._foreign]
                if context.ports.clock.monotonic() - began > times.grace:
                    if not candidates:
                        return None
                    _require_results(candidates)
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
        return [one for one in found if self._could_be_it(one) and one.id not in known | self._foreign]

    def _could_be_it(self, one: BatchState) -> bool:
        """Judge by the number of requests, which some servers forget when a batch has ended."""
        return one.count == self._note.count or (one.ended and not one.count)

    def _require_its_key(self) -> None:
        """Refuse to look on with a key that cannot see it."""
        ours = self._context.ports.batches.workspace
        if of_another_workspace(self._note.workspace, ours):
            if expired(self._note, self._context.ports.clock.now()):
                raise BatchLost("it is older than its results are kept")
            raise withheld_from_this_key(self._note, ours)

    async def _verified(self, candidates: list[BatchState]) -> BatchState | None:
        """Return the oldest that has ended and carries our token. Ended ones that do not are not looked at again."""
        for one in candidates:
            if not one.ended or one.id in self._canceled:
                continue
            token = await self._token_of(one)
            if token == self._note.token:
                return one
            if token is not None:
                self._foreign.add(one.id)
        return None

    async def _token_of(self, one: BatchState) -> str | None:
        """Return the token in a batch's results, empty where it is none of ours; None where there are no results."""
        try:
            async for result in self._context.ports.batches.results(one.id):
                return parts_of(result.custom_id)[0]
        except BatchNotFound:
            pass
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


def _require_results(candidates: list[BatchState]) -> None:
    """Let only those be waited for that go on still.

    Raises:
        BatchLost, BatchWithheld: they have ended, and nothing tells whose they are.
    """
    if not all(one.ended for one in candidates):
        return
    if all(one.archived for one in candidates):
        raise BatchLost(f"its id got lost, and {candidates[0].id}, which could be it, is archived")
    raise BatchWithheld(
        f"{candidates[0].id} may be a batch of this target whose id got lost; it has ended, but has no results.",
        hint="It may be billed, and is not asked for again. Run again later; after 29 days it counts as lost.",
    )
