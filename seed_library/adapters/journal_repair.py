"""What of a journal is not understood: copied aside before anybody writes after it, named once, never read.

Invariant. Nothing is cut off the journal, and nothing in it is passed over in a run, but that a copy of it is in the
folder `damaged`, by its position and checksum.

Crash points. Between a copy and the cut: both are there, and the next run copies nothing twice. After the cut, before
anything is said: the copy is there, the journal is whole.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from seed_library.adapters.journal_lines import Damage
from seed_library.adapters.state import TargetFolder
from seed_library.core.errors import JournalUnavailable
from seed_library.core.journal_records import VERSION
from seed_library.core.ledger import Ledger
from seed_library.core.pricing import usd
from seed_library.core.unread import Unread
from seed_library.ports import Check

_FILE_MODE = 0o600
_MOST_NAMED = 10
_PIECE = 1024 * 1024


def written_by_a_newer_version(path: Path, version: int) -> JournalUnavailable:
    """Return the refusal to write into a journal that a newer program has written."""
    return JournalUnavailable(
        f"The journal {path} was written by a newer version of seed_library (journal version {version}; this one "
        f"writes {VERSION}).",
        hint="Update seed_library on this machine. Nothing was sent, and nothing in the journal was touched.",
    )


def journal_check(folder: TargetFolder, ledger: Ledger) -> Check:
    """Say whether a run could write into the journal that was read so, and what of it is not understood."""
    if ledger.version > VERSION:
        refusal = written_by_a_newer_version(folder.journal, ledger.version)
        return Check("journal", ok=False, message=refusal.message, hint=refusal.hint)
    if not ledger.unread:
        return Check("journal", ok=True, message="everything in it is understood")
    places = ", ".join(str(one.position) for one in ledger.unread[:_MOST_NAMED])
    anew = len(ledger.unread_anew)
    return Check(
        "journal",
        ok=True,
        message=f"{len(ledger.unread):,} records of {folder.journal} are not understood (at byte {places})",
        hint=f"A run copies them to {folder.damaged} and counts what they may have cost." if anew else "",
    )


def set_aside(folder: TargetFolder, ledger: Ledger, damage: Damage) -> tuple[str, ...]:
    """Copy what cannot be read, cut off a torn tail, and return what is to be said: of what was not copied before."""
    anew = [one for one in ledger.unread_anew if _copy_aside(folder, one.position, one.size)]
    said = [_sentence(folder, one, ledger.may_have_cost(one)) for one in anew[:_MOST_NAMED]]
    if len(anew) > len(said):
        said.append(
            f"{len(anew) - len(said):,} more records of the journal are not understood; copies are in {folder.damaged}."
        )
    if damage.torn_at is not None:
        with folder.journal.open("r+b") as file:
            _copy_aside(folder, damage.torn_at, file.seek(0, os.SEEK_END) - damage.torn_at)
            file.truncate(damage.torn_at)
            os.fsync(file.fileno())
        said.append("The end of the journal was incomplete (a crash or a full disk); it was set aside.")
    return tuple(said)


def _sentence(folder: TargetFolder, one: Unread, cost: int | None) -> str:
    said = f"The journal has a record at byte {one.position} that is not understood: {one.reason}."
    said += f" A copy is in {folder.damaged}."
    if cost is None:
        said += " What was billed for it, if anything, nobody can tell."
    elif cost:
        said += f" Up to ${usd(cost):.4f} may have been billed for it, and count."
    return said + (" If it held a paid text, that text will be asked for again." if one.costly else "")


def _copy_aside(folder: TargetFolder, position: int, size: int) -> bool:
    """Keep a copy of a piece of the journal; False when it has been kept before."""
    folder.damaged.mkdir(mode=0o700, exist_ok=True)
    with folder.journal.open("rb") as file:
        pieces = _pieces(file, position, size)
        crc = 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
        copy = folder.damaged / f"{position}-{crc:08x}"
        if copy.exists() and copy.stat().st_size == size:
            return False
        copy.touch(mode=_FILE_MODE)
        with copy.open("wb") as kept:
            kept.writelines(_pieces(file, position, size))
    return True


def _pieces(file: IO[bytes], position: int, size: int) -> Iterator[bytes]:
    file.seek(position)
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece
