"""Everything that would stop a write, found without writing: the twin-row probe.

One upsert sends one real item of the catalog, with placeholder text, twice in the same request. Where everything is
right the database refuses it with 21000 ("cannot affect row a second time") and writes nothing. Before it gets to
that point it has proven the key, the privileges to insert and update (42501), every column (PGRST204), the unique
index (42P10), every NOT NULL column that nobody fills (23502, naming the first one; the API's description of itself
names the others, where it is served) and the CHECK constraints (23514).

It comes before any read is believed: to a key without privileges a full table looks empty.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from seed_library.adapters.supabase_connection import Refused
from seed_library.adapters.supabase_errors import Answer, hint_for, is_about_rows, said_by
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RowsRefused, RunBlocked
from seed_library.ports import Check, Row

if TYPE_CHECKING:
    from seed_library.adapters.supabase import SupabaseStore

_TWIN_REFUSED = "21000"
_NOT_NULL = "23502"
_NO_COLUMN = {"42703", "PGRST204"}
_CHECK_OF_CODE = {
    "PGRST205": "table",
    "42P01": "table",
    "PGRST106": "table",
    "PGRST204": "columns",
    "42703": "columns",
    "42P10": "unique index",
    "42501": "privileges",
}


class Preflight:
    """The checks of one Supabase target."""

    def __init__(self, store: SupabaseStore, table: TableSpec) -> None:
        self._store = store
        self._url = store.connection.url
        self._table = table
        self._name = f"{table.schema}.{table.name}"

    async def checks(self, sample: Row) -> list[Check]:
        """Return every finding. Failed ones say what to do."""
        try:
            missing = await self._missing_columns()
            if missing:
                return [self._reached(), *missing]
            extras = await self._store.existing_extras()
            return [self._reached(), *await self._probe(sample, extras), *self._extras(extras)]
        except Refused as refusal:
            return [self._failed(refusal.answer)]
        except RunBlocked as error:
            return [Check("supabase", ok=False, message=f"{self._url}: {error.message}", hint=error.hint)]

    def _reached(self) -> Check:
        return Check("supabase", ok=True, message=f"{self._url} answers")

    async def _missing_columns(self) -> list[Check]:
        """Look at all columns at once, and at each of them only where that fails."""
        table = self._table
        needed = [*table.conflict_columns, table.title, table.text, *table.constants, *table.generated]
        try:
            await self._store.send_select(needed)
        except Refused as refusal:
            if refusal.answer.code not in _NO_COLUMN:
                raise
            return [check for column in needed for check in await self._missing_column(column)]
        return []

    async def _missing_column(self, column: str) -> list[Check]:
        try:
            await self._store.send_select([column])
        except Refused as refusal:
            if refusal.answer.code not in _NO_COLUMN:
                raise
            hint = hint_for(refusal.answer, self._table)
            return [Check("columns", ok=False, message=f"{self._name} has no column {column!r}", hint=hint)]
        return []

    async def _probe(self, sample: Row, extras: tuple[str, ...]) -> list[Check]:
        values = self._store.values(sample, extras)
        try:
            await self._store.send_upsert([values, values])
        except Refused as refusal:
            if refusal.answer.code == _TWIN_REFUSED:
                return [Check("table", ok=True, message=f"{self._name}: key, columns, index and privileges are right")]
            if refusal.answer.code == _NOT_NULL:
                return [await self._unfilled(refusal.answer, values)]
            return [self._failed(refusal.answer)]
        except RowsRefused as refusal:
            return [Check("constraints", ok=False, message=f"{sample.id}: {refusal.message}", hint="Mend the catalog.")]
        return [
            Check(
                "table",
                ok=False,
                message=f"{self._name} accepted the same row twice; a trigger or a view stands before the table",
                hint=f"Look at {sample.id}: the probe may have changed it. Seed a plain table instead.",
            )
        ]

    async def _unfilled(self, answer: Answer, filled: Collection[str]) -> Check:
        """Name every column that must not be empty and that no row would fill."""
        found = re.search(r'column "([^"]+)"', answer.message)
        described = await self._store.connection.described(self._table.schema, self._table.name)
        columns = described.get("properties", {})
        required = [name for name in described.get("required", []) if "default" not in columns.get(name, {})]
        names = dict.fromkeys([*([found[1]] if found else []), *(name for name in required if name not in filled)])
        shown = ", ".join(names) or "that the database names"
        return Check(
            "not null",
            ok=False,
            message=f"nobody fills the NOT NULL column{'s' * (len(names) > 1)} {shown} of {self._name}",
            hint=f"Give {shown} a default, or a value in catalog.toml: [table.constants] or [table.columns].",
        )

    def _failed(self, answer: Answer) -> Check:
        name = _CHECK_OF_CODE.get(answer.code, "")
        if not name:
            name = "key" if answer.status in {401, 403} else "constraints" if is_about_rows(answer) else "supabase"
        return Check(name, ok=False, message=self._message(answer), hint=self._hint(answer))

    def _message(self, answer: Answer) -> str:
        if answer.code == "42501" and "row-level security" in answer.message:
            return f"the key may not write to {self._name} (row level security)"
        if answer.code == "42P10":
            return f"{self._name} has no unique index on ({', '.join(self._table.conflict_columns)})"
        return said_by(answer)

    def _hint(self, answer: Answer) -> str:
        if is_about_rows(answer):
            return f"{self._name} must take rows such as the catalog makes: change that rule, or the catalog."
        return hint_for(answer, self._table)

    def _extras(self, extras: tuple[str, ...]) -> list[Check]:
        if "provenance" in extras:
            return [Check("provenance", ok=True, message="every row says where its text comes from")]
        return [
            Check(
                "provenance",
                ok=True,
                message=f"{self._name} has no column provenance; where a text comes from is in the journal only",
                hint=f"alter table {self._name} add column provenance jsonb; It is optional.",
            )
        ]
