"""One paid attempt: reserve, intend, send, keep.

The order is the promise. The worst case is reserved before anything else; the intent is durable before the request
leaves; the raw answer is durable before it is read. Whatever happens in between, the intent is closed by `paid` or
`failed` and the reservation is settled; only a killed process leaves an intent open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from seed_library.core.drafts import Answer, Request, usage_of
from seed_library.core.errors import SeedLibraryError, WriteFailed, WriteRetryable
from seed_library.core.events import RequestSent, TextPaid
from seed_library.core.pricing import usage_cost, usd, worst_cost
from seed_library.engine.context import RunContext


@dataclass(frozen=True, slots=True)
class PaidText:
    """A raw answer that is safe in the journal."""

    attempt: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Attempt:
    id: str
    request: Request
    worst: int


class Asker:
    """Sends requests, each of them once."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._numbers = count(1)

    async def ask(self, request: Request) -> PaidText:
        """Send one request and return its answer, which is then durable.

        Raises:
            WriteFailed: no answer; the attempt is closed in the journal and in the budget.
            SeedLibraryError: the run has to end.
        """
        context = self._context
        context.halt.check()
        attempt = _Attempt(
            f"{context.run_id}-{next(self._numbers)}",
            request,
            worst_cost(request.prompt, request.spec, context.model),
        )
        await context.budget.reserve(attempt.worst)
        async with context.throttle.slot():
            await self._intend(attempt)
            answer = await self._send(attempt)
            paid = await self._keep(attempt, answer)
        await context.throttle.succeeded()
        return paid

    async def _intend(self, attempt: _Attempt) -> None:
        context, request = self._context, attempt.request
        try:
            context.halt.check()
            context.ports.lock.assert_held()
            await context.ports.journal.write(
                context.attempt_record(
                    "intent",
                    request.item.id,
                    attempt.id,
                    fingerprint=request.fingerprint,
                    model=request.spec.model,
                    worst=attempt.worst,
                )
            )
        except BaseException:
            await context.budget.settle(attempt.worst, 0)
            raise

    async def _send(self, attempt: _Attempt) -> Answer:
        context = self._context
        context.tally.requests += 1
        context.ports.reporter.report(RequestSent(attempt.request.item.id, context.tally.requests))
        try:
            return await context.ports.writer.write(attempt.request)
        except WriteFailed as failure:
            await self._close(attempt, failure.message, maybe_billed=failure.maybe_billed)
            if isinstance(failure, WriteRetryable) and failure.overloaded:
                context.throttle.overloaded()
            raise
        except SeedLibraryError as refusal:
            await self._close(attempt, refusal.message, maybe_billed=False)
            raise
        except BaseException as error:
            await self._close(attempt, f"interrupted ({type(error).__name__})", maybe_billed=True)
            raise

    async def _close(self, attempt: _Attempt, reason: str, *, maybe_billed: bool) -> None:
        context = self._context
        context.ports.journal.note(
            context.attempt_record(
                "failed",
                attempt.request.item.id,
                attempt.id,
                reason=reason,
                billed="maybe" if maybe_billed else "no",
                worst=attempt.worst,
            )
        )
        await context.budget.settle_unknown(attempt.worst, attempt.worst if maybe_billed else 0)

    async def _keep(self, attempt: _Attempt, answer: Answer) -> PaidText:
        context, request = self._context, attempt.request
        has_usage = isinstance(answer.message.get("usage"), dict)
        cost = usage_cost(usage_of(answer.message), context.model) if has_usage else attempt.worst
        record = context.attempt_record(
            "paid",
            request.item.id,
            attempt.id,
            fingerprint=request.fingerprint,
            cost=cost,
            request_id=answer.request_id,
            workspace=answer.workspace,
            message=answer.message,
        )
        await context.ports.journal.write(record)
        await context.budget.settle(attempt.worst, cost)
        context.tally.generated += 1
        context.ports.reporter.report(TextPaid(request.item.id, usd(cost), usd(context.budget.spent)))
        return PaidText(attempt.id, record)
