"""A limit on waiting for an answer: what has arrived is read before a clock decides.

The limits of HTTP libraries are moments of the clock. A process that was stopped (Ctrl-Z, a closed lid) wakes up behind
all of them, and throws away the answers that have arrived meanwhile and are paid for. Here the time is counted in small
steps, of each of which the event loop has been through, and has read what there was to read. A step that took much
longer than it should is a time in which this program was not awake: it counts as one step, and never as the last one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_STEP_SECONDS = 1.0
_STEPS_AT_LEAST = 4  # in a short limit
_ASLEEP = 2.0  # times its length: a step that took longer


class TimeAwake:
    """What is left of the time for one answer, in seconds awake: in all, and without hearing anything."""

    def __init__(self, whole: float, silence: float) -> None:
        self._left = whole
        self._silence = silence
        self._silent = 0.0
        self._heard = False  # in this step

    def expect_within(self, silence: float) -> None:
        """Something was heard: begin the silence anew, and set how long it may last."""
        self._silence = silence
        self._heard = True

    @property
    def step(self) -> float:
        """How long the next step of counting should take."""
        return min(_STEP_SECONDS, self._silence / _STEPS_AT_LEAST)

    def spend(self, took: float, step: float) -> bool:
        """Count a step; say whether there is any patience left."""
        awake = took <= _ASLEEP * step
        counted = took if awake else step
        self._left -= counted
        self._silent = 0.0 if self._heard else self._silent + counted
        self._heard = False
        return not awake or (self._left > 0 and self._silent < self._silence)


@asynccontextmanager
async def patiently(whole: float, silence: float | None = None) -> AsyncIterator[TimeAwake]:
    """Limit what is done inside to so many seconds awake, and to so many of silence.

    Raises:
        TimeoutError: the patience is over.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        patience = TimeAwake(whole, whole if silence is None else silence)
        pending: asyncio.TimerHandle

        def count(since: float, step: float) -> None:
            nonlocal pending
            now = loop.time()
            if patience.spend(now - since, step):
                pending = loop.call_later(patience.step, count, now, patience.step)
            else:
                limit.reschedule(now)

        pending = loop.call_later(patience.step, count, loop.time(), patience.step)
        try:
            yield patience
        finally:
            pending.cancel()
