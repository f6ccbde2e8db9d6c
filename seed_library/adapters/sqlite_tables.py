"""What a table of a SQLite file is like, and which of its columns are ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from seed_library.core.catalog import TableSpec
from seed_library.core.sql import identifier

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_GENERATED = (2, 3)  # `hidden` of a virtual and of a stored generated column
_KINDS_OF_JSON = ("", "TEXT", "JSON", "CLOB", "CHAR")
_KINDS_OF_TIME = (*_KINDS_OF_JSON, "DATE", "TIME")


def now() -> str:
    """Return the time as `NOW` gives it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its declared type in capitals, and what may be given for it.

    Attributes:
        must_be_given: a row must bring a value.
        generated: none may be given.
        is_number_of_row: it is the row's own number, which SQLite gives away again after the row is gone.
    """

    kind: str
    must_be_given: bool
    generated: bool
    is_number_of_row: bool


def columns_of(connection: sqlite3.Connection, table: str) -> dict[str, Column]:
    """Return the columns of a table by name; empty where there is no such table."""
    found = connection.execute(f"pragma table_xinfo({identifier(table)})").fetchall()
    return {
        name: Column(
            kind.upper(),
            bool(not_null) and default is None and not (key and kind.upper() == "INTEGER") and hidden not in _GENERATED,
            hidden in _GENERATED,
            bool(key) and kind.upper() == "INTEGER",
        )
        for _, name, kind, not_null, default, key, hidden in found
    }


def has_unique_index(connection: sqlite3.Connection, table: TableSpec) -> bool:
    """Whether an upsert can find rows by category, key and locale."""
    name = identifier(table.name)
    for _, index, unique, _, is_partial in connection.execute(f"pragma index_list({name})").fetchall():
        columns = [row[2] for row in connection.execute(f"pragma index_info({identifier(index)})")]
        if unique and not is_partial and set(columns) == set(table.conflict_columns):
            return True
    return False


def our_columns(connection: sqlite3.Connection, table: TableSpec, columns: Mapping[str, Column]) -> tuple[str, str]:
    """Return the columns for provenance and time, each empty where the table has none or somebody else's.

    SQLite has no types that would tell. The provenance is ours where it holds nothing but JSON objects, the time where
    it holds nothing but times.
    """
    name = identifier(table.name)
    json_object = "{0} is not null and not case when json_valid({0}) then json_type({0}) = 'object' else 0 end"
    time = "{0} is not null and julianday({0}) is null"
    found = []
    for column, kinds, foreign in (
        (table.provenance, _KINDS_OF_JSON, json_object),
        (table.updated_at, _KINDS_OF_TIME, time),
    ):
        known = columns.get(column)
        is_ours = bool(column) and known is not None and not known.generated and _is_kind(known.kind, kinds)
        if is_ours:
            strange = f"select 1 from {name} where {foreign.format(identifier(column))} limit 1"  # noqa: S608  names are quoted
            is_ours = connection.execute(strange).fetchone() is None
        found.append(column if is_ours else "")
    return found[0], found[1]


def _is_kind(kind: str, kinds: Sequence[str]) -> bool:
    return any(word in kind if word else not kind for word in kinds)
