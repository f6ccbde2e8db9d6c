"""What no file can be called, told before a system call fails at it. Files are looked for elsewhere."""

from __future__ import annotations

_LONGEST_NAME = 255  # bytes, as on nearly every file system
_LONGEST_PATH = 4095  # bytes (Linux)


def path_fault(path: str) -> str:
    """Say why a path cannot be that of a file; empty where it can. Names need not be UTF-8."""
    if not path.strip():
        return "names no file"
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "holds half a character, which no file name has"
    if b"\0" in raw:
        return "holds a NUL character, which no file name has"
    if max(map(len, raw.split(b"/"))) > _LONGEST_NAME:
        return f"holds a name longer than {_LONGEST_NAME} bytes"
    return f"is longer than {_LONGEST_PATH} bytes" if len(raw) > _LONGEST_PATH else ""
