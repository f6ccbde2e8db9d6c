"""From a step of the plan to a draft: ask, try again within reason, judge."""

from __future__ import annotations

from seed_library.core.catalog import Item
from seed_library.core.errors import RunBlocked, WriteFailed
from seed_library.core.events import RetryScheduled
from seed_library.core.pacing import LONGEST_WAIT
from seed_library.core.plan import Step
from seed_library.engine.asking import Asker
from seed_library.engine.context import RunContext
from seed_library.engine.judging import Draft, Judge, PaidText
from seed_library.engine.repairing import Repairs
from seed_library.engine.retrying import Pause, request_retrying


class Drafter:
    """Obtains drafts from the writer."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._asker = Asker(context)
        self._judge = Judge(context)
        self._repairs = Repairs(context)

    async def draft(self, step: Step) -> Draft | None:
        """Ask for a text and judge it, and again as long as it is refused and may be repaired.

        Returns None when the item failed or was rejected, which is then counted.

        Raises:
            SeedLibraryError: the run has to end; the item is left for the next one.
        """
        throttle = self._context.throttle
        turn = throttle.turn()
        while True:
            request = self._repairs.request(step)
            retrying = request_retrying(self._pause_for(step.item), gives_up=throttle.gives_up)
            try:
                paid: PaidText = await retrying(self._asker.ask, request, turn)
            except WriteFailed as failure:
                if throttle.has_given_up:
                    raise _refused_for_long(failure) from None
                self._context.tally.fail(step.item.id, failure.message)
                return None
            draft = self._judge.judge(step, paid)
            if draft is not None or not self._repairs.due(step):
                return draft

    def _pause_for(self, item: Item) -> Pause:
        def announce(number: int, seconds: float, error: BaseException) -> None:
            reason = f"{error}{_asked_too_long(error)}"
            self._context.ports.reporter.report(RetryScheduled(item.id, number, round(seconds, 1), reason))

        return Pause(self._context.ports.clock, self._context.halt.sleep, announce)


def _asked_too_long(error: BaseException) -> str:
    """Say for how long the provider asks to wait, where that is longer than we do."""
    asked = getattr(error, "retry_after", None)
    if asked is None or asked <= LONGEST_WAIT:
        return ""
    return f" It asks to wait {asked:,.0f} s; it is asked again earlier, in case that has changed."


def _refused_for_long(failure: WriteFailed) -> RunBlocked:
    return RunBlocked(
        f"Every request was refused for minutes, the last one with: {failure.message}{_asked_too_long(failure)}",
        hint="Nothing that is refused is billed, and nothing is lost. Run again when the account's limits allow it.",
    )
