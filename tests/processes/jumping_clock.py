"""A program whose clock jumps when it is told so: what a stop (Ctrl-Z, a closed lid) or a long wait is to timeouts."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from processes.program import Program, Running

_HERE = Path(__file__).resolve().parent / "jumping"
_POLL_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class JumpingClock:
    """The clock of one start of the program.

    Attributes:
        step: how many seconds it goes on at each jump.
    """

    program: Program
    step: float

    @property
    def _told(self) -> Path:
        return self.program.folder / "jumps"

    def start(self, *arguments: str) -> Running:
        """Start the program with this clock."""
        return self.program.start(
            *arguments,
            PYTHONPATH=str(_HERE),
            SEED_TEST_JUMP_SECONDS=str(self.step),
            SEED_TEST_JUMPS=str(self._told),
        )

    def let_pass(self, run: Running, seconds: float) -> None:
        """Let so many seconds pass, step by step; the program may act after each. It may end before."""
        for number in range(1, round(seconds / self.step) + 1):
            run.send(signal.SIGCONT)
            while self._jumps() < number and run.process.poll() is None:
                time.sleep(_POLL_SECONDS)

    def _jumps(self) -> int:
        with suppress(OSError, ValueError):
            return int(self._told.read_text())
        return 0


def stop(run: Running) -> None:
    """Stop a program as Ctrl-Z does, and return when it stands."""
    run.send(signal.SIGSTOP)
    os.waitid(os.P_PID, run.pid, os.WSTOPPED | os.WNOWAIT)
