"""The migrations that come with the package."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

from seed_library.core.catalog import TableSpec
from seed_library.core.sql import table_migration, table_migration_name

_OF_THE_LEASE = ("_content_library_lease.sql", "_content_library_batches.sql", "_content_library_rows.sql")


class Migration(NamedTuple):
    """One SQL file, named as the Supabase CLI wants it."""

    name: str
    sql: str


def migrations_for(table: TableSpec) -> list[Migration]:
    """Return what a table needs, in the order in which it applies: content_library's own history, or one for any other.

    The lease, the notes of batches and the functions for rows are the same for every table.
    """
    if table == TableSpec():
        return migrations()
    shared = [one for one in migrations() if one.name.endswith(_OF_THE_LEASE)]
    return [Migration(table_migration_name(table), table_migration(table)), *shared]


def migrations() -> list[Migration]:
    """Return the migrations of content_library in the order in which they apply."""
    found = [entry for entry in files("seed_library.migrations").iterdir() if entry.name.endswith(".sql")]
    return [Migration(entry.name, entry.read_text("utf-8")) for entry in sorted(found, key=lambda entry: entry.name)]
