"""A reporter that keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from seed_library.core.events import Event

E = TypeVar("E", bound=Event)


class RecordingReporter:
    """Implements the `Reporter` port. `events` holds everything, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def report(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)
        self._news.set()

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so; it is looked at whenever something is reported."""
        while not condition():
            self._news.clear()
            await self._news.wait()
