"""How fast is a run, against a bare loop over the SDK, against the ideal, and with `--peers` against other programs?

All send the same requests to the same server, one after the other, in turn. What counts is seen at the server: from
the first request after the canary to the last response; the other programs have no canary, so all their requests
count. seed-library stores its rows in a Supabase project meanwhile; the others keep what they need to go on; the bare
loop keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from servers.processes import MessagesServer
from servers.supabase import MIGRATIONS, Postgres, Supabase

from bench import bare_loop, catalogs
from bench.launching import Ended, measured, seed_library
from bench.peers import PEERS, Peer
from bench.tables import Line, show

_TARGET = 1.05
_PATIENCE = 3  # a program that takes so many times longer than it could is killed; its ratio is an upper bound then
_START_SECONDS = 30
_MANY_ITEMS = 1000  # a case of more is measured once: its span is long enough
_ROW_SECONDS, _OVERHEAD_SECONDS = 1.0, 2.0


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured.

    Attributes:
        errors: which share of the answers is 429 or 529.
        per_minute: how many requests a minute the server answers, the others getting 429; 0: all of them.
    """

    items: int
    concurrency: int
    errors: float = 0.0
    per_minute: int = 0

    @property
    def rows(self) -> int:
        """How many answers follow one another at least."""
        return math.ceil(self.items / self.concurrency)

    def __str__(self) -> str:
        weather = f"{self.errors:.0%} errors" if self.errors else "clean"
        weather = f"{self.per_minute} a minute" if self.per_minute else weather
        return f"{self.items} items, {self.concurrency} at once, {weather}"


@dataclass(frozen=True, slots=True)
class Span:
    """What the server saw. Seconds on the clock that all processes of this machine share.

    Attributes:
        canary: how long the first text took, all tries of it.
        began: when the first request after the canary arrived.
        ended: when the last response was sent.
        requests: how many arrived in between, refused ones included.
    """

    canary: float
    began: float
    ended: float
    requests: int

    @property
    def seconds(self) -> float:
        """The time that is compared."""
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Round:
    """One pair of runs."""

    ours: Span
    bare: Span
    ended: Ended
    bare_ended: Ended
    last_row_after: float
    peers: dict[str, Span] = field(default_factory=dict)


