"""The program as its users start it: a process of its own, with its own environment and state directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_WORD = "seed_library"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished process left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Every line of stdout, as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> dict[str, Any]:
        """The last line of stdout, as JSON."""
        return self.documents[-1]

    @property
    def error(self) -> dict[str, str]:
        """The failure that was reported under --json."""
        failures = [document["error"] for document in self.documents if "error" in document]
        assert failures, (self.code, self.out, self.err)
        found: dict[str, str] = failures[-1]
        return found


class Running:
    """A process that has not ended yet. Its events arrive line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def wait_for(self, name: str, count: int = 1) -> dict[str, Any] | None:
        """Read events until the n-th of this name; None when the process ends before."""
        seen = 0
        while event := self.next_event():
            seen += event.get("event") == name
            if seen == count:
                return event
        return None

    def next_event(self) -> dict[str, Any] | None:
        """Read one event; None when there are no more."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.endswith("\n"):
            return None
        self.events.append(json.loads(line))
        return self.events[-1]

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.send(signal.SIGKILL)
        self.end()

    def end(self) -> Ended:
        """Wait for the end and return what was not read yet."""
        out, err = self.process.communicate(timeout=100)
        return Ended(self.process.returncode, out, err)


@contextmanager
def served(running: Running) -> Iterator[str]:
    """Give the address of the page of a `review --json`, and end it."""
    try:
        first = running.next_event()
        assert first is not None, running.end()
        yield first["address"]
    finally:
        if running.process.poll() is None:
            running.kill()


@dataclass(slots=True)
class Program:
    """How to start the program."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self.folder / "state"

    def environment(self, **changes: str) -> dict[str, str]:
        """Return the environment of a start; an empty change takes a setting away."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "NO_PROXY", "LANG") if name in os.environ}
        wanted = {"SEED_LIBRARY_STATE_DIR": str(self.state), **self.settings, **changes}
        return {name: value for name, value in {**kept, **wanted}.items() if value}

    def make_catalog(self, name: str, more: str) -> None:
        """Make a new catalog, with more in its catalog.toml; its own locales are meant from then on."""
        self.settings.pop("SEED_LIBRARY_LOCALES", None)
        assert self.run("catalogs", "new", name).code == 0
        toml = self.folder / "prompts" / name / "catalog.toml"
        toml.write_text(toml.read_text("utf-8") + more, "utf-8")

    def start(self, *arguments: str, **changes: str) -> Running:
        """Start it and return at once."""
        process = subprocess.Popen(
            [sys.executable, "-m", _WORD, *arguments],
            cwd=self.folder,
            env=self.environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Running(process)

    def run(self, *arguments: str, **changes: str) -> Ended:
        """Start it and wait for its end."""
        return self.start(*arguments, **changes).end()
