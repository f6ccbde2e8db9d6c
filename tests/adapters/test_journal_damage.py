"""A damaged journal loses at most the damaged lines, says so, and deletes nothing."""

from __future__ import annotations

import os
import random
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from adapters.journal_records import begun, intent, judged, paid, stored, target_folder_in, write_journal

from seed_library.adapters.journal import open_journal
from seed_library.adapters.journal_lines import Damage, encode, read_ledger, read_record, records
from seed_library.adapters.state import TargetFolder
from seed_library.core.errors import JournalUnavailable
from seed_library.core.redaction import Redactor

WHOLE = [begun(), *(one for number in range(6) for one in (intent(number), paid(number), judged(number)))]
LAST = encode(paid(6))


@pytest.fixture
def folder(tmp_path: Path) -> TargetFolder:
    """A target folder whose journal holds the records of `WHOLE`."""
    folder = target_folder_in(tmp_path)
    write_journal(folder, *WHOLE)
    return folder


@pytest.fixture
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


async def _repaired(folder: TargetFolder) -> tuple[str, ...]:
    """Open the journal, add a record to see that it can be used, close it, and return what was said."""
    opened = open_journal(folder, Redactor())
    position = await opened.journal.write(paid(99))
    await opened.journal.aclose()
    assert read_record(folder.journal, position) == paid(99)
    return opened.repairs


def _kept_aside(folder: TargetFolder) -> list[bytes]:
    return [copy.read_bytes() for copy in sorted((folder.path / "damaged").glob("*"))]


async def test_a_line_torn_at_any_byte_is_set_aside_and_cut_off(folder: TargetFolder) -> None:
    """Whatever part of the last line reached the disk: everything before it is whole and stays."""
    whole = folder.journal.read_bytes()
    for cut in range(1, len(LAST)):
        folder.journal.write_bytes(whole + LAST[:cut])
        ledger, damage = read_ledger(folder.journal)
        assert (ledger.spent, damage.torn_at, damage.lines) == (6_000, len(whole), [])
        (said,) = await _repaired(folder)
        assert "incomplete" in said
        assert folder.journal.read_bytes() == whole + encode(paid(99))
        assert LAST[:cut] in _kept_aside(folder)


@pytest.mark.parametrize(
    "tail",
    [
        LAST[:-9] + b"\x00" * 8 + b"\n",
        b"\x00" * 512,
        LAST.replace(b"Gr", b"gr"),
        b"\n",
        LAST[:100] + b"\xff" * 50,
        LAST.replace(b"Gr", b"gr") + LAST[:-9] + b"\x00" * 8 + b"\n",
    ],
    ids=["sector of zeros", "only zeros", "changed text", "empty line", "foreign bytes", "two lines of one write"],
)
async def test_a_last_line_with_a_wrong_checksum_is_a_torn_one(folder: TargetFolder, tail: bytes) -> None:
    """Sectors reach the disk in any order, so a newline alone proves nothing."""
    whole = folder.journal.read_bytes()
    folder.journal.write_bytes(whole + tail)
    assert len(await _repaired(folder)) == 1
    assert folder.journal.read_bytes() == whole + encode(paid(99))
    assert _kept_aside(folder) == [tail]
    assert await _repaired(folder) == ()


async def test_a_damaged_line_inside_stays_and_is_reported_once(folder: TargetFolder) -> None:
    """It is copied aside and never deleted; all other lines are read, at their old positions."""
    line = encode(paid(2))
    damaged = line.replace(b"Gr", b"gr")
    before = folder.journal.read_bytes().replace(line, damaged)
    folder.journal.write_bytes(before)
    position = before.index(damaged)
    (said,) = await _repaired(folder)
    assert f"byte {position}" in said
    assert str(folder.path / "damaged") in said
    assert folder.journal.read_bytes() == before + encode(paid(99))
    assert _kept_aside(folder) == [damaged]
    assert await _repaired(folder) == ()
    assert len(_kept_aside(folder)) == 1
    ledger, damage = read_ledger(folder.journal)
    assert [one.region for one in damage.lines] == [(position, len(damaged))]
    assert ledger.spent == 6_000  # what is there twice counts once
    assert set(ledger.open_intents) == {"run-1-2"}
    with pytest.raises(JournalUnavailable, match=f"byte {position}"):
        read_record(folder.journal, position)


