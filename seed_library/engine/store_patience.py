"""Patience with the target: a time, not a number of tries, and one for all parts of a run.

A target that gives no answer is asked again for as long as a lease lasts, counted from the first failure after its last
answer, whoever has asked. While it is away nothing is sent to the model: nobody pays ahead of a table that takes
nothing. Where it answers, and fails on what it was given, tries are counted as well, if the caller knows what to do
next: divide the rows, or try others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from seed_library.core.errors import SeedLibraryError, StoreUnavailable
from seed_library.core.events import Warned
from seed_library.core.lease import LeaseTimes
from seed_library.engine.retrying import Sleep
from seed_library.engine.stopping import Halt
from seed_library.ports import Clock, Reporter

Result = TypeVar("Result")

_GRACE_SECONDS = 5.0  # for a call that is under way when the run is asked to end
_TRIES_AT_LEAST = 3
_ONE_TRY_SECONDS = 70.0  # with the wait before it; more than that between two failures, and this machine was asleep
TRIES_ON_ROWS = 6
_backoff = wait_random_exponential(multiplier=0.5, min=0.1, max=5)


class StorePatience:
    """Knows since when the target is away, and makes calls of it again.

    Attributes:
        seconds: how long it may be away.
    """

    def __init__(self, clock: Clock, halt: Halt, reporter: Reporter, seconds: float = LeaseTimes().lasts) -> None:
        self._clock = clock
        self._halt = halt
        self._reporter = reporter
        self.seconds = seconds
        self._away_for = 0.0
        self._failed_at: float | None = None
        self._back = asyncio.Event()
        self._back.set()

    @property
    def is_away(self) -> bool:
        """Whether it gave no answer when it was asked last, and somebody asks it again."""
        return not self._back.is_set()

    async def until_back(self) -> None:
        """Wait as long as the target is away and somebody asks it again.

        Raises:
            SeedLibraryError: the run is asked to end.
        """
        if self.is_away:
            await self._halt.during(self._back.wait())

    async def call(self, trouble: str, call: Callable[..., Awaitable[Result]], *given: Any) -> Result:
        """Make a call of the target, again where it gives no answer; `trouble` is what people are told then.

        Raises:
            SeedLibraryError: it is refused, the patience is over, or the run is asked to end.
        """

        async def made() -> Result:
            return await self._halt.during(call(*given), _GRACE_SECONDS)

        result: Result = await self.retrying(trouble, self._halt.sleep)(made)
        return result

    def retrying(
        self, trouble: str, sleep: Sleep, tries_on_rows: int | None = TRIES_ON_ROWS
    ) -> Callable[..., Awaitable[Any]]:
        """Return what makes a call again; a new one per call, it counts.

        Args:
            trouble: what people are told.
            sleep: how it waits.
            tries_on_rows: how often it may fail on what it was given; None: as often as the time allows.
        """
        failed_on_rows = 0

        def worth_another(error: BaseException) -> bool:
            nonlocal failed_on_rows
            if not isinstance(error, StoreUnavailable):
                return False
            failed_on_rows += error.about_rows
            return tries_on_rows is None or failed_on_rows < tries_on_rows

        def enough(state: RetryCallState) -> bool:
            return state.attempt_number >= _TRIES_AT_LEAST and self._away_for + state.upcoming_sleep > self.seconds

        def before_sleep(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            tried = f"{trouble} (attempt {state.attempt_number}): {error}"
            self._reporter.report(Warned(f"{tried} Next attempt in {state.upcoming_sleep:.1f} s; nothing is lost."))

        policy = AsyncRetrying(
            retry=retry_if_exception(worth_another),
            wait=_backoff,
            stop=enough,
            sleep=sleep,
            before_sleep=before_sleep,
            reraise=True,
        )

        async def tried(call: Callable[..., Awaitable[Any]], *given: Any) -> Any:
            try:
                return await policy(self._noticing, call, *given)
            finally:
                self._back.set()  # nobody asks any more: whoever waits finds out alone

        return tried

    async def _noticing(self, call: Callable[..., Awaitable[Result]], *given: Any) -> Result:
        try:
            result = await call(*given)
        except StoreUnavailable as failure:
            self._notice_failure(here=failure.about_rows)
            raise
        except SeedLibraryError:
            raise  # of this program, or a refusal: neither says that it is away
        self._away_for, self._failed_at = 0.0, None
        self._back.set()
        return result

    def _notice_failure(self, *, here: bool) -> None:
        (self._back.set if here else self._back.clear)()
        now = self._clock.monotonic()
        if self._failed_at is not None:
            self._away_for += min(now - self._failed_at, _ONE_TRY_SECONDS)
        self._failed_at = now
