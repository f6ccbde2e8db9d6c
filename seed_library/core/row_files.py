"""Rows as records of a file, and back: what is exported, imported, kept before it is removed.

A file names columns as an export does (`category`, `key`, `locale`, `title`, `text`), or as the table does. `version`
is that of the stored text (`core.versions`): an import knows by it what was edited, and what has changed in the table
meanwhile. A backup holds whole rows instead, by the table's own columns.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

from seed_library.core import exact_json
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.records import Headings, Record, RecordFault, is_storable
from seed_library.core.sql import identifier, literal
from seed_library.core.versions import settled, version_of

Format = Literal["jsonl", "csv", "sql"]
COLUMNS = ("category", "key", "locale", "title", "text")
_OURS = ("version", "provenance")
_SQL_AT_ONCE = 100
_SHOWN = 40  # characters
_BYTES, _NUMBER, _VALUE = "base64", "number", "value"  # what stands for values that JSON has not, or that look so


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row in a file. `provenance` is only kept in JSON lines; `generated` are the columns beside the text.

    Attributes:
        version: of the text that was exported; empty in a file that was not.
    """

    id: ItemId
    title: str
    text: str
    provenance: Mapping[str, Any] | None = None
    generated: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def is_as_exported(self, columns: Sequence[str]) -> bool:
        """Whether nobody has touched it since it was exported; `columns` are those generated beside the text.

        What a program or a spreadsheet does to line ends, normal form and blanks at an end is no touch.
        """
        beside = {name: self.generated.get(name, "") for name in columns}
        plain = {name: settled(value) for name, value in beside.items()}
        same = version_of(self.title, self.text, beside), version_of(self.title, settled(self.text), plain)
        return bool(self.version) and self.version in same


def columns_of(table: TableSpec) -> tuple[str, ...]:
    """Return the headings of a sheet of rows."""
    return (*COLUMNS, *table.generated, "version")


def records_of(rows: Iterable[FileRow], table: TableSpec) -> Iterator[dict[str, Any]]:
    """Yield rows as what a file holds of them."""
    for row in rows:
        beside = dict(zip(table.generated, _beside(row, table), strict=True))
        known = {"provenance": row.provenance, "version": row.version}
        yield {**row.id._asdict(), "title": row.title, "text": row.text, **beside, **known}


class RowReader:
    """Makes rows of the records of one file.

    Attributes:
        ignored: columns of the file that are not imported, beside those that an export has.
    """

    def __init__(self, table: TableSpec) -> None:
        self._table = table
        self._places: dict[tuple[str, ...], Mapping[str, str]] = {}
        self.ignored: dict[str, None] = {}

    @property
    def headings(self) -> Headings:
        """What a file of rows may hold, and what it must."""
        table = self._table
        own = {name: getattr(table, name) for name in COLUMNS}
        required = [(name, own[name]) for name in COLUMNS if name != "title"]
        return Headings((*COLUMNS, *_OURS, *own.values(), *table.generated), required)

    def row(self, record: Record) -> FileRow:
        """Return the row that a record is.

        Raises:
            RecordFault: it is none.
        """
        try:
            return self._row(record.cells)
        except RecordFault as fault:
            raise RecordFault(f"{record.where}: {fault}") from None

    def _row(self, cells: Mapping[str, Any]) -> FileRow:
        names = tuple(cells)
        if names not in self._places:
            self._places[names] = self._places_in(names)
        places = self._places[names]
        fields = {name: _text_of(name, cells.get(place)) for name, place in places.items()}
        if missing := [name for name in COLUMNS if name != "title" and not fields.get(name, "").strip()]:
            kept = "; it is a row of a backup, which --restore takes" if isinstance(cells.get("row"), dict) else ""
            raise RecordFault(f"{', '.join(missing)} missing or empty{kept}")
        beside = {name: _text_of(name, cells.get(name)) for name in self._table.generated}
        if not is_storable([*fields.values(), *beside.values()]):
            raise RecordFault("holds a NUL or half of a surrogate pair")
        return FileRow(
            ItemId(fields["category"], fields["key"], fields["locale"]),
            fields.get("title", ""),
            fields["text"],
            generated={name: value for name, value in beside.items() if value.strip()},
            version=_text_of("version", cells.get("version")).strip(),
        )

    def _places_in(self, names: tuple[str, ...]) -> Mapping[str, str]:
        """Find each field among the headings, by the name that an export gives it or by the table's own.

        Raises:
            RecordFault: it is there by both.
        """
        own = {name: getattr(self._table, name) for name in COLUMNS}
        for spelling in ({name: name for name in COLUMNS}, own):
            if all(spelling[name] in names for name in COLUMNS if name != "title"):
                places = {name: place for name, place in spelling.items() if place in names}
                break
        else:
            places = {name: name if name in names else own[name] for name in COLUMNS}
        taken = {*places.values(), *self._table.generated}
        for name, place in places.items():
            other = own[name] if place == name else name
            if other in names and other not in taken:
                raise RecordFault(f"{place!r} and {other!r} are the same column here: leave one of them out")
        others = {self._table.provenance, self._table.updated_at, *self._table.constants}
        self.ignored |= dict.fromkeys(name for name in names if name not in {*taken, *_OURS, *others})
        return places


