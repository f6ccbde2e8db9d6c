"""Creating a batch: reserve, intend, note, send once. The protocol is in `engine.batches`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from seed_library.core.batches import (
    MOST_BYTES,
    MOST_REQUESTS,
    BatchNote,
    BatchState,
    batch_token,
    custom_id,
)
from seed_library.core.drafts import Request
from seed_library.core.errors import RunBlocked, SeedLibraryError, WriteFailed
from seed_library.core.events import BatchSubmitted, Warned
from seed_library.core.open_batches import OpenBatch
from seed_library.core.plan import Step
from seed_library.core.pricing import at_batch_rate, sent_bytes, worst_cost
from seed_library.engine.budget import Bill
from seed_library.engine.context import RunContext
from seed_library.engine.repairing import Repairs
from seed_library.engine.retrying import Pause, request_retrying

Chunk = list[tuple[Step, Request]]
# What JSON makes of a prompt at worst (six bytes for a character outside ASCII, which has two bytes or more), and the
# parameters around it. Only an upper bound is needed.
_JSON_GROWTH = 3
_AROUND_BYTES = 1_000


class Submitter:
    """Creates the batches of one run, one after the other."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._model = at_batch_rate(context.model)
        self._numbers = count(1)
        self._repairs = Repairs(context)

    def next_chunk(self, steps: Sequence[Step], start: int, *, alone: bool) -> Chunk:
        """Return what fits into one batch and into the budget; nothing while other batches may give some of it back.

        Args:
            steps: what is to be asked for.
            start: the first that is still to be asked for.
            alone: no batch is under way.

        Raises:
            BudgetReached: not even one request fits.
        """
        budget, chunk, held, cost = self._context.budget, Chunk(), 0, 0
        for place in range(start, min(start + MOST_REQUESTS, len(steps))):
            request = self._repairs.request(steps[place])
            cost += self._worst(request)
            held += _size(request)
            if cost > budget.room or (chunk and held > MOST_BYTES):
                break
            chunk.append((steps[place], request))
        if not chunk and alone:
            raise budget.refusal(self._worst(self._repairs.request(steps[start])))
        return chunk

    async def submit(self, chunk: Chunk) -> OpenBatch:
        """Create one batch; its cost is reserved from here on. Its id is unknown where the answer got lost.

        Raises:
            SeedLibraryError: it was certainly not created, and the run has to end.
        """
        retrying = request_retrying(self._pause())
        try:
            batch: OpenBatch = await retrying(self._submit, chunk)
        except WriteFailed as failure:
            raise RunBlocked(
                f"The batch could not be created: {failure.message}", hint="Nothing of it was billed. Run again later."
            ) from failure
        return batch

    async def _submit(self, chunk: Chunk) -> OpenBatch:
        context = self._context
        batch = await self._intend(chunk)
        token = batch.note.token
        context.budget.commit(batch.note.worst)
        try:
            await self._note(batch.note)
            context.halt.check()
            await context.require_hold()
            named = [(custom_id(token, step.item.id, step.fingerprint), request) for step, request in chunk]
            created = await context.ports.batches.create(named)
        except WriteFailed as failure:
            if failure.maybe_billed:
                context.ports.reporter.report(Warned(f"{failure.message} Looking for the batch in the list."))
                context.tally.requests += len(chunk)
                return batch
            self._failed(batch, failure.message)
            raise
        except SeedLibraryError as refusal:
            self._failed(batch, refusal.message)
            raise
        context.tally.requests += len(chunk)
        return await self._created(batch, created)

    async def _intend(self, chunk: Chunk) -> OpenBatch:
        context = self._context
        context.halt.check()
        token = batch_token(context.run_id, next(self._numbers))
        worst = sum(self._worst(request) for _, request in chunk)
        at = context.ports.clock.now().isoformat(timespec="milliseconds")
        note = BatchNote(
            token, len(chunk), at, context.book.spec.model, worst, workspace=context.ports.batches.workspace
        )
        items = [[*step.item.id, step.fingerprint] for step, _ in chunk]
        seen = ((place, context.version_seen(step.item.id)) for place, (step, _) in enumerate(chunk))
        over = {str(place): version for place, version in seen if version}
        record = context.record("batch_intent", **note.as_json(), items=items, over=over)
        context.ledger.apply(await context.ports.journal.write(record), record)
        return context.ledger.open_batches[token]

    async def _note(self, note: BatchNote) -> None:
        """Tell other machines, where that is possible."""
        await self._context.patience.call("The batch could not be noted", self._context.ports.notes.write, note)

    async def _created(self, batch: OpenBatch, created: BatchState) -> OpenBatch:
        context, token = self._context, batch.note.token
        record = context.record(
            "batch_created",
            token=token,
            batch_id=created.id,
            request_id=created.request_id,
            workspace=created.workspace,
        )
        context.ledger.apply(await context.ports.journal.write(record), record)
        context.ports.reporter.report(BatchSubmitted(created.id, batch.note.count))
        try:
            await self._note(batch.note)
        except SeedLibraryError as error:
            context.halt.because(error)  # the batch exists and is in the journal: only the run has to end
        return batch

    def _failed(self, batch: OpenBatch, reason: str) -> None:
        context = self._context
        record = context.record("batch_failed", token=batch.note.token, reason=reason)
        context.ports.journal.note(record)
        context.ledger.apply(0, record)
        context.budget.settle(batch.note.worst, Bill())

    def _worst(self, request: Request) -> int:
        return worst_cost(request, self._model)

    def _pause(self) -> Pause:
        context = self._context

        def announce(number: int, seconds: float, error: BaseException) -> None:
            message = f"No batch could be created (attempt {number}): {error} Next attempt in {seconds:.1f} s."
            context.ports.reporter.report(Warned(message))

        return Pause(context.ports.clock, context.halt.sleep, announce)


def _size(request: Request) -> int:
    return _JSON_GROWTH * sent_bytes(request) + _AROUND_BYTES
