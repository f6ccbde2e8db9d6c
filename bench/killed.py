"""What does a kill -9 half way cost? How often is a request that was answered before asked again by the next start?

Each program is killed when the server has answered half of its requests, and started again until it says that it is
done. The server counts. One that is killed may have as many requests in flight as its concurrency; what goes beyond
that was paid for, and thrown away.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from servers.processes import MessagesServer
from servers.supabase import MIGRATIONS, Postgres, Supabase

from bench import catalogs
from bench.peers import PEERS
from bench.tables import Line, show

_OURS = "seed-library"
_LATENCY_MS = 200


class Contest:
    """The servers, and the requests that everybody sends."""

    def __init__(self, messages: MessagesServer, project: Supabase, folder: Path, items: int, concurrency: int) -> None:
        self.messages, self.project, self.folder = messages, project, folder
        self.items, self.concurrency = items, concurrency
        self._prompts = folder / "prompts"
        catalogs.bazi_like(self._prompts, items)

    def commands(self, work: Path) -> Iterator[tuple[str, Sequence[str], Mapping[str, str]]]:
        """Yield name, command and settings of each program; ours comes first, its requests are those of the others."""
        options = ["--budget", "1000", "--concurrency", str(self.concurrency), "--json"]
        ours = [sys.executable, "-m", "seed_library", "run", catalogs.NAME, *options]
        state = {"SEED_LIBRARY_PROMPTS_DIR": str(self._prompts), "SEED_LIBRARY_STATE_DIR": str(work / "state")}
        yield _OURS, ours, {**self.project.environment, **state}
        for peer in PEERS:
            place = work / peer.name
            place.mkdir()
            yield peer.name, peer.command(self.folder / "bodies.json", self.concurrency, place), peer.settings

    def asked_again(self, command: Sequence[str], settings: Mapping[str, str]) -> int:
        """Kill a program half way, start it until it is done, and return how many requests were more than needed."""
        self.messages.control(clear=True, latency_ms=_LATENCY_MS, lenient=True)
        self.project.reset()
        first = self._start(command, settings)
        while self._answered() < self.items / 2:
            if first.poll() is not None:
                raise RuntimeError(f"{command[1]} ended before it was killed")
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        if self._start(command, settings).wait() != 0:
            raise RuntimeError(f"{command[1]} does not go on")
        return len(self.messages.billed()) - self.items

    def keep_bodies(self) -> None:
        """Keep one request per prompt for the other programs."""
        bodies = {entry["prompt"]: entry["body"] for entry in self.messages.log()}
        (self.folder / "bodies.json").write_text(json.dumps(list(bodies.values())))

    def _answered(self) -> int:
        return len(self.messages.billed())

    def _start(self, command: Sequence[str], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.messages.environment, **settings}
        silent = subprocess.DEVNULL
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=silent, stderr=silent, start_new_session=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=180)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    again: dict[str, list[int]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres, messages = Postgres(), MessagesServer()
        stack.callback(postgres.stop)
        stack.callback(messages.stop)
        project = Supabase(postgres, MIGRATIONS)
        stack.callback(project.stop)
        contest = Contest(messages, project, folder, asked.items, asked.concurrency)
        for number in range(asked.rounds):
            work = folder / str(number)
            work.mkdir()
            for name, command, settings in contest.commands(work):
                again.setdefault(name, []).append(contest.asked_again(command, settings))
                print(f"round {number + 1}: {name}: {again[name][-1]} asked again", file=sys.stderr)
                if name == _OURS:
                    contest.keep_bodies()
    case = f"{asked.items} items, {asked.concurrency} at once, killed half way"
    targets: dict[str, float] = {_OURS: asked.concurrency}
    lines = [
        Line(case, f"paid twice, {name}", statistics.median(counts), targets.get(name), "requests")
        for name, counts in again.items()
    ]
    show(lines, asked.json)


if __name__ == "__main__":
    main()
