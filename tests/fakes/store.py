"""A store that lives in memory and fails on demand. Passes the same contract tests as the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from seed_library.core.catalog import ItemId
from seed_library.core.errors import RowsRefused, StoreUnavailable
from seed_library.ports import Check, Row, StoredRow, StoredText, WholeRow


class MemoryStore:
    """Implements the `Library` port.

    Attributes:
        table: what is stored.
        failures: raised by the next upserts, first come first served; None lets one pass.
        away: upserts get no answer while it is True.
        refused: items whose rows are always refused, and how.
        checks: what `check` finds.
        trials: what `rehearse` finds.
        rehearsals: the items of every rehearsal.
        batches: the size of every upsert that was carried out.
    """

    def __init__(self) -> None:
        self.table: dict[ItemId, Row] = {}
        self.failures: list[Exception | None] = []
        self.checks: list[Check] = [Check("memory", ok=True, message="always there")]
        self.batches: list[int] = []
        self.trials: list[Check] = []
        self.rehearsals: list[list[ItemId]] = []
        self.refused: dict[ItemId, Exception] = {}
        self.away = False

    async def check(self, sample: Row) -> list[Check]:
        """Return the findings that the test has set."""
        return list(self.checks)

    async def rehearse(self, rows: Sequence[Row]) -> list[Check]:
        """Return the findings that the test has set, and keep what was to be tried."""
        self.rehearsals.append([row.id for row in rows])
        return list(self.trials)

    async def rows(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredRow]:
        """Yield what is stored."""
        for row in list(self._chosen(categories, locales)):
            said = row.provenance
            yield StoredRow(row.id, said.get("fingerprint", ""), said.get("writer", ""))

    async def upsert(self, rows: Sequence[Row]) -> list[ItemId]:
        """Insert or replace what was decided on, unless a failure is due."""
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailable("down")
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        if not all(
            _is_storable(part) for row in rows for part in (*row.id, row.title, row.text, *row.generated.values())
        ):
            raise RowsRefused("a text holds a character that no store takes")
        if refused := [row.id for row in rows if row.id in self.refused]:
            raise self.refused[refused[0]]
        written = {row.id: row for row in rows if self._is_as_decided(row)}
        self.table |= {item: _versioned(row) for item, row in written.items()}
        self.batches.append(len(rows))
        return [row.id for row in rows if row.id not in written]

    def _is_as_decided(self, row: Row) -> bool:
        now = self.table.get(row.id)
        decided = row.over.version if row.over is not None else None
        return now is None or now.version in {decided, row.version}

    def edit(self, item: ItemId, text: str) -> None:
        """Change a text as a person does in the dashboard: nothing else of the row moves."""
        self.table[item] = replace(self.table[item], text=text)

    def appear(self, item: ItemId, text: str) -> None:
        """Put a row there as a person does in the dashboard."""
        self.table[item] = Row(item, "A title", text)

    async def read(self, items: Sequence[ItemId]) -> list[StoredText]:
        """Return the texts of these items."""
        return [_text(self.table[item]) for item in sorted(set(items)) if item in self.table]

    async def texts(self, categories: Sequence[str], locales: Sequence[str]) -> AsyncIterator[StoredText]:
        """Yield everything in full."""
        for row in self._chosen(categories, locales):
            yield _text(row)

    async def whole(self, items: Sequence[ItemId]) -> list[WholeRow]:
        """Return these rows with all their columns."""
        return [_whole(self.table[item]) for item in sorted(set(items)) if item in self.table]

    async def remove(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Take rows out that are as they were read."""
        found = [row.id for row in rows if row.id in self.table and _whole(self.table[row.id]) == row]
        for item in found:
            del self.table[item]
        return found

    async def restore(self, rows: Sequence[WholeRow]) -> list[ItemId]:
        """Put rows back where there is none, unless one is refused."""
        self.batches.append(len(rows))
        if refused := [row.id for row in rows if row.id in self.refused]:
            raise self.refused[refused[0]]
        for row in rows:
            said = row.columns
            back = Row(row.id, said["title"], said["text"], dict(said["provenance"]), dict(said["generated"]))
            self.table.setdefault(row.id, back)
        return [row.id for row in rows if _whole(self.table[row.id]) == row]

    async def aclose(self) -> None:
        """Nothing is open."""

    def _chosen(self, categories: Sequence[str], locales: Sequence[str]) -> list[Row]:
        return [row for row in self.table.values() if row.id.category in categories and row.id.locale in locales]


def _versioned(row: Row) -> Row:
    return replace(row, provenance={**row.provenance, "version": row.version}, over=None)


def _whole(row: Row) -> WholeRow:
    columns = {name: getattr(row, name) for name in ("title", "text", "provenance", "generated")}
    return WholeRow(row.id, columns)


def _text(row: Row) -> StoredText:
    return StoredText(row.id, row.title, row.text, row.provenance, "", row.generated)


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
