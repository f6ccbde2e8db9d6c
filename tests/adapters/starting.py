"""Starting the small programs beside the tests as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


@contextmanager
def started(module: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run `adapters.MODULE` with pipes to stdin and stdout; kill it at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", f"adapters.{module}", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Send a line; a process that is gone does not hear it."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(line + "\n")
        process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    """Wait for a line."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"it ended with {process.wait()} and without a word"
    return line.strip()
