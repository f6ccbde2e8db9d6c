"""The command line within the process of a test: a thousand starts in the time of a few real ones."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from seed_library.cli.failures import run_command_line


@dataclass(frozen=True, slots=True)
class Answered:
    """What a start left."""

    code: int
    out: str
    err: str


@contextmanager
def _as_before() -> Iterator[None]:
    """Leave the process as it was: the program owns one of its own."""
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        logging.setLogRecordFactory(factory)
        root.handlers[:] = handlers
        root.setLevel(level)


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> Answered:
    """Run a command line with this environment and no other."""
    out, err = io.StringIO(), io.StringIO()
    with (
        _as_before(),
        patch.object(sys, "argv", ["seed-library", *arguments]),
        patch.dict(os.environ, environment, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run_command_line()
    return Answered(int(code), out.getvalue(), err.getvalue())
