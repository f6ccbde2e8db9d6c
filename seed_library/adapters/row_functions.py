"""The functions of migration `content_library_rows` that only look: what a table lacks, what would refuse its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seed_library.adapters.lease_functions import MISSING, FunctionsMissing
from seed_library.adapters.supabase_connection import Refused, SupabaseConnection
from seed_library.core.catalog import TableSpec

_SCHEMA = "public"


@dataclass(frozen=True, slots=True)
class Extras:
    """Our own columns, as far as the table has them in a form that is ours; else empty."""

    provenance: str = ""
    updated_at: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a table is like, for the columns that rows would fill.

    Attributes:
        relation: whether there is such a table.
        missing: columns that it lacks.
        unfilled: NOT NULL columns that nobody would fill.
        denied: privileges that the key lacks.
        unique: "there", "missing", "deferrable", or empty where that cannot be seen.
        types: the types of those columns that can be written, by name.
    """

    relation: bool
    missing: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    unique: str = ""
    types: dict[str, str] = field(default_factory=dict)

    def extras(self, table: TableSpec) -> Extras:
        """Return our own columns: the provenance only as jsonb, the time only where it is one."""
        is_json = self.types.get(table.provenance) == "jsonb"
        is_time = self.types.get(table.updated_at, "").startswith(("timestamp", "date"))
        return Extras(table.provenance if is_json else "", table.updated_at if is_time else "")


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that the table refuses: its place among those that were tried, and what the database says."""

    place: int
    state: str
    message: str
    table: str
    context: str


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of rows that were written and taken back.

    Attributes:
        keys: category, key and locale of each row as the table gives them back; None where it was refused or dropped.
        collide: whether two of the rows are one to the table.
    """

    keys: tuple[tuple[str, ...] | None, ...]
    refused: tuple[RefusedRow, ...]
    collide: bool


class RowFunctions:
    """Calls them over a connection that somebody else closes.

    Both methods raise FunctionsMissing, Refused, and StoreUnavailable (no answer).
    """

    def __init__(self, connection: SupabaseConnection, table: TableSpec) -> None:
        self._connection = connection
        self._table = table

    async def look(self) -> Look:
        """Look at the table as the columns that rows would fill need it."""
        table = self._table
        said = await self._call("look", p_columns=[*table.filled, *filter(None, (table.provenance, table.updated_at))])
        ours = {table.provenance, table.updated_at}
        return Look(
            relation=said.get("relation") is True,
            missing=tuple(name for name in _texts(said, "missing") if name not in ours),
            unfilled=_texts(said, "unfilled"),
            denied=_texts(said, "denied"),
            unique=str(said.get("unique") or ""),
            types={str(name): str(kind) for name, kind in dict(said.get("types") or {}).items()},
        )

    async def rehearse(self, values: Sequence[dict[str, Any]]) -> Rehearsed:
        """Write rows, which all have the same columns, and take them back."""
        said = await self._call("rehearse", p_rows=list(values))
        keys = tuple(tuple(map(str, key)) if isinstance(key, list) else None for key in said.get("keys") or ())
        refused = tuple(
            RefusedRow(
                int(one["row"]), *(str(one.get(name) or "") for name in ("state", "message", "table", "context"))
            )
            for one in said.get("refused") or ()
        )
        return Rehearsed(keys, refused, said.get("together") == "21000")

    async def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        table = self._table
        about = {"p_schema": table.schema, "p_table": table.name, "p_conflict": list(table.conflict_columns)}
        try:
            said = await self._connection.call(_SCHEMA, f"seed_library_{name}", {**about, **arguments})
        except Refused as refusal:
            if refusal.answer.code in MISSING:
                raise FunctionsMissing from None
            raise
        if not isinstance(said, dict):
            raise self._connection.strange()
        return said


def _texts(said: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(map(str, said.get(name) or ()))
