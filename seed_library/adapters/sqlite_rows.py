"""Writing, deleting and trying single rows of a SQLite table, inside a transaction that somebody else has begun."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from seed_library.adapters.sqlite_tables import columns_of
from seed_library.core.catalog import ItemId, TableSpec
from seed_library.core.errors import RowsRefused
from seed_library.core.sql import identifier
from seed_library.ports import Check, Row, WholeRow

_MOST_FINDINGS = 5
_RULES = "It must take rows such as the catalog makes: change that rule, or the catalog."


def write_row(connection: sqlite3.Connection, table: TableSpec, row: Row, values: Mapping[str, Any]) -> bool:
    """Write a row if nothing else is stored there than what that was decided on; say whether that was so."""
    content = (table.title, table.text, *table.generated)
    same = " and ".join(f"coalesce(cast({identifier(name)} as text), '') = coalesce(?, '')" for name in content)
    meant = [values[name] for name in content]
    condition = f" where ({same})"
    if row.over is not None:
        condition += f" or ({same})"
        meant += [row.over.title, row.over.text, *(row.over.generated[name] for name in table.generated)]
    statement = _upsert(table, values) + condition
    if connection.execute(statement, [*values.values(), *meant]).rowcount:
        return True
    key = " and ".join(f"{identifier(name)} = ?" for name in table.conflict_columns)
    there = f"select 1 from {identifier(table.name)} where {key}"  # noqa: S608  names are quoted
    if connection.execute(there, row.id).fetchone() is None:
        raise sqlite3.IntegrityError(f"{row.id} was sent and is not there: a trigger drops it")
    return False


def delete_row(connection: sqlite3.Connection, table: TableSpec, row: WholeRow) -> bool:
    """Delete a row if it still is as it was read; say whether that was so."""
    same = " and ".join(f"{identifier(name)} is ?" for name in row.columns)
    statement = f"delete from {identifier(table.name)} where {same}"  # noqa: S608  names are quoted
    return connection.execute(statement, list(row.columns.values())).rowcount > 0


def put_row_back(connection: sqlite3.Connection, table: TableSpec, row: WholeRow) -> bool:
    """Insert a row unless one of its key is there; under a new number where its own has been given away since.

    Raises:
        RowsRefused: the table has no such columns any more, or holds no such values.
    """
    columns = columns_of(connection, table.name)
    if gone := [name for name in row.columns if name not in columns]:
        raise RowsRefused(f"the table has no column {', '.join(map(repr, gone))}")
    values = {name: bindable(value) for name, value in row.columns.items() if not columns[name].generated}
    try:
        return _insert(connection, table, values)
    except OverflowError as error:
        raise RowsRefused(str(error)) from None
    except sqlite3.IntegrityError:
        numberless = {name: value for name, value in values.items() if not columns[name].is_number_of_row}
        if len(numberless) == len(values):
            raise
        return _insert(connection, table, numberless)


def _insert(connection: sqlite3.Connection, table: TableSpec, values: Mapping[str, Any]) -> bool:
    names, target = (", ".join(map(identifier, some)) for some in (values, table.conflict_columns))
    marks = ", ".join("?" * len(values))
    statement = f"insert into {identifier(table.name)} ({names}) values ({marks})"  # noqa: S608  names are quoted
    return connection.execute(f"{statement} on conflict ({target}) do nothing", list(values.values())).rowcount > 0


def bindable(value: Any) -> Any:
    """Return a value as SQLite can keep it: objects and lists as JSON, a number of a file as a float."""
    if isinstance(value, Decimal):
        return float(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _upsert(table: TableSpec, names: Sequence[str] | Mapping[str, Any]) -> str:
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
    connection: sqlite3.Connection, table: TableSpec, rows: Iterable[tuple[ItemId, Mapping[str, Any]]]
) -> list[Check]:
    """Write rows in a transaction that is taken back, and say what the table refuses and how keys come back."""
    keys = ", ".join(f"cast({identifier(name)} as text)" for name in table.conflict_columns)
    findings: list[Check] = []
    items: list[ItemId] = []
    with _taken_back(connection):
        for item, values in rows:
            items.append(item)
            statement = f"{_upsert(table, values)} returning {keys}"
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
        if not findings:
            findings = _merged(connection, table, items)[:_MOST_FINDINGS]
    return findings or [Check("rows", ok=True, message=f"{len(items):,} rows to come were written and taken back")]


def _merged(connection: sqlite3.Connection, table: TableSpec, items: Sequence[ItemId]) -> list[Check]:
    """Name the items whose rows another one of them has replaced: to the table their keys are one."""
    key = " and ".join(f"cast({identifier(name)} as text) = ? collate binary" for name in table.conflict_columns)
    there = f"select 1 from {identifier(table.name)} where {key}"  # noqa: S608  names are quoted
    gone = (item for item in items if connection.execute(there, item).fetchone() is None)
    problem = "to the table its key is that of another item (case, accents or blanks)"
    return [Check("keys", ok=False, message=f"{item}: {problem}", hint="Make the keys differ more.") for item in gone]


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
