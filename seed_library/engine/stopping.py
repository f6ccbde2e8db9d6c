"""One way to end a run early, whatever the cause: a signal, the budget, a dead key, a lost lock, a bug.

The first cause wins. From then on no new request leaves; requests in flight are finished, journalled and stored;
every wait ends at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from seed_library.core.errors import SeedLibraryError
from seed_library.ports import Clock

Result = TypeVar("Result")


class Halt:
    """Tells every part of a run that it should end, and why."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked = asyncio.Event()
        self._cause: SeedLibraryError | None = None
        self.bug: Exception | None = None

    @property
    def cause(self) -> SeedLibraryError | None:
        """Why the run ends early; None while it does not."""
        return self._cause

    def because(self, cause: SeedLibraryError) -> None:
        """Ask the run to end. Only the first cause is kept."""
        if self._cause is None:
            self._cause = cause
            self._asked.set()

    def broken(self, bug: Exception) -> None:
        """Ask the run to end for what nobody expected. Whoever waits for the run raises it when all is safe."""
        if self.bug is None:
            self.bug = bug
        self.because(SeedLibraryError(f"A bug: {type(bug).__name__}."))

    def check(self) -> None:
        """Raise the cause if there is one."""
        if self._cause is not None:
            raise self._cause

    async def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until the run is asked to end.

        Raises:
            SeedLibraryError: the cause, if the run was asked to end.
        """
        self.check()
        await self._first_of(self._clock.sleep(seconds))
        self.check()

    async def during(self, work: Awaitable[Result], grace: float = 0) -> Result:
        """Wait for something; once the run is asked to end, for `grace` seconds more. Then it is cancelled.

        Raises:
            SeedLibraryError: the cause, if the work did not come to its end in time.
        """
        task = asyncio.ensure_future(work)
        try:
            await self._first_of(task)
            if grace > 0 and not task.done():
                await _first_of(task, self._clock.sleep(grace))
        finally:
            task.cancel()
            await asyncio.wait({task})  # what it has to put in order, it does now
        if task.cancelled():
            self.check()
        return task.result()

    async def _first_of(self, work: Awaitable[Any]) -> None:
        await _first_of(work, self._asked.wait())


async def _first_of(*work: Awaitable[Any]) -> None:
    """Wait until the first of these has ended; what was only made for this wait ends with it."""
    tasks = {asyncio.ensure_future(one) for one in work}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks - set(work):
            task.cancel()
