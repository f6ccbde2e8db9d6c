"""The fakes that these tests rely on keep the contracts of the real adapters."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engine.world import catalog_of
from fakes.clock import FakeClock
from fakes.journal import MemoryJournal
from fakes.lock import FakeLock
from fakes.writer import ScriptedWriter

from seed_library.adapters.clock import SystemClock
from seed_library.adapters.journal import open_journal
from seed_library.adapters.journal_lines import encode, read_ledger
from seed_library.adapters.lock import TargetLock, holder_of
from seed_library.adapters.process import this_process
from seed_library.adapters.rehearsal import OfflineWriter
from seed_library.adapters.state import TargetFolder
from seed_library.core.drafts import reading_fault, text_of, usage_of
from seed_library.core.errors import JournalUnavailable, LockLost
from seed_library.core.ledger import Ledger
from seed_library.core.prompts import PromptBook
from seed_library.ports import Clock, Journal, RunLock, Writer

FINGERPRINT = "ab" * 16


@dataclass
class Kept:
    """A journal, how it can be damaged, and what is in it after it was closed."""

    journal: Journal
    fill_disk: Callable[[], None]
    kill_disk: Callable[[], None]
    ledger: Callable[[], Ledger]


@pytest.fixture(params=["file", "memory"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """An empty journal of either kind."""
    return _in_memory() if request.param == "memory" else _in_a_file(tmp_path)


def _in_memory() -> Kept:
    journal = MemoryJournal()

    def fill() -> None:
        journal.full = True

    def kill() -> None:
        journal.breaks_at = "intent"

    return Kept(journal, fill, kill, journal.ledger)


def _in_a_file(place: Path) -> Kept:
    folder = TargetFolder(place / "target")
    folder.create()
    journal = open_journal(folder, lambda said: said).journal

    def fill() -> None:
        journal._out_of_space = True  # as it is after the first ENOSPC

    def kill() -> None:
        unwritable = os.open(os.devnull, os.O_RDONLY)
        os.dup2(unwritable, journal._file)
        os.close(unwritable)

    return Kept(journal, fill, kill, lambda: read_ledger(folder.journal)[0])


async def test_positions_are_byte_offsets_in_the_order_of_arrival(kept: Kept) -> None:
    """Both journals give the same ones, notes included, and give back what was written there."""
    records = [_record("intent", number) | {"reason": "Süß"} for number in range(4)]
    first = await kept.journal.write(records[0])
    kept.journal.note(records[1])
    second, third = await asyncio.gather(kept.journal.write(records[2]), kept.journal.write(records[3]))
    length = len(encode(records[0]))
    assert (second - first, third - first) == (2 * length, 3 * length)
    for position, record in zip((first, second, third), (records[0], *records[2:]), strict=True):
        assert kept.journal.read(position) == record
    await kept.journal.aclose()


async def test_a_position_inside_a_record_is_refused(kept: Kept) -> None:
    """There is no whole record."""
    await kept.journal.write(_record("intent", 1))
    with pytest.raises(JournalUnavailable):
        kept.journal.read(7)
    await kept.journal.aclose()


async def test_everything_noted_is_there_after_closing(kept: Kept) -> None:
    """The fold sees a paid and an open intent."""
    await kept.journal.write(_record("intent", 1))
    kept.journal.note(_record("paid", 1, cost=5, message={}))
    kept.journal.note(_record("intent", 2))
    await kept.journal.aclose()
    ledger = kept.ledger()
    assert ledger.spent == 5
    assert list(ledger.open_intents) == ["r1-2"]


async def test_a_full_disk_refuses_intents_and_takes_answers(kept: Kept) -> None:
    """Nothing new is paid, nothing paid is lost, and closing is no failure."""
    await kept.journal.write(_record("intent", 1))
    kept.fill_disk()
    with pytest.raises(JournalUnavailable):
        await kept.journal.write(_record("intent", 2))
    await kept.journal.write(_record("paid", 1, cost=5, message={}))
    await kept.journal.aclose()
    assert (kept.ledger().spent, kept.ledger().open_intents) == (5, {})


async def test_a_dead_disk_takes_nothing_more(kept: Kept) -> None:
    """Not even answers; notes vanish without a word, and closing says so."""
    await kept.journal.write(_record("intent", 1))
    kept.kill_disk()
    for record in (_record("intent", 2), _record("paid", 1, cost=5, message={})):
        with pytest.raises(JournalUnavailable):
            await kept.journal.write(record)
    kept.journal.note(_record("failed", 1))
    with pytest.raises(JournalUnavailable):
        await kept.journal.aclose()
    assert list(kept.ledger().open_intents) == ["r1-1"]


@pytest.mark.parametrize("kind", [ScriptedWriter, OfflineWriter])
async def test_a_writer_answers_with_a_message_that_can_be_read(kind: type[Writer]) -> None:
    """Facts, a passed check, a count, and the same good text for the same request."""
    writer = kind()
    catalog = catalog_of(1)
    request = PromptBook(catalog).request(catalog.items[0])
    facts, check = await writer.look_up(request.spec.model)
    assert check.ok
    assert facts.thinking_off == "disabled"
    assert isinstance(await writer.count_tokens(request), int)
    answers = [await writer.write(request) for _ in range(2)]
    assert answers[0] == answers[1]
    assert reading_fault(answers[0].message) == ""
    assert text_of(answers[0].message).endswith(".")
    assert usage_of(answers[0].message).output_tokens >= 0
    await writer.aclose()


@pytest.mark.parametrize("kind", [FakeClock, SystemClock])
async def test_a_clock_has_moved_by_what_was_slept(kind: type[Clock]) -> None:
    """Both of its faces."""
    clock = kind()
    now, ticks = clock.now(), clock.monotonic()
    await asyncio.gather(clock.sleep(0.002), clock.sleep(0.002))
    assert clock.monotonic() - ticks >= 0.002
    assert (clock.now() - now).total_seconds() >= 0.001
    assert clock.now().utcoffset() == now.utcoffset()


@pytest.mark.parametrize("kind", ["fake", "real"])
async def test_a_lock_says_when_it_is_lost(kind: str, tmp_path: Path) -> None:
    """Until then it is silent, also about where the run began."""
    lock, lose = _fake_lock() if kind == "fake" else _real_lock(tmp_path)
    lock.assert_held()
    lock.begun(7)
    lock.assert_held()
    lose()
    with pytest.raises(LockLost):
        lock.assert_held()


def _fake_lock() -> tuple[RunLock, Callable[[], None]]:
    lock = FakeLock()

    def lose() -> None:
        lock.lost = True

    return lock, lose


def _real_lock(place: Path) -> tuple[RunLock, Callable[[], None]]:
    folder = TargetFolder(place / "target")
    folder.create()
    lock = TargetLock(folder)
    holder = holder_of(this_process(), run_id="r1", started_at="2026-11-25", command="run", version="0")
    lock.acquire(holder, progress=str)
    return lock, folder.lock.unlink


def _record(kind: str, number: int, **fields: Any) -> dict[str, Any]:
    item = ["signs", f"k{number}", "en"]
    about = {"kind": kind, "run": "r1", "at": "now", "item": item, "attempt": f"r1-{number}"}
    return about | {"fingerprint": FINGERPRINT, "worst": 9, "reason": "", "billed": "no"} | fields
