"""The migrations that come with the package."""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple


class Migration(NamedTuple):
    """One SQL file, named as the Supabase CLI wants it."""

    name: str
    sql: str


def migrations() -> list[Migration]:
    """Return all migrations in the order in which they apply."""
    found = [entry for entry in files("seed_library.migrations").iterdir() if entry.name.endswith(".sql")]
    return [Migration(entry.name, entry.read_text("utf-8")) for entry in sorted(found, key=lambda entry: entry.name)]
