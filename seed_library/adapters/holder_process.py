"""The process that holds a target, as something to signal and to wait for.

A pid may belong to somebody else by now. So a pidfd is opened first and the start ticks are compared after that:
while the pidfd is open it means one process only, whatever happens to the number. Only then is a signal sent.
"""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path
from typing import Self

from seed_library.adapters.lock import Holder, is_held, read_holder
from seed_library.adapters.process import start_ticks
from seed_library.adapters.state import TargetFolder
from seed_library.core.errors import UsageInvalid


class HolderProcess:
    """A live process that holds a target. Use it as a context manager; it keeps a file descriptor."""

    def __init__(self, holder: Holder, pidfd: int) -> None:
        self.holder = holder
        self._pidfd = pidfd

    @property
    def is_frozen(self) -> bool:
        """Whether it is stopped (SIGSTOP) and heeds no other signal until it is continued."""
        try:
            stat = Path(f"/proc/{self.holder.pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] in {"T", "t"}

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process is gone.

        Raises:
            UsageInvalid: it belongs to another user.
        """
        try:
            signal.pidfd_send_signal(self._pidfd, number)
        except ProcessLookupError:
            return
        except PermissionError:
            raise UsageInvalid(
                f"The run (pid {self.holder.pid}) belongs to another user.", hint="Ask as that user, or as root."
            ) from None

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False when it still lives after so many seconds."""
        ready, _, _ = select.select([self._pidfd], [], [], seconds)
        return bool(ready)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Free the file descriptor."""
        os.close(self._pidfd)


def find_holder(folder: TargetFolder) -> HolderProcess | None:
    """Return the process that holds a target now, or None."""
    holder = read_holder(folder) if is_held(folder) else None
    if holder is None:
        return None
    try:
        pidfd = os.pidfd_open(holder.pid)
    except OSError:
        return None
    if start_ticks(holder.pid) != holder.start_ticks:
        os.close(pidfd)
        return None
    return HolderProcess(holder, pidfd)
