"""The embedded store: a SQLite file with the same table. It needs no server, key or network.

The file and its table are made by the first upsert; looking never changes anything. Every call uses a connection of
its own in a worker thread, so the event loop never waits for the disk.
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

from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked, StoreUnavailable
from seed_library.core.sql import identifier
from seed_library.ports import Check, Row, StoredRow, StoredText

_PAGE = 5000
_BUSY_SECONDS = 10.0
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
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
    """Implements the `Store` port."""

    def __init__(self, path: Path, table: TableSpec, *, free_within: float = _BUSY_SECONDS) -> None:
        self._path = path
        self._table = table
        self._free_within = free_within
        self._name = identifier(table.name)

    async def check(self, sample: Row) -> list[Check]:
        """Find what would stop a write: the folder, the file, the table's columns, unique index and constraints."""
        return await asyncio.to_thread(self._check, sample)

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield the stored rows in pages, ordered by the unique columns."""
        after = ("", "", "")
        while page := await self._call(partial(self._page, categories, locales, after)):
            for row in page:
                yield row
            after = page[-1].id

    async def upsert(self, rows: Sequence[Row]) -> None:
        """Insert or replace rows in one transaction; makes the file and the table if they are not there."""
        if any("\0" in part for row in rows for part in (*row.id, row.title, row.text, *row.generated.values())):
            raise RowsRefused("a text holds a NUL character, after which SQLite would not show it")
        try:
            await self._call(lambda: self._upsert(rows))
        except UnicodeEncodeError:
            raise RowsRefused("a text holds a character that UTF-8 cannot express") from None

    async def read(self, key: str, categories: Sequence[str], locales: Sequence[str]) -> list[StoredText]:
        """Return the stored texts of one key."""
        return await self._call(lambda: self._read(key, categories, locales))

    async def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield the stored rows in full, ordered by category, key and locale."""
        after = ("", "", "")
        while page := await self._call(lambda last=after: self._text_page(categories, locales, last)):  # type: ignore[misc]  # a bound default
            for text in page:
                yield text
            after = page[-1].id

    async def remove(self, items: Sequence[ItemId]) -> None:
        """Delete these rows in one transaction."""
        await self._call(lambda: self._remove(items))

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

    def _check(self, sample: Row) -> list[Check]:
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
                checks = self._check_table(connection)
                ready = bool(self._columns(connection)) and all(check.ok for check in checks)
            return checks + (self._try_upsert(sample) if ready else [])
        except sqlite3.Error as error:
            problem = f"{self._path}: {error}"
            return [Check("sqlite", ok=False, message=problem, hint="Give the path of a SQLite file, or a new one.")]

    def _check_table(self, connection: sqlite3.Connection) -> list[Check]:
        columns = self._columns(connection)
        if not columns:
            return [Check("sqlite", ok=True, message=f"{self._path}: the table {self._table.name} will be made")]
        missing = [name for name in self._needed() if name not in columns]
        unfilled = [name for name, must in columns.items() if must and name not in self._needed()]
        checks = [Check("sqlite", ok=True, message=str(self._path))]
        if missing:
            names = ", ".join(missing)
            checks.append(Check("columns", ok=False, message=f"the table lacks {names}", hint=f"Add {names} to it."))
        if unfilled:
            names = ", ".join(unfilled)
            hint = "Give them a default, or fill them under [table.constants]."
            checks.append(Check("not null", ok=False, message=f"nobody fills the NOT NULL columns {names}", hint=hint))
        if not self._has_unique_index(connection):
            wanted = ", ".join(self._table.conflict_columns)
            hint = f"create unique index on {self._table.name} ({wanted});"
            checks.append(Check("unique index", ok=False, message=f"none on ({wanted})", hint=hint))
        return checks

    def _try_upsert(self, sample: Row) -> list[Check]:
        """Store the sample and take it back: constraints and triggers speak up, and nothing is changed."""
        try:
            with self._connection("rw") as connection:
                self._execute_upsert(connection, [sample])
                connection.rollback()
        except sqlite3.IntegrityError as error:
            hint = "It must take rows such as the catalog makes: change that rule, or the catalog."
            return [Check("constraints", ok=False, message=f"the table {self._table.name}: {error}", hint=hint)]
        return []

    def _needed(self) -> list[str]:
        table = self._table
        return [*table.conflict_columns, table.title, table.text, *table.constants, *table.generated]

    def _columns(self, connection: sqlite3.Connection) -> dict[str, bool]:
        """Name -> whether a row must bring a value of its own."""
        found = connection.execute(f"pragma table_info({self._name})").fetchall()
        return {
            name: bool(not_null) and default is None and not (key and kind.upper() == "INTEGER")
            for _, name, kind, not_null, default, key in found
        }

    def _has_unique_index(self, connection: sqlite3.Connection) -> bool:
        for _, index, unique, _, is_partial in connection.execute(f"pragma index_list({self._name})").fetchall():
            columns = [row[2] for row in connection.execute(f"pragma index_info({identifier(index)})")]
            if unique and not is_partial and set(columns) == set(self._table.conflict_columns):
                return True
        return False

    def _page(self, categories: Sequence[str], locales: Sequence[str], after: tuple[str, str, str]) -> list[StoredRow]:
        with self._reading() as connection:
            if connection is None:
                return []
            category, key, locale = map(identifier, self._table.conflict_columns)
            found = connection.execute(
                f"select {category}, {key}, {locale}, {self._provenance(connection, 'fingerprint')},"  # noqa: S608  names are checked
                f" {self._provenance(connection, 'writer')} from {self._name}"
                f" where {category} in ({_marks(categories)}) and {locale} in ({_marks(locales)})"
                f" and ({category}, {key}, {locale}) > (?, ?, ?) order by 1, 2, 3 limit {_PAGE}",
                [*categories, *locales, *after],
            )
            return [StoredRow(ItemId(intern(c), k, intern(lo)), f or "", intern(w or "")) for c, k, lo, f, w in found]

    def _provenance(self, connection: sqlite3.Connection, field: str) -> str:
        if "provenance" not in self._columns(connection):
            return "''"
        return f"case when json_valid(provenance) then cast(json_extract(provenance, '$.{field}') as text) end"

    def _upsert(self, rows: Sequence[Row]) -> None:
        with self._connection("rwc") as connection, connection:
            self._create(connection)
            self._execute_upsert(connection, rows)

    def _execute_upsert(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        columns = self._columns(connection)
        names = [*self._needed(), *(["provenance"] if "provenance" in columns else [])]
        stamps = ["updated_at"] if "updated_at" in columns else []
        marks = ", ".join(["?"] * len(names) + [_NOW] * len(stamps))
        shown = ", ".join(map(identifier, names + stamps))
        changed = ", ".join(f"{identifier(name)} = excluded.{identifier(name)}" for name in names + stamps)
        target = ", ".join(map(identifier, self._table.conflict_columns))
        connection.executemany(
            f"insert into {self._name} ({shown}) values ({marks})"  # noqa: S608  names are checked
            f" on conflict ({target}) do update set {changed}",
            [[self._values(row)[name] for name in names] for row in rows],
        )

    def _values(self, row: Row) -> dict[str, Any]:
        return {**row.columns(self._table), "provenance": json.dumps(row.provenance, ensure_ascii=False)}

    def _create(self, connection: sqlite3.Connection) -> None:
        needed = ", ".join(f"{identifier(name)} text not null" for name in self._needed())
        unique = ", ".join(map(identifier, self._table.conflict_columns))
        connection.execute(
            f"create table if not exists {self._name} (id integer primary key, {needed}, provenance text,"
            f" created_at text default ({_NOW}), updated_at text default ({_NOW}), unique ({unique}))"
        )

    def _read(self, key: str, categories: Sequence[str], locales: Sequence[str]) -> list[StoredText]:
        wanted = f"{identifier(self._table.key)} = ? and {self._in_places(categories, locales)} order by 1, 3"
        return self._texts(wanted, [key, *categories, *locales])

    def _text_page(self, categories: Sequence[str], locales: Sequence[str], after: Sequence[str]) -> list[StoredText]:
        names = ", ".join(map(identifier, self._table.conflict_columns))
        wanted = f"{self._in_places(categories, locales)} and ({names}) > (?, ?, ?) order by 1, 2, 3 limit {_PAGE}"
        return self._texts(wanted, [*categories, *locales, *after])

    def _in_places(self, categories: Sequence[str], locales: Sequence[str]) -> str:
        category, locale = identifier(self._table.category), identifier(self._table.locale)
        return f"{category} in ({_marks(categories)}) and {locale} in ({_marks(locales)})"

    def _texts(self, wanted: str, values: Sequence[str]) -> list[StoredText]:
        with self._reading() as connection:
            if connection is None:
                return []
            table, columns = self._table, self._columns(connection)
            provenance = "case when json_valid(provenance) then provenance end"
            extras = [provenance if "provenance" in columns else "null"]
            extras.append("updated_at" if "updated_at" in columns else "null")
            shown = [*map(identifier, (*table.conflict_columns, table.title, table.text, *table.generated)), *extras]
            found = connection.execute(f"select {', '.join(shown)} from {self._name} where {wanted}", values)  # noqa: S608  names are checked
            return [self._text(*values) for values in found]

    def _text(self, category: str, key: str, locale: str, title: str, text: str, *others: str | None) -> StoredText:
        *columns, provenance, updated_at = others
        said = json.loads(provenance) if provenance else None
        beside = dict(zip(self._table.generated, (value or "" for value in columns), strict=True))
        return StoredText(ItemId(category, key, locale), title, text, said, updated_at or "", beside)

    def _remove(self, items: Sequence[ItemId]) -> None:
        if self._path.exists():
            named = " and ".join(f"{identifier(name)} = ?" for name in self._table.conflict_columns)
            with self._connection("rw") as connection, connection:
                connection.executemany(f"delete from {self._name} where {named}", items)  # noqa: S608  names are checked

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open for reading; None where the file or the table is not there yet."""
        if not self._path.exists():
            yield None
            return
        with self._connection("ro") as connection:
            yield connection if self._columns(connection) else None

    @contextmanager
    def _connection(self, mode: Literal["ro", "rw", "rwc"]) -> Iterator[sqlite3.Connection]:
        address = f"{self._path.absolute().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(address, uri=True, timeout=self._free_within)) as connection:
            yield connection


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
