"""How requests are tried again; calls of the target are in `engine.store_patience`.

tenacity owns every retry of the program; the SDKs' own are off.

A request that may have been billed is tried once more at most: each further try could pay again. One that was
certainly not billed (529, no connection) is tried as long as tries and time allow. A 429 says nothing about the
request: it is tried much more often, and its time is over only when nobody's request was answered for so long.
`retry-after` holds for the request that got it, up to a cap: a provider cannot put the run to sleep for an hour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from seed_library.core.errors import WriteRetryable
from seed_library.core.pacing import LONGEST_WAIT
from seed_library.ports import Clock

Sleep = Callable[[float], Awaitable[None]]
Announce = Callable[[int, float, BaseException], None]
"""(number of the attempt that failed, seconds until the next one, why)"""

_TRIES_THAT_MAY_BILL = 2


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something is tried.

    Attributes:
        tries: attempts in all, those aside that were refused for the pace.
        refusals: how many of those.
        seconds: no further attempt is started when it would begin later than this after the first failure.
    """

    tries: int
    seconds: float
    refusals: int = 100


REQUEST_PATIENCE = Patience(tries=8, seconds=300)
_backoff = wait_random_exponential(multiplier=0.5, min=0.1, max=20)


@dataclass(frozen=True, slots=True)
class Pause:
    """How a retry waits: the clock that counts, the interruptible sleep, and who is told."""

    clock: Clock
    sleep: Sleep
    announce: Announce


def request_retrying(
    pause: Pause, patience: Patience = REQUEST_PATIENCE, gives_up: Callable[[float], bool] | None = None
) -> AsyncRetrying:
    """Return the policy for one item's requests; make a new one per item, it counts.

    Args:
        pause: how it waits.
        patience: how long one request is tried.
        gives_up: says whether all requests will have been refused for too long in so many seconds; without it, refusals
            for the pace are failures like others.
    """
    maybe_billed = refusals = 0
    failed_at: float | None = None

    def is_for_the_pace(error: WriteRetryable) -> bool:
        return gives_up is not None and error.limits is not None

    def worth_another(error: BaseException) -> bool:
        nonlocal maybe_billed, refusals, failed_at
        if not isinstance(error, WriteRetryable):
            return False
        if failed_at is None:
            failed_at = pause.clock.monotonic()
        maybe_billed += error.maybe_billed
        refusals += is_for_the_pace(error)
        return not error.maybe_billed or maybe_billed < _TRIES_THAT_MAY_BILL

    def wait(state: RetryCallState) -> float:
        asked = _failure_of(state).retry_after
        return _backoff(state) if asked is None else min(asked, LONGEST_WAIT) + _backoff(state) / 10

    def enough(state: RetryCallState) -> bool:
        if gives_up is not None and is_for_the_pace(_failure_of(state)):
            return refusals >= patience.refusals or gives_up(state.upcoming_sleep)
        waited = pause.clock.monotonic() - (failed_at or 0)
        return state.attempt_number - refusals >= patience.tries or waited + state.upcoming_sleep > patience.seconds

    def before_sleep(state: RetryCallState) -> None:
        pause.announce(state.attempt_number, state.upcoming_sleep, _failure_of(state))

    return AsyncRetrying(
        retry=retry_if_exception(worth_another),
        wait=wait,
        stop=enough,
        sleep=pause.sleep,
        before_sleep=before_sleep,
        reraise=True,
    )


def _failure_of(state: RetryCallState) -> WriteRetryable:
    """Return why an attempt failed; only such failures are tried again."""
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, WriteRetryable), "nothing else is worth another attempt"
    return error
