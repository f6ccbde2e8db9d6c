"""Collecting a batch: find it, wait for it, and bring every result into the journal. The protocol: `engine.batches`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seed_library.core.batches import (
    KEPT_FOR,
    BatchResult,
    BatchState,
    by_digest,
    custom_id,
    expired,
    of_another_workspace,
    of_the_same_workspace,
    parts_of,
)
from seed_library.core.catalog import ItemId
from seed_library.core.errors import (
    BatchLost,
    BatchNotFound,
    BatchWithheld,
    SeedLibraryError,
    WriteFailed,
    WriteRetryable,
)
from seed_library.core.events import BatchCollected, BatchWaiting, TextPaid, Warned
from seed_library.core.open_batches import OpenBatch
from seed_library.core.pricing import FREE, ModelFacts, at_batch_rate, billed, usd
from seed_library.engine.batch_finding import Finder, withheld_from_this_key
from seed_library.engine.budget import Bill
from seed_library.engine.context import RunContext
from seed_library.engine.retrying import Pause, request_retrying

_JOURNALLED_AT_ONCE = 50
_GRACE_SECONDS = 3.0  # for an answer that is under way when the run is to end; the next run asks again
_BEYOND = 1_000  # results more than a batch can have: then nothing more is read


class Collector:
    """Collects one batch, whose cost is reserved already."""

    def __init__(self, context: RunContext, batch: OpenBatch) -> None:
        self._context = context
        self._batch = batch
        self._reserved = batch.at_most
        self._bill = Bill(maybe_spent=batch.at_most)
        self._names: Mapping[str, ItemId] = {}
        self._expected: Sequence[str] = ()
        self._over: Mapping[ItemId, str] | None = None
        self._counts: dict[str, int] = {}

    async def collect(self) -> None:
        """Bring every result into the journal.

        Where the run has to end before that, or the batch cannot be collected for now, it stays open; the latter is
        noted in the tally.

        Raises:
            SeedLibraryError: the run has to end.
        """
        try:
            state = await self._ended()
            if state is None:
                await self._close("batch_failed", reason="the provider has no such batch: it was never created")
            else:
                await self._read(state)
                await self._close("batch_done")
                await self._settle()
                spent = usd(self._bill.spent)
                self._context.ports.reporter.report(BatchCollected(state.id, dict(self._counts), spent))
            self._bill.maybe_spent = 0
        except BatchLost as lost:
            await self._lose(lost.reason)
        except BatchWithheld as withheld:
            self._context.tally.withhold(withheld)
        finally:
            self._context.budget.settle(self._reserved, self._bill)

    async def _lose(self, reason: str) -> None:
        """Close a batch of which nothing more can be fetched: what is missing counts as if it had been billed."""
        note, maybe = self._batch.note, self._bill.maybe_spent
        missing = note.count - len(self._batch.collected)
        await self._close("batch_failed", reason=reason, maybe=maybe)
        await self._settle()
        self._context.warn(
            f"Batch {note.batch_id or '(id unknown)'}: {reason}. {missing} of its {note.count} requests count as lost: "
            f"up to ${usd(maybe):.4f} may have been billed for them. They may be asked for again."
        )

    async def _ended(self) -> BatchState | None:
        """Wait for the end of the batch; None where there is none.

        Raises:
            BatchLost, BatchWithheld: its results cannot be fetched any more, or for now.
        """
        note = self._batch.note
        if note.batch_id:
            return await self._wait(note.batch_id)
        state = await self._context.halt.during(Finder(self._context, note).find(), _GRACE_SECONDS)
        if state is not None:
            record = self._context.record(
                "batch_created", token=note.token, batch_id=state.id, request_id="", workspace=state.workspace
            )
            self._context.ledger.apply(await self._context.ports.journal.write(record), record)
        return state

    async def _wait(self, batch_id: str) -> BatchState:
        context, times = self._context, self._context.batch_times
        began = last_seen = context.ports.clock.monotonic()
        while True:
            now = context.ports.clock.monotonic()
            try:
                state = await context.halt.during(context.ports.batches.look(batch_id), _GRACE_SECONDS)
            except WriteRetryable as failure:
                context.ports.reporter.report(Warned(f"Batch {batch_id}: {failure.message} Looking again."))
            else:
                if state is None:
                    self._judge_absence(patient=now - last_seen <= times.grace)
                else:
                    last_seen = now
                    if state.archived:
                        raise BatchLost("it is archived, and its results are gone")
                    if state.ended:
                        return state
                    waited, count = round(now - began), self._batch.note.count
                    context.ports.reporter.report(BatchWaiting(batch_id, state.status, count, waited))
            await context.halt.sleep(times.poll_every)

    def _judge_absence(self, *, patient: bool) -> None:
        """Say what it means that the provider does not show a batch that it had.

        Raises:
            BatchWithheld: it is another workspace's, or may be.
            BatchLost: nobody can fetch it any more.
        """
        note, ours = self._batch.note, self._context.ports.batches.workspace
        gone = expired(note, self._context.ports.clock.now())
        if of_another_workspace(note.workspace, ours) and not gone:
            raise withheld_from_this_key(note, ours)
        if patient:
            return
        if gone or of_the_same_workspace(note.workspace, ours):
            raise BatchLost("the provider does not know this batch any more")
        raise withheld_from_this_key(note, ours)

    async def _read(self, state: BatchState) -> None:
        """Read the results until all of them are there: what has ended is billed, whatever its counts say.

        Raises:
            BatchWithheld, BatchLost: some do not come, for now or for ever.
        """
        context, times = self._context, self._context.batch_times
        model, began, told = await self._model(), context.ports.clock.monotonic(), False
        self._names = self._items()
        while missing := await self._read_patiently(state, model):
            said = f"{missing} of {self._batch.note.count} results of {state.id} are missing, although it has ended."
            if context.ports.clock.monotonic() - began > times.grace:
                raise self._incomplete(state, said)
            if not told:
                context.warn(f"{said} Asking for them again.")
                told = True
            await context.halt.sleep(min(times.poll_every, times.grace / 4))

    async def _read_patiently(self, state: BatchState, model: ModelFacts) -> int:
        def announce(number: int, seconds: float, error: BaseException) -> None:
            message = f"The results of {state.id} broke off (attempt {number}): {error}"
            self._context.ports.reporter.report(Warned(f"{message} From the top in {seconds:.1f} s."))

        clock, halt = self._context.ports.clock, self._context.halt
        retrying = request_retrying(Pause(clock, halt.sleep, announce))
        try:
            missing: int = await halt.during(retrying(self._read_once, state, model), _GRACE_SECONDS)
        except WriteFailed as failure:
            said = f"The results of batch {state.id} could not be fetched: {failure.message}"
            raise self._incomplete(state, said) from failure
        return missing

    def _incomplete(self, state: BatchState, said: str) -> BatchWithheld | BatchLost:
        """Return what it means that not all results could be had."""
        if self._context.ports.clock.now() - state.created_at > KEPT_FOR:
            return BatchLost("its results are gone")
        hint = "They are billed, and not asked for again. Run again later; after 29 days they count as lost."
        return BatchWithheld(said, hint=hint)

    async def _read_once(self, state: BatchState, model: ModelFacts) -> int:
        """Read the results from the top; return how many are not in the journal then, by our own custom_ids."""
        self._counts = {}
        seen: set[str] = set()
        group: list[BatchResult] = []
        left = 2 * self._batch.note.count + _BEYOND
        try:
            async for result in self._context.ports.batches.results(state.id):
                left -= 1
                if not left:
                    break
                if result.custom_id in seen:
                    continue
                seen.add(result.custom_id)
                self._counts[result.outcome] = self._counts.get(result.outcome, 0) + 1
                if self._batch.has(result.custom_id):
                    continue
                group.append(result)
                if len(group) == _JOURNALLED_AT_ONCE:
                    await self._keep(group, state, model)
                    group = []
        except BatchNotFound:
            pass  # there are none, or none yet
        finally:
            await self._keep(group, state, model)
        if self._batch.position is None:
            return max(0, self._batch.note.count - len(self._batch.collected))
        return sum(not self._batch.has(name) for name in self._expected)

    async def _keep(self, group: Sequence[BatchResult], state: BatchState, model: ModelFacts) -> None:
        """Make results durable, all of them with as few syncs as possible."""
        context = self._context
        records = [self._record(result, state, model) for result in group]
        positions = await asyncio.gather(*(context.ports.journal.write(record) for record in records))
        for position, record in zip(positions, records, strict=True):
            context.ledger.apply(position, record)
            cost = int(record.get("cost", 0))
            self._bill.spent += 0 if self._batch.note.settled else cost
            self._bill.maybe_spent = max(0, self._reserved - self._bill.spent)
            if record["kind"] == "paid":
                context.tally.generated += 1
                spent = context.budget.spent + self._bill.spent
                context.ports.reporter.report(TextPaid(ItemId(*record["item"]), usd(cost), usd(spent)))

    def _record(self, result: BatchResult, state: BatchState, model: ModelFacts) -> dict[str, Any]:
        context, token = self._context, self._batch.note.token
        its_token, digest, fingerprint = parts_of(result.custom_id)
        item = self._names.get(digest) if its_token == token else None
        cost = self._cost(result.message, model) if result.outcome == "succeeded" else 0
        before = {"billed_before": True} if self._batch.note.settled else {}
        if item is None:
            return context.record(
                "unclaimed", attempt=result.custom_id, batch=token, cost=cost, message=dict(result.message), **before
            )
        if result.outcome != "succeeded":
            reason = f"{result.outcome} in batch {state.id}" + (f": {result.reason}" if result.reason else "")
            return context.attempt_record(
                "failed", item, result.custom_id, batch=token, reason=reason, billed="no", worst=0
            )
        return context.attempt_record(
            "paid",
            item,
            result.custom_id,
            batch=token,
            fingerprint=fingerprint,
            cost=cost,
            **before,
            **({} if self._over is None else {"over": self._over.get(item, "")}),
            request_id=state.request_id,
            workspace=state.workspace,
            message=dict(result.message),
        )

    def _cost(self, message: Mapping[str, Any], model: ModelFacts) -> int:
        note = self._batch.note
        return billed(message, model, -(-note.worst // note.count))

    async def _model(self) -> ModelFacts:
        """Return the batch's own model at the price of batches; the run's may be another one."""
        model, name = self._context.model, self._batch.note.model
        if model.id != name or model.price == FREE:
            model, _ = await self._context.ports.writer.look_up(name)
        return at_batch_rate(model)

    def _items(self) -> Mapping[str, ItemId]:
        """Return what its custom_ids stand for, by its intent, else by the catalog; note what they were to replace."""
        position = self._batch.position
        if position is None:
            return by_digest([item.id for item in self._context.catalog.items])
        record = self._context.ports.journal.read(position)
        items = [ItemId(*names) for *names, _ in record["items"]]
        prints = (fingerprint for *_, fingerprint in record["items"])
        token = self._batch.note.token
        self._expected = [custom_id(token, item, print_) for item, print_ in zip(items, prints, strict=True)]
        if "over" in record:
            self._over = {items[int(place)]: str(version) for place, version in record["over"].items()}
        return by_digest(items)

    async def _settle(self) -> None:
        """Tell other machines that what it cost is counted. They collect it all the same: we may not have stored it."""
        try:
            await self._context.ports.notes.write(replace(self._batch.note, settled=True))
        except SeedLibraryError as error:
            self._context.ports.reporter.report(Warned(f"Batch {self._batch.note.batch_id}: {error.message}"))

    async def _close(self, kind: str, **fields: Any) -> None:
        record = self._context.record(kind, token=self._batch.note.token, **fields)
        self._context.ledger.apply(await self._context.ports.journal.write(record), record)