async def test_a_lost_newline_costs_the_two_lines_it_parted(folder: TargetFolder) -> None:
    """Damage inside and a torn tail at once are both dealt with."""
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3][:-1] + b"?"
    folder.journal.write_bytes(b"".join(lines) + LAST[:50])
    assert len(await _repaired(folder)) == 2
    assert sorted(_kept_aside(folder), key=len) == [LAST[:50], lines[3] + lines[4]]
    read = [record for _, record in records(folder.journal, Damage())]
    assert read == [*WHOLE[:3], *WHOLE[5:], paid(99)]


def test_no_flipped_bit_goes_unnoticed(folder: TargetFolder) -> None:
    """200 single bits: each is noticed, costs at most two lines, and never changes a record that is read."""
    original = folder.journal.read_bytes()
    true = dict(records(folder.journal, Damage()))
    dice = random.Random(20261123)
    for place in dice.sample(range(len(original) * 8), 200):
        flipped = bytearray(original)
        flipped[place // 8] ^= 1 << place % 8
        folder.journal.write_bytes(flipped)
        damage = Damage()
        read = dict(records(folder.journal, damage))
        assert damage.lines or damage.torn_at is not None
        assert read.items() <= true.items()
        assert len(read) >= len(true) - 2


def test_a_reader_beside_the_writer_sees_whole_records_only(folder: TargetFolder) -> None:
    """A line that is being written is neither read nor taken for damage, whatever part of it is visible."""
    data = b"".join(encode(paid(number, text="ü" * (number % 50))) for number in range(100, 250))
    written = threading.Event()

    def write_in_pieces() -> None:
        with folder.journal.open("ab", buffering=0) as file:
            for start in range(0, len(data), 37):
                file.write(data[start : start + 37])
        written.set()

    writer = threading.Thread(target=write_in_pieces)
    writer.start()
    seen = 0
    while not written.is_set():
        ledger, damage = read_ledger(folder.journal)
        assert damage.lines == []
        assert ledger.spent >= seen
        seen = ledger.spent
    writer.join()
    assert read_ledger(folder.journal)[0].spent == 156_000


@pytest.mark.usefixtures("_no_umask")
async def test_every_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """Folders 0700, files 0600, copies of damaged lines included."""
    folder = target_folder_in(tmp_path / "fresh")
    opened = open_journal(folder, Redactor())
    await opened.journal.write(stored(1))
    await opened.journal.aclose()
    with folder.journal.open("ab") as file:
        file.write(b"damaged\n" + encode(paid(1)) + b"torn")
    await _repaired(folder)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "fresh").rglob("*")}
    assert {path.name for path in modes} > {"journal.jsonl", "ballast", "damaged", "logs", "targets", "state"}
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("tail", [b"", b"torn"])
def test_a_symbolic_link_is_no_journal(folder: TargetFolder, tmp_path: Path, tail: bytes) -> None:
    """Following it would write into a foreign file, and even cut it."""
    foreign = tmp_path / "foreign"
    folder.journal.rename(foreign)
    foreign.write_bytes(foreign.read_bytes() + tail)
    folder.journal.symlink_to(foreign)
    before = foreign.read_bytes()
    with pytest.raises(JournalUnavailable, match="symbolic link"):
        open_journal(folder, Redactor())
    assert foreign.read_bytes() == before


def test_a_journal_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """A folder in its place, for instance; no traceback."""
    folder = target_folder_in(tmp_path)
    folder.journal.mkdir()
    with pytest.raises(JournalUnavailable, match=r"journal\.jsonl cannot be written: Is a directory"):
        open_journal(folder, Redactor())


def test_an_absent_journal_holds_nothing_and_is_not_made(tmp_path: Path) -> None:
    """Reading is only looking."""
    folder = target_folder_in(tmp_path)
    ledger, damage = read_ledger(folder.journal)
    assert (ledger.spent, damage) == (0, Damage())
    assert not folder.journal.exists()
    with pytest.raises(JournalUnavailable):
        read_record(folder.journal, 0)
