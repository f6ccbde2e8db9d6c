"""What is wrong with the target itself, found without writing, and reported all at once.

Where the functions of migration `content_library_rows` are installed, the database says what the table lacks. Elsewhere
a twin is sent: one upsert of the same row twice, with placeholder text and *a key that no row has*. Where everything is
right the database refuses it with 21000 ("cannot affect row a second time") and writes nothing. Before it gets to that
point it has proven the key, the privileges to insert and update (42501), every column (PGRST204), the unique index
(42P10), and every NOT NULL column that nobody fills (23502, naming the first one). A BEFORE trigger that replaces the
statement would let it pass; then it has met no row of anybody.

It comes before any read is believed: to a key without privileges a full table looks empty.
"""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from seed_library.adapters.lease_functions import FunctionsMissing
from seed_library.adapters.row_functions import Extras, Look, RowFunctions
from seed_library.adapters.supabase_connection import Refused
from seed_library.adapters.supabase_errors import (
    Answer,
    grant_hint,
    hint_for,
    is_about_rows,
    is_away,
    rules_hint,
    said_by,
)
from seed_library.adapters.supabase_trials import TWIN_REFUSED
from seed_library.core.errors import RowsRefused, RunBlocked, StoreUnavailable
from seed_library.ports import Check, Row

if TYPE_CHECKING:
    from seed_library.adapters.supabase import SupabaseStore

_NOT_NULL = "23502"
_ILL_FORMED = "22P02"
_FILLED_BY_THE_DATABASE = "428C9"
_NO_COLUMN = {"42703", "PGRST204"}
# Types whose defaults the API's description of itself always shows: what has none there has none.
_TELLING = {"text", "character varying", "uuid", "timestamp with time zone", "timestamp without time zone", "date"}
_CHECK_OF_CODE = {
    "PGRST205": "table",
    "42P01": "table",
    "PGRST106": "table",
    "PGRST204": "columns",
    "42703": "columns",
    "42P10": "unique index",
    "55000": "unique index",
    "42501": "privileges",
}


