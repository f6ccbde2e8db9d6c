"""The Supabase store: paged reads and small-batch upserts through the REST API.

Reads page explicitly, since a project silently caps answers (1,000 rows by default): per category and locale, by
key, until there are as many as were counted at first. Writes name the same columns in every row, never `id`, and ask
for nothing back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from sys import intern
from typing import Any

from seed_library.adapters.supabase_connection import READ_SECONDS, Refused, SupabaseConnection
from seed_library.adapters.supabase_errors import translated, translated_deleting, translated_reading
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.ports import Check, Row, StoredRow, StoredText

# Optional columns, and what is selected to see whether the table has them: a provenance that is not JSON is not ours.
_OPTIONAL = {"updated_at": "updated_at", "provenance": "provenance->>fingerprint"}
_REMOVED_AT_ONCE = 50
_ROWS_ASKED_FOR = 10_000  # the project's own cap decides
_UNDEFINED_COLUMN = {"42703", "42883", "PGRST204"}


class SupabaseStore:
    """Implements the `Store` port."""

    def __init__(self, url: str, key: str, table: TableSpec, *, answer_within: float = READ_SECONDS) -> None:
        self.connection = SupabaseConnection(url, key, answer_within=answer_within)
        self._table = table
        self._extras: tuple[str, ...] | None = None

    async def check(self, sample: Row) -> list[Check]:
        """Find everything that would stop a write, without writing (see `supabase_preflight`)."""
        from seed_library.adapters.supabase_preflight import Preflight

        return await Preflight(self, self._table).checks(sample)

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield the stored rows, ordered by key within each category and locale."""
        extras = await self._existing_extras()
        columns = f"key:{self._table.key}"
        if "provenance" in extras:
            columns += ",fingerprint:provenance->>fingerprint,writer:provenance->>writer"
        async for category, locale, found in self._parts(categories, locales, columns):
            writer = intern(found.get("writer") or "")
            yield StoredRow(ItemId(category, found["key"], locale), found.get("fingerprint") or "", writer)

    async def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield the stored rows in full, ordered by key within each category and locale."""
        columns = f"key:{self._table.key},{await self._content_columns()}"
        async for category, locale, found in self._parts(categories, locales, columns):
            yield self._text(ItemId(category, found["key"], locale), found)

    async def remove(self, items: Sequence[ItemId]) -> None:
        """Delete these rows, some at a time."""
        from postgrest.types import ReturnMethod

        table = self._table
        for category, locale in dict.fromkeys((item.category, item.locale) for item in items):
            keys = [item.key for item in items if (item.category, item.locale) == (category, locale)]
            for start in range(0, len(keys), _REMOVED_AT_ONCE):
                query = (
                    self._builder()
                    .delete(returning=ReturnMethod.minimal)
                    .eq(table.category, category)
                    .eq(table.locale, locale)
                    .in_(table.key, keys[start : start + _REMOVED_AT_ONCE])
                )
                try:
                    await self.connection.execute(query)
                except Refused as refusal:
                    raise translated_deleting(refusal.answer, table) from None

    async def upsert(self, rows: Sequence[Row]) -> None:
        """Insert or replace these rows in one transaction."""
        try:
            await self.send_upsert(await self.all_values(rows))
        except Refused as refusal:
            raise translated(refusal.answer, self._table) from None

    async def read(self, key: str, categories: Sequence[str], locales: Sequence[str]) -> list[StoredText]:
        """Return the stored texts of one key in full."""
        table = self._table
        columns = f"category:{table.category},locale:{table.locale},{await self._content_columns()}"
        query = (
            self._builder()
            .select(columns)
            .eq(table.key, key)
            .in_(table.category, categories)
            .in_(table.locale, locales)
            .order(table.category)
            .order(table.locale)
        )
        texts, _ = await self._read(query)
        return [self._text(ItemId(found["category"], key, found["locale"]), found) for found in texts]

    async def aclose(self) -> None:
        """Free the connections."""
        await self.connection.aclose()

    async def all_values(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Return rows as columns.

        Raises:
            StoreUnavailable, RunBlocked: what columns the table has cannot be told.
        """
        extras = await self._existing_extras()
        return [self.values(row, extras) for row in rows]

    def values(self, row: Row, extras: Sequence[str]) -> dict[str, Any]:
        """Return a row as columns: the same ones in every row, whatever it holds."""
        optional = {"updated_at": "now", "provenance": row.provenance}  # 'now' is read by the database's clock
        return {**row.columns(self._table), **{name: optional[name] for name in extras}}

    async def send_upsert(self, values: Sequence[dict[str, Any]]) -> None:
        """Send one upsert.

        Raises:
            Refused: the API answered with an error.
            RowsRefused: the rows cannot even be sent.
            StoreUnavailable: no answer.
        """
        from postgrest.types import ReturnMethod

        conflict = ",".join(self._table.conflict_columns)
        query = self._builder().upsert(list(values), on_conflict=conflict, returning=ReturnMethod.minimal)
        if (await self.connection.execute(query)).data:
            raise self.connection.strange()  # asked for nothing back

    async def send_select(self, columns: Sequence[str]) -> None:
        """Select one row of these columns, to see whether that is possible.

        Raises:
            Refused: the API answered with an error.
            StoreUnavailable: no answer.
        """
        await self._select(self._builder().select(",".join(columns)).limit(1))

    async def existing_extras(self) -> tuple[str, ...]:
        """Return which of the optional columns the table has; looked up once.

        Raises:
            Refused: the table cannot be read at all.
            StoreUnavailable: no answer.
        """
        if self._extras is None:
            self._extras = tuple([name for name, probe in _OPTIONAL.items() if await self._exists(probe)])
        return self._extras

    async def _exists(self, column: str) -> bool:
        try:
            await self.send_select([column])
        except Refused as refusal:
            if refusal.answer.code in _UNDEFINED_COLUMN:
                return False
            raise
        return True

    async def _existing_extras(self) -> tuple[str, ...]:
        try:
            return await self.existing_extras()
        except Refused as refusal:
            raise translated_reading(refusal.answer, self._table) from None

    async def _parts(
        self, categories: Sequence[str], locales: Sequence[str], columns: str
    ) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
        for category in dict.fromkeys(categories):
            for locale in dict.fromkeys(locales):
                place = intern(category), intern(locale)
                async for found in self._part(*place, columns):
                    yield *place, found

    async def _part(self, category: str, locale: str, columns: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the rows of one category and locale, page by page; the columns hold `key`, by which they are paged."""
        table = self._table
        last: str | None = None
        total: int | None = None
        seen = 0
        more = True
        while more:
            query = (
                self._builder()
                # Counted once only: for the database that is more work than a page.
                .select(columns, count="exact" if last is None else None)
                .eq(table.category, category)
                .eq(table.locale, locale)
                .order(table.key)
                .limit(_ROWS_ASKED_FOR)
            )
            page, counted = await self._read(query if last is None else query.gt(table.key, last))
            total = counted if last is None else total
            for found in page:
                yield found
                last = found["key"]
            seen += len(page)
            more = bool(page) and (total is None or seen < total)

    async def _content_columns(self) -> str:
        """Return what `_text` reads, under the names that it reads by; the table may use these for other columns."""
        table = self._table
        names = [f"title:{table.title}", f"text:{table.text}", *table.generated, *await self._existing_extras()]
        return ",".join(names)

    def _text(self, item: ItemId, found: dict[str, Any]) -> StoredText:
        beside = {name: found[name] or "" for name in self._table.generated}
        extras = found.get("provenance"), found.get("updated_at") or ""
        return StoredText(item, found["title"], found["text"], *extras, beside)

    async def _read(self, query: Any) -> tuple[list[dict[str, Any]], int | None]:
        try:
            return await self._select(query)
        except Refused as refusal:
            raise translated_reading(refusal.answer, self._table) from None

    async def _select(self, query: Any) -> tuple[list[dict[str, Any]], int | None]:
        """Return the rows of an answer, and how many there are in all where that was asked for."""
        answer = await self.connection.execute(query)
        if not isinstance(answer.data, list) or not all(isinstance(found, dict) for found in answer.data):
            raise self.connection.strange()
        return answer.data, answer.count

    def _builder(self) -> Any:
        return self.connection.table(self._table.schema, self._table.name)
