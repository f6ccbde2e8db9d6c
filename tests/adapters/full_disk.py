"""A process on a disk that fills up: `python -m adapters.full_disk FOLDER ROOM [gives]`.

A file size limit stands in for the full disk: the kernel cuts the write that crosses it and refuses the next ones,
as a full file system does, and no privilege is needed to set it. With `gives`, removing the ballast makes room,
as it does on a real disk. Prints what became of each write as JSON.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path, PosixPath
from typing import Any

from adapters.journal_records import intent, paid

from seed_library.adapters.journal import JournalFile, open_journal
from seed_library.adapters.state import BALLAST_BYTES, TargetFolder
from seed_library.core.errors import JournalUnavailable

Outcome = int | str


class Ballast(PosixPath):
    """A ballast whose removal lets the journal grow by its size."""

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove it and lift the limit."""
        super().unlink(missing_ok)
        limit, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit + BALLAST_BYTES, hard))


class GivingFolder(TargetFolder):
    """A target folder whose ballast gives room."""

    @property
    def ballast(self) -> Path:
        """The ballast file."""
        return Ballast(super().ballast)


async def attempt(journal: JournalFile, record: dict[str, Any]) -> Outcome:
    """Write a record; return its position, or what was said."""
    try:
        return await journal.write(record)
    except JournalUnavailable as refusal:
        return f"{refusal.message} {refusal.hint}"


async def main() -> None:
    """Open the journal while there is room, then run out of it."""
    kind = GivingFolder if "gives" in sys.argv else TargetFolder
    folder = kind(Path(sys.argv[1]))
    journal = open_journal(folder, str).journal
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.end + int(sys.argv[2]), hard))
    in_flight = await asyncio.gather(*(attempt(journal, paid(number)) for number in range(8)))
    outcome = {
        "in_flight": in_flight,
        "intent": await attempt(journal, intent(8)),
        "late": await attempt(journal, paid(9)),
        "ballast": folder.ballast.exists(),
    }
    try:
        await journal.aclose()
    except JournalUnavailable as refusal:
        outcome["closing"] = refusal.message
    print(json.dumps(outcome))


if __name__ == "__main__":
    asyncio.run(main())
