"""How many requests may be in flight: an adaptive limit.

A single 429 or 529 changes nothing for the others; only the request that got it waits. A streak of them without
any success in between says that the pace is wrong: the limit is halved. Successes win it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from seed_library.core.events import PaceChanged
from seed_library.ports import Reporter

_SHORTEST_STREAK = 4


class Throttle:
    """A semaphore whose size follows the answers."""

    def __init__(self, ceiling: int, reporter: Reporter) -> None:
        self._ceiling = ceiling
        self._reporter = reporter
        self._waiters = asyncio.Condition()
        self._streak = 0
        self._successes = 0
        self.limit = ceiling
        self.in_flight = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the places while a request is in flight."""
        async with self._waiters:
            while self.in_flight >= self.limit:
                await self._waiters.wait()
            self.in_flight += 1
        try:
            yield
        finally:
            async with self._waiters:
                self.in_flight -= 1
                self._waiters.notify()

    def overloaded(self) -> None:
        """Count a 429 or 529."""
        self._successes = 0
        self._streak += 1
        if self._streak >= max(_SHORTEST_STREAK, self.limit // 2) and self.limit > 1:
            self._streak = 0
            self.limit = max(1, self.limit // 2)
            self._reporter.report(PaceChanged(self.limit, "the provider refuses requests one after the other"))

    async def succeeded(self) -> None:
        """Count an answer."""
        self._streak = 0
        if self.limit == self._ceiling:
            return
        self._successes += 1
        if self._successes >= self.limit:
            self._successes = 0
            async with self._waiters:
                self.limit = min(self._ceiling, self.limit + max(1, self.limit // 2))
                self._waiters.notify_all()
            self._reporter.report(PaceChanged(self.limit, "the provider answers again"))
