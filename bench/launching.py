"""Starting a program and measuring it from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Like the program's own entry point; at the end it leaves the peak of its memory. `ru_maxrss` would not do: a child
# inherits the parent's figure.
_SEED_LIBRARY = """
import atexit, os, pathlib
from seed_library.__main__ import main

def leave_peak():
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(os.environ["BENCH_PEAK"]).write_text(status.partition("VmHWM:")[2].split()[0])

atexit.register(leave_peak)
main()
"""
KILLED = "killed: it took too long"
_SETTINGS = ("ANTHROPIC_", "SUPABASE_", "SEED_LIBRARY_")


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended.

    Attributes:
        seconds: from its start to its end.
        cpu_seconds: user and system time.
        peak_kib: the most memory it held.
        output: what it printed to stdout.
    """

    seconds: float
    cpu_seconds: float
    peak_kib: int
    output: str

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of a `run --json` by their name."""
        lines = (json.loads(line) for line in self.output.splitlines())
        return [line for line in lines if line.get("event") == name]


def seed_library(arguments: Sequence[str], settings: Mapping[str, str], folder: Path) -> Ended:
    """Run seed-library in an empty folder, with these settings only.

    Raises:
        RuntimeError: its exit code was not 0.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        peak = Path(place) / "peak"
        command = [sys.executable, "-c", _SEED_LIBRARY, *arguments]
        ended = measured(command, {**settings, "BENCH_PEAK": str(peak)}, Path(place))
        return Ended(ended.seconds, ended.cpu_seconds, int(peak.read_text()), ended.output)


def measured(
    command: Sequence[str], settings: Mapping[str, str], folder: Path, most_seconds: float | None = None
) -> Ended:
    """Run a command and measure it. One that takes longer than the most is killed; its output says so.

    Raises:
        RuntimeError: its exit code was not 0.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    environment = {**kept, **settings}
    with tempfile.TemporaryFile("w+", dir=folder) as output, tempfile.TemporaryFile("w+", dir=folder) as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=errors)
        timer = threading.Timer(most_seconds or 0, process.kill)
        if most_seconds is not None:
            timer.start()
        _, status, used = os.wait4(process.pid, 0)
        timer.cancel()
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        said = output.read()
        if process.returncode == -signal.SIGKILL and most_seconds is not None:
            said += f"\n{KILLED}"
        elif process.returncode:
            raise RuntimeError(f"{command[-1]} ended with {process.returncode}: {said[-2000:]} {errors.read()[-2000:]}")
    return Ended(seconds, used.ru_utime + used.ru_stime, 0, said)
