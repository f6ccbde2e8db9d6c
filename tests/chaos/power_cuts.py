"""Power cuts, replayed: what of a journal would be on the disk if the power had failed at this moment?

`kill -9` cannot tell whether anything was synced: the kernel keeps what a dead process has written. So the writer runs
under strace, and its system calls are replayed up to a random one. What was not synced then is dropped, kept, or kept
in part (each sector of 512 bytes reaches the disk or does not, in any order). A file or folder whose parent folder was
not synced after it was made may be gone as a whole. Afterwards every record that was acknowledged has to be there.

`nox -s chaos -- power --trials N --seed S` makes N cuts.

A write counts as done when its call has returned, a sync from then on and for what was written before it began, and
an acknowledgement as soon as it begins: always to the disadvantage of the journal.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from seed_library.adapters.journal import open_journal
from seed_library.adapters.journal_lines import Damage, records
from seed_library.adapters.state import TargetFolder
from seed_library.core.errors import JournalUnavailable

_TESTS = Path(__file__).resolve().parents[1]
_CALLS = "openat,write,ftruncate,fdatasync,fsync,mkdir,mkdirat"
_SECTOR = 512
_WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
Unsynced = Literal["gone", "torn", "there"]
_UNSYNCED: tuple[Unsynced, ...] = ("gone", "torn", "there")
_TASKS = (1, 8)
_ACKNOWLEDGED = 60


@dataclass(frozen=True, slots=True)
class Call:
    """One system call; `began` and `ended` are places in the trace."""

    name: str
    arguments: str
    result: int
    began: int
    ended: int

    @property
    def text(self) -> bytes:
        """The first string among the arguments."""
        found = _STRING.search(self.arguments)
        return bytes.fromhex(found[1].replace("\\x", "")) if found else b""

    @property
    def descriptor(self) -> int:
        """The file descriptor that it is about."""
        return int(self.arguments.partition(",")[0])


@dataclass(slots=True)
class Trace:
    """What a writer did in a folder: its calls, in the order in which they ended."""

    folder: Path
    calls: list[Call]

    @property
    def length(self) -> int:
        """One more than the last place in the trace."""
        return self.calls[-1].ended + 1


def write_and_trace(place: Path, *, acknowledged: int, tasks: int, mutant: str = "") -> Trace:
    """Let a writer acknowledge so many records in a new state folder under strace, then kill it."""
    folder, output = place / "state" / "targets" / "supabase_test-0123", place / "trace"
    command = ["strace", "-f", "-xx", "-s", "10000000", "-e", f"trace={_CALLS}", "-e", "signal=none", "-o", str(output)]
    writer = [sys.executable, "-m", "adapters.journal_writer", str(folder), str(tasks), *([mutant] if mutant else [])]
    environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
    with subprocess.Popen([*command, *writer], stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for _ in range(acknowledged):
            assert process.stdout.readline(), "the writer has ended"
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
        subprocess.run(["kill", "-9", *children.stdout.split()], check=True)
        process.communicate()
    return Trace(folder, sorted(_calls(output), key=lambda call: call.ended))


def _calls(trace: Path) -> Iterator[Call]:
    begun: dict[str, tuple[int, str]] = {}
    with trace.open() as lines:
        for place, line in enumerate(lines):
            if found := _WHOLE.match(line):
                yield Call(found[2], found[3], int(found[4]), place, place)
            elif found := _BEGUN.match(line):
                begun[found[1]] = (place, found[3])
            elif (found := _RESUMED.match(line)) and found[1] in begun:
                since, arguments = begun.pop(found[1])
                yield Call(found[2], arguments + found[3], int(found[4]), since, place)


@dataclass(slots=True)
class _Disk:
    """The journal as far as it was traced: what is on the disk for certain, and what may be."""

    folder: Path
    journal: int = -1
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes, int]] = field(default_factory=list)
    end: int = 0
    names: dict[int, Path] = field(default_factory=dict)
    entries: dict[Path, bool] = field(default_factory=dict)
    acknowledged: list[tuple[int, int]] = field(default_factory=list)

    def apply(self, call: Call) -> None:
        """Take a call into account that has ended."""
        if call.result < 0:
            return
        match call.name:
            case "mkdir" | "mkdirat":
                self.entries.setdefault(Path(os.fsdecode(call.text)), False)
            case "openat":
                self._open(call)
            case "write" if call.descriptor == self.journal:
                self.pending.append((self.end, call.text[: call.result], call.ended))
                self.end += call.result
            case "ftruncate" if call.descriptor == self.journal:
                self.end = int(call.arguments.partition(",")[2])
                self.pending = [one for one in self.pending if one[0] < self.end]
            case "fdatasync" | "fsync":
                self._sync(call)
            case _:
                pass

    def acknowledge(self, call: Call) -> None:
        """Take an acknowledgement into account that has begun."""
        if call.name == "write" and call.descriptor == 1:
            for line in call.text.decode().splitlines():
                position, number = line.split()
                self.acknowledged.append((int(position), int(number)))

    def _open(self, call: Call) -> None:
        path = Path(os.fsdecode(call.text))
        self.names[call.result] = path
        if path == self.folder / "journal.jsonl" and "O_APPEND" in call.arguments:
            self.journal = call.result
            self.entries.setdefault(path, False)

    def _sync(self, call: Call) -> None:
        if call.descriptor == self.journal:
            for offset, data, ended in self.pending:
                if ended < call.began:
                    _put(self.durable, offset, data)
            self.pending = [one for one in self.pending if one[2] >= call.began]
        folder = self.names.get(call.descriptor)
        for path in self.entries:
            if path.parent == folder:
                self.entries[path] = True

    def content(self, unsynced: Unsynced, dice: random.Random) -> bytes | None:
        """Return the journal after the cut, or None where it is gone as a whole."""
        if unsynced != "there" and not all(self.entries.values()):
            return None
        content = bytearray(self.durable)
        for offset, data, _ in self.pending:
            for start, piece in _sectors(offset, data):
                if unsynced == "there" or (unsynced == "torn" and dice.random() < 1 / 2):
                    _put(content, start, piece)
        return bytes(content)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _sectors(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        size = _SECTOR - offset % _SECTOR
        yield offset, data[:size]
        offset, data = offset + size, data[size:]


def lost_by_a_cut(trace: Trace, place: int, unsynced: Unsynced, dice: random.Random, scratch: Path) -> Sequence[str]:
    """Cut the power at a place of the trace, open the journal again, and say what is missing or wrong."""
    disk = _Disk(trace.folder)
    for call in trace.calls:
        if call.ended < place:
            disk.apply(call)
        if call.began < place:
            disk.acknowledge(call)
    shutil.rmtree(scratch, ignore_errors=True)
    folder = TargetFolder(scratch)
    folder.create()
    content = disk.content(unsynced, dice)
    if content is not None:
        folder.journal.write_bytes(content)
    return list(_missing(folder, disk.acknowledged))


def _missing(folder: TargetFolder, acknowledged: Sequence[tuple[int, int]]) -> Iterator[str]:
    try:
        _repair(folder)
    except JournalUnavailable as refusal:
        yield f"it cannot be opened: {refusal}"
        return
    damage = Damage()
    kept = {position: record.get("attempt") for position, record in records(folder.journal, damage)}
    if damage.torn_at is not None:  # damage inside may stay: half of what was written at once and not acknowledged
        yield "its end is still torn"
    for position, number in acknowledged:
        if kept.get(position) != f"run-1-{number}":
            yield f"record {number} was acknowledged and is gone"


def _repair(folder: TargetFolder) -> None:
    """Do what the next run does first."""
    opened = open_journal(folder, str)
    asyncio.run(opened.journal.aclose())


def cut_often(place: Path, cuts: int, seed: int, mutant: str = "") -> dict[str, int]:
    """Trace two writers in a folder, cut the power so often, and count: cuts that lost something, and what was met."""
    dice, met = random.Random(seed), Counter[str]()
    for tasks in _TASKS:
        work = place / str(tasks)
        work.mkdir()
        trace = write_and_trace(work, acknowledged=_ACKNOWLEDGED, tasks=tasks, mutant=mutant)
        for number in range(cuts // len(_TASKS)):
            unsynced = _UNSYNCED[number % len(_UNSYNCED)]
            lost = lost_by_a_cut(trace, dice.randrange(trace.length + 1), unsynced, dice, work / "after")
            met[f"cuts, the unsynced {unsynced}"] += 1
            met["cuts that lost an acknowledged record"] += bool(lost)
    return dict(met)
