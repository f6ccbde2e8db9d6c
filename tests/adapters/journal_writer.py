"""A process that fills a journal until it is killed: `python -m adapters.journal_writer FOLDER TASKS`.

Prints one line per record as soon as it is acknowledged: its position and its number.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from adapters.journal_records import paid

from seed_library.adapters.journal import JournalFile, open_journal
from seed_library.adapters.state import TargetFolder


async def fill(journal: JournalFile, numbers: count[int]) -> None:
    """Write one record after the other."""
    for number in numbers:
        position = await journal.write(paid(number, text="Süße Größe. " * (number % 40)))
        os.write(1, f"{position} {number}\n".encode())


async def main() -> None:
    """Write with several tasks at once."""
    journal = open_journal(TargetFolder(Path(sys.argv[1])), str).journal
    numbers = count()
    await asyncio.gather(*(fill(journal, numbers) for _ in range(int(sys.argv[2]))))


if __name__ == "__main__":
    asyncio.run(main())
