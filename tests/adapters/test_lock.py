"""One process per target, whatever happens to the processes, the files and the records. With real processes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from subprocess import Popen

import pytest
from adapters.journal_records import target_folder_in
from adapters.lock_holder import STARTED_AT, holder_named
from adapters.starting import hear, started, tell

from seed_library.adapters.lock import TargetLock, is_held, read_holder
from seed_library.adapters.state import TargetFolder, target_folder
from seed_library.core.errors import JournalUnavailable, LockLost, TargetLocked
from seed_library.core.targets import SupabaseAddress, Target

RACERS, TARGETS = 20, 5


@pytest.fixture
def folder(tmp_path: Path) -> TargetFolder:
    """An empty target folder."""
    return target_folder_in(tmp_path)


@contextmanager
def _held_elsewhere(folder: TargetFolder) -> Iterator[Popen[str]]:
    with started("lock_holder", folder.path) as process:
        assert hear(process) == "held"
        yield process


@contextmanager
def _flocked(folder: TargetFolder) -> Iterator[None]:
    """Hold the kernel's lock without a record, as a run does in its first moment."""
    with folder.lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _acquired(folder: TargetFolder, run_id: str = "mine") -> TargetLock:
    lock = TargetLock(folder, patience_seconds=0)
    lock.acquire(holder_named(run_id), progress=str)
    return lock


def _refusal(folder: TargetFolder) -> TargetLocked:
    with pytest.raises(TargetLocked) as caught:
        _acquired(folder)
    return caught.value


def test_of_twenty_processes_exactly_one_gets_each_target(tmp_path: Path) -> None:
    """Twenty processes pass one gate, each wanting the same five targets at once."""
    folders = [TargetFolder(tmp_path / "targets" / str(number)) for number in range(TARGETS)]
    for folder in folders:
        folder.create()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with ExitStack() as stack:
        places = [folder.path for folder in folders]
        racers = [stack.enter_context(started("lock_racer", gate, *places)) for _ in range(RACERS)]
        for racer in racers:
            assert hear(racer) == "ready"
        with gate.open("w"):
            outcomes = [hear(racer).split() for racer in racers]
        assert all(map(is_held, folders))
        winners = {holder.pid for folder in folders if (holder := read_holder(folder))}
    assert [sum(outcome[number] == "won" for outcome in outcomes) for number in range(TARGETS)] == [1] * TARGETS
    assert winners == {racer.pid for racer, outcome in zip(racers, outcomes, strict=True) if "won" in outcome}
    assert not any(map(is_held, folders))


def test_a_refusal_names_the_holder_and_comes_within_five_seconds(folder: TargetFolder) -> None:
    """Who, where, since when, which command, how far; what to do; and nothing was changed."""
    with _held_elsewhere(folder) as process:
        record = folder.holder.read_bytes()
        begin = time.monotonic()
        with pytest.raises(TargetLocked) as caught:
            TargetLock(folder).acquire(holder_named("mine"), progress=lambda: "17 of 180 stored")
        assert time.monotonic() - begin < 5
        assert folder.holder.read_bytes() == record
    told = caught.value.message
    for part in (
        f"pid {process.pid} on {socket.gethostname()}",
        "`seed-library run`",
        f"since {STARTED_AT}",
        "17 of 180 stored",
        "run-of-another-process",
    ):
        assert part in told
    assert "`seed-library stop`" in caught.value.hint
    assert "seed-library status" in caught.value.hint


@pytest.mark.parametrize("kind", ["", "fork", "spawn"])
def test_a_killed_holder_frees_the_target_at_once(folder: TargetFolder, kind: str) -> None:
    """Also while a child of it lives on: no descendant inherits the hold."""
    with _held_elsewhere(folder) as process, ExitStack() as stack:
        if kind:
            tell(process, kind)
            stack.callback(_kill, int(hear(process)))
        process.kill()
        process.wait()
        assert not is_held(folder)
        _acquired(folder).release()


def test_a_stopped_holder_still_holds(folder: TargetFolder) -> None:
    """SIGSTOP, or a laptop asleep: it may go on at any moment."""
    with _held_elsewhere(folder) as process:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert is_held(folder)
        assert f"pid {process.pid}" in _refusal(folder).message
        process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_holder_notices_that_its_lock_file_is_gone(folder: TargetFolder, *, replaced: bool) -> None:
    """Somebody else can lock a new file then, so nothing more may be paid."""
    lock = _acquired(folder)
    lock.assert_held()
    folder.lock.unlink()
    second = _acquired(folder) if replaced else None
    with pytest.raises(LockLost, match="removed or replaced"):
        lock.assert_held()
    lock.release()
    if second is not None:
        second.assert_held()
        second.release()


def test_a_released_lock_is_not_held(folder: TargetFolder) -> None:
    """Releasing twice is harmless; the record stays for `status`."""
    lock = _acquired(folder)
    lock.release()
    lock.release()
    with pytest.raises(LockLost):
        lock.assert_held()
    holder = read_holder(folder)
    assert holder is not None
    assert holder.run_id == "mine"


