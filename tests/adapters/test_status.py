"""Where a target stands is read from its files, without touching them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from adapters.journal_records import (
    AT,
    begun,
    failed,
    finished,
    intent,
    judged,
    paid,
    stored,
    target_folder_in,
    write_journal,
)
from adapters.lock_holder import holder_named
from adapters.starting import hear, started

from seed_library.adapters.lock import TargetLock
from seed_library.adapters.state import TargetFolder
from seed_library.adapters.status import Status, read_status

PART = "bazi_year_pillar/de"
DONE = (intent(1), paid(1), judged(1), stored(1))


@pytest.fixture
def folder(tmp_path: Path) -> TargetFolder:
    """An empty target folder."""
    return target_folder_in(tmp_path)


@pytest.fixture
def holding(folder: TargetFolder) -> Iterator[TargetLock]:
    """The lock of a run called run-1, held."""
    lock = TargetLock(folder)
    lock.acquire(holder_named("run-1"), progress=str)
    yield lock
    lock.release()


def _killed(folder: TargetFolder, run: str) -> None:
    """Leave behind what a killed holder leaves: its record, and the lock free."""
    lock = TargetLock(folder)
    lock.acquire(holder_named(run), progress=str)
    lock.release()


def test_a_target_that_no_run_touched_is_idle(folder: TargetFolder) -> None:
    """Also when its folder does not even exist."""
    for place in (folder, TargetFolder(folder.path / "missing")):
        status = read_status(place)
        assert (status.state, status.holder, status.run.run_id) == ("idle", None, "")
        assert (status.totals, status.parts, status.left) == ({}, {}, 0)


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ((), "idle"),
        ((begun(),), "interrupted"),
        ((begun(), *DONE), "interrupted"),
        ((begun(), *DONE, finished()), "finished"),
        ((begun(), finished(exit_code=8)), "finished"),
        ((begun(), finished(), begun("run-2")), "interrupted"),
        ((begun(), begun("run-2"), finished("run-2", 6)), "finished"),
    ],
    ids=["never begun", "begun", "at work", "done", "stopped", "second killed", "second done"],
)
def test_without_a_holder_the_last_word_decides(
    folder: TargetFolder, records: tuple[dict[str, Any], ...], state: str
) -> None:
    """A run that said its last word is finished, however it ended; one that did not was killed."""
    _killed(folder, "run-1")
    write_journal(folder, *records)
    assert read_status(folder).state == state


def test_a_running_run_tells_counts_money_and_pace(folder: TargetFolder, holding: TargetLock) -> None:
    """Per category and locale, with what was done before it began."""
    old = write_journal(folder, begun("run-0"), intent(8, "run-0"), intent(9, "run-0"), paid(9, "run-0"))
    (start, *_) = write_journal(
        folder,
        begun(to_do=4),
        *DONE,
        *(intent(2), paid(2), judged(2, accepted=False)),
        *(intent(3), failed(3, reason="529 overloaded")),
        intent(4),
    )
    holding.begun(start)
    status = read_status(folder)
    assert old[0] < start
    assert (status.state, status.run.run_id, status.target) == ("running", "run-1", begun()["target"])
    assert status.holder is not None
    assert status.holder.pid == os.getpid()
    run = status.run
    assert (run.to_do, run.requests, run.generated, run.stored, run.rejected) == (4, 4, 2, 1, 1)
    assert (run.spent, run.maybe_spent, status.maybe_in_flight) == (2_000, 10_000, 10_000)
    assert run.last_error == "529 overloaded"
    assert status.parts == {PART: {"items": 60, "done": 51}}
    assert status.totals == {"new": 4}
    assert status.left == 2
    assert status.eta_seconds(datetime.fromisoformat(AT) + timedelta(seconds=30)) == 60


def test_a_holder_that_has_not_begun_borrows_nothing_from_the_run_before(
    folder: TargetFolder, holding: TargetLock
) -> None:
    """Between lock and first record it is running, with nothing done; the run before was another one."""
    write_journal(folder, begun("run-0"), stored(1, "run-0"), finished("run-0"))
    status = read_status(folder)
    assert (status.state, status.run.run_id, status.run.stored, status.parts) == ("running", "", 0, {})
    assert status.eta_seconds(datetime.fromisoformat(AT)) is None


def test_a_start_that_was_stopped_by_the_preflight_does_not_hide_the_run_before(folder: TargetFolder) -> None:
    """It held the lock and wrote no record; the last run that began is still what there is to tell."""
    (start, *_) = write_journal(folder, begun(), *DONE)
    lock = TargetLock(folder)
    lock.acquire(holder_named("run-1"), progress=str)
    lock.begun(start)
    lock.release()
    _killed(folder, "refused-by-preflight")
    status = read_status(folder)
    assert (status.state, status.run.run_id, status.run.stored) == ("interrupted", "run-1", 1)


def test_a_killed_holder_is_told_from_a_running_one(folder: TargetFolder) -> None:
    """The same files; only the kernel's lock differs."""
    write_journal(folder, begun("run-of-another-process"), intent(1, "run-of-another-process"))
    with started("lock_holder", folder.path) as process:
        assert hear(process) == "held"
        assert read_status(folder).state == "running"
        process.kill()
        process.wait()
        status = read_status(folder)
    assert (status.state, status.maybe_in_flight) == ("interrupted", 10_000)


def test_a_torn_tail_is_no_obstacle(folder: TargetFolder) -> None:
    """A run may be writing just now."""
    _killed(folder, "run-1")
    write_journal(folder, begun(), *DONE)
    with folder.journal.open("ab") as file:
        file.write(b"0123")
    assert read_status(folder).run.stored == 1


@pytest.mark.parametrize("records", [(), (begun(), *DONE, intent(2)), (begun(), finished())])
def test_looking_changes_nothing(folder: TargetFolder, records: tuple[dict[str, Any], ...]) -> None:
    """No file is made, written or touched, not even its time."""
    if records:
        _killed(folder, "run-1")
        write_journal(folder, *records)
        with folder.journal.open("ab") as file:
            file.write(b"torn")
    before = _snapshot(folder)
    read_status(folder)
    read_status(TargetFolder(folder.path / "missing"))
    assert _snapshot(folder) == before


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 60),
        ({"stored": 0}, None),
        ({"stored": 4, "rejected": 0}, 0),
        ({"to_do": 0}, 0),
        ({"started_at": ""}, None),
    ],
    ids=str,
)
def test_the_time_left_follows_the_pace_so_far(changes: dict[str, Any], seconds: int | None) -> None:
    """Nothing is said before the first row; never less than nothing is left."""
    status = read_status(TargetFolder(Path("missing")))
    run = replace(status.run, to_do=4, stored=1, rejected=1, started_at=AT)
    running = Status("running", None, replace(run, **changes))
    assert running.eta_seconds(datetime.fromisoformat(AT) + timedelta(seconds=30)) == seconds
    assert replace(running, state="interrupted").eta_seconds(datetime.fromisoformat(AT)) is None


def _snapshot(folder: TargetFolder) -> dict[Path, tuple[int, int, int, int]]:
    places = [folder.path, *folder.path.rglob("*")]
    stats = {path: path.stat() for path in places}
    return {path: (one.st_mtime_ns, one.st_ctime_ns, one.st_size, one.st_ino) for path, one in stats.items()}
