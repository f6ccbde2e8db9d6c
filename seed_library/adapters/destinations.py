"""Where results are written to: files that people name, whatever stands there already.

Invariant. A regular file holds either what it held before or all of the new content. The content goes into a new file
in the same folder, of a name that nobody can foretell (O_EXCL, not followed), is synced, and takes the place of the old
one by a rename. A link is followed to the file that it names, and stays a link; the file keeps its mode, and its owner
where we may give it away. What is no regular file (a pipe, a terminal, /dev/null) cannot be replaced and is written to.

Crash points. Before the rename: the old file is whole, and a `.seed-library-*.part` may lie beside it. After it: the
new one is whole.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from seed_library.adapters.private_folders import sync_folder
from seed_library.core.errors import UsageInvalid

_NEW_FILE = 0o666  # less the umask, as any program's result
_PRIVATE = 0o600
_PERMISSIONS = 0o777
_MOST_LINKS = 40
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_result(path: Path, lines: Iterable[str]) -> None:
    """Write a result to where somebody wants it, in UTF-8.

    Raises:
        UsageInvalid: it cannot be written there; a file that was there is as it was.
    """
    try:
        _write(path, lines)
    except OSError as error:
        raise _unwritable(path, error) from None


def write_new(path: Path, lines: Iterable[str]) -> None:
    """Write a file that must not be there yet, private and durable: rows are removed on the strength of it.

    Raises:
        UsageInvalid: it is there already, or cannot be written; then nothing is left of it.
    """
    try:
        descriptor = os.open(path, _MAKE, _PRIVATE)
    except FileExistsError:
        raise UsageInvalid(f"{path} exists already.", hint="Name another file.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        _fill(descriptor, lines, durable=True)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            path.unlink()
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def is_stdout(path: Path) -> bool:
    """Whether this is where stdout goes, so that a word of ours would end up among the data."""
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def _write(path: Path, lines: Iterable[str]) -> None:
    place = _followed(path)
    if _is_own_stream(place):
        _fill(os.dup(int(place.name)), lines)
        return
    try:
        there = place.stat()
    except FileNotFoundError:
        _replace(place, None, lines)
        return
    mode = there.st_mode
    if stat.S_ISREG(mode):
        _replace(place, there, lines)
    elif stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        _fill(os.open(place, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC), lines)
    elif stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    else:
        raise OSError(errno.EINVAL, "it is neither a file nor a pipe")


def _followed(path: Path) -> Path:
    """Follow links by hand: what stands behind `/dev/stdout` has no path that could be opened or replaced."""
    for _ in range(_MOST_LINKS):
        if _is_own_stream(path) or not path.is_symlink():
            return path
        path = path.parent.resolve() / path.readlink()
    raise OSError(errno.ELOOP, "too many links")


def _is_own_stream(path: Path) -> bool:
    own = rf"(/proc/{os.getpid()}(/task/\d+)?/fd|/dev/fd)"
    return path.name.isdecimal() and re.fullmatch(own, str(path.parent.resolve())) is not None


def _replace(place: Path, there: os.stat_result | None, lines: Iterable[str]) -> None:
    """Put a new file in the place of the old one, or of none."""
    if there is not None and not _may_write(place):
        raise PermissionError(errno.EACCES, "it is write-protected")
    part = place.with_name(f".seed-library-{secrets.token_hex(8)}.part")
    descriptor = os.open(part, _MAKE, _NEW_FILE if there is None else _PRIVATE)
    try:
        if there is not None:
            _dress_as(descriptor, there)
        _fill(descriptor, lines, durable=True)
        part.replace(place)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    with suppress(OSError):  # a folder that may not be read: the file itself is durable
        sync_folder(place.parent)


def _may_write(place: Path) -> bool:
    return os.access(place, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _dress_as(descriptor: int, there: os.stat_result) -> None:
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (there.st_uid, there.st_gid):
        with suppress(PermissionError):
            os.fchown(descriptor, there.st_uid, there.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(there.st_mode) & _PERMISSIONS)


def _fill(descriptor: int, lines: Iterable[str], *, durable: bool = False) -> None:
    """Write and close. Half of a surrogate pair, which has no form in UTF-8, is written as JSON would escape it."""
    with os.fdopen(descriptor, "wb") as file:
        for line in lines:
            file.write(line.encode("utf-8", "backslashreplace"))
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _unwritable(path: Path, error: OSError) -> UsageInvalid:
    hint = "Free some space, or name another file." if error.errno in _FULL else "Name another file."
    return UsageInvalid(f"{path} cannot be written ({error.strerror or error}).", hint=hint)
