"""Who may send a request, and when: in the order of turns, at a learnt pace, with so many at once.

Invariants:

- Whoever came first is the first to go, however often it was refused since: nobody starves behind who came later.
- Nobody waits while there is room: all places are taken, or the pace (`core.pacing`) says how long to wait.
- A single 429 or 529 holds nobody back but the request that got it. 429 is about the pace, which learns from it. 529 is
  about the provider: a streak of them without any success in between halves how many are in flight, and successes win
  it back.
- While the target is away nobody goes, and when it is back they go at the pace, not all at once.
- When the run is asked to end nobody goes any more, and nobody waits for a time to come.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from seed_library.core.drafts import Answer, usage_of
from seed_library.core.errors import WriteRetryable
from seed_library.core.events import PaceChanged, RateLearned, Warned
from seed_library.core.pacing import Pacer
from seed_library.core.rate_limits import Kind
from seed_library.core.token_bucket import Departure
from seed_library.engine.stopping import Halt
from seed_library.engine.store_patience import StorePatience
from seed_library.ports import Clock, Reporter

_SHORTEST_STREAK = 4
_LOOK_AGAIN_SECONDS = 1.0  # what is learnt meanwhile may let somebody go earlier
_REFUSED_SECONDS = 300.0  # without a single answer
_WORTH_SAYING = 1.25


@dataclass(order=True, slots=True)
class _Waiter:
    turn: int
    called: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


class Throttle:
    """Lets requests go.

    Attributes:
        limit: how many may be in flight.
        in_flight: how many are.
        has_given_up: whether everything was refused for so long that nobody needs to go on asking.
    """

    def __init__(self, ceiling: int, patience: StorePatience, clock: Clock, halt: Halt, reporter: Reporter) -> None:
        self._ceiling = ceiling
        self._patience = patience
        self._clock = clock
        self._halt = halt
        self._reporter = reporter
        self._pacer = Pacer()
        self._turns = count()
        self._waiting: list[_Waiter] = []
        self._streak = 0
        self._successes = 0
        self._refused_since: float | None = None
        self._said_rate = (0.0, False)
        self._said_closed = False
        self.limit = ceiling
        self.in_flight = 0
        self.has_given_up = False

    def turn(self) -> int:
        """Return the next turn: a place in the queue, for all requests of one text."""
        return next(self._turns)

    @asynccontextmanager
    async def slot(self, turn: int) -> AsyncIterator[Departure]:
        """Wait for one's turn, then hold one of the places while a request is in flight.

        Raises:
            SeedLibraryError: the run is asked to end.
        """
        await self._wait(turn)
        departure = self._pacer.leaves(self._clock.monotonic())
        self.in_flight += 1
        self._call_first()
        try:
            yield departure
        finally:
            self.in_flight -= 1
            self._pacer.returns()
            self._call_first()

    def answered(self, departure: Departure, answer: Answer) -> None:
        """Learn from an answer."""
        usage = usage_of(answer.message)
        read = usage.input_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        used: dict[Kind, float] = {"input_tokens": read, "output_tokens": usage.output_tokens}
        self._pacer.answered(self._clock.monotonic(), departure, answer.limits, used)
        self._refused_since, self._said_closed = None, False
        self._streak = 0
        self._win_back()
        self._call_first()

    def failed(self, departure: Departure, failure: WriteRetryable) -> None:
        """Learn from a failure, if it says something about the pace."""
        if failure.overloaded:
            self._overloaded()
        if failure.limits is None:
            self._refused_since = None
            return
        now = self._clock.monotonic()
        self._pacer.refused(now, departure, failure.limits, failure.retry_after)
        if self._refused_since is None:
            self._refused_since = now
        if self._pacer.closed_for and not self._said_closed:
            self._said_closed = True
            asked = f"asks to wait {failure.retry_after or 0:,.0f} s"
            found_out = f"One request every {self._pacer.closed_for:,.0f} s finds out when it answers again."
            self._reporter.report(Warned(f"The provider refuses all requests and {asked}. {found_out}"))

    def gives_up(self, seconds: float) -> bool:
        """Whether everything will have been refused for too long in so many seconds."""
        if self._refused_since is None:
            return False
        refused_for = self._clock.monotonic() - self._refused_since
        self.has_given_up = refused_for + seconds > _REFUSED_SECONDS
        return self.has_given_up

    async def _wait(self, turn: int) -> None:
        waiter = _Waiter(turn)
        self._waiting.append(waiter)
        self._waiting.sort()  # nearly sorted already
        try:
            while True:
                self._halt.check()
                if self._waiting[0] is not waiter or self.in_flight >= self.limit:
                    waiter.called.clear()
                    await waiter.called.wait()
                elif (seconds := self._pacer.wait(self._clock.monotonic())) > 0:
                    self._say_rate()
                    await self._halt.sleep(min(seconds, _LOOK_AGAIN_SECONDS))
                elif self._patience.is_away:
                    await self._patience.until_back()
                else:
                    return
        finally:
            self._waiting.remove(waiter)
            self._call_first()

    def _call_first(self) -> None:
        if self._waiting:
            self._waiting[0].called.set()

    def _overloaded(self) -> None:
        self._successes = 0
        self._streak += 1
        if self._streak >= max(_SHORTEST_STREAK, self.limit // 2) and self.limit > 1:
            self._streak = 0
            self.limit = max(1, self.limit // 2)
            self._reporter.report(PaceChanged(self.limit, "the provider is overloaded"))

    def _win_back(self) -> None:
        if self.limit == self._ceiling:
            return
        self._successes += 1
        if self._successes >= self.limit:
            self._successes = 0
            self.limit = min(self._ceiling, self.limit + max(1, self.limit // 2))
            self._reporter.report(PaceChanged(self.limit, "the provider answers again"))

    def _say_rate(self) -> None:
        """Say what holds the run back, once it does and when it changes much."""
        limit = self._pacer.limit
        if limit is None:
            return
        said, was_told = self._said_rate
        if self._pacer.is_told == was_told and said / _WORTH_SAYING < limit < said * _WORTH_SAYING:
            return
        self._said_rate = (limit, self._pacer.is_told)
        reason = "that is the account's limit" if self._pacer.is_told else "more than that was refused"
        self._reporter.report(RateLearned(max(1, round(limit * 60)), reason))
