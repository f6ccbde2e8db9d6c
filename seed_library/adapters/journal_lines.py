"""The lines of a journal: how a record is written as one, and how a file of them is read.

Reading takes no lock, touches nothing, and never fails for what it finds: what is damaged, or not understood, is named
(`core.unread`) and passed over. The protocol that writes the file is in `adapters.journal`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from seed_library.adapters.state import unusable
from seed_library.core import foreign_json
from seed_library.core.errors import JournalUnavailable
from seed_library.core.journal_records import Record
from seed_library.core.ledger import Ledger
from seed_library.core.unread import Unread, of_line

# Far more than any record of this program has; a longer line is passed over without being held in memory.
LONGEST_LINE = 64 * 1024 * 1024
_PREFIX = 9  # CRC and blank
_PIECE = 1024 * 1024
_ENDS = 64 * 1024  # of a line that is too long: where its figures are looked for
_DAMAGED = "it is damaged"


@dataclass(slots=True)
class Damage:
    """What could not be read of a journal. `torn_at` is where the readable part ends, if the tail is torn."""

    lines: list[Unread] = field(default_factory=list)
    torn_at: int | None = None


class _Line(NamedTuple):
    """A line of the file: its record, or what is the matter with it."""

    size: int
    record: dict[str, Any] | None
    unread: Unread | None
    ended: bool


def encode(record: Record) -> bytes:
    """Return a record as a journal line."""
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decode(line: bytes) -> dict[str, Any] | None:
    """Return the record of a journal line, or None where it holds none."""
    body = line[_PREFIX:-1]
    return _parsed(body) if _is_whole(line, body) else None


def records(path: Path, damage: Damage, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield positioned records from a byte offset on; collect what holds none. An absent file holds none."""
    for position, _, record in _read(path, damage, start):
        yield position, record


def read_ledger(path: Path, start: int = 0) -> tuple[Ledger, Damage]:
    """Fold a journal without touching it. What is not understood is in the ledger, damaged lines inside among it."""
    ledger, damage = Ledger(), Damage()
    for position, size, record in _read(path, damage, start):
        ledger.read(position, size, record)
    ledger.unread = sorted([*ledger.unread, *damage.lines], key=lambda one: one.position)
    return ledger, damage


def read_record(path: Path, position: int) -> dict[str, Any]:
    """Return the record at a position.

    Raises:
        JournalUnavailable: there is no whole record.
    """
    try:
        with path.open("rb") as file:
            file.seek(position)
            record = decode(file.readline(LONGEST_LINE))
    except OSError as error:
        raise unusable(path, error) from error
    if record is None:
        raise JournalUnavailable(
            f"The record at byte {position} of {path} is damaged.",
            hint="Run again: the damaged line is set aside and its text is asked for anew.",
        )
    return record


def _read(path: Path, damage: Damage, start: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield position, size and record of each line from a byte offset on; collect those that hold no record."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(path, error) from error
    with file:
        file.seek(start)
        position = start
        torn: list[Unread] = []  # damaged lines that may be the end
        while (line := _next_line(file, position)) is not None:
            if line.record is not None:
                damage.lines += torn
                torn.clear()
                yield position, line.size, line.record
            elif line.unread is not None:
                torn.append(line.unread)
                if line.unread.whole:
                    damage.lines += torn
                    torn.clear()
            position += line.size
            if not line.ended:
                break  # the end, or a line that is being written right now: its rest must not pass for a line
        if torn:
            # One write may have been many lines: all of them are torn.
            damage.torn_at = torn[0].position


def _next_line(file: IO[bytes], position: int) -> _Line | None:
    try:
        data = file.readline(LONGEST_LINE)
    except OSError as error:
        raise unusable(Path(file.name), error) from error
    if not data:
        return None
    body, ended = data[_PREFIX:-1], data[-1:] == b"\n"
    whole = ended and _is_whole(data, body)
    record = _parsed(body) if whole else None
    if record is not None:
        return _Line(len(data), record, None, ended)
    if len(data) == LONGEST_LINE and not ended:
        return _too_long(file, position, data)
    reason = "it holds no JSON object that can be read" if whole else _DAMAGED
    return _Line(len(data), None, of_line(position, len(data), data, reason, whole=whole), ended)


def _too_long(file: IO[bytes], position: int, data: bytes) -> _Line:
    """Pass over the rest of a line that is not held in memory; of it only the ends are looked at."""
    size, crc = len(data), zlib.crc32(data[_PREFIX:])
    head, tail = data[:_ENDS], data[-_ENDS:]
    ended = False
    while not ended and (piece := file.readline(_PIECE)):
        ended = piece.endswith(b"\n")
        crc = zlib.crc32(piece.removesuffix(b"\n"), crc)
        size += len(piece)
        tail = (tail + piece)[-_ENDS:]
    whole = ended and head[:_PREFIX] == b"%08x " % crc
    reason = f"it is longer than {LONGEST_LINE:,} bytes" if whole else _DAMAGED
    return _Line(size, None, of_line(position, size, head + tail, reason, whole=whole), ended)


def _is_whole(line: bytes, body: bytes) -> bool:
    return line[-1:] == b"\n" and line[:_PREFIX] == b"%08x " % zlib.crc32(body)


def _parsed(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a line whose checksum is right; numbers that no arithmetic takes are text then."""
    try:
        text = body.decode("utf-8", "surrogatepass")
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            record = foreign_json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
