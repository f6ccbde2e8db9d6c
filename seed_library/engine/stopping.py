"""One way to end a run early, whatever the cause: a signal, the budget, a dead key, a lost lock, a bug.

The first cause wins. From then on no new request leaves; requests in flight are finished, journalled and stored;
every wait ends at once.
"""

from __future__ import annotations

import asyncio

from seed_library.core.errors import SeedLibraryError
from seed_library.ports import Clock


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
        waits = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._asked.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self.check()
