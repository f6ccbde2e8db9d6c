"""How long does it take to try the rows to come before anything is paid, and how many calls of the database?

Everything between the plan and the first payment: the rows are made with the longest texts that their gates allow, and
each is written and taken back by the functions of migration `content_library_rows`, or sent as twins where a project
does not have them, or written and taken back in a SQLite file. Each target is checked before, as in a run, so that no
import and no first connection is in the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from servers.supabase import MIGRATIONS, ROWS, Postgres, Supabase

from bench import catalogs
from bench.tables import Line, show
from seed_library.adapters.sqlite import SqliteStore
from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import Catalog, ItemId, TableSpec
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Lookup, Plan, make_plan
from seed_library.core.prompts import PromptBook
from seed_library.engine.preflight import rehearse, sample_row
from seed_library.ports import Library, Row

_SHIPPED = 180  # the rows of the Bazi library
_SECONDS = 0.5  # for these
_MOST_CALLS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A target that rows are tried in. `project` answers its calls; None: there are none, it is a file."""

    name: str
    store: Callable[[], Library]
    project: Supabase | None = None

    def calls(self) -> int:
        """Return how many calls there were since the last time."""
        return len(self.project.log()) if self.project is not None else 0


@dataclass(frozen=True, slots=True)
class Tried:
    """Rows that were tried: how long that took, how many calls, and what was said."""

    seconds: float
    calls: int
    said: str


async def try_rows(place: Place, catalog: Catalog, plan: Plan) -> Tried:
    """Try the rows of a plan in a target that has none of them.

    Raises:
        RuntimeError: one of them is refused.
    """
    store = place.store()
    try:
        checks = await store.check(sample_row(catalog.items[0], catalog.table))
        place.calls()
        began = time.perf_counter()
        checks += (tried := await rehearse(store, catalog, plan))
        seconds = time.perf_counter() - began
    finally:
        await store.aclose()
    if not all(check.ok for check in checks):
        raise RuntimeError(f"{place.name}: {[check.message for check in checks if not check.ok]}")
    return Tried(seconds, place.calls(), tried[0].message)


def plan_of(catalog: Catalog) -> Plan:
    """Plan a library of which nothing is there."""
    items = list(catalog.items)
    return make_plan(items, PromptBook(catalog).fingerprints(items), (), Lookup(Ledger()))


def lines_of(place: Place, rows: int, rounds: Sequence[Tried]) -> Iterator[Line]:
    """Turn the rounds of one target and size into figures."""
    name = f"{rows:,} rows, {place.name}"
    wanted = _SECONDS if rows <= _SHIPPED else None
    yield Line(name, "tried before paying", statistics.median(one.seconds for one in rounds), wanted, "s")
    if place.project is not None:
        yield Line(name, "calls", max(one.calls for one in rounds), _MOST_CALLS)


def places(stack: ExitStack, folder: Path) -> Iterator[Place]:
    """Make the targets, all empty."""
    postgres = Postgres()
    stack.callback(postgres.stop)
    without = [file for file in MIGRATIONS if file != ROWS]
    for name, migrations in (("functions", MIGRATIONS), ("twins", without)):
        project = Supabase(postgres, migrations)
        stack.callback(project.stop)
        yield Place(f"Supabase, {name}", _supabase_store(project), project)
    file = SqliteStore(folder / "library.sqlite3", TableSpec())
    asyncio.run(file.upsert([Row(ItemId("another", "text", "de"), "", "")]))  # the first row makes the table
    yield Place("SQLite", lambda: file)


def _supabase_store(project: Supabase) -> Callable[[], Library]:
    return lambda: SupabaseStore(project.url, project.secret, TableSpec())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[_SHIPPED, 100_000])
    parser.add_argument("--rounds", type=int, default=5, help="for up to a thousand rows; more are tried once")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    lines: list[Line] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets = list(places(stack, folder))
        for rows in asked.rows:
            catalogs.plain(folder / f"prompts-{rows}", rows)
            catalog = catalogs.load(folder / f"prompts-{rows}")
            plan = plan_of(catalog)
            for place in targets:
                rounds = range(asked.rounds if rows <= 1_000 else 1)
                tried = [asyncio.run(try_rows(place, catalog, plan)) for _ in rounds]
                print(f"{rows:,} rows, {place.name}: {tried[-1].said}", file=sys.stderr)
                lines += lines_of(place, rows, tried)
    show(lines, asked.json)


if __name__ == "__main__":
    main()
