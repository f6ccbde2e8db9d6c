"""What does a run in batch mode cost at scale: how long until everything is submitted, until all of it is stored, and
how much memory an item?

Measured at two sizes, so that what a start costs anyway drops out of the memory figure. The scripted Messages API
server works out its answers while it takes a batch, so that its own time is in the figures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from servers.processes import MessagesServer

from bench import catalogs
from bench.launching import Ended, seed_library
from bench.tables import Line, show

_SUBMITTED_SECONDS = 90.0  # "tens of seconds"
_KIB_AN_ITEM = 2.0


def run_of(items: int, folder: Path, messages: MessagesServer) -> Ended:
    """Seed so many items through batches into a SQLite file."""
    prompts = folder / f"prompts-{items}"
    catalogs.plain(prompts, items)
    # Nothing ends before everything is submitted: else the time to submit would hold that of collecting.
    messages.control(clear=True, batch_polls=10 + items // 2_500)
    settings = {
        **messages.environment,
        "SEED_LIBRARY_PROMPTS_DIR": str(prompts),
        "SEED_LIBRARY_STATE_DIR": str(folder / f"state-{items}"),
        "SEED_LIBRARY_STORE": f"sqlite:{folder / f'library-{items}.sqlite3'}",
        "SEED_LIBRARY_BATCH_POLL_SECONDS": "2",
        "SEED_LIBRARY_BUDGET_USD": "100000",
    }
    ended = seed_library(["--json", "run", catalogs.NAME, "--mode", "batch"], settings, folder)
    (last,) = ended.events("run_finished")
    if last["stored"] != items:
        raise RuntimeError(f"not everything was stored: {last}")
    return ended


def lines_of(small: Ended, large: Ended, sizes: tuple[int, int]) -> Iterator[Line]:
    """Turn two runs into figures."""
    name = f"{sizes[1]:,} items in batches"
    (started,) = large.events("run_started")
    first_collected = large.events("batch_collected")[0]["at"]
    # Refused texts are repaired in a batch of their own, after the others.
    submitted = [event for event in large.events("batch_submitted") if event["at"] < first_collected]
    yield Line(name, "batches", len(submitted), None, "")
    yield Line(name, "from the start to the last submission", _between(started, submitted[-1]), _SUBMITTED_SECONDS, "s")
    yield Line(name, "the whole run", large.seconds, None, "s")
    yield Line(name, "CPU of it", large.cpu_seconds, None, "s")
    yield Line(name, "peak memory", large.peak_kib / 1024, None, "MiB")
    grown = (large.peak_kib - small.peak_kib) / (sizes[1] - sizes[0])
    yield Line(name, f"memory an item beyond {sizes[0]:,}", grown, _KIB_AN_ITEM, "KiB")


def _between(first: dict[str, Any], last: dict[str, Any]) -> float:
    return (datetime.fromisoformat(last["at"]) - datetime.fromisoformat(first["at"])).total_seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=30_000, help="100000 for the promised figures")
    parser.add_argument("--small", type=int, default=15_000, help="the size to compare the memory with")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        messages = MessagesServer()
        stack.callback(messages.stop)
        small, large = (run_of(items, folder, messages) for items in (asked.small, asked.items))
        print(f"{asked.items:,} items: {large.seconds:.1f} s", file=sys.stderr)
        show(list(lines_of(small, large, (asked.small, asked.items))), asked.json)


if __name__ == "__main__":
    main()
