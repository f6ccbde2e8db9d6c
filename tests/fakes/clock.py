"""A clock that a test can read ahead: whoever sleeps wakes at once, and the time has passed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

_MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


class FakeClock:
    """Implements the `Clock` port. Sleeps that overlap pass together, as real ones do.

    Attributes:
        sleeps: what was asked for, in seconds.
        stands: while True, sleepers stay asleep; only being woken by something else gets them further.
        asleep: set as soon as somebody sleeps.
    """

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self.stands = False
        self.asleep = asyncio.Event()
        self._elapsed = 0.0

    def now(self) -> datetime:
        """Return midnight and what has passed since."""
        return _MIDNIGHT + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Return what has passed."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once, and let the others have a turn."""
        self.sleeps.append(seconds)
        self.asleep.set()
        wakes = self._elapsed + seconds
        await asyncio.sleep(0)
        if self.stands:
            await asyncio.Event().wait()
        self._elapsed = max(self._elapsed, wakes)
