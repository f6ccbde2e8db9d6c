"""How requests are tried again; calls of the target are in `engine.store_patience`.

tenacity owns every retry of the program; the SDKs' own are off.

A request that may have been billed is tried once more at most: each further try could pay again. One that was
certainly not billed (429, 529, no connection) is tried as long as tries and time allow. `retry-after` holds for
the request that got it, up to a cap, so that a provider cannot put the run to sleep for an hour.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from seed_library.core.errors import WriteRetryable
from seed_library.ports import Clock

Sleep = Callable[[float], Awaitable[None]]
Announce = Callable[[int, float, BaseException], None]
"""(number of the attempt that failed, seconds until the next one, why)"""

_TRIES_THAT_MAY_BILL = 2


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something is tried.

    Attributes:
        tries: attempts in all.
        seconds: no further attempt is started when it would begin later than this after the first one.
        longest_wait: cap on a wait that the other side asked for, in seconds.
    """

    tries: int
    seconds: float
    longest_wait: float = 60.0


REQUEST_PATIENCE = Patience(tries=8, seconds=300)
_backoff = wait_random_exponential(multiplier=0.5, min=0.1, max=20)


@dataclass(frozen=True, slots=True)
class Pause:
    """How a retry waits: the clock that counts, the interruptible sleep, and who is told."""

    clock: Clock
    sleep: Sleep
    announce: Announce


def request_retrying(pause: Pause, patience: Patience = REQUEST_PATIENCE) -> AsyncRetrying:
    """Return the policy for one item's requests; make a new one per item, it counts."""
    maybe_billed = 0

    def worth_another(error: BaseException) -> bool:
        nonlocal maybe_billed
        if not isinstance(error, WriteRetryable):
            return False
        maybe_billed += error.maybe_billed
        return not error.maybe_billed or maybe_billed < _TRIES_THAT_MAY_BILL

    return _retrying(pause, patience, worth_another)


def _retrying(pause: Pause, patience: Patience, worth_another: Callable[[BaseException], bool]) -> AsyncRetrying:
    began = pause.clock.monotonic()

    def wait(state: RetryCallState) -> float:
        asked = getattr(_error_of(state), "retry_after", None)
        return _backoff(state) if asked is None else min(asked, patience.longest_wait) + _backoff(state) / 10

    def enough(state: RetryCallState) -> bool:
        next_start = pause.clock.monotonic() - began + state.upcoming_sleep
        return state.attempt_number >= patience.tries or next_start > patience.seconds

    def before_sleep(state: RetryCallState) -> None:
        pause.announce(state.attempt_number, state.upcoming_sleep, _error_of(state))

    return AsyncRetrying(
        retry=retry_if_exception(worth_another),
        wait=wait,
        stop=enough,
        sleep=pause.sleep,
        before_sleep=before_sleep,
        reraise=True,
    )


def _error_of(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if error is not None else RuntimeError("retried without an error")
