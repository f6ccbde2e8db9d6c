"""Folders for nobody else's eyes, whose names survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path

_MODE = 0o700


def make_private(path: Path) -> None:
    """Make a folder, and those above it that are missing; each is made durable."""
    if path.is_dir():
        return
    make_private(path.parent)
    # `Path.mkdir(parents=True)` makes the parents by umask; each level is made private here.
    path.mkdir(mode=_MODE, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable: after a power cut, a synced file whose name was not is gone as a whole."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
