"""What of a journal cannot be understood, and what it may have cost.

A line whose checksum is wrong is damaged; one whose checksum is right may hold what this program does not know. Both
stay where they are, are copied aside, named once, and count once as what may have been billed, in the run that finds
them:

- nothing, where the record is of a kind that holds no money, is too short to be one, repeats another one, or belongs to
  an attempt that the rest of the journal knows, or to an open batch: these count by themselves;
- else the figure that can still be made out in it (cost, worst, maybe). Of a damaged line no figure is believed that is
  below what the dearest request in the journal could have cost;
- else what that request could have cost. Where the journal knows none, nobody can tell, and that is said.

The next run begins with what is counted here in its budget, as with the requests that a killed run had in flight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seed_library.core.journal_records import COSTLY

_FIGURES = ("cost", "worst", "maybe")
_LEGIBLE = {name: re.compile(rb'"%s":(\d{1,15})[,}]' % name.encode()) for name in _FIGURES}
_ATTEMPT = re.compile(rb'"attempt":"([^"\\]{1,200})"')
_BATCH = re.compile(rb'"(?:batch|token)":"([^"\\]{1,200})"')
_MOST_MONEY = 10**15  # micro-dollars
_SHORTEST_RECORD = 60  # bytes: checksum, kind, run, time


@dataclass(frozen=True, slots=True)
class Unread:
    """A line of a journal that is not understood.

    Attributes:
        position, size: in bytes.
        reason: what is the matter with it.
        whole: its checksum is right.
        costly: it may tell of money.
        figure: the largest amount that can be made out in it, in micro-dollars; None where there is none.
        attempt, batch: what it is about, as far as that can be made out.
    """

    position: int
    size: int
    reason: str
    whole: bool
    costly: bool
    figure: int | None = None
    attempt: str = ""
    batch: str = ""

    @property
    def region(self) -> tuple[int, int]:
        """Where it is."""
        return self.position, self.size


def of_record(position: int, size: int, record: Mapping[str, Any], reason: str, *, repeats: bool = False) -> Unread:
    """Describe a record that is whole, and not understood."""
    kind = record.get("kind")
    figures = [record.get(name) for name in _FIGURES]
    amounts = [one for one in figures if type(one) is int and 0 <= one <= _MOST_MONEY]
    known = isinstance(kind, str) and kind in COSTLY
    return Unread(
        position,
        size,
        reason,
        whole=True,
        costly=not repeats and (known or bool(amounts)),
        figure=max(amounts, default=None),
        attempt=_said(record.get("attempt")),
        batch=_said(record.get("batch")) or _said(record.get("token")),
    )


def of_line(position: int, size: int, line: bytes, reason: str, *, whole: bool) -> Unread:
    """Describe a line that holds no record, by what can be made out in it; of a very long one that is its ends."""
    amounts = [int(found[1]) for pattern in _LEGIBLE.values() if (found := pattern.search(line))]
    return Unread(
        position,
        size,
        reason,
        whole=whole,
        costly=size >= _SHORTEST_RECORD,
        figure=max(amounts, default=None),
        attempt=_legible(_ATTEMPT, line),
        batch=_legible(_BATCH, line),
    )


def _said(value: object) -> str:
    return value if isinstance(value, str) else ""


def _legible(pattern: re.Pattern[bytes], line: bytes) -> str:
    found = pattern.search(line)
    return found[1].decode(errors="replace") if found else ""
