"""Collecting a batch: find it, wait for it, and bring every result into the journal. The protocol: `engine.batches`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from seed_library.core.batches import BatchResult, BatchState, by_digest, parts_of
from seed_library.core.catalog import ItemId
from seed_library.core.errors import RunBlocked, SeedLibraryError, WriteFailed, WriteRetryable
from seed_library.core.events import BatchCollected, BatchWaiting, TextPaid, Warned
from seed_library.core.open_batches import OpenBatch
from seed_library.core.pricing import FREE, ModelFacts, at_batch_rate, billed, usd
from seed_library.engine.batch_finding import Finder
from seed_library.engine.budget import Bill
from seed_library.engine.context import RunContext
from seed_library.engine.retrying import Pause, request_retrying

_JOURNALLED_AT_ONCE = 50


class Collector:
    """Collects one batch, whose cost is reserved already."""

    def __init__(self, context: RunContext, batch: OpenBatch) -> None:
        self._context = context
        self._batch = batch
        self._reserved = batch.at_most
        self._bill = Bill(maybe_spent=batch.at_most)
        self._names: Mapping[str, ItemId] = {}
        self._over: Mapping[ItemId, str] | None = None
        self._counts: dict[str, int] = {}

    async def collect(self) -> None:
        """Bring every result into the journal. Where the run has to end before that, the batch stays open.

        Raises:
            SeedLibraryError: the run has to end.
        """
        try:
            state = await self._ended()
            if state is None:
                await self._close("batch_failed", reason="the provider does not know this batch")
            else:
                await self._read(state)
                await self._close("batch_done")
                await self._settle()
                spent = usd(self._bill.spent)
                self._context.ports.reporter.report(BatchCollected(state.id, dict(self._counts), spent))
            self._bill.maybe_spent = 0
        finally:
            self._context.budget.settle(self._reserved, self._bill)

    async def _ended(self) -> BatchState | None:
        """Wait for the end of the batch; None where there is none."""
        note = self._batch.note
        if note.batch_id:
            return await self._wait(note.batch_id)
        state = await Finder(self._context, note).find()
        if state is not None:
            record = self._context.record("batch_created", token=note.token, batch_id=state.id, request_id="")
            self._context.ledger.apply(await self._context.ports.journal.write(record), record)
        return state

    async def _wait(self, batch_id: str) -> BatchState | None:
        context, times = self._context, self._context.batch_times
        began = last_seen = context.ports.clock.monotonic()
        while True:
            now = context.ports.clock.monotonic()
            try:
                state = await context.ports.batches.look(batch_id)
            except WriteRetryable as failure:
                context.ports.reporter.report(Warned(f"Batch {batch_id}: {failure.message} Looking again."))
            else:
                if state is None and now - last_seen > times.grace:
                    return None
                last_seen = last_seen if state is None else now
                if state is not None:
                    if state.ended:
                        return state
                    context.ports.reporter.report(BatchWaiting(batch_id, state.status, state.count, round(now - began)))
            await context.halt.sleep(times.poll_every)

    async def _read(self, state: BatchState) -> None:
        model = await self._model()
        self._names = self._items()

        def announce(number: int, seconds: float, error: BaseException) -> None:
            message = f"The results of {state.id} broke off (attempt {number}): {error}"
            self._context.ports.reporter.report(Warned(f"{message} From the top in {seconds:.1f} s."))

        retrying = request_retrying(Pause(self._context.ports.clock, self._context.ports.clock.sleep, announce))
        try:
            await retrying(self._read_once, state, model)
        except WriteFailed as failure:
            raise RunBlocked(
                f"The results of batch {state.id} could not be fetched: {failure.message}",
                hint="They are kept for 29 days. Run again later; nothing is paid for again.",
            ) from failure

    async def _read_once(self, state: BatchState, model: ModelFacts) -> None:
        self._counts = {}
        group: list[BatchResult] = []
        try:
            async for result in self._context.ports.batches.results(state.id):
                self._counts[result.outcome] = self._counts.get(result.outcome, 0) + 1
                if self._batch.has(result.custom_id):
                    continue
                group.append(result)
                if len(group) == _JOURNALLED_AT_ONCE:
                    await self._keep(group, state, model)
                    group = []
        finally:
            await self._keep(group, state, model)
        if missing := state.count - sum(self._counts.values()):
            raise WriteRetryable(f"{missing} of {state.count} results are missing.", maybe_billed=False)

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
