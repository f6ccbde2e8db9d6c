"""The Supabase store of a run: what it writes carries the fencing token of the run's lease, once there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from seed_library.adapters.lease import SupabaseLease
from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.ports import Check, Row, StoredRow, StoredText, WholeRow


class FencedStore:
    """Implements the `Library` port. Reads and checks as the plain store does."""

    def __init__(self, store: SupabaseStore, lease: SupabaseLease) -> None:
        self._store = store
        self._lease = lease

    async def check(self, sample: Row) -> list[Check]:
        """Find everything that would stop a write; the fenced one has the rights of the plain one."""
        return await self._store.check(sample)

    async def rehearse(self, rows: Sequence[Row]) -> list[Check]:
        """Try the rows to come."""
        return await self._store.rehearse(rows)

    def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield the stored rows."""
        return self._store.rows(categories, locales)

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        """Insert or replace these rows in one transaction, if the lease is still ours."""
        if not self._lease.fenced:
            return await self._store.upsert(rows)
        values = await self._store.all_values(rows)
        over = [_content(row.over, self._store.table) for row in rows if row.over is not None]
        return await self._store.not_written(rows, await self._lease.store(values, over))

    async def read(self, items: Sequence[ItemId]) -> list[StoredText]:
        """Return the stored texts of these items."""
        return await self._store.read(items)

    def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield the stored rows in full."""
        return self._store.texts(categories, locales)

    async def whole(self, items: Sequence[ItemId]) -> list[WholeRow]:
        """Return these rows with all their columns."""
        return await self._store.whole(items)

    async def remove(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Delete these rows; who removes has proven before that the lease is held, as there is no fence for it."""
        return await self._store.remove(rows)

    async def restore(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Insert rows as they were; they replace none, so that they need no fence."""
        return await self._store.restore(rows)

    async def aclose(self) -> None:
        """Free the connections, the lease's among them."""
        await self._store.aclose()


def _content(text: StoredText, table: TableSpec) -> dict[str, str]:
    """Return key and content of a stored text by column."""
    key = dict(zip(table.conflict_columns, text.id, strict=True))
    return {**key, table.title: text.title, table.text: text.text, **text.generated}
