"""A process that fills a journal until it is killed: `python -m adapters.journal_writer FOLDER TASKS [MUTANT]`.

Prints one line per record as soon as it is acknowledged: its position and its number. A mutant forgets to sync
something: `data` or `names`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from adapters.journal_records import paid

from seed_library.adapters import journal as journal_module
from seed_library.adapters import private_folders as folders_module
from seed_library.adapters.journal import JournalFile, open_journal
from seed_library.adapters.state import TargetFolder


async def fill(journal: JournalFile, numbers: count[int]) -> None:
    """Write one record after the other."""
    for number in numbers:
        position = await journal.write(paid(number, text="Süße Größe. " * (number % 40)))
        os.write(1, f"{position} {number}\n".encode())


def forget_to_sync(what: str) -> None:
    """Break the journal on purpose."""
    if what == "data":
        journal_module._fdatasync = lambda _: None
    if what == "names":
        for module in (journal_module, folders_module):
            setattr(module, "sync_folder", lambda _: None)  # noqa: B010  one of them only imports it


async def main() -> None:
    """Write with several tasks at once."""
    forget_to_sync(sys.argv[3] if len(sys.argv) > 3 else "")
    folder = TargetFolder(Path(sys.argv[1]))
    folder.create()
    journal = open_journal(folder, str).journal
    numbers = count()
    await asyncio.gather(*(fill(journal, numbers) for _ in range(int(sys.argv[2]))))


if __name__ == "__main__":
    asyncio.run(main())
