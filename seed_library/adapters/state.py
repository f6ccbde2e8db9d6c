"""The state directory: where a target's lock, holder record, journal and logs live.

    STATE_DIR/targets/NAME/lock           the lock file; never removed
    STATE_DIR/targets/NAME/holder.json    who holds it, or held it last
    STATE_DIR/targets/NAME/journal.jsonl  everything asked, paid, judged and stored
    STATE_DIR/targets/NAME/damaged/       damaged pieces of the journal, set aside
    STATE_DIR/targets/NAME/ballast        space that is given back when the disk fills up
    STATE_DIR/targets/NAME/logs/          one log per run
    STATE_DIR/files/DEVICE-INODE          the name by which a SQLite library is locked (`sqlite_names`)

Folders are 0700, files 0600, whatever the umask says: texts and costs are nobody else's business.
"""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from seed_library.adapters.private_folders import make_private
from seed_library.adapters.sqlite_names import known_name
from seed_library.core.errors import JournalUnavailable
from seed_library.core.targets import SqliteAddress, Target
from seed_library.ports import Check

BALLAST_BYTES = 4 * 1024 * 1024
_BYTES_PER_OPEN_ITEM = 20_000  # a German text with its raw message, intent, judgement: 4 kB; five times that


@dataclass(frozen=True, slots=True)
class TargetFolder:
    """The folder of one target in the state directory."""

    path: Path

    @property
    def lock(self) -> Path:
        """The lock file."""
        return self.path / "lock"

    @property
    def holder(self) -> Path:
        """The holder record."""
        return self.path / "holder.json"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.path / "journal.jsonl"

    @property
    def damaged(self) -> Path:
        """The folder of what could not be understood of the journal: copies, named by position and checksum."""
        return self.path / "damaged"

    @property
    def ballast(self) -> Path:
        """The ballast file."""
        return self.path / "ballast"

    @property
    def logs(self) -> Path:
        """The folder of the runs' logs."""
        return self.path / "logs"

    def log(self, run_id: str) -> Path:
        """The log of one run."""
        return self.logs / f"{run_id}.log"

    def create(self) -> None:
        """Make the folder, private, level by level.

        Raises:
            JournalUnavailable: it cannot be made or written, or belongs to somebody else.
        """
        try:
            make_private(self.logs)
        except OSError as error:
            raise unusable(self.path, error) from error
        if self.path.stat().st_uid != os.geteuid():
            raise JournalUnavailable(
                f"The state folder {self.path} belongs to another user.",
                hint="Run as that user, or set SEED_LIBRARY_STATE_DIR to a folder of your own.",
            )
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise unusable(self.path, PermissionError(13, "Permission denied"))


def target_folder(state_dir: Path, target: Target) -> TargetFolder:
    """Return the folder of a target; it need not exist. A library with several names has one folder."""
    if isinstance(target.address, SqliteAddress):
        target = replace(target, address=SqliteAddress(known_name(state_dir, target.address.path)))
    return TargetFolder(state_dir / "targets" / target.folder_name)


def unusable(path: Path, error: OSError) -> JournalUnavailable:
    """Say that the state directory cannot be used, and why."""
    return JournalUnavailable(
        f"The state folder {path} cannot be written: {error.strerror or error}.",
        hint="Nothing was sent. Make the folder writable, free some space, or set SEED_LIBRARY_STATE_DIR.",
    )


def space_check(folder: TargetFolder, open_items: int) -> Check:
    """Check that the journal of a run over this many items fits on the disk."""
    try:
        place = next(parent for parent in (folder.path, *folder.path.parents) if parent.exists())
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        refusal = unusable(folder.path, error)
        return Check("disk space", ok=False, message=refusal.message, hint=refusal.hint)
    needed = BALLAST_BYTES + open_items * _BYTES_PER_OPEN_ITEM
    free = shutil.disk_usage(place).free
    if free >= needed:
        return Check("disk space", ok=True, message=f"{_mib(free)} MiB free for the journal in {folder.path}")
    return Check(
        "disk space",
        ok=False,
        message=f"only {_mib(free)} MiB free in {folder.path}; the journal may need {_mib(needed)} MiB",
        hint="Free some space, select fewer items with --limit, or set SEED_LIBRARY_STATE_DIR to a larger disk.",
    )


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:,.0f}"
