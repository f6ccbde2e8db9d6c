"""What is given away: `python -m artifacts FILE...` looks into wheels and source archives, with `tests` on the path.

Ends with 1 if one of them holds a secret, a machine path or the host of a registry, or lacks what it has to hold.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from secret_patterns import SELF, found_in

_TEXT = {".py", ".md", ".toml", ".txt", ".sql", ".html", ".csv", ".1", ".json", ".yml", ""}
_WANTED = {
    ".whl": ("seed_library/prompts/bazi_pillars/catalog.toml", "seed_library/data/models.toml", "seed-library.1"),
    ".gz": (
        "seed_library/ports.py",
        "prompts/bazi_pillars/catalog.toml",
        "tests/conftest.py",
        "docs/man/seed-library.1",
    ),
}


def contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the files in a wheel or a source archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            yield from ((name, wheel.read(name)) for name in wheel.namelist())
        return
    with tarfile.open(archive) as source:
        for member in source.getmembers():
            if (file := source.extractfile(member)) is not None:
                yield member.name, file.read()


def faults(archive: Path) -> Iterator[str]:
    """Yield what is wrong with an archive."""
    names = []
    for name, content in contents(archive):
        names.append(name)
        if Path(name).suffix not in _TEXT or Path(name).name in SELF:
            continue
        text = content.decode("utf-8", "replace")
        yield from (f"{name}: {kind}" for kind in found_in(text))
    for wanted in _WANTED[archive.suffix]:
        if not any(name.endswith(wanted) for name in names):
            yield f"{wanted} is missing"


def main() -> int:
    """Look into every archive that is named."""
    found = [f"{file}: {fault}" for file in sys.argv[1:] for fault in faults(Path(file))]
    print("\n".join(found) or f"{len(sys.argv) - 1} archives, nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
