"""Lets time jump in a process that finds this module on its path when it starts.

Each SIGCONT is a jump of SEED_TEST_JUMP_SECONDS on the clock that timeouts are measured with, as if the process had
been stopped for so long. How many jumps there were is written to the file SEED_TEST_JUMPS. No timeout of the program
has to be known or changed for that, and nobody has to wait for it.

A process that was stopped in epoll_wait finds itself interrupted when it goes on (signal(7)), and Python asks again
for what is left of the time. If nothing is left, it reports no event, whatever has arrived: here as well.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from pathlib import Path
from typing import Any

_monotonic, _select = time.monotonic, selectors.EpollSelector.select
_seconds = float(os.environ.get("SEED_TEST_JUMP_SECONDS", "0"))
_jumps = 0
_waiting = False


class _Interrupted(Exception):
    """Time has jumped while the process waited."""


def _jump(*_: object) -> None:
    global _jumps, _waiting  # noqa: PLW0603  one clock in one process
    waited, _waiting = _waiting, False  # before it is told: the next jump may come at once
    _jumps += 1
    Path(os.environ["SEED_TEST_JUMPS"]).write_text(str(_jumps))
    if waited:
        raise _Interrupted


def _ahead() -> float:
    return _monotonic() + _jumps * _seconds


def _select_until(selector: selectors.EpollSelector, timeout: float | None = None) -> list[Any]:
    global _waiting  # noqa: PLW0603  as above
    deadline = None if timeout is None else _ahead() + timeout
    while True:
        try:
            _waiting = True
            events = _select(selector, timeout)
            _waiting = False
        except _Interrupted:
            if deadline is not None and (timeout := deadline - _ahead()) < 0:
                return []
        else:
            return events


if _seconds:
    time.monotonic = _ahead
    selectors.EpollSelector.select = _select_until  # type: ignore[method-assign,assignment]  # the point of all this
    signal.signal(signal.SIGCONT, _jump)
