"""Rows as files: JSON lines, CSV for spreadsheets, and an SQL upsert.

CSV: a spreadsheet takes a cell that begins with = + - @ or a tab for a formula, and runs it. Such a cell gets an
apostrophe in front, and reading takes exactly that one off again, so nothing is lost on the way there and back.

`version` is that of the stored text (`core.versions`): an import knows by it what was edited, and what has changed in
the table meanwhile. A backup holds whole rows instead, by the table's own columns.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from seed_library.core import exact_json
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.sql import identifier, literal
from seed_library.core.versions import version_of

Format = Literal["jsonl", "csv", "sql"]
COLUMNS = ("category", "key", "locale", "title", "text")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SQL_AT_ONCE = 100
_BYTES = "base64"


class RowFileFault(Exception):
    """A file of rows cannot be read; the text says where and why."""


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
        """Whether nobody has touched it since it was exported; `columns` are those generated beside the text."""
        beside = {name: self.generated.get(name, "") for name in columns}
        return bool(self.version) and version_of(self.title, self.text, beside) == self.version


def as_jsonl(rows: Iterable[FileRow]) -> Iterator[str]:
    """Yield one JSON object a line."""
    for row in rows:
        fields = {
            **row.id._asdict(),
            "title": row.title,
            "text": row.text,
            **row.generated,
            "provenance": row.provenance,
            "version": row.version,
        }
        yield json.dumps(fields, ensure_ascii=False) + "\n"


def as_csv(rows: Iterable[FileRow], table: TableSpec) -> Iterator[str]:
    """Yield a heading, then one record a row."""
    yield _record((*COLUMNS, *table.generated, "version"))
    for row in rows:
        yield _record(map(_shielded, (*row.id, row.title, row.text, *_beside(row, table), row.version)))


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


def read_jsonl(text: str, table: TableSpec) -> Iterator[tuple[int, FileRow]]:
    """Yield line numbers and rows.

    Raises:
        RowFileFault: a line is no row.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise RowFileFault(f"line {number}: not JSON: {error}") from None
        if not isinstance(fields, dict):
            raise RowFileFault(f"line {number}: not a JSON object")
        yield number, _row(fields, number, table)


def read_csv(text: str, table: TableSpec) -> Iterator[tuple[int, FileRow]]:
    """Yield line numbers and rows.

    Raises:
        RowFileFault: the file is not CSV, or a record is no row.
    """
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        for record in reader:
            fields = {name: _unshielded(value) for name, value in record.items() if name and isinstance(value, str)}
            yield reader.line_num, _row(fields, reader.line_num, table)
    except csv.Error as error:
        raise RowFileFault(f"line {reader.line_num}: not CSV: {error}") from None


def _row(fields: Mapping[str, Any], number: int, table: TableSpec) -> FileRow:
    wanted = ("category", "key", "locale", "text")
    if missing := [name for name in wanted if not isinstance(fields.get(name), str) or not fields[name].strip()]:
        raise RowFileFault(f"line {number}: {', '.join(missing)} missing or empty")
    item = ItemId(fields["category"], fields["key"], fields["locale"])
    beside = {name: fields.get(name) for name in table.generated}
    generated = {name: value for name, value in beside.items() if isinstance(value, str) and value.strip()}
    version = str(fields.get("version") or "")
    return FileRow(item, str(fields.get("title") or ""), fields["text"], generated=generated, version=version)


def as_backup(rows: Iterable[tuple[ItemId, Mapping[str, Any]]]) -> Iterator[str]:
    """Yield whole rows, one JSON object a line."""
    for item, columns in rows:
        row = {name: _packed(value) for name, value in columns.items()}
        yield exact_json.dumps({**item._asdict(), "row": row}) + "\n"


def read_backup(text: str) -> Iterator[tuple[ItemId, dict[str, Any]]]:
    """Yield the rows of a backup.

    Raises:
        RowFileFault: a line is none of a backup.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = exact_json.loads(line)
            item = ItemId(*(fields[name] for name in ItemId._fields))
            row = {name: _unpacked(value) for name, value in fields["row"].items()}
        except (ValueError, LookupError, TypeError, AttributeError):
            raise RowFileFault(f"line {number}: no row of a backup, as `prune` writes it") from None
        if not all(isinstance(name, str) for name in item):
            raise RowFileFault(f"line {number}: category, key and locale have to be texts")
        yield item, row


def _packed(value: Any) -> Any:
    """Return bytes, which only SQLite gives, as JSON can hold them."""
    return {_BYTES: base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value[_BYTES]) if isinstance(value, dict) and set(value) == {_BYTES} else value


def _sql_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _beside(row: FileRow, table: TableSpec) -> Iterator[str]:
    return (row.generated.get(name, "") for name in table.generated)


def _record(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _shielded(cell: str) -> str:
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def _unshielded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
