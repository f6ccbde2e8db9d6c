"""The exclusive hold on a target: at most one process per target works at any time on this machine.

Invariant. Whoever may send a paid request holds the kernel's lock (flock) on `STATE_DIR/targets/NAME/lock`. The
kernel frees it when the process ends, however it ends; no manual step exists and none is ever needed.

- Only the working process acquires it, and never before a fork. The file is never removed and never written to.
- Deleting the file while it is held would let a second holder in. So the inode of the path is compared with the
  one that is locked before every paid request and every upsert (`assert_held`); a difference ends the run.
- Who holds it is written beside it (`holder.json`), replaced atomically, so readers never see half a record. The
  record tells; it does not decide. Whether somebody holds the lock is judged by the kernel's list of locks, never
  by a pid, which may belong to somebody else by now, and never by acquiring, which could refuse a real start.

Crash points. Killed before the record is written: the lock is free again, the record is the one before. Killed
while holding: the lock is free, the record names a run that did not finish: "interrupted". A process that is only
stopped (SIGSTOP) still holds.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seed_library.adapters.process import ProcessIdentity, start_ticks
from seed_library.adapters.state import TargetFolder, unusable
from seed_library.core.errors import LockLost, TargetLocked

if TYPE_CHECKING:
    from filelock import FileLock

_PATIENCE_SECONDS = 2.0  # long enough that a probe or a dying holder never refuses a start
_MODE = 0o600
_HIGHEST_PID = 2**31 - 1
_LAST_BYTE = 2**62


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a target, or held it last.

    Attributes:
        started_at: ISO time of the start, UTC.
        command: the verb, without arguments.
        journal_start: journal position from which the records of the run that began last follow.
        stopping: why it has been asked to stop, if it has.
    """

    pid: int
    start_ticks: int
    boot_id: str
    host: str
    run_id: str
    started_at: str
    command: str
    version: str
    journal_start: int = 0
    stopping: str = ""


