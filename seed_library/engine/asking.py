"""One paid attempt: reserve, intend, send, keep.

The order is the promise. The worst case is reserved before anything else; the intent is durable before the request
leaves; the raw answer is durable before it is read. Whatever happens in between, the reservation is settled and the
intent is closed by `paid` or `failed`; only a killed process or a journal that takes nothing leaves an intent open.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from seed_library.core.drafts import Answer, Request
from seed_library.core.errors import SeedLibraryError, WriteFailed, WriteRetryable
from seed_library.core.events import RequestSent, TextPaid
from seed_library.core.pricing import billed, usd, worst_cost
from seed_library.core.token_bucket import Departure
from seed_library.engine.budget import Bill
from seed_library.engine.context import RunContext
from seed_library.engine.judging import PaidText

_GRACE_SECONDS = 120.0  # for an answer that is under way when the run is to end: it is paid for


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

    async def ask(self, request: Request, turn: int) -> PaidText:
        """Send one request, when it is its text's turn, and return its answer, which is then durable.

        Raises:
            WriteFailed: no answer; the attempt is closed in the journal and in the budget.
            SeedLibraryError: the run has to end.
        """
        context = self._context
        context.halt.check()
        attempt = _Attempt(f"{context.run_id}-{next(self._numbers)}", request, worst_cost(request, context.model))
        async with context.budget.reserving(attempt.worst) as bill, context.throttle.slot(turn) as departure:
            await self._intend(attempt)
            bill.maybe_spent = attempt.worst  # until somebody knows better
            answer = await self._send(attempt, bill, departure)
            paid = await self._keep(attempt, answer, bill)
            context.throttle.answered(departure, answer)
        context.tally.generated += 1
        context.ports.reporter.report(TextPaid(request.item.id, usd(bill.spent), usd(context.budget.spent)))
        return paid

    async def _intend(self, attempt: _Attempt) -> None:
        context, request = self._context, attempt.request
        context.halt.check()
        await context.require_hold()
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

    async def _send(self, attempt: _Attempt, bill: Bill, departure: Departure) -> Answer:
        context = self._context
        context.tally.requests += 1
        context.ports.reporter.report(RequestSent(attempt.request.item.id, context.tally.requests))
        try:
            return await context.halt.during(context.ports.writer.write(attempt.request), _GRACE_SECONDS)
        except WriteFailed as failure:
            bill.maybe_spent = attempt.worst if failure.maybe_billed else 0
            self._close(attempt, failure.message, bill)
            if isinstance(failure, WriteRetryable):
                context.throttle.failed(departure, failure)
            raise
        except SeedLibraryError as refusal:
            if refusal is not context.halt.cause:  # else it is on its way still, and nobody waits any longer
                bill.maybe_spent = 0
            self._close(attempt, refusal.message, bill)
            raise
        except BaseException as error:
            self._close(attempt, f"interrupted ({type(error).__name__})", bill)
            raise

    def _close(self, attempt: _Attempt, reason: str, bill: Bill) -> None:
        context = self._context
        context.ports.journal.note(
            context.attempt_record(
                "failed",
                attempt.request.item.id,
                attempt.id,
                reason=reason,
                billed="maybe" if bill.maybe_spent else "no",
                worst=attempt.worst,
            )
        )

    async def _keep(self, attempt: _Attempt, answer: Answer, bill: Bill) -> PaidText:
        """Make the answer durable. Where that fails, the bill says "maybe", as the open intent does in the journal."""
        context, request = self._context, attempt.request
        cost = billed(answer.message, context.model, attempt.worst)
        record = context.attempt_record(
            "paid",
            request.item.id,
            attempt.id,
            fingerprint=request.fingerprint,
            cost=cost,
            request_id=answer.request_id,
            workspace=answer.workspace,
            over=context.version_seen(request.item.id),
            message=answer.message,
        )
        context.ledger.apply(await context.ports.journal.write(record), record)
        bill.spent, bill.maybe_spent = cost, 0
        return PaidText(attempt.id, record)
