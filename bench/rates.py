"""How many requests does a text take, and how much longer than it could does a run, where the account has a limit?

The scripted Messages API refuses what is beyond the limit and tells of it as the real one does. Its clock counts, from
the first request after the canary to the last response; the ideal is what so many texts take at the limit, or with so
many requests at once, whichever is longer. Cases: one run at several limits; one whose account is moved to another
limit half way; several at the same time with one key, which know nothing of each other. Nothing is stored but in files:
what is measured is the pace.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers.processes import MessagesServer

from bench import catalogs
from bench.launching import seed_library
from bench.tables import Line, show

_REQUESTS_PER_TEXT, _OF_IDEAL, _MOST_TO_LEAST = 1.1, 1.05, 1.5
_SECONDS_AT_THE_LIMIT = 30  # so many texts are asked for, if nothing else is said
_FEWEST_TEXTS, _MOST_TEXTS = 60, 2000


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured.

    Attributes:
        per_minute: the limit of the account.
        later: the limit when half of the texts are there; 0: the same.
        runs: how many run at the same time.
        texts: of each run.
    """

    per_minute: int
    at_once: int
    later: int = 0
    runs: int = 1

    @property
    def texts(self) -> int:
        """How many texts each run has."""
        limit = min(self.per_minute, self.later or self.per_minute)
        wanted = limit / 60 * _SECONDS_AT_THE_LIMIT * (4 if self.runs > 1 else 1)
        return round(min(_MOST_TEXTS, max(_FEWEST_TEXTS, wanted)) / self.runs)

    def __str__(self) -> str:
        limit = f"{self.per_minute} a minute" + (f", then {self.later}" if self.later else "")
        runs = f"{self.runs} runs of " if self.runs > 1 else ""
        return f"{limit}, {self.at_once} at once, {runs}{self.texts} texts"


@dataclass(frozen=True, slots=True)
class Served:
    """What the server saw of all runs of a case.

    Attributes:
        changed: when the limit was moved, on the clock of the log.
        latency: of an answer, in seconds; so many at once allow no more than that.
    """

    log: Sequence[dict[str, Any]]
    changed: float
    latency: float

    @property
    def answered(self) -> list[dict[str, Any]]:
        """The requests that got a text."""
        return [entry for entry in self.log if entry["status"] == 200]

    def lines(self, case: Case) -> Iterator[Line]:
        """Turn it into figures."""
        name = str(case)
        yield Line(name, "requests per text", len(self.log) / len(self.answered), _REQUESTS_PER_TEXT)
        canary = min(entry["finished"] for entry in self.answered)
        rest = [entry["arrived"] for entry in self.log if entry["arrived"] > canary]
        span = max(entry["finished"] for entry in self.answered) - min(rest)
        yield Line(name, "span : ideal", span / self._ideal(case, min(rest)), _OF_IDEAL if case.runs == 1 else None)
        if case.runs > 1:
            yield Line(name, "most : least while all are at work", self._most_to_least(), _MOST_TO_LEAST)

    def _ideal(self, case: Case, began: float) -> float:
        if not case.later:
            return len(self.answered) * max(60 / case.per_minute, self.latency / (case.at_once * case.runs))
        before = sum(entry["arrived"] <= self.changed for entry in self.answered)
        seconds: float = self.changed - began + (len(self.answered) - before) * 60 / case.later
        return seconds

    def _most_to_least(self) -> float:
        done: defaultdict[str, list[float]] = defaultdict(list)
        for entry in self.answered:
            done[entry["client"]].append(entry["finished"])
        began, ended = max(min(times) for times in done.values()), min(max(times) for times in done.values())
        counts = [sum(began <= at <= ended for at in times) for times in done.values()]
        return max(counts) / max(1, min(counts))


def measure(case: Case, messages: MessagesServer, folder: Path, latency_ms: float) -> Served:
    """Do all runs of a case at the same time."""
    prompts = folder / f"prompts-{case.texts}"
    if not prompts.is_dir():
        catalogs.plain(prompts, case.texts)
    messages.control(clear=True, latency_ms=latency_ms)
    messages.control(requests_per_minute=case.per_minute)
    changed: list[float] = []

    def move() -> None:
        messages.wait_for(lambda state: len(state["billed"]) >= case.texts // 2)
        messages.control(requests_per_minute=case.later)
        changed.append(time.monotonic())

    def run(number: int) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            settings = {
                **messages.environment,
                "ANTHROPIC_BASE_URL": f"{messages.url}/as/{number}",
                "SEED_LIBRARY_PROMPTS_DIR": str(prompts),
                "SEED_LIBRARY_STATE_DIR": str(Path(place) / "state"),
                "SEED_LIBRARY_STORE": f"sqlite:{place}/library.sqlite3",
            }
            options = ["--budget", "1000", "--mode", "messages", "--concurrency", str(case.at_once)]
            seed_library(["--json", "run", catalogs.NAME, *options], settings, folder)

    mover = threading.Thread(target=move)
    if case.later:
        mover.start()
    with ThreadPoolExecutor(case.runs) as crowd:
        list(crowd.map(run, range(case.runs)))
    if case.later:
        mover.join()
    return Served(messages.log(), changed[0] if changed else 0.0, latency_ms / 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", type=int, nargs="*", default=[60, 600, 4000], help="requests a minute")
    parser.add_argument("--at-once", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--moves", type=int, nargs="*", default=[600, 2400, 2400, 600], help="pairs: before, after")
    parser.add_argument("--runs", type=int, nargs="*", default=[8], help="how many with one key, at 600 a minute")
    parser.add_argument("--latency-ms", type=float, default=600)
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    cases = [Case(limit, at_once) for limit in asked.limits for at_once in asked.at_once]
    moves = zip(asked.moves[::2], asked.moves[1::2], strict=True)
    cases += [Case(before, max(asked.at_once), later=after) for before, after in moves]
    cases += [Case(600, min(asked.at_once), runs=runs) for runs in asked.runs]
    messages = MessagesServer(asked.latency_ms)
    lines: list[Line] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for case in cases:
                lines += measure(case, messages, Path(folder), asked.latency_ms).lines(case)
                print(f"{case}: {lines[-1].figure} {lines[-1].measured:.3f}", file=sys.stderr)
    finally:
        messages.stop()
    show(lines, asked.json)


if __name__ == "__main__":
    main()
