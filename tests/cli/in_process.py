"""The command line within the process of a test: a thousand starts in the time of a few real ones."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOWrapper
from pathlib import Path
from unittest.mock import patch

from processes.program import Ended, Program

from seed_library.adapters.process import STOP_SIGNALS
from seed_library.cli.failures import run_command_line


class Inside(Program):
    """The program in this process."""

    def run(self, *arguments: str, **changes: str) -> Ended:
        """Run the command line with streams and surroundings of its own."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return run_inside(self.folder, arguments, self.environment(**changes))


def run_inside(folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """Run a command line in a folder, with this environment and no other."""
    with _stream() as out, _stream() as err:
        with (
            _as_before(),
            patch.object(sys, "argv", ["seed-library", *arguments]),
            patch.dict(os.environ, environment, clear=True),
            contextlib.chdir(folder),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = int(run_command_line())
        return Ended(code, _written(out), _written(err))


def _stream() -> TextIOWrapper:
    """Return a stream as a bare system has it: a file with a descriptor, in ASCII."""
    return TextIOWrapper(tempfile.TemporaryFile(), encoding="ascii")


def _written(stream: TextIOWrapper) -> str:
    stream.flush()
    with os.fdopen(os.dup(stream.fileno()), "rb") as file:
        file.seek(0)
        return file.read().decode("utf-8")


@contextmanager
def _as_before() -> Iterator[None]:
    """Leave the process as it was: the program owns one of its own."""
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    dispositions = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        logging.setLogRecordFactory(factory)
        root.handlers[:] = handlers
        root.setLevel(level)
        for number, handler in dispositions.items():
            signal.signal(number, handler)
