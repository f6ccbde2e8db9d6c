"""CSV as spreadsheets, databases and people write it.

The separator is the one with which the heading holds the names that are expected. No guess from the look of a file is
as good: the standard library's Sniffer and CleverCSV (0.2 s to load) have to guess, since they know no heading. A first
line `sep=;`, as spreadsheets write it, decides alone. Rows without a text are skipped; a row with more or fewer cells
than the heading is a fault, since a comma in a text would otherwise cut it off.

A spreadsheet takes a cell that begins with = + - @, a tab or a line end for a formula, and runs it. Such a cell gets an
apostrophe in front, and `unshielded` takes exactly that one off again, so nothing is lost on the way there and back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from seed_library.core.records import Headings, Record, RecordFault

BYTE_ORDER_MARK = "\ufeff"  # by which spreadsheets know UTF-8
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_DIRECTIVE = re.compile(r'"?sep=([^"\r\n])"?\1*[ \t]*[\r\n]*', re.IGNORECASE)
_HEAD_LINES = 40  # a heading may hold line ends, too
_SHOWN = 12  # headings
_LARGEST_CELL = 1 << 26  # characters; a quote that is never closed would take in the whole file
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_lines(columns: Sequence[str], records: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Yield a heading, then one record a row."""
    yield _line(columns)
    for record in records:
        yield _line(_shielded(record[name]) for name in columns)


def unshielded(record: Record) -> Record:
    """Return a record of a sheet that came from `csv_lines` as it was before."""
    return Record(record.where, {name: _unshielded(cell) for name, cell in record.cells.items()})


def read_csv(lines: Iterable[str], headings: Headings) -> Iterator[Record]:
    """Yield the rows of a sheet, given as lines with their ends.

    Raises:
        RecordFault: it is none, lacks a heading, or a row does not fit the heading.
    """
    lines = iter(lines)
    head = list(islice(lines, _HEAD_LINES))
    directive = _DIRECTIVE.fullmatch(head[0]) if head else None
    skipped = 1 if directive else 0
    separator = directive[1] if directive else _best_separator(head, headings)
    rows = _rows(chain(head[skipped:], lines), separator, skipped)
    named = next(rows, None)
    if named is None:
        return
    names = _names(named, headings, separator)
    for row in rows:
        yield Record(row.where, _cells(row, names, separator))


class _Row(NamedTuple):
    where: str
    cells: list[str]


def _rows(lines: Iterable[str], separator: str, skipped: int) -> Iterator[_Row]:
    """Yield the rows that hold a text. A place is the line, and the row of the sheet where that is another number."""
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    row, line = 0, skipped + 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise RecordFault(f"line {line}: not CSV: {_explained(error)}") from None
        if cells is None:
            return
        row += 1
        if any(cell.strip() for cell in cells):
            yield _Row(f"line {line}" if line == row + skipped else f"line {line} (row {row})", cells)
        line = skipped + reader.line_num + 1


def _explained(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a cell has more than {_LARGEST_CELL:,} characters; is a quote never closed?"
    return "a quote is never closed" if "unexpected end" in str(error) else str(error)


def _best_separator(head: Sequence[str], headings: Headings) -> str:
    """Return the separator with which the heading holds most of what is expected, and most besides."""
    worth = {}
    for separator in _SEPARATORS:
        try:
            found = next((row.cells for row in _rows(head, separator, 0)), [])
        except RecordFault:
            found = []
        worth[separator] = headings.recognized(found), len(found)
    return max(worth, key=lambda separator: worth[separator])


def _names(row: _Row, headings: Headings, separator: str) -> tuple[str, ...]:
    try:
        names = headings.meant(row.cells)
    except RecordFault as fault:
        raise RecordFault(f"{row.where}: {fault}") from None
    if lacking := headings.lacking(names):
        there = ", ".join(repr(name) for name in names[:_SHOWN])
        raise RecordFault(
            f"{row.where}: the heading lacks {', '.join(lacking)}; separated by {_name(separator)} it holds {there}"
        )
    return names


def _cells(row: _Row, names: Sequence[str], separator: str) -> dict[str, Any]:
    if len(row.cells) != len(names):
        raise RecordFault(
            f"{row.where}: the number of fields differs from the heading's ({len(row.cells)} instead of {len(names)}, "
            f'separated by {_name(separator)}); a text with a separator in it stands in "quotes"'
        )
    cells = dict(zip(names, row.cells, strict=True))
    for place, (name, cell) in enumerate(zip(names, row.cells, strict=True), start=1):
        if not name and cell.strip():
            raise RecordFault(f"{row.where}: a text stands in column {place}, which has no heading")
    cells.pop("", None)
    return cells


def _name(separator: str) -> str:
    return _SEPARATORS.get(separator, repr(separator))


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _shielded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def _unshielded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
