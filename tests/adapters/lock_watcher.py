"""A process that asks without pause whether a target is held: `python -m adapters.lock_watcher FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from seed_library.adapters.lock import is_held
from seed_library.adapters.state import TargetFolder


def main() -> None:
    """Look until killed."""
    folder = TargetFolder(Path(sys.argv[1]))
    print("looking", flush=True)
    while True:
        is_held(folder)


if __name__ == "__main__":
    main()
