"""A process that wants several targets at once: `python -m adapters.lock_racer GATE FOLDER...`.

Says "ready", waits until somebody opens the gate (a named pipe, which lets all racers go at once), tries all
targets together, and prints one word for each. Holds what it has won until stdin closes.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from adapters.lock_holder import holder_named

from seed_library.adapters.lock import TargetLock
from seed_library.adapters.state import TargetFolder
from seed_library.core.errors import TargetLocked

locks: list[TargetLock] = []


def race(folder: str) -> str:
    """Try to take one target."""
    lock = TargetLock(TargetFolder(Path(folder)), patience_seconds=0.5)
    locks.append(lock)
    try:
        lock.acquire(holder_named("race"), progress=str)
    except TargetLocked:
        return "refused"
    lock.assert_held()
    return "won"


def main() -> None:
    """Race, then hold."""
    with ThreadPoolExecutor(len(sys.argv)) as pool:
        print("ready", flush=True)
        Path(sys.argv[1]).open().close()
        print(*pool.map(race, sys.argv[2:]), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
