"""The Supabase store of a run: what it writes carries the fencing token of the run's lease, once there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from seed_library.adapters.lease import SupabaseLease
from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import ItemId
from seed_library.ports import Check, Row, StoredRow, StoredText


class FencedStore:
    """Implements the `Library` port. Reads and checks as the plain store does."""

    def __init__(self, store: SupabaseStore, lease: SupabaseLease) -> None:
        self._store = store
        self._lease = lease

    async def check(self, sample: Row) -> list[Check]:
        """Find everything that would stop a write; the fenced one has the rights of the plain one."""
        return await self._store.check(sample)

    def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield the stored rows."""
        return self._store.rows(categories, locales)

    async def upsert(self, rows: Sequence[Row]) -> None:
        """Insert or replace these rows in one transaction, if the lease is still ours."""
        if self._lease.fenced:
            await self._lease.store(await self._store.all_values(rows))
        else:
            await self._store.upsert(rows)

    async def read(self, key: str, categories: Sequence[str], locales: Sequence[str]) -> list[StoredText]:
        """Return the stored texts of one key."""
        return await self._store.read(key, categories, locales)

    def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield the stored rows in full."""
        return self._store.texts(categories, locales)

    async def remove(self, items: Sequence[ItemId]) -> None:
        """Delete these rows; who removes has proven before that the lease is held, as there is no fence for it."""
        await self._store.remove(items)

    async def aclose(self) -> None:
        """Free the connections, the lease's among them."""
        await self._store.aclose()
