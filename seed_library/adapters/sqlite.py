"""The embedded store: a SQLite file with the same table. It needs no server, key or network.

The file and its table are made by the first upsert; looking never changes anything. Every call uses a connection of
its own in a worker thread, so the event loop never waits for the disk. A row is written or deleted only where the
table still holds what that was decided on, in the same statement. Keys are read as text, whatever the column's type.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from sys import intern
from typing import Any, Literal, TypeVar

from seed_library.adapters.sqlite_rows import bindable, delete_row, put_row_back, rehearsed, write_row
from seed_library.adapters.sqlite_tables import NOW, columns_of, has_unique_index, now, our_columns
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked, StoreUnavailable
from seed_library.core.sql import identifier
from seed_library.ports import Check, Row, StoredRow, StoredText, WholeRow

_PAGE = 5000
_KEYS_AT_ONCE = 500
_BUSY_SECONDS = 10.0
_MAY_PASS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}
Result = TypeVar("Result")


class SqliteStore:
    """Implements the `Library` port."""

    def __init__(self, path: Path, table: TableSpec, *, free_within: float = _BUSY_SECONDS) -> None:
        self._path = path
        self._table = table
        self._free_within = free_within
        self._name = identifier(table.name)
        self._extras: tuple[str, str] | None = None

    async def check(self, sample: Row) -> list[Check]:
        """Find what would stop a write: the folder, the file, the table's columns and unique index."""
        del sample
        return await asyncio.to_thread(self._check)

    async def rehearse(self, rows: Sequence[Row]) -> list[Check]:
        """Write the rows to come and take them back: constraints and triggers speak up, and nothing is changed."""
        return await asyncio.to_thread(self._rehearse, rows)

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield the stored rows in pages, ordered by the unique columns."""
        after: tuple[str, str, str] | None = None
        while page := await self._call(partial(self._page, categories, locales, after)):
            for row in page:
                yield row
            after = page[-1].id

    async def read(self, items: Sequence[ItemId]) -> list[StoredText]:
        """Return the stored texts of these items."""
        return await self._call(lambda: self._read(items))

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        """Insert or replace rows in one transaction; makes the file and the table if they are not there."""
        if any("\0" in part for row in rows for part in (*row.id, row.title, row.text, *row.generated.values())):
            raise RowsRefused("a text holds a NUL character, after which SQLite would not show it")
        try:
            return await self._call(lambda: self._upsert(rows))
        except UnicodeEncodeError:
            raise RowsRefused("a text holds a character that UTF-8 cannot express") from None

    async def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield the stored rows in full, ordered by category, key and locale."""
        after: tuple[str, str, str] | None = None
        while page := await self._call(partial(self._text_page, categories, locales, after)):
            for text in page:
                yield text
            after = page[-1].id

    async def whole(self, items: Sequence[ItemId]) -> list[WholeRow]:
        """Return these rows with all their columns."""
        return await self._call(lambda: self._whole(items))

    async def remove(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Delete these rows in one transaction, each if it still is as it was read."""
        return await self._call(lambda: self._remove(rows))

    async def restore(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Insert rows as they were, in one transaction, without the columns that only the database may fill."""
        return await self._call(lambda: self._restore(rows))

    async def aclose(self) -> None:
        """Nothing stays open between calls."""

    async def _call(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.to_thread(work)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _translated(self, error: sqlite3.Error) -> Exception:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
            return RowsRefused(str(error))
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the upper bits only specify it
        kind = StoreUnavailable if code in _MAY_PASS else RunBlocked  # locked, full or gone may be mended meanwhile
        message = f"The SQLite file {self._path} cannot be used: {error}."
        return kind(message, hint="Free it, mend it, or give another --store sqlite:PATH.")

    def _check(self) -> list[Check]:
        if not self._path.exists():
            folder = self._path.parent
            if folder.is_dir() and os.access(folder, os.W_OK):
                return [Check("sqlite", ok=True, message=f"{self._path} will be made")]
            problem = f"the folder {folder} does not exist or is not writable"
            return [Check("sqlite", ok=False, message=problem, hint="Make it, or give another --store sqlite:PATH.")]
        if not self._path.is_file():
            problem = f"{self._path} is not a file"
            return [Check("sqlite", ok=False, message=problem, hint="Give another --store sqlite:PATH.")]
        if not os.access(self._path, os.R_OK | os.W_OK):
            return [Check("sqlite", ok=False, message=f"{self._path} is not writable", hint="Change its permissions.")]
        try:
            with self._connection("ro") as connection:
                return self._check_table(connection)
        except sqlite3.Error as error:
            problem = f"{self._path}: {error}"
            return [Check("sqlite", ok=False, message=problem, hint="Give the path of a SQLite file, or a new one.")]

    def _check_table(self, connection: sqlite3.Connection) -> list[Check]:
        columns = columns_of(connection, self._table.name)
        if not columns:
            return [Check("sqlite", ok=True, message=f"{self._path}: the table {self._table.name} will be made")]
        missing = [name for name in self._table.filled if name not in columns]
        ours = self._our_columns(connection)
        unfilled = [
            name for name, one in columns.items() if one.must_be_given and name not in {*self._table.filled, *ours}
        ]
        checks = [Check("sqlite", ok=True, message=str(self._path))]
        if missing:
            names = ", ".join(missing)
            checks.append(Check("columns", ok=False, message=f"the table lacks {names}", hint=f"Add {names} to it."))
        if unfilled:
            names = ", ".join(unfilled)
            hint = "Give them a default, or fill them under [table.constants]."
            checks.append(Check("not null", ok=False, message=f"nobody fills the NOT NULL columns {names}", hint=hint))
        if not has_unique_index(connection, self._table):
            wanted = ", ".join(self._table.conflict_columns)
            hint = f"create unique index on {self._table.name} ({wanted});"
            checks.append(Check("unique index", ok=False, message=f"none on ({wanted})", hint=hint))
        return checks

    def _rehearse(self, rows: Sequence[Row]) -> list[Check]:
        if not rows or not self._path.exists():
            return []
        try:
            with self._connection("rw") as connection:
                if not columns_of(connection, self._table.name):
                    return []
                ours = self._our_columns(connection)
                return rehearsed(connection, self._table, ((row.id, self._values(row, *ours)) for row in rows))
        except sqlite3.Error as error:
            failure = self._translated(error)
            return [Check("rows", ok=False, message=str(failure), hint=getattr(failure, "hint", ""))]

    def _page(
        self, categories: Sequence[str], locales: Sequence[str], after: tuple[str, str, str] | None
    ) -> list[StoredRow]:
        with self._reading() as connection:
            if connection is None:
                return []
            provenance, _ = self._our_columns(connection)
            known = [_said(provenance, field) for field in ("fingerprint", "writer")]
            wanted, values = self._places(categories, locales, after)
            found = self._select(connection, known, wanted, values)
            return [StoredRow(item, fingerprint or "", intern(writer or "")) for item, (fingerprint, writer) in found]

    def _text_page(
        self, categories: Sequence[str], locales: Sequence[str], after: tuple[str, str, str] | None
    ) -> list[StoredText]:
        return self._texts(*self._places(categories, locales, after))

    def _read(self, items: Sequence[ItemId]) -> list[StoredText]:
        found = [text for wanted, values in self._groups(items) for text in self._texts(wanted, values)]
        return sorted(found, key=lambda text: text.id)

    def _texts(self, wanted: str, values: Sequence[str]) -> list[StoredText]:
        with self._reading() as connection:
            if connection is None:
                return []
            table, (provenance, updated_at) = self._table, self._our_columns(connection)
            shown = [*map(identifier, (table.title, table.text, *table.generated))]
            known = identifier(provenance)
            shown.append(f"case when json_valid({known}) then {known} end" if provenance else "null")
            shown.append(identifier(updated_at) if updated_at else "null")
            found = self._select(connection, shown, wanted, values)
            return [self._text(item, *columns) for item, columns in found]

    def _text(self, item: ItemId, title: Any, text: Any, *others: Any) -> StoredText:
        *columns, provenance, updated_at = others
        beside = dict(zip(self._table.generated, (_as_text(value) for value in columns), strict=True))
        said = json.loads(provenance) if provenance else None
        return StoredText(item, _as_text(title), _as_text(text), said, updated_at or "", beside)

    def _whole(self, items: Sequence[ItemId]) -> list[WholeRow]:
        with self._reading() as connection:
            if connection is None:
                return []
            names = list(columns_of(connection, self._table.name))
            shown = list(map(identifier, names))
            return [
                WholeRow(item, dict(zip(names, columns, strict=True)))
                for wanted, values in self._groups(items)
                for item, columns in self._select(connection, shown, wanted, values)
            ]

    def _select(
        self, connection: sqlite3.Connection, shown: Sequence[str], wanted: str, values: Sequence[str]
    ) -> list[tuple[ItemId, list[Any]]]:
        keys = ", ".join(f"cast({identifier(name)} as text)" for name in self._table.conflict_columns)
        query = f"select {', '.join((keys, *shown))} from {self._name} where {wanted}"  # noqa: S608  names are quoted
        found = connection.execute(query, values)
        return [(ItemId(intern(c), k, intern(lo)), columns) for c, k, lo, *columns in found]

    def _places(
        self, categories: Sequence[str], locales: Sequence[str], after: tuple[str, str, str] | None
    ) -> tuple[str, list[str]]:
        """Return the condition for a page of the rows of categories and locales, and its values."""
        category, key, locale = map(identifier, self._table.conflict_columns)
        wanted = f"{category} in ({_marks(categories)}) and {locale} in ({_marks(locales)})"
        later = f" and ({category}, {key}, {locale}) > (?, ?, ?)" if after else ""
        ordered = f"{wanted}{later} order by {category}, {key}, {locale} limit {_PAGE}"
        return ordered, [*categories, *locales, *(after or ())]

    def _groups(self, items: Sequence[ItemId]) -> Iterator[tuple[str, list[str]]]:
        """Yield the condition for these items, some at a time, and its values."""
        category, key, locale = map(identifier, self._table.conflict_columns)
        for place in dict.fromkeys((item.category, item.locale) for item in items):
            keys = list(dict.fromkeys(item.key for item in items if (item.category, item.locale) == place))
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[start : start + _KEYS_AT_ONCE]
                yield f"{category} = ? and {locale} = ? and {key} in ({_marks(some)}) order by {key}", [*place, *some]

    def _upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        with self._writing("rwc") as connection:
            self._create(connection)
            ours = self._our_columns(connection)
            return [row.id for row in rows if not write_row(connection, self._table, row, self._values(row, *ours))]

    def _values(self, row: Row, provenance: str, updated_at: str) -> dict[str, Any]:
        values = {name: bindable(value) for name, value in row.columns(self._table).items()}
        if provenance:
            said = {**row.provenance, "version": row.version}
            values[provenance] = json.dumps(said, ensure_ascii=False)
        if updated_at:
            values[updated_at] = now()
        return values

    def _create(self, connection: sqlite3.Connection) -> None:
        needed = ", ".join(f"{identifier(name)} text not null" for name in self._table.filled)
        ours = "".join(
            f", {identifier(name)} {kind}"
            for name, kind in ((self._table.provenance, "text"), (self._table.updated_at, f"text default ({NOW})"))
            if name
        )
        unique = ", ".join(map(identifier, self._table.conflict_columns))
        connection.execute(
            f"create table if not exists {self._name} (id integer primary key, {needed},"
            f" created_at text default ({NOW}){ours}, unique ({unique}))"
        )

    def _our_columns(self, connection: sqlite3.Connection) -> tuple[str, str]:
        """Return our own columns, as far as the table has them in a form that is ours; looked up once."""
        if self._extras is None:
            columns = columns_of(connection, self._table.name)
            if not columns:
                return "", ""
            self._extras = our_columns(connection, self._table, columns)
        return self._extras

    def _remove(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        if not rows or not self._path.exists():
            return []
        with self._writing("rw") as connection:
            return [row.id for row in rows if delete_row(connection, self._table, row)]

    def _restore(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        with self._writing("rw") as connection:
            written = {row.id for row in rows if put_row_back(connection, self._table, row)}
        there = {row.id: row for row in self._whole([row.id for row in rows])}
        return [row.id for row in rows if row.id in written or there.get(row.id) == row]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open for reading; None where the file or the table is not there yet."""
        if not self._path.exists():
            yield None
            return
        with self._connection("ro") as connection:
            yield connection if columns_of(connection, self._table.name) else None

    @contextmanager
    def _writing(self, mode: Literal["rw", "rwc"]) -> Iterator[sqlite3.Connection]:
        """Open for writing: one transaction, which nobody else can write in between."""
        with self._connection(mode) as connection, connection:
            connection.execute("begin immediate")
            yield connection

    @contextmanager
    def _connection(self, mode: Literal["ro", "rw", "rwc"]) -> Iterator[sqlite3.Connection]:
        address = f"{self._path.absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(address, uri=True, timeout=self._free_within)) as connection:
            yield connection


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _said(provenance: str, field: str) -> str:
    """Return SQL for what a provenance says, null where it says nothing."""
    if not provenance:
        return "null"
    name = identifier(provenance)
    return f"case when json_valid({name}) then cast(json_extract({name}, '$.{field}') as text) end"