def read_holder(folder: TargetFolder) -> Holder | None:
    """Return the holder record, or None where no run ever held the target, or the record is none."""
    try:
        data = json.loads(folder.holder.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    kinds = Holder.__annotations__ if isinstance(data, dict) else {}
    known = {name: data[name] for name, kind in kinds.items() if type(data.get(name)).__name__ == kind}
    try:
        holder = Holder(**known)
    except TypeError:
        return None
    if not 0 < holder.pid <= _HIGHEST_PID:
        return None
    return holder if 0 <= holder.journal_start <= _LAST_BYTE else replace(holder, journal_start=0)


def is_held(folder: TargetFolder) -> bool:
    """Whether some process holds the lock now. Touches nothing."""
    try:
        inode = folder.lock.stat().st_ino
    except OSError:
        return False
    try:
        listed = Path("/proc/locks").read_text()
    except OSError:
        return _recorded_process_lives(read_holder(folder))
    return any(_is_flock_on(line, inode) for line in listed.splitlines())


def _is_flock_on(line: str, inode: int) -> bool:
    # "1: FLOCK  ADVISORY  WRITE 4711 fe:01:131087 0 EOF". Device numbers differ from `stat` on overlay file
    # systems, so the inode decides: a foreign lock on an equal inode of another disk is a harmless false "held".
    fields = line.split()
    return "FLOCK" in fields and any(field.count(":") == 2 and field.endswith(f":{inode}") for field in fields)  # noqa: PLR2004


def _recorded_process_lives(holder: Holder | None) -> bool:
    """The second-best answer, for systems that do not list their locks."""
    if holder is None:
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _is_running(holder)


class TargetLock:
    """Implements the `RunLock` port with filelock."""

    def __init__(self, folder: TargetFolder, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._folder = folder
        self._patience = patience_seconds
        self._lock: FileLock | None = None
        self._inode = 0
        self._holder: Holder | None = None

    def acquire(self, holder: Holder, *, progress: Callable[[], str]) -> None:
        """Take the lock and write the holder record.

        Args:
            holder: who we are.
            progress: says how far the current holder is; asked only when we are refused.

        Raises:
            TargetLocked: another process holds it.
            JournalUnavailable: the state folder cannot be used.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(
            self._folder.lock,
            timeout=self._patience,
            mode=_MODE,
            thread_local=False,
            preserve_lock_file=True,
            fallback_to_soft=False,
        )
        try:
            lock.acquire()
        except Timeout:
            raise _refusal(self._folder, progress) from None
        except OSError as error:
            raise unusable(self._folder.lock, error) from error
        self._lock = lock
        self._inode = self._folder.lock.stat().st_ino
        before = read_holder(self._folder)
        # Until this run has begun, the journal's last word is that of the run before.
        self._publish(replace(holder, journal_start=before.journal_start if before else 0))

    def begun(self, journal_position: int) -> None:
        """Publish from where in the journal this run's records follow."""
        if self._holder is not None:
            self._publish(replace(self._holder, journal_start=journal_position))

    def stopping(self, reason: str) -> None:
        """Publish that the run has been asked to stop, so that nobody asks it twice."""
        if self._holder is not None:
            self._publish(replace(self._holder, stopping=reason))

    def assert_held(self) -> None:
        """Prove that the path still names the file we have locked.

        Raises:
            LockLost: it was removed or replaced.
        """
        try:
            inode = self._folder.lock.stat().st_ino
        except OSError:
            inode = 0
        if self._lock is None or inode != self._inode:
            raise LockLost(
                f"The lock file {self._folder.lock} was removed or replaced while this run was working.",
                hint="Nothing more is sent; what is paid is in the journal. "
                "Never remove that file: a dead holder frees it by itself.",
            )

    def release(self) -> None:
        """Free the lock. The holder record stays, so that `status` can say what ran last."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _publish(self, holder: Holder) -> None:
        self._holder = holder
        try:
            replace_file(self._folder.holder, json.dumps(asdict(holder)).encode())
        except OSError as error:
            self.release()
            raise unusable(self._folder.holder, error) from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a private file so that readers see the old or the new content, never a part."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        _write_durably(fresh, content)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _refusal(folder: TargetFolder, progress: Callable[[], str]) -> TargetLocked:
    holder = _settled_holder(folder)
    if holder is None:
        return TargetLocked(
            "Another run holds this target.", hint="`seed-library status` shows it. Wait for it, or stop it."
        )
    so_far = progress()
    return TargetLocked(
        f"Another run holds this target: pid {holder.pid} on {holder.host}, `seed-library {holder.command}`, "
        f"since {holder.started_at}{', ' + so_far if so_far else ''} (run {holder.run_id}).",
        hint="Look at it (`seed-library status`), wait for it (--wait-lock SECONDS) or stop it (`seed-library stop`). "
        "Its texts are safe either way; this start has changed nothing.",
    )


def _settled_holder(folder: TargetFolder) -> Holder | None:
    """The record of the process that holds the lock now: it is written a moment after the lock is taken.

    A record that stays stale is not shown, since its pid may belong to an innocent process by now. A record of
    another host (a container beside this one) cannot be judged from here and is believed.
    """
    holder = None
    for _ in range(20):
        holder = read_holder(folder)
        if holder is not None and _is_running(holder):
            return holder
        time.sleep(0.05)
    return holder if holder is not None and holder.host != socket.gethostname() else None


def _is_running(holder: Holder) -> bool:
    return start_ticks(holder.pid) == holder.start_ticks


def holder_of(identity: ProcessIdentity, **run: Any) -> Holder:
    """Join a process identity with what it runs (`run_id`, `started_at`, `command`, `version`)."""
    return Holder(
        pid=identity.pid,
        start_ticks=identity.start_ticks,
        boot_id=identity.boot_id,
        host=identity.host,
        **run,
    )
