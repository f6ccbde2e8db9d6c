"""Opening a file of records: which format it is in, and which encoding."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from seed_library.adapters.tables.csv_table import read_csv
from seed_library.adapters.tables.json_table import read_json, read_lines
from seed_library.adapters.tables.text import HEAD_BYTES, Text, encoding_of
from seed_library.core.records import Headings, Record, RecordFault

_SHEETS = (".csv", ".tsv")
_OBJECTS = (".jsonl", ".ndjson", ".json")
FORMATS = (*_SHEETS, *_OBJECTS)
_LARGEST_STREAM = 1 << 28  # bytes of what cannot be read twice, and is held in memory


@dataclass(frozen=True, slots=True)
class Table:
    """An open file of records.

    Attributes:
        is_sheet: whether it is CSV: all cells are texts, and those that look like formulas may be shielded.
    """

    records: Iterator[Record]
    is_sheet: bool


@contextmanager
def open_table(path: Path, headings: Headings, encoding: str = "") -> Iterator[Table]:
    """Open a file of records; they are read while they are asked for.

    Args:
        path: where it is; what it is called says which format it is in, else what it begins with.
        headings: what is expected.
        encoding: that of a file whose first bytes do not say it; UTF-8 unless one is named.

    Raises:
        OSError: it cannot be read.
        RecordFault: it is no such file; the same while records are asked for.
    """
    with _opened(path) as file:
        known = encoding_of(_head(file), encoding)
        if _is_sheet(path, file, known):
            with Text(file, known, newline="") as text:
                yield Table(read_csv(text, headings), is_sheet=True)
        else:
            with Text(file, known, newline=None) as text:
                yield Table(read_json(text, headings), is_sheet=False)


@contextmanager
def read_exact_lines(path: Path) -> Iterator[Iterator[tuple[int, dict[str, Any]]]]:
    """Open a file with one JSON object a line; give line numbers and objects whose numbers have all their digits.

    Raises:
        OSError: it cannot be read.
        RecordFault: it is no such file; the same while objects are asked for.
    """
    with _opened(path) as file, Text(file, encoding_of(_head(file)), newline=None) as text:
        yield read_lines(text, exact=True)


def _is_sheet(path: Path, file: IO[bytes], encoding: str) -> bool:
    kind = path.suffix.lower()
    if kind in FORMATS:
        return kind in _SHEETS
    with Text(file, encoding, newline=None) as text:
        return text.first_character() not in {"{", "["}


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode):
            yield file
        elif stat.S_ISFIFO(mode):
            yield _held(file)
        else:
            raise RecordFault("this is no file")


def _held(file: IO[bytes]) -> IO[bytes]:
    """Read what can be read once only."""
    data = file.read(_LARGEST_STREAM + 1)
    if len(data) > _LARGEST_STREAM:
        raise RecordFault(f"more than {_LARGEST_STREAM:,} bytes come out of it; write them to a file first")
    return BytesIO(data)


def _head(file: IO[bytes]) -> bytes:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return head
