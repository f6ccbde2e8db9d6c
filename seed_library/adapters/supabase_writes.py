"""Writing rows through the REST API without the functions of our migration: only over what the write was decided on.

Invariant. No row that somebody else has written or changed meanwhile is replaced or deleted.
- A row that was not there is inserted, or left alone (resolution=ignore-duplicates): the answer names the new ones.
- A row that was there is changed, or deleted, by its key *and* its content as it was read, in one statement.
  Nothing is met where the content is another one by then.
- An address has room for a few thousand bytes. A longer text is left out of the conditions and stands in for by
  `updated_at` where the table has one; where it has none, an edit of only that text between the read just before
  and the write is not seen. The functions of the migration know no such limit.

Every answer gives back the keys of the rows that were written, as text. An answer that got lost is asked for again:
what was written by then has its new content, which whoever asks can see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from seed_library.adapters.supabase_connection import Refused, SupabaseConnection
from seed_library.adapters.supabase_filters import equals, quoted, size_in_address, where
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.ports import StoredText, WholeRow

_MOST_BYTES = 4_000  # of content in an address
_FILLED_BY_THE_DATABASE = "428C9"  # cannot insert a non-DEFAULT value into column "..."


class Writes:
    """Sends writes to one table. Every method raises Refused, RowsRefused or StoreUnavailable."""

    def __init__(self, connection: SupabaseConnection, table: TableSpec) -> None:
        self._connection = connection
        self._table = table

    async def insert(self, values: Sequence[Mapping[str, Any]]) -> set[ItemId]:
        """Insert the rows that are not there yet, in one transaction, and return these."""
        if not values:
            return set()
        return await self._keys_of(self._upsert(values, ignore_duplicates=True))

    async def upsert(self, values: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace rows whatever is there: for requests that the database refuses in any case."""
        await self._keys_of(self._upsert(values, ignore_duplicates=False))

    async def replace(self, values: Mapping[str, Any], over: StoredText) -> bool:
        """Change a row if it still holds what was read; say whether that was so."""
        content = {self._table.title: over.title, self._table.text: over.text, **over.generated}
        query = self._builder().update(dict(values))
        return bool(await self._keys_of(self._unchanged(query, over.id, content, over.updated_at)))

    async def delete(self, row: WholeRow) -> bool:
        """Delete a row if it still holds what was read; say whether that was so."""
        table = self._table
        names = (table.title, table.text, *table.generated)
        content = {name: row.columns.get(name) for name in names if isinstance(row.columns.get(name), str | None)}
        seen = row.columns.get(table.updated_at) if table.updated_at else None
        query = self._unchanged(self._builder().delete(), row.id, content, seen if isinstance(seen, str) else "")
        return bool(await self._keys_of(query))

    async def restore(self, rows: Sequence[Mapping[str, Any]]) -> set[ItemId]:
        """Insert rows with all their columns but those that only the database may fill; return the new ones."""
        values = [dict(row) for row in rows]
        while values:
            try:
                return await self._keys_of(self._upsert(values, ignore_duplicates=True), values)
            except Refused as refusal:
                found = re.search(r'column "([^"]+)"', refusal.answer.raw)
                if refusal.answer.code != _FILLED_BY_THE_DATABASE or not found or found[1] not in values[0]:
                    raise
            values = [{name: value for name, value in row.items() if name != found[1]} for row in values]
        return set()

    def _upsert(self, values: Sequence[Mapping[str, Any]], *, ignore_duplicates: bool) -> Any:
        target = ",".join(map(quoted, self._table.conflict_columns))
        rows = [dict(row) for row in values]
        return self._builder().upsert(rows, on_conflict=target, ignore_duplicates=ignore_duplicates)

    def _unchanged(self, query: Any, item: ItemId, content: Mapping[str, str | None], seen: str) -> Any:
        """Let a request meet a row only with this content."""
        for column, value in zip(self._table.conflict_columns, item, strict=True):
            query = where(query, column, equals(value))
        room = _MOST_BYTES
        for column, text in content.items():
            room -= size_in_address(text or "")
            if not text:
                empty = f"({quoted(column)}.is.null,{quoted(column)}.eq.)"
                query.request.params = query.request.params.add("or", empty)
            elif room > 0:
                query = where(query, column, equals(text))
            elif seen:
                query = where(query, self._table.updated_at, equals(seen))
        return query

    async def _keys_of(self, query: Any, exact: Sequence[Mapping[str, Any]] = ()) -> set[ItemId]:
        """Send a write and return the items of the rows that it has written; `exact` is sent with all its digits."""
        columns = zip(("category", "key", "locale"), self._table.conflict_columns, strict=True)
        shown = ",".join(f"{alias}:{quoted(name)}::text" for alias, name in columns)
        query = query.select(shown)
        sent = self._connection.write_exactly(query, list(exact)) if exact else self._connection.execute(query)
        answer = await sent
        rows = self._connection.rows_of(answer)
        return {ItemId(row["category"], row["key"], row["locale"]) for row in rows}

    def _builder(self) -> Any:
        return self._connection.table(self._table.schema, self._table.name)
