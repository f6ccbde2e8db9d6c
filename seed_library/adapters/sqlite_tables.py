"""What a table of a SQLite file is like, which of its columns are ours, and what it would refuse."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.sql import identifier
from seed_library.ports import Check

NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_GENERATED = (2, 3)  # `hidden` of a virtual and of a stored generated column
_KINDS_OF_JSON = ("", "TEXT", "JSON", "CLOB", "CHAR")
_KINDS_OF_TIME = (*_KINDS_OF_JSON, "DATE", "TIME")
_MOST_FINDINGS = 5
_RULES = "It must take rows such as the catalog makes: change that rule, or the catalog."


def now() -> str:
    """Return the time as `NOW` gives it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its declared type in capitals, whether a row must bring a value, and whether none may be given."""

    kind: str
    must_be_given: bool
    generated: bool


def columns_of(connection: sqlite3.Connection, table: str) -> dict[str, Column]:
    """Return the columns of a table by name; empty where there is no such table."""
    found = connection.execute(f"pragma table_xinfo({identifier(table)})").fetchall()
    return {
        name: Column(
            kind.upper(),
            bool(not_null) and default is None and not (key and kind.upper() == "INTEGER") and hidden not in _GENERATED,
            hidden in _GENERATED,
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
    name, where = identifier(table.name), "is not null and not coalesce"
    json_object = "({0} " + where + "(json_valid({0}) and json_type({0}) = 'object', 0))"
    time = "({0} " + where + "(julianday({0}) is not null, 0))"
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


def upsert_statement(table: TableSpec, names: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the statement that inserts or replaces a row of these columns; a condition may follow."""
    shown = ", ".join(map(identifier, names))
    marks = ", ".join("?" * len(names))
    changed = ", ".join(f"{identifier(name)} = excluded.{identifier(name)}" for name in names)
    target = ", ".join(map(identifier, table.conflict_columns))
    return (
        f"insert into {identifier(table.name)} ({shown}) values ({marks})"  # noqa: S608  names are quoted
        f" on conflict ({target}) do update set {changed}"
    )


def rehearsed(
    connection: sqlite3.Connection, table: TableSpec, rows: Sequence[tuple[ItemId, Mapping[str, Any]]]
) -> list[Check]:
    """Write rows in a transaction that is taken back, and say what the table refuses and how keys come back."""
    keys = ", ".join(f"cast({identifier(name)} as text)" for name in table.conflict_columns)
    findings: list[Check] = []
    with _taken_back(connection):
        for item, values in rows:
            statement = f"{upsert_statement(table, values)} returning {keys}"
            try:
                back = connection.execute(statement, list(values.values())).fetchall()
            except sqlite3.IntegrityError as error:
                findings.append(Check("rows", ok=False, message=f"{item}: {error}", hint=_RULES))
            except (sqlite3.OperationalError, sqlite3.InterfaceError, OverflowError) as error:
                findings.append(Check("rows", ok=False, message=f"{item}: {error}", hint="Mend the table."))
            else:
                if back != [tuple(item)]:
                    findings.append(_comes_back(item, back, table))
            if len(findings) == _MOST_FINDINGS:
                break
    return findings or [Check("rows", ok=True, message=f"{len(rows):,} rows to come were written and taken back")]


def _comes_back(item: ItemId, back: list[tuple[Any, ...]], table: TableSpec) -> Check:
    said = f"it comes back as {'/'.join(map(str, back[0]))}" if back else "a trigger drops its row without a word"
    hint = f"Write the keys as the columns of {table.name} give them back, or make these columns text."
    return Check("keys", ok=False, message=f"{item}: {said}", hint=f"Its row would never be found again. {hint}")


@contextmanager
def _taken_back(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    finally:
        connection.rollback()
