"""Starting the program as a process that needs not import everything anew.

Importing the vendors takes a second of CPU, more than a whole trial. So one server process imports them and forks a
child for every start (multiprocessing's own fork server, which has no threads when it forks). From there on the child
is a process like any other: its own pid, files, lock, signals and end. What it cannot show, the start of the
interpreter itself, the other process tests show.

Some starts are made harder: on a full disk, with a state folder that cannot be written, with a clock that jumps.
"""

from __future__ import annotations

import ctypes
import fcntl
import multiprocessing
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any

from processes.program import Program, Running

from chaos.mutants import MUTANTS

_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION = 0x20080522
_END_SECONDS = 100
_NARROW = 4096  # bytes


@dataclass(frozen=True, slots=True)
class Hardship:
    """What makes a start harder.

    Attributes:
        room: no file grows longer than this many bytes; None: there is no limit.
        powerless: file permissions hold for root, too.
        clock: a file that says by how many seconds the wall clock is wrong; it is read at every look at the clock. When
            the process goes on after a stop, as many seconds have passed on all of its clocks.
        mutant: which promise the program breaks on purpose (see `mutants`).
        narrow: the pipe behind its stdout takes a few lines, and then waits for a reader.
    """

    room: int | None = None
    powerless: bool = False
    clock: str = os.devnull
    mutant: str = ""
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class _Start:
    arguments: tuple[str, ...]
    folder: str
    environment: dict[str, str]
    hardship: Hardship


class Forked:
    """A started child, with what is used of `subprocess.Popen`."""

    def __init__(self, process: BaseProcess, out: int, err: int) -> None:
        self._process = process
        self.pid = process.pid or 0
        self._handle = os.pidfd_open(self.pid)  # the server reaps its children, and their pids go to others
        self.stdout: IO[str] = os.fdopen(out, encoding="utf-8")
        self._stderr = err

    @property
    def returncode(self) -> int | None:
        """The exit code, the negative number of the signal that killed it, or None."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code, if there is one."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal; a child that has ended gets none."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def communicate(self, timeout: float = _END_SECONDS) -> tuple[str, str]:
        """Read the rest of both streams, and wait for the end."""
        out = self.stdout.read()
        self.stdout.close()
        with os.fdopen(self._stderr, "rb") as file:
            file.seek(0)
            err = file.read().decode()
        self._process.join(timeout)
        os.close(self._handle)
        return out, err


@dataclass(slots=True)
class Forking(Program):
    """The program, started by forking. The settings of each start are complete."""

    hardship: Hardship = field(default_factory=Hardship)

    def start(self, *arguments: str, **changes: str) -> Running:
        """Start it and return at once."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["chaos.preloaded", "chaos.starting"])
        reading, writing = context.Pipe(duplex=False)
        err_path = self.folder / f"stderr-{time.monotonic_ns()}"
        err = os.open(err_path, os.O_RDWR | os.O_CREAT, 0o600)
        start = _Start(arguments, str(self.folder), self.environment(**changes), self.hardship)
        process = context.Process(target=_child, args=(start, writing, str(err_path)))
        process.start()
        writing.close()
        out = os.dup(reading.fileno())
        if self.hardship.narrow:
            fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, _NARROW)
        return Running(Forked(process, out, err))  # type: ignore[arg-type]  # as far as it is used


def _child(start: _Start, writing: Connection, err_path: str) -> None:
    """Become the program."""
    os.environ.clear()
    os.environ.update(start.environment)
    os.chdir(start.folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(writing.fileno(), 1)
    os.dup2(os.open(err_path, os.O_WRONLY | os.O_APPEND), 2)
    writing.close()
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _suffer(start.hardship)
    sys.argv = ["seed-library", *start.arguments]
    from seed_library.__main__ import main

    main()


def _suffer(hardship: Hardship) -> None:
    if hardship.room is not None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hardship.room, hard))
    if hardship.powerless:
        _drop_override()
    _let_clock_jump(Path(hardship.clock))
    if hardship.mutant:
        MUTANTS[hardship.mutant]()


def _drop_override() -> None:
    """Give up root's right to pass over permissions (capabilities(7)); does nothing for anybody else."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for place in range(3):  # effective, permitted, inheritable
        sets[place] &= ~(1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH)
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def _let_clock_jump(file: Path) -> None:
    from seed_library.adapters.clock import SystemClock

    real = time.time

    def wrong_by() -> float:
        return float(file.read_text() or 0)

    def now(_: Any) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=wrong_by())

    steady, slept = time.monotonic, 0.0

    def wake(*_: object) -> None:
        nonlocal slept
        slept = max(slept, wrong_by())

    time.monotonic = lambda: steady() + slept
    signal.signal(signal.SIGCONT, wake)
    time.time = lambda: real() + wrong_by()
    SystemClock.now = now  # type: ignore[method-assign,assignment]  # the child is about to be the program, with this clock