def test_looking_never_stands_in_the_way_of_a_start(folder: TargetFolder) -> None:
    """A process that looks in a tight loop beside two hundred starts without any patience: all of them succeed."""
    with started("lock_watcher", folder.path) as watcher:
        assert hear(watcher) == "looking"
        for _ in range(200):
            _acquired(folder).release()
        assert watcher.poll() is None


def test_looking_makes_no_file(folder: TargetFolder) -> None:
    """A target that no run ever touched is free."""
    assert not is_held(folder)
    assert read_holder(folder) is None
    assert not folder.lock.exists()


def test_a_holder_record_is_never_seen_half_written(folder: TargetFolder) -> None:
    """Readers get the old or the new record while it is replaced over and over."""
    lock = _acquired(folder)
    done = threading.Event()
    seen: set[int | None] = set()

    def read() -> None:
        while not done.is_set():
            holder = read_holder(folder)
            seen.add(holder.journal_start if holder else None)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for position in range(100):
        lock.begun(position)
    done.set()
    for reader in readers:
        reader.join()
    lock.release()
    assert None not in seen
    assert seen <= set(range(100))


def test_a_new_holder_speaks_for_the_run_before_until_it_has_begun(folder: TargetFolder) -> None:
    """Its record points at the journal's last run, then at its own."""
    first = _acquired(folder)
    first.begun(4711)
    first.release()
    second = _acquired(folder, "second")
    assert _journal_start(folder) == 4711
    second.begun(9000)
    assert _journal_start(folder) == 9000
    second.release()


@pytest.mark.parametrize("stale", [{"start_ticks": 1}, {"pid": 2**22 + 1}], ids=["pid reused", "pid gone"])
def test_a_stale_record_accuses_nobody(folder: TargetFolder, stale: dict[str, int]) -> None:
    """Its pid may be an innocent process by now: the refusal then names none, and advises no kill."""
    _acquired(folder).release()
    _rewrite_record(folder, **stale)
    assert not is_held(folder)
    with _flocked(folder):
        assert is_held(folder)
        refusal = _refusal(folder)
    assert "pid" not in refusal.message
    assert "kill" not in refusal.hint


def test_a_holder_in_another_container_is_believed(folder: TargetFolder) -> None:
    """Its pid cannot be judged from here, its host says where it is."""
    _acquired(folder).release()
    _rewrite_record(folder, host="elsewhere", start_ticks=1)
    with _flocked(folder):
        assert "on elsewhere" in _refusal(folder).message


def test_every_spelling_of_a_place_is_the_same_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two checkouts, a link to the state folder, a URL in capitals: they exclude each other."""
    state = tmp_path / "state"
    folder = target_folder(state, _target("https://abcdefghijklmnopqrst.supabase.co"))
    folder.create()
    (tmp_path / "link").symlink_to(state)
    monkeypatch.chdir(tmp_path)
    spelled = [
        target_folder(place, _target(url))
        for place in (tmp_path / "link", Path("state"), tmp_path / "work" / ".." / "state")
        for url in ("https://ABCDEFGHIJKLMNOPQRST.supabase.co/", "https://abcdefghijklmnopqrst.supabase.co:443/rest/v1")
    ]
    with _held_elsewhere(folder) as process:
        for other in spelled:
            assert is_held(other)
            assert f"pid {process.pid}" in _refusal(other).message
        neighbour = target_folder(state, _target("https://abcdefghijklmnopqrst.supabase.co", "another_table"))
        neighbour.create()
        _acquired(neighbour).release()


@pytest.mark.parametrize("obstacle", ["folder", "link"])
def test_a_lock_file_that_is_something_else_is_refused(folder: TargetFolder, tmp_path: Path, obstacle: str) -> None:
    """A link could point at a file that others lock, or at nothing."""
    if obstacle == "folder":
        folder.lock.mkdir()
    else:
        folder.lock.symlink_to(tmp_path / "foreign")
    with pytest.raises(JournalUnavailable, match="lock cannot be written"):
        _acquired(folder)
    assert not (tmp_path / "foreign").exists()


def test_a_record_that_cannot_be_written_frees_the_lock(folder: TargetFolder) -> None:
    """A holder that nobody could name must not hold; nothing half-written stays behind."""
    (folder.holder / "in the way").mkdir(parents=True)
    lock = TargetLock(folder)
    with pytest.raises(JournalUnavailable, match="holder"):
        lock.acquire(holder_named("mine"), progress=str)
    assert not is_held(folder)
    assert {path.name for path in folder.path.iterdir()} == {"lock", "holder.json", "logs"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"pid": 1}', b"\xff\xfe", b'{"unknown": 1}'])
def test_a_damaged_record_counts_as_none(folder: TargetFolder, content: bytes) -> None:
    """It tells; it does not decide."""
    folder.holder.write_bytes(content)
    assert read_holder(folder) is None
    _acquired(folder).release()
    assert read_holder(folder) is not None


def _target(url: str, table: str = "content_library") -> Target:
    return Target(SupabaseAddress(url), "public", table)


def _journal_start(folder: TargetFolder) -> int:
    holder = read_holder(folder)
    assert holder is not None
    return holder.journal_start


def _rewrite_record(folder: TargetFolder, **changes: int | str) -> None:
    holder = read_holder(folder)
    assert holder is not None
    folder.holder.write_text(json.dumps(asdict(holder) | changes))


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