def _text_of(name: str, value: object) -> str:
    """Return a text; nothing is an empty one.

    Raises:
        RecordFault: it is something else.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RecordFault(f"{name!r} is {str(value)[:_SHOWN]}, no text: write it in quotes")
    return value


def backup_records(rows: Iterable[tuple[ItemId, Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Yield whole rows as what a backup holds of them."""
    for item, columns in rows:
        yield {**item._asdict(), "row": {name: _packed(value) for name, value in columns.items()}}


def row_of_backup(fields: Mapping[str, Any], table: TableSpec) -> tuple[ItemId, dict[str, Any]]:
    """Return a whole row of a backup.

    Raises:
        RecordFault: it is none.
    """
    try:
        item = ItemId(*(fields[name] for name in ItemId._fields))
        row = {name: _unpacked(value) for name, value in fields["row"].items()}
        exact_json.dumps(fields).encode()  # no table ever gave half of a surrogate pair
    except (ValueError, LookupError, TypeError, AttributeError):
        raise RecordFault("no row of a backup, as `prune` writes it") from None
    if not all(isinstance(name, str) for name in item):
        raise RecordFault("category, key and locale have to be texts")
    if lacking := [name for name in table.conflict_columns if name not in row]:
        raise RecordFault(f"the row lacks the columns {', '.join(lacking)} of this catalog's table")
    return item, row


def _packed(value: Any) -> Any:
    """Return what only SQLite gives, bytes and numbers without an end, as JSON can hold it."""
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, float) and not isfinite(value):
        return {_NUMBER: str(value)}
    return {_VALUE: value} if _is_packed(value) else value


def _unpacked(value: Any) -> Any:
    if not _is_packed(value):
        return value
    if _BYTES in value:
        return base64.b64decode(value[_BYTES])
    return float(value[_NUMBER]) if _NUMBER in value else value[_VALUE]


def _is_packed(value: Any) -> bool:
    """Whether a value is, or looks like, one that was made fit for JSON."""
    return isinstance(value, dict) and len(value) == 1 and bool({_BYTES, _NUMBER, _VALUE} & set(value))


def as_sql(rows: Iterable[FileRow], table: TableSpec) -> Iterator[str]:
    """Yield upserts, such as for `supabase/seed.sql`. Strings are quoted for standard_conforming_strings = on."""
    names = [*table.conflict_columns, table.title, table.text, *table.generated, *table.constants]
    shown, conflict = ", ".join(map(identifier, names)), ", ".join(map(identifier, table.conflict_columns))
    replaced = map(identifier, names[len(table.conflict_columns) :])
    changes = ", ".join(f"{name} = excluded.{name}" for name in replaced)
    yield "set standard_conforming_strings = on;\n"
    held: list[str] = []

    def statement() -> str:
        values = ",\n".join(held)
        return (
            f"insert into {identifier(table.schema)}.{identifier(table.name)} ({shown}) values\n{values}\n"
            f"on conflict ({conflict}) do update set {changes};\n"
        )

    for row in rows:
        values = (*row.id, row.title, row.text, *_beside(row, table), *map(_sql_text, table.constants.values()))
        held.append(f"({', '.join(map(literal, values))})")
        if len(held) == _SQL_AT_ONCE:
            yield statement()
            held.clear()
    if held:
        yield statement()


def _sql_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _beside(row: FileRow, table: TableSpec) -> Iterator[str]:
    return (row.generated.get(name, "") for name in table.generated)
