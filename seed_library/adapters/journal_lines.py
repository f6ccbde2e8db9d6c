"""The lines of a journal: how a record is written as one, and how a file of them is read.

Reading takes no lock and touches nothing. The protocol that writes the file is in `adapters.journal`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seed_library.adapters.state import unusable
from seed_library.core.errors import JournalUnavailable
from seed_library.core.ledger import Ledger, Record

_PREFIX = 9  # CRC and blank


@dataclass(slots=True)
class Damage:
    """Damaged lines found while reading. `torn_at` is where the readable part ends, if the tail is torn."""

    lines: list[tuple[int, bytes]] = field(default_factory=list)
    torn_at: int | None = None


def encode(record: Record) -> bytes:
    """Return a record as a journal line."""
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decode(line: bytes) -> dict[str, Any] | None:
    """Return the record of a journal line, or None if it is damaged."""
    body = line[_PREFIX:-1]
    if line[-1:] != b"\n" or line[:_PREFIX] != b"%08x " % zlib.crc32(body):
        return None
    try:
        record = json.loads(body.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def records(path: Path, damage: Damage, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield positioned records from a byte offset on; collect what is damaged. An absent file holds none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(path, error) from error
    with file:
        file.seek(start)
        position = start
        bad: tuple[int, bytes] | None = None
        for line in file:
            if bad is not None:
                damage.lines.append(bad)
                bad = None
            record = decode(line)
            if record is None:
                bad = (position, line)
            else:
                yield position, record
            position += len(line)
            if not line.endswith(b"\n"):
                break  # the end, or a line that is being written right now: its rest must not pass for a line
        if bad is not None:
            damage.torn_at = bad[0]
            _join_torn_lines(damage)


def _join_torn_lines(damage: Damage) -> None:
    """Let the torn part begin with the first of the damaged lines at the end: one write may have been many lines."""
    while damage.lines:
        position, line = damage.lines[-1]
        if position + len(line) != damage.torn_at:
            return
        damage.torn_at = position
        damage.lines.pop()


def read_ledger(path: Path, start: int = 0) -> tuple[Ledger, Damage]:
    """Fold a journal without touching it."""
    ledger, damage = Ledger(), Damage()
    for position, record in records(path, damage, start):
        ledger.apply(position, record)
    return ledger, damage


def read_record(path: Path, position: int) -> dict[str, Any]:
    """Return the record at a position.

    Raises:
        JournalUnavailable: there is no whole record.
    """
    try:
        with path.open("rb") as file:
            file.seek(position)
            record = decode(file.readline())
    except OSError as error:
        raise unusable(path, error) from error
    if record is None:
        raise JournalUnavailable(
            f"The record at byte {position} of {path} is damaged.",
            hint="Run again: the damaged line is set aside and its text is asked for anew.",
        )
    return record
