"""The one name of a SQLite library that has several: hard links, or a folder that is mounted twice.

Invariant. Whoever locks a library finds the same lock and journal, by whatever name the file is reached, as long as all
use the same state directory. The name is the one by which it was first locked (`STATE_DIR/files/DEVICE-INODE` holds
it), for as long as that still leads to the very same file.

Crash points. The file that holds the name appears whole or not at all (a link to one that is complete). What a crash
leaves behind is a temporary file beside it, or the name of a library that is locked by nobody; both do no harm. A
number that is used again for another file has a name that does not lead there: it gives way.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from seed_library.adapters.private_folders import make_private


def known_name(state_dir: Path, path: str) -> str:
    """Return the name by which a library is locked; its own where it is not known by another one."""
    try:
        entry = _entry(state_dir, path)
        name = os.fsdecode(entry.read_bytes())
        return name if Path(name).samefile(path) else path
    except (OSError, ValueError):
        return path


def claim_name(state_dir: Path, path: str) -> None:
    """Make a library known by this name, unless it is known already. A file that is missing is made, empty.

    Where that is impossible nothing happens: the checks of the target say why.
    """
    with suppress(OSError):
        if not Path(path).exists():
            Path(path).touch()
        entry = _entry(state_dir, path)
        if known_name(state_dir, path) != path:
            return
        make_private(entry.parent)
        part = entry.with_name(f".{secrets.token_hex(8)}")
        try:
            part.write_bytes(os.fsencode(path))
            _put(part, entry, path)
        finally:
            part.unlink(missing_ok=True)


def _put(part: Path, entry: Path, path: str) -> None:
    """Let the entry appear, or take the place of one that leads elsewhere; whoever comes first stays."""
    try:
        os.link(part, entry)
    except FileExistsError:
        name = Path(os.fsdecode(entry.read_bytes()))
        if not name.exists() or not name.samefile(path):
            part.replace(entry)


def _entry(state_dir: Path, path: str) -> Path:
    found = Path(path).stat()
    return state_dir / "files" / f"{found.st_dev}-{found.st_ino}"
