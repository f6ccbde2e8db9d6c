"""A store that lives in memory and fails on demand. Passes the same contract tests as the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from seed_library.core.catalog import ItemId
from seed_library.core.errors import RowsRefused
from seed_library.ports import Check, Row, StoredRow, StoredText


class MemoryStore:
    """Implements the `Store` port.

    Attributes:
        table: what is stored.
        failures: raised by the next upserts, first come first served; None lets one pass.
        checks: what `check` finds.
        batches: the size of every upsert that was carried out.
    """

    def __init__(self) -> None:
        self.table: dict[ItemId, Row] = {}
        self.failures: list[Exception | None] = []
        self.checks: list[Check] = [Check("memory", ok=True, message="always there")]
        self.batches: list[int] = []

    async def check(self, sample: Row) -> list[Check]:
        """Return the findings that the test has set."""
        return list(self.checks)

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield what is stored."""
        for row in list(self._chosen(categories, locales)):
            said = row.provenance
            yield StoredRow(row.id, said.get("fingerprint", ""), said.get("writer", ""))

    async def upsert(self, rows: Sequence[Row]) -> None:
        """Insert or replace, unless a failure is due."""
        await asyncio.sleep(0)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        if not all(
            _is_storable(part) for row in rows for part in (*row.id, row.title, row.text, *row.generated.values())
        ):
            raise RowsRefused("a text holds a character that no store takes")
        self.table |= {row.id: row for row in rows}
        self.batches.append(len(rows))

    async def read(self, key: str, categories: Sequence[str], locales: Sequence[str]) -> list[StoredText]:
        """Return the texts of one key."""
        chosen = sorted(self._chosen(categories, locales), key=lambda row: row.id)
        return [_text(row) for row in chosen if row.id.key == key]

    async def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield everything in full."""
        for row in self._chosen(categories, locales):
            yield _text(row)

    async def remove(self, items: Sequence[ItemId]) -> None:
        """Take rows out."""
        for item in items:
            self.table.pop(item, None)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _chosen(self, categories: Sequence[str], locales: Sequence[str]) -> list[Row]:
        return [row for row in self.table.values() if row.id.category in categories and row.id.locale in locales]


def _text(row: Row) -> StoredText:
    return StoredText(row.id, row.title, row.text, row.provenance, "", row.generated)


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