class Ground:
    """The servers and folders that all cases share."""

    def __init__(self, messages: MessagesServer, project: Supabase, folder: Path, latency_ms: float) -> None:
        self.messages = messages
        self.project = project
        self.folder = folder
        self.latency_ms = latency_ms
        self._seed_of_errors = 0

    def round(self, case: Case, peers: Sequence[Peer], number: int) -> Round:
        """Run seed-library, then the others with the very same requests; the errors of a round are its own."""
        self._seed_of_errors = number
        self._reset(case)
        ended = self._seed(case)
        log = self.messages.log()
        ours = _span(log)
        stored = self.project.count()
        if stored != case.items:
            raise RuntimeError(f"{stored} rows instead of {case.items}")
        self._reset(case)
        bare_ended = self._loop(log, case)
        bare = _span(self.messages.log())
        spans = {peer.name: self._peer(peer, case) for peer in peers}
        return Round(ours, bare, ended, bare_ended, _last_row(ended) - ours.ended, spans)

    def _reset(self, case: Case) -> None:
        half = case.errors / 2
        faults = [
            {"probability": half, "status": 429, "type": "rate_limit_error"},
            {"probability": half / (1 - half), "status": 529, "type": "overloaded_error"},
        ]
        self.messages.control(clear=True, lenient=False, latency_ms=self.latency_ms)
        self.messages.control(requests_per_minute=case.per_minute)
        self.messages.control(faults=faults if case.errors else [], seed=self._seed_of_errors)
        self.project.reset()

    def _seed(self, case: Case) -> Ended:
        prompts = self.folder / f"prompts-{case.items}"
        if not prompts.is_dir():
            catalogs.bazi_like(prompts, case.items)
        with tempfile.TemporaryDirectory(dir=self.folder) as state:
            settings = {
                **self.messages.environment,
                **self.project.environment,
                "SEED_LIBRARY_PROMPTS_DIR": str(prompts),
                "SEED_LIBRARY_STATE_DIR": state,
            }
            options = ["--budget", "1000", "--concurrency", str(case.concurrency)]
            return seed_library(["--json", "run", catalogs.NAME, *options], settings, self.folder)

    def _loop(self, log: Sequence[dict[str, Any]], case: Case) -> Ended:
        bodies = self.folder / "bodies.json"
        bodies.write_text(json.dumps([entry["body"] for entry in log if entry["status"] == 200]))
        command = [sys.executable, bare_loop.__file__, str(bodies), str(case.concurrency)]
        return measured(command, self.messages.environment, self.folder)

    def _peer(self, peer: Peer, case: Case) -> Span:
        self._reset(case)
        self.messages.control(lenient=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            command = peer.command(self.folder / "bodies.json", case.concurrency, Path(work))
            settings = {**self.messages.environment, **peer.settings}
            ended = measured(
                command, settings, self.folder, _START_SECONDS + _PATIENCE * self.latency_ms / 1000 * case.rows
            )
        self.messages.control(lenient=False)
        log = [entry for entry in self.messages.log() if "finished" in entry]
        if (said := ended.output.splitlines()[-1]) != str(case.items):
            print(f"{peer.name}: {case}: {said}, after {len(log)} requests", file=sys.stderr)
        began, end = min(entry["arrived"] for entry in log), max(entry["finished"] for entry in log)
        return Span(0.0, began, end, len(log))


def _span(log: Sequence[dict[str, Any]]) -> Span:
    canary = next(entry for entry in log if entry["status"] == 200)
    rest = [entry for entry in log if entry["arrived"] > canary["finished"]]
    return Span(
        canary=canary["finished"] - log[0]["arrived"],
        began=min(entry["arrived"] for entry in rest),
        ended=max(entry["finished"] for entry in rest),
        requests=len(rest),
    )


def _last_row(ended: Ended) -> float:
    """When the table had acknowledged the last row, on the clock of the spans."""
    at = datetime.fromisoformat(ended.events("stored")[-1]["at"]).timestamp()
    return at - time.time() + time.monotonic()


def lines_of(case: Case, rounds: Sequence[Round], latency_ms: float) -> Iterator[Line]:
    """Turn the rounds of a case into figures: medians, and medians of the ratios within a round."""

    def ideal(span: Span) -> float:
        paced = case.items * 60 / case.per_minute if case.per_minute else 0.0
        return max(paced, math.ceil(span.requests / case.concurrency) * latency_ms / 1000)

    name = str(case)
    yield Line(
        name, "seed-library : bare loop", _median([one.ours.seconds / one.bare.seconds for one in rounds]), _TARGET
    )
    for peer in rounds[0].peers:
        yield Line(
            name, f"seed-library : {peer}", _median([one.ours.seconds / one.peers[peer].seconds for one in rounds]), 1.0
        )
    yield Line(name, "seed-library : ideal", _median([one.ours.seconds / ideal(one.ours) for one in rounds]))
    yield Line(name, "bare loop : ideal", _median([one.bare.seconds / ideal(one.bare) for one in rounds]))
    yield Line(name, "seed-library, span", _median([one.ours.seconds for one in rounds]), None, "s")
    yield Line(name, "last row after last response", _median([one.last_row_after for one in rounds]), _ROW_SECONDS, "s")
    outside = [one.ended.seconds - one.ours.seconds - one.ours.canary for one in rounds]
    yield Line(name, "process beyond span and canary", _median(outside), _OVERHEAD_SECONDS, "s")
    outside = [one.bare_ended.seconds - one.bare.seconds - one.bare.canary for one in rounds]
    yield Line(name, "the same of the bare loop", _median(outside), None, "s")
    yield Line(name, "CPU, seed-library", _median([one.ended.cpu_seconds for one in rounds]), None, "s")
    yield Line(name, "CPU, bare loop", _median([one.bare_ended.cpu_seconds for one in rounds]), None, "s")
    yield Line(name, "peak memory", _median([one.ended.peak_kib / 1024 for one in rounds]), None, "MiB")


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


@contextmanager
def ground(latency_ms: float) -> Iterator[Ground]:
    """Start the servers, and end them."""
    postgres, messages = Postgres(), MessagesServer(latency_ms)
    project = Supabase(postgres, MIGRATIONS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Ground(messages, project, Path(folder), latency_ms)
    finally:
        project.stop()
        messages.stop()
        postgres.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[180], help="180 2000 for the whole table")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--errors", type=float, nargs="+", default=[0, 0.1], help="shares of 429 and 529")
    parser.add_argument(
        "--limits", type=int, nargs="*", default=[], help="rate limits of the server, requests a minute"
    )
    parser.add_argument("--latency-ms", type=float, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="also other programs, in environments of their own")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    cases = [
        Case(items, concurrency, errors)
        for items in asked.items
        for concurrency in asked.concurrency
        for errors in asked.errors
    ]
    cases += [
        Case(items, concurrency, per_minute=limit)
        for items in asked.items
        for concurrency in asked.concurrency
        for limit in asked.limits
    ]
    rounds: dict[Case, list[Round]] = {case: [] for case in cases}
    with ground(asked.latency_ms) as place:
        for number in range(asked.rounds):
            for case in (case for case in cases if number == 0 or case.items <= _MANY_ITEMS):
                rounds[case].append(place.round(case, PEERS if asked.peers else (), number))
                print(f"round {number + 1}: {case}: {_said(rounds[case][-1])}", file=sys.stderr)
    show([line for case in cases for line in lines_of(case, rounds[case], asked.latency_ms)], asked.json)


def _said(one: Round) -> str:
    others = "".join(f", {name} {span.seconds:.2f} s" for name, span in one.peers.items())
    return f"{one.ours.seconds:.2f} s, bare loop {one.bare.seconds:.2f} s{others}"


if __name__ == "__main__":
    main()
