"""Who this process is, whether another one still lives, and how signals ask a run to stop."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from seed_library.core.errors import ExitCode

# Field 22 of /proc/PID/stat, counted after the command name in parentheses, which may itself hold blanks.
_START_TICKS_AFTER_NAME = 19


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """What tells a process from every other one, even from a later one with the same pid.

    Attributes:
        start_ticks: clock ticks between boot and its start; 0 where the system does not say.
        boot_id: changes with every boot; empty where the system does not say.
    """

    pid: int
    start_ticks: int
    boot_id: str
    host: str


def this_process() -> ProcessIdentity:
    """Return the identity of the running process."""
    pid = os.getpid()
    return ProcessIdentity(pid, start_ticks(pid), _boot_id(), socket.gethostname())


def start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 when it is gone or the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return int(fields[_START_TICKS_AFTER_NAME])


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals(on_first: Callable[[str], None], say: Callable[[str], None]) -> Iterator[None]:
    """Turn the first stop signal into a call of `on_first` with its name; leave at once on the second one.

    Handlers are installed before the lock is taken, so no moment exists at which a signal would end a holder
    without a word. Leaving at once loses nothing that is paid and journalled: the journal needs no clean end.
    """
    seen: list[str] = []

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature is Python's
        name = signal.Signals(number).name
        if seen:
            with suppress(OSError, RuntimeError):  # nobody may be listening; a write of ours may be interrupted
                say(f"{name} again: leaving at once. What was in flight may have been billed; the next run counts it.")
            os._exit(ExitCode.INTERRUPTED)
        seen.append(name)
        on_first(name)

    heeded = [number for number in STOP_SIGNALS if not _is_nohup(number)]
    before = {number: signal.signal(number, handle) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deaf_afterwards() -> Iterator[None]:
    """Let no stop signal take the place of an exit code that is decided: what is left to do is to end."""
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


class SignalToEnd(KeyboardInterrupt):
    """A signal that asks a program to end, at the place where it is; asyncio lets only interrupts through."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP end what is inside, which then cleans up.

    Nothing but the end is left to do: after SIGINT this returns, which is how a program that waits is left; after the
    others the process ends by the signal, as it would without us.
    """

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature is Python's
        raise SignalToEnd(number)

    heeded = [number for number in STOP_SIGNALS if number is not signal.SIGINT and not _is_nohup(number)]
    before = {number: signal.signal(number, handle) for number in heeded}
    ended_by = signal.SIGINT
    try:
        yield
    except SignalToEnd as end:
        ended_by = signal.Signals(end.number)
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if ended_by is not signal.SIGINT:
        signal.raise_signal(ended_by)


def _is_nohup(number: signal.Signals) -> bool:
    """Whether the caller has chosen that a hangup is to be ignored, as nohup does."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
