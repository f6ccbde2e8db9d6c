"""A journal that lives in memory, loses what a power cut would take, and fails on demand."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from seed_library.adapters.journal_lines import encode
from seed_library.core.errors import JournalUnavailable
from seed_library.core.journal_records import require_understood
from seed_library.core.ledger import Ledger, fold

Positioned = tuple[int, dict[str, Any]]


class MemoryJournal:
    """Implements the `Journal` port with positions like those of the file: byte offsets of its lines, from 0.

    Attributes:
        records: everything appended, with positions.
        durable: how many of them a power cut would leave.
        full: the disk is full; what was kept back for it still takes answers, but no intents.
        breaks_at: the kind of record at which the disk dies; nothing is taken from then on.
    """

    def __init__(self) -> None:
        self.records: list[Positioned] = []
        self.durable = 0
        self.full = False
        self.breaks_at = ""
        self._broken = False
        self._end = 0

    async def write(self, record: dict[str, Any]) -> int:
        """Append a record; it and all before it are durable one turn of the loop later."""
        position = self._append(record)
        await asyncio.sleep(0)
        if position is None:
            raise JournalUnavailable("The journal cannot be written.", hint="Free some space.")
        self.durable = len(self.records)
        return position

    def note(self, record: dict[str, Any]) -> None:
        """Append a record that becomes durable with the next one that is waited for."""
        self._append(record)

    def read(self, position: int) -> dict[str, Any]:
        """Return the record at a position."""
        for place, record in self.records:
            if place == position:
                return record
        raise JournalUnavailable(f"The record at byte {position} is damaged.")

    async def aclose(self) -> None:
        """Make everything durable."""
        if self._broken:
            raise JournalUnavailable("The journal cannot be written.")
        self.durable = len(self.records)

    def ledger(self) -> Ledger:
        """Fold everything, as the next run would find it."""
        return fold(self.records)

    def cut_power(self) -> None:
        """Lose what was not durable. The next run finds a working disk."""
        self.records = self.records[: self.durable]
        self.mend()

    def mend(self) -> None:
        """Give the next run a disk with space that works."""
        self.full, self.breaks_at, self._broken = False, "", False
        self._end = sum(len(encode(record)) for _, record in self.records)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the records of these kinds, in order."""
        return [record for _, record in self.records if record["kind"] in kinds]

    def _append(self, record: dict[str, Any]) -> int | None:
        self._broken = self._broken or record["kind"] == self.breaks_at
        if self._broken or (self.full and record["kind"] == "intent"):
            return None
        require_understood(record)
        position = self._end
        self.records.append((position, json.loads(json.dumps(record))))  # what a file would give back
        self._end += len(encode(record))
        return position
