"""The log of a run: one private file per run, one line per thing that happened, opened by its first line.

The newest logs are kept; a new one pushes the oldest out. A log is for people: what it says is also in the journal,
so a log that cannot be written never stops a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from seed_library.adapters.state import TargetFolder

_KEPT_LOGS = 20
_MODE = 0o600
_POLL_SECONDS = 0.2


class RunLog:
    """Appends lines to the log of one run."""

    def __init__(self, folder: TargetFolder, run_id: str) -> None:
        self._path = folder.log(run_id)
        self._file = -1

    def write(self, line: str) -> None:
        """Append one line; the first one opens the file and prunes the oldest logs.

        Raises:
            OSError: the line could not be written.
        """
        if self._file < 0:
            self._file = open_log(self._path)
            prune(self._path.parent)
        os.write(self._file, line.encode("utf-8", "replace") + b"\n")

    def close(self) -> None:
        """Free the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def open_log(path: Path) -> int:
    """Open a log for appending, private, and return the file descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)


def run_logs(folder: TargetFolder) -> list[Path]:
    """Return the logs of a target, oldest first; run ids sort by time."""
    return sorted(folder.logs.glob("*.log"))


def prune(logs: Path) -> None:
    """Remove all but the newest logs."""
    for old in sorted(logs.glob("*.log"))[:-_KEPT_LOGS]:
        with suppress(OSError):
            old.unlink()


def lines(path: Path, last: int | None = None) -> list[str]:
    """Return the lines of a log, or only the last ones."""
    found = path.read_text("utf-8", "replace").splitlines()
    return found if last is None else found[len(found) - min(last, len(found)) :]


def follow(path: Path, goes_on: Callable[[], bool], sleep: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Yield the lines of a log, and new ones as they come, until its run has ended and all is read."""
    rest = ""
    with path.open(encoding="utf-8", errors="replace") as file:
        while True:
            alive = goes_on()  # asked before reading, so that the last words of a run that just ended are read
            rest += file.read()
            *whole, rest = rest.split("\n")
            yield from whole
            if not alive:
                break
            sleep(_POLL_SECONDS)
    if rest:
        yield rest
