"""A process that holds a target: `python -m adapters.lock_holder FOLDER`.

Prints "held" or why not, then obeys lines: "fork" and "spawn" make a child that lives on and print its pid.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from seed_library.adapters.lock import Holder, TargetLock, holder_of
from seed_library.adapters.process import this_process
from seed_library.adapters.state import TargetFolder
from seed_library.core.errors import TargetLocked

STARTED_AT = "2026-11-23T12:00:00+00:00"


def holder_named(run_id: str) -> Holder:
    """Return a holder record of this process."""
    return holder_of(this_process(), run_id=run_id, started_at=STARTED_AT, command="run", version="0")


def child(kind: str) -> int:
    """Make a child that lives until it is killed, and return its pid."""
    if kind == "spawn":
        code = "import signal; signal.pause()"
        return subprocess.Popen([sys.executable, "-c", code], close_fds=False, stdout=subprocess.DEVNULL).pid
    alive, lives = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(1)  # or the test would wait for the end of our output
        os.write(lives, b".")  # what Python does in a child after a fork is done now
        signal.pause()
    os.read(alive, 1)
    return pid


def main() -> None:
    """Hold the target until stdin closes."""
    lock = TargetLock(TargetFolder(Path(sys.argv[1])), patience_seconds=0)
    try:
        lock.acquire(holder_named("run-of-another-process"), progress=str)
    except TargetLocked as refusal:
        print(refusal.message, flush=True)
        return
    print("held", flush=True)
    for line in sys.stdin:
        print(child(line.strip()), flush=True)


if __name__ == "__main__":
    main()
