"""What does a rerun over a finished library cost: how many seconds, and how much memory a row?

Measured at two sizes, so that what a start costs anyway drops out of the memory figure. The run plans, finds
everything done and sends nothing to the Messages API.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from servers.processes import MessagesServer
from servers.supabase import MIGRATIONS, Postgres, Supabase

from bench import catalogs
from bench.finished_libraries import fill_sqlite, fill_supabase, finished_rows, write_journal
from bench.launching import Ended, seed_library
from bench.tables import Line, show
from seed_library.core.targets import SqliteAddress, StoreAddress, SupabaseAddress

_KIB_A_ROW = 1.0
_SECONDS = 10.0  # "plans in seconds": a tenth of a millisecond a row


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """A finished library and how to run over it."""

    name: str
    rows: int
    settings: dict[str, str]
    journal_bytes: int = 0


class Ground:
    """The servers and folders that all libraries share."""

    def __init__(self, folder: Path, messages: MessagesServer, project: Supabase | None) -> None:
        self.folder = folder
        self.messages = messages
        self.project = project

    def libraries(self, count: int, *, with_facts: bool) -> Iterator[Library]:
        """Make the libraries of one size, one after the other: the Supabase project holds one at a time."""
        prompts = self.folder / f"prompts-{count}"
        (catalogs.bazi_like if with_facts else catalogs.plain)(prompts, count)
        path = self.folder / f"library-{count}.sqlite3"
        fill_sqlite(path, finished_rows(prompts))
        sqlite = {"SEED_LIBRARY_STORE": f"sqlite:{path}"}
        yield from self._with_and_without_journal("SQLite", count, SqliteAddress(str(path)), sqlite)
        if self.project is not None:
            self.project.reset()
            fill_supabase(self.project, finished_rows(prompts))
            address, settings = SupabaseAddress(self.project.url), self.project.environment
            yield from self._with_and_without_journal("Supabase", count, address, settings)

    def _with_and_without_journal(
        self, store: str, count: int, address: StoreAddress, settings: dict[str, str]
    ) -> Iterator[Library]:
        prompts = self.folder / f"prompts-{count}"
        common = {**settings, **self.messages.environment, "SEED_LIBRARY_PROMPTS_DIR": str(prompts)}
        for journal in (False, True):
            state = self.folder / f"state-{store}-{count}-{journal}"
            size = write_journal(state, address, finished_rows(prompts)) if journal else 0
            name = f"{store}, {'journal of every text' if journal else 'no journal'}"
            yield Library(name, count, {**common, "SEED_LIBRARY_STATE_DIR": str(state)}, size)

    def rerun(self, library: Library) -> Ended:
        """Run over a finished library.

        Raises:
            RuntimeError: it was not finished.
        """
        self.messages.control(clear=True)
        ended = seed_library(["--json", "run", catalogs.NAME], library.settings, self.folder)
        (last,) = ended.events("run_finished")
        (first,) = ended.events("run_started")
        if first["totals"]["done"] != library.rows or last["stored"] or self.messages.control(state=True)["log"]:
            raise RuntimeError(f"{library.name}: not everything was done: {first} {last}")
        return ended


def lines_of(small: Library, large: Library, ended: dict[Library, list[Ended]]) -> Iterator[Line]:
    """Turn the reruns over a small and a large library of one kind into figures."""
    name = f"{large.rows:,} rows, {large.name}"
    yield Line(name, "rerun", _median([one.seconds for one in ended[large]]), _SECONDS, "s")
    yield Line(name, "CPU of it", _median([one.cpu_seconds for one in ended[large]]), None, "s")
    yield Line(name, f"rerun over {small.rows:,} rows", _median([one.seconds for one in ended[small]]), None, "s")
    grown = _median([one.peak_kib for one in ended[large]]) - _median([one.peak_kib for one in ended[small]])
    yield Line(name, "memory a row, items included", grown / (large.rows - small.rows), _KIB_A_ROW, "KiB")
    yield Line(name, "peak memory", _median([one.peak_kib for one in ended[large]]) / 1024, None, "MiB")
    if large.journal_bytes:
        yield Line(name, "journal", large.journal_bytes / 1024 / 1024, None, "MiB")


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="100000 for the promised figures")
    parser.add_argument("--small", type=int, default=1000, help="the size to compare the memory with")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--facts", action="store_true", help="items with sixteen facts instead of one")
    parser.add_argument("--sqlite-only", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        messages = MessagesServer()
        stack.callback(messages.stop)
        place = Ground(folder, messages, None if asked.sqlite_only else _project(stack))
        ended: dict[Library, list[Ended]] = {}
        made: list[list[Library]] = []
        for count in (asked.small, asked.rows):
            made.append([])
            for library in place.libraries(count, with_facts=asked.facts):
                made[-1].append(library)
                ended[library] = [place.rerun(library) for _ in range(asked.rounds)]
                print(f"{count:,} rows, {library.name}: {ended[library][-1].seconds:.2f} s", file=sys.stderr)
    show(
        [line for pair in zip(made[0], made[1], strict=True) for line in lines_of(pair[0], pair[1], ended)], asked.json
    )


def _project(stack: ExitStack) -> Supabase:
    postgres = Postgres()
    stack.callback(postgres.stop)
    project = Supabase(postgres, MIGRATIONS)
    stack.callback(project.stop)
    return project


if __name__ == "__main__":
    main()
