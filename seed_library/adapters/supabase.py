"""The Supabase store: paged reads and small-batch writes through the REST API.

Reads page explicitly, since a project silently caps answers (1,000 rows by default): per category and locale, by key,
until there are as many as were counted at first. Keys are read as text, whatever the column's type. Writes name the
same columns in every row, never `id`, and are made only over what they were decided on (see `supabase_writes`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from sys import intern
from typing import Any

from seed_library.adapters.row_functions import Extras
from seed_library.adapters.supabase_connection import READ_SECONDS, Refused, SupabaseConnection
from seed_library.adapters.supabase_errors import translated, translated_deleting, translated_reading
from seed_library.adapters.supabase_filters import bounded, equals, one_of, quoted, where
from seed_library.adapters.supabase_writes import Writes
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.errors import RowsRefused
from seed_library.ports import Check, Row, StoredRow, StoredText, WholeRow

_ROWS_ASKED_FOR = 10_000  # the project's own cap decides
# What asking a column that is not ours may answer: it is not there, has no such operator, or takes no such value.
_NOT_OURS = ("42", "22")
_NO_COLUMN = "PGRST204"
_NO_DATE = "22007"
_KEY = "key_as_text"  # an alias that no column is likely to have


class SupabaseStore:
    """Implements the `Library` port."""

    def __init__(self, url: str, key: str, table: TableSpec, *, answer_within: float = READ_SECONDS) -> None:
        self.connection = SupabaseConnection(url, key, answer_within=answer_within)
        self.table = table
        self._writes = Writes(self.connection, table)
        self._extras: Extras | None = None

    async def check(self, sample: Row) -> list[Check]:
        """Find everything that would stop a write, without writing (see `supabase_preflight`)."""
        from seed_library.adapters.supabase_preflight import Preflight

        return await Preflight(self).checks(sample)

    async def rehearse(self, rows: Sequence[Row]) -> list[Check]:
        """Try the rows to come, without writing (see `supabase_trials`)."""
        from seed_library.adapters.supabase_trials import Trials

        return await Trials(self).checks(rows)

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield the stored rows, ordered by key within each category and locale."""
        extras = await self._known_extras()
        known = quoted(extras.provenance)
        columns = f"fingerprint:{known}->>fingerprint,writer:{known}->>writer" if extras.provenance else ""
        async for item, found in self._parts(categories, locales, columns):
            yield StoredRow(item, found.get("fingerprint") or "", intern(found.get("writer") or ""))

    async def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield the stored rows in full, ordered by key within each category and locale."""
        columns = await self._content_columns()
        async for item, found in self._parts(categories, locales, columns):
            yield self._text(item, found)

    async def read(self, items: Sequence[ItemId]) -> list[StoredText]:
        """Return the stored texts of these items."""
        columns = await self._content_columns()
        return sorted([self._text(*pair) async for pair in self._named(items, columns)], key=lambda text: text.id)

    async def whole(self, items: Sequence[ItemId]) -> list[WholeRow]:
        """Return these rows with all their columns."""
        found = [pair async for pair in self._named(items, "*", exactly=True)]
        return sorted((WholeRow(*pair) for pair in found), key=lambda row: row.id)

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        """Insert or replace these rows, each in a transaction of its own where it replaces another one."""
        try:
            values = await self.all_values(rows)
            new = [value for row, value in zip(rows, values, strict=True) if row.over is None]
            written = await self._writes.insert(new)
            for row, value in zip(rows, values, strict=True):
                if row.over is not None and await self._writes.replace(value, row.over):
                    written.add(row.id)
        except Refused as refusal:
            raise translated(refusal.answer, self.table) from None
        return await self.not_written(rows, written)

    async def not_written(self, rows: Sequence[Row], written: set[ItemId]) -> list[ItemId]:
        """Say what became of the rows that the database does not count as written; return those in conflict.

        One that has its new content is written: an earlier try succeeded. One that is gone is inserted.

        Raises:
            RowsRefused: something in the database drops rows.
        """
        left = [row for row in rows if row.id not in written]
        if not left:
            return []
        stored = {text.id: text for text in await self.read([row.id for row in left])}
        gone = [row for row in left if row.id not in stored]
        try:
            again = await self._writes.insert(await self.all_values(gone))
        except Refused as refusal:
            raise translated(refusal.answer, self.table) from None
        if dropped := [row.id for row in gone if row.id not in again]:
            raise RowsRefused(f"{dropped[0]} was sent and is not there: a trigger drops it")
        return [row.id for row in left if row.id in stored and stored[row.id].version != row.version]

    async def remove(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Delete these rows, each by its own address, if they still are as they were read."""
        try:
            now = {row.id: row for row in await self.whole([row.id for row in rows])}
            return [row.id for row in rows if now.get(row.id) == row and await self._writes.delete(row)]
        except Refused as refusal:
            raise translated_deleting(refusal.answer, self.table) from None

    async def restore(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Insert rows as they were, without the columns that only the database may fill."""
        try:
            written = await self._writes.restore([row.columns for row in rows])
        except Refused as refusal:
            raise translated(refusal.answer, self.table) from None
        left = [row for row in rows if row.id not in written]
        there = {row.id: row for row in await self.whole([row.id for row in left])}
        return [row.id for row in rows if row.id in written or there.get(row.id) == row]

    async def aclose(self) -> None:
        """Free the connections."""
        await self.connection.aclose()

    async def all_values(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Return rows as columns.

        Raises:
            StoreUnavailable, RunBlocked: what columns the table has cannot be told.
        """
        if not rows:
            return []
        extras = await self._known_extras()
        return [self.values(row, extras) for row in rows]

    def values(self, row: Row, extras: Extras) -> dict[str, Any]:
        """Return a row as columns: the same ones in every row, whatever it holds."""
        values = row.columns(self.table)
        if extras.provenance:
            values[extras.provenance] = {**row.provenance, "version": row.version}
        if extras.updated_at:
            values[extras.updated_at] = "now"  # is read by the database's clock
        return values

    async def send_twins(self, values: Sequence[dict[str, Any]]) -> None:
        """Send an upsert of rows of which one comes twice: where everything is right, it is refused with 21000.

        Raises:
            Refused: the API answered with an error.
            RowsRefused: the rows cannot even be sent.
            StoreUnavailable: no answer.
        """
        await self._writes.upsert(values)

    async def send_select(self, columns: Sequence[str]) -> None:
        """Select one row of these columns, to see whether that is possible.

        Raises:
            Refused: the API answered with an error.
            StoreUnavailable: no answer.
        """
        await self._select(self._builder().select(",".join(map(quoted, columns))).limit(1))

    async def existing_extras(self) -> Extras:
        """Return which of our own columns the table has in a form that is ours; looked up once.

        Every type knows `->>`, so that says nothing; only jsonb contains an object. Only a date or time has no room
        for a word, and takes "now" for the time it is.

        Raises:
            Refused: the table cannot be read at all.
            StoreUnavailable: no answer.
        """
        if self._extras is None:
            table = self.table
            is_json = table.provenance and await self._asked(table.provenance, 'cs.{"seed_library":0}') == ""
            is_time = table.updated_at and await self._asked(table.updated_at, "eq.seed_library") == _NO_DATE
            self.know(Extras(table.provenance if is_json else "", table.updated_at if is_time else ""))
        assert self._extras is not None, "known by now"
        return self._extras

    def know(self, extras: Extras) -> None:
        """Take note of our own columns, as somebody has seen them."""
        self._extras = extras

    async def _asked(self, column: str, condition: str) -> str:
        """Return the code that a condition on a column is refused with, empty where it is taken."""
        query = where(self._builder().select(quoted(self.table.category)).limit(1), column, condition)
        try:
            await self._select(query)
        except Refused as refusal:
            code = refusal.answer.code
            if code != "42501" and (code.startswith(_NOT_OURS) or code == _NO_COLUMN):
                return code
            raise
        return ""

    async def _known_extras(self) -> Extras:
        try:
            return await self.existing_extras()
        except Refused as refusal:
            raise translated_reading(refusal.answer, self.table) from None

    async def _parts(
        self, categories: Sequence[str], locales: Sequence[str], columns: str
    ) -> AsyncIterator[tuple[ItemId, dict[str, Any]]]:
        for category in dict.fromkeys(categories):
            for locale in dict.fromkeys(locales):
                place = intern(category), intern(locale)
                async for pair in self._part(*place, columns):
                    yield pair

    async def _part(self, category: str, locale: str, columns: str) -> AsyncIterator[tuple[ItemId, dict[str, Any]]]:
        """Yield the rows of one category and locale, page by page, ordered by key."""
        last: str | None = None
        total: int | None = None
        seen = 0
        more = True
        while more:
            # Counted once only: for the database that is more work than a page.
            query = self._placed(columns, category, locale, count="exact" if last is None else None)
            query = query.limit(_ROWS_ASKED_FOR)
            page, counted = await self._read(
                query if last is None else where(query, self.table.key, f"gt.{last}"), ordered=True
            )
            total = counted if last is None else total
            for found in page:
                last = str(found.pop(_KEY))
                yield ItemId(category, last, locale), found
            seen += len(page)
            more = bool(page) and (total is None or seen < total)

    async def _named(
        self, items: Sequence[ItemId], columns: str, *, exactly: bool = False
    ) -> AsyncIterator[tuple[ItemId, dict[str, Any]]]:
        """Yield the rows of these items, with the columns that are asked for."""
        for category, locale in dict.fromkeys((item.category, item.locale) for item in items):
            keys = dict.fromkeys(item.key for item in items if (item.category, item.locale) == (category, locale))
            for group in bounded(list(keys)):
                query = where(self._placed(columns, category, locale), self.table.key, one_of(group))
                for found in await self._read_exactly(query) if exactly else (await self._read(query))[0]:
                    yield ItemId(category, str(found.pop(_KEY)), locale), found

    def _placed(self, columns: str, category: str, locale: str, *, count: str | None = None) -> Any:
        shown = ",".join(filter(None, (f"{_KEY}:{quoted(self.table.key)}::text", columns)))
        query = where(self._builder().select(shown, count=count), self.table.category, equals(category))
        return where(query, self.table.locale, equals(locale))

    async def _content_columns(self) -> str:
        """Return what `_text` reads, under the names that it reads by; the table may use these for other columns."""
        table, extras = self.table, await self._known_extras()
        names = {"title": table.title, "text": table.text}
        names |= {f"generated_{place}": name for place, name in enumerate(table.generated)}
        names |= {"provenance": extras.provenance, "updated_at": extras.updated_at}
        shown = (f"{alias}:{quoted(name)}" for alias, name in names.items() if name)
        return ",".join(shown)

    def _text(self, item: ItemId, found: dict[str, Any]) -> StoredText:
        beside = {name: found[f"generated_{place}"] or "" for place, name in enumerate(self.table.generated)}
        said = found.get("provenance")
        ours = said if isinstance(said, dict) else None  # jsonb takes anything from anybody
        return StoredText(item, found["title"] or "", found["text"] or "", ours, found.get("updated_at") or "", beside)

    async def _read(self, query: Any, *, ordered: bool = False) -> tuple[list[dict[str, Any]], int | None]:
        if ordered:
            query.request.params = query.request.params.set("order", quoted(self.table.key))
        try:
            return await self._select(query)
        except Refused as refusal:
            raise translated_reading(refusal.answer, self.table) from None

    async def _read_exactly(self, query: Any) -> list[dict[str, Any]]:
        try:
            return await self.connection.read_exactly(query)
        except Refused as refusal:
            raise translated_reading(refusal.answer, self.table) from None

    async def _select(self, query: Any) -> tuple[list[dict[str, Any]], int | None]:
        """Return the rows of an answer, and how many there are in all where that was asked for."""
        answer = await self.connection.execute(query)
        return self.connection.rows_of(answer), answer.count

    def _builder(self) -> Any:
        return self.connection.table(self.table.schema, self.table.name)