class Preflight:
    """The checks of one Supabase target."""

    def __init__(self, store: SupabaseStore) -> None:
        self._store = store
        self._table = store.table
        self._url = store.connection.url
        self._foreign = store.connection.foreign
        self._name = f"{store.table.schema}.{store.table.name}"

    async def checks(self, sample: Row) -> list[Check]:
        """Return every finding. Failed ones say what to do."""
        try:
            missing = await self._missing_columns()  # as the API knows the table, which may be another one than it is
            try:
                seen = self._seen(await RowFunctions(self._store.connection, self._table).look(), missing)
            except FunctionsMissing:
                seen = await self._checks_by_twin(sample, missing)
            return [self._reached(), *seen]
        except Refused as refusal:
            return [self._failed(refusal.answer)]
        except RunBlocked as error:
            passing = isinstance(error, StoreUnavailable) and error.reached
            said = f"{self._url}: {error.message}"
            return [Check("supabase", ok=False, message=said, hint=error.hint, passing=passing)]

    def _reached(self) -> Check:
        return Check("supabase", ok=True, message=f"{self._url} answers")

    def _seen(self, look: Look, missing: Sequence[Check]) -> list[Check]:
        """Say what a look at the table has shown."""
        checks = [*missing] or [self._no_column(name) for name in look.missing]
        if look.unfilled:
            checks.append(self._unfilled(look.unfilled))
        if look.denied:
            message = f"the key may not {self._foreign.sentence(', '.join(look.denied))} on {self._name}"
            checks.append(Check("privileges", ok=False, message=message, hint=grant_hint(self._name)))
        if look.unique in {"missing", "deferrable"}:
            checks.append(self._no_index(deferrable=look.unique == "deferrable"))
        extras = look.extras(self._table)
        self._store.know(extras)
        return checks or [self._right(), *self._extras(extras)]

    async def _checks_by_twin(self, sample: Row, missing: Sequence[Check]) -> list[Check]:
        if missing:
            return [*missing, *await self._described_unfilled()]
        extras = await self._store.existing_extras()
        return [*await self._probe(sample, extras), *self._extras(extras)]

    async def _missing_columns(self) -> list[Check]:
        """Look at all columns at once, and at each of them only where that fails."""
        try:
            await self._store.send_select(self._table.filled)
        except Refused as refusal:
            if refusal.answer.code not in _NO_COLUMN:
                raise
            return [check for column in self._table.filled for check in await self._missing_column(column)]
        return []

    async def _missing_column(self, column: str) -> list[Check]:
        try:
            await self._store.send_select([column])
        except Refused as refusal:
            if refusal.answer.code not in _NO_COLUMN:
                raise
            return [self._no_column(column)]
        return []

    async def _probe(self, sample: Row, extras: Extras) -> list[Check]:
        """Send the twin under one made-up key after the other, until the column takes one."""
        said = ""
        for key in _made_up_keys():
            row = replace(sample, id=sample.id._replace(key=key))
            try:
                values = self._store.values(row, extras)
                await self._store.send_twins([values, values])
            except Refused as refusal:
                answer = refusal.answer
                if answer.code == _ILL_FORMED and key in answer.raw:
                    said = said_by(answer)
                    continue
                if answer.code == _FILLED_BY_THE_DATABASE and (rest := self._without(answer, extras)):
                    return await self._probe(sample, rest)
                return await self._twin_refused(answer, sample)
            except RowsRefused as refusal:
                return [Check("constraints", ok=False, message=refusal.message, hint="Mend the catalog.")]
            return [self._swallowed(key)]
        problem = f"{self._name}, column {self._table.key}: {said}"
        hint = "Make it text, uuid or a whole number, or apply the migration content_library_rows (`schema` prints it)."
        return [Check("keys", ok=False, message=problem, hint=hint)]

    def _without(self, answer: Answer, extras: Extras) -> Extras | None:
        """Leave out a column of ours that only the database may fill."""
        for name, column in (("provenance", extras.provenance), ("updated_at", extras.updated_at)):
            if column and f'"{column}"' in answer.raw:
                rest = replace(extras, **{name: ""})
                self._store.know(rest)
                return rest
        return None

    async def _twin_refused(self, answer: Answer, sample: Row) -> list[Check]:
        if answer.code == TWIN_REFUSED:
            return [self._right()]
        if answer.code == _NOT_NULL:
            found = re.search(r'column "([^"]+)"', answer.raw)
            return [self._unfilled([*([found[1]] if found else []), *await self._telling_unfilled()])]
        if answer.code == _ILL_FORMED:  # of the category or locale
            message = f"{sample.id}: {said_by(answer)}"
            return [Check("rows", ok=False, message=message, hint=rules_hint(self._name))]
        if is_about_rows(answer):  # of the made-up key or the placeholder: the rows to come are tried themselves
            return [self._right()]
        return [self._failed(answer), *await self._described_unfilled()]

    def _swallowed(self, key: str) -> Check:
        return Check(
            "table",
            ok=False,
            message=f"{self._name} accepted the same row twice; a trigger or a view stands before the table",
            hint=f"Apply the migration content_library_rows (`seed-library schema`), whose functions try rows and take "
            f"them back, or seed a plain table. If a row with the key {key} has appeared anywhere, it is the probe's.",
        )

    async def _described_unfilled(self) -> list[Check]:
        """Name what nobody fills, by the API's description: for what the database has not come to look at."""
        names = await self._telling_unfilled()
        return [self._unfilled(names)] if names else []

    async def _telling_unfilled(self) -> list[str]:
        """Return the required columns that nobody fills, of the types whose defaults the description shows."""
        described = await self._store.connection.described(self._table.schema, self._table.name)
        columns, ours = described.get("properties", {}), {self._table.provenance, self._table.updated_at}
        return [
            name
            for name in described.get("required", [])
            if name not in self._table.filled and name not in ours and _shows_none(columns.get(name, {}))
        ]

    def _right(self) -> Check:
        return Check("table", ok=True, message=f"{self._name}: key, columns, index and privileges are right")

    def _no_column(self, column: str) -> Check:
        hint = hint_for(Answer(400, "PGRST204", ""), self._table)
        return Check("columns", ok=False, message=f"{self._name} has no column {column!r}", hint=hint)

    def _no_index(self, *, deferrable: bool) -> Check:
        columns = ", ".join(self._table.conflict_columns)
        problem = f"{self._name} has no unique index on ({columns})"
        if deferrable:
            problem += " that an upsert can use: its constraint is deferrable"
        return Check("unique index", ok=False, message=problem, hint=hint_for(Answer(400, "42P10", ""), self._table))

    def _unfilled(self, names: Sequence[str]) -> Check:
        """Name every column that must not be empty and that no row would fill."""
        shown = self._foreign.sentence(", ".join(dict.fromkeys(names))) or "that the database names"
        return Check(
            "not null",
            ok=False,
            message=f"nobody fills the NOT NULL column{'s' * (len(set(names)) > 1)} {shown} of {self._name}",
            hint=f"Give {shown} a default, or a value in catalog.toml: [table.constants] or [table.columns].",
        )

    def _failed(self, answer: Answer) -> Check:
        if answer.code in {"42P10", "55000"}:
            return self._no_index(deferrable=answer.code == "55000")
        name = _CHECK_OF_CODE.get(answer.code, "")
        if not name:
            name = "key" if answer.status in {401, 403} else "constraints" if is_about_rows(answer) else "supabase"
        said, hint = self._message(answer), hint_for(answer, self._table)
        return Check(name, ok=False, message=said, hint=hint, passing=is_away(answer))

    def _message(self, answer: Answer) -> str:
        if answer.code == "42501" and "row-level security" in answer.raw:
            return f"the key may not write to {self._name} (row level security)"
        return said_by(answer)

    def _extras(self, extras: Extras) -> list[Check]:
        if extras.provenance:
            return [Check("provenance", ok=True, message="every row says where its text comes from")]
        wanted = self._table.provenance
        missing = f"has no jsonb column {wanted} of ours" if wanted else "is not to say where its texts come from"
        hint = f"alter table {self._name} add column {wanted} jsonb; It is optional." if wanted else ""
        return [
            Check(
                "provenance",
                ok=True,
                message=f"{self._name} {missing}; where a text comes from is in the journal of this machine only, so "
                "texts that another machine, a rehearsal or a person has stored cannot be told apart",
                hint=hint,
            )
        ]


def _made_up_keys() -> list[str]:
    """Return keys that no row has: for columns of text, numbers and uuids."""
    return [f"zz-{secrets.token_hex(4)}", str(secrets.randbelow(2**15 - 20_000) + 20_000), str(uuid.uuid4())]


def _shows_none(column: dict[str, object]) -> bool:
    return "default" not in column and re.sub(r"\(.*\)", "", str(column.get("format", ""))) in _TELLING
