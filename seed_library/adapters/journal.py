"""The journal: one append-only file per target; what is paid is in it before anything else happens.

Invariant. A record that `write` has returned for survives `kill -9` and a power cut. The order for one item is
intent, (request), paid, judged, (upsert), stored. The table is the truth for "stored", the journal for "paid".

Names are durable, too: the folder is synced after the file was made, and its parents after they were.

Format (`adapters.journal_lines`). One line per record: CRC-32 of the JSON in 8 hex digits, a blank, the JSON (UTF-8),
a newline. A line is appended by one `write` call; `fdatasync` follows before anyone is told. Records of several tasks
that arrive together share one such pair (group commit). A record's position is the byte offset of its line; positions
never change, since nothing is ever removed from the middle.

Crash points, and what a crash leaves behind.
- in the middle of a write: a torn tail. It was never acknowledged. `open_journal` copies it aside and cuts it off.
  Complete last lines with a wrong CRC are the same case: one write may be many lines, and sectors reach the disk in
  any order.
- after `intent`, before `paid`: an open intent. The request may have been billed; the next run counts it so.
- after `paid`: the text is safe. The next run judges and stores it without paying.
- after the upsert, before `stored`: the next run sees the row in the table.
A damaged line inside (a flipped bit), and a record that is not understood, stay where they are, are copied aside, named
once and not read; what they may have cost is counted (`core.unread`). The run that has done so writes `set_aside`.

A new journal begins with its version. One of a newer version is not opened for writing: its records may mean what this
program cannot know, and a text that it does not see would be paid for again.

Disk full. A ballast file keeps 4 MiB. At ENOSPC the partial line is cut off, the ballast is given back, and the
answers in flight still find room; from then on intents are refused, so nothing new is paid. A failing fdatasync
is final: what the kernel then holds is unknown, and nothing more is acknowledged.

One writer per file: the caller holds the target's lock. Readers need none: they stop at the last whole line.
"""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seed_library.adapters.journal_lines import LONGEST_LINE, encode, read_ledger, read_record
from seed_library.adapters.journal_repair import set_aside, written_by_a_newer_version
from seed_library.adapters.private_folders import sync_folder
from seed_library.adapters.state import BALLAST_BYTES, TargetFolder, unusable
from seed_library.core.drafts import trimmed
from seed_library.core.errors import JournalUnavailable
from seed_library.core.journal_records import VERSION
from seed_library.core.ledger import Ledger

_fdatasync = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync
_FILE_MODE = 0o600
_INTENTS = {"intent", "batch_intent"}  # what comes before money leaves
_LONGEST_SENTENCE = 10_000  # characters
_SENTENCES = ("reason", "error", "unusable")  # fields that may quote a foreign error


@dataclass(frozen=True, slots=True)
class OpenedJournal:
    """A journal ready for writing, what it holds, and what had to be set aside (sentences)."""

    journal: JournalFile
    ledger: Ledger
    repairs: tuple[str, ...]


def open_journal(folder: TargetFolder, redact: Callable[[str], str]) -> OpenedJournal:
    """Repair the tail, fold the file and open it for appending. The caller holds the lock.

    Args:
        folder: the target's folder.
        redact: takes secrets out of the sentences that foreign errors leave in records.

    Raises:
        JournalUnavailable: it cannot be read or written, a newer version has written it, or the disk is too full for
            the ballast.
    """
    if folder.journal.is_symlink():
        raise unusable(folder.journal, OSError(errno.ELOOP, "it is a symbolic link"))
    ledger, damage = read_ledger(folder.journal)
    if ledger.version > VERSION:
        raise written_by_a_newer_version(folder.journal, ledger.version)
    try:
        repairs = set_aside(folder, ledger, damage)
        _lay_ballast(folder.ballast)
        journal = JournalFile(folder, redact)
        journal.begin()
        sync_folder(folder.path)
    except OSError as error:
        raise unusable(folder.path, error) from error
    return OpenedJournal(journal, ledger, repairs)


def _lay_ballast(path: Path) -> None:
    if path.exists() and path.stat().st_size == BALLAST_BYTES:
        return
    path.touch(mode=_FILE_MODE)
    try:
        with path.open("wb") as file:
            file.write(bytes(BALLAST_BYTES))  # written, not only declared: a hole would give nothing back
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise


@dataclass(slots=True)
class _Entry:
    line: bytes
    intent: bool
    done: asyncio.Future[int] | None


class JournalFile:
    """Implements the `Journal` port. A thread of its own appends and syncs, so the event loop never waits."""

    def __init__(self, folder: TargetFolder, redact: Callable[[str], str]) -> None:
        self._path = folder.journal
        self._redact = redact
        self._ballast = folder.ballast
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(folder.journal, flags, _FILE_MODE)
        self._end = os.fstat(self._file).st_size
        self._failure: JournalUnavailable | None = None
        self._out_of_space = False
        self._gathered: list[_Entry] = []
        self._queue: queue.SimpleQueue[list[_Entry] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Write the first record of a new journal, before anybody else writes; it is durable then.

        Raises:
            JournalUnavailable: it could not be made durable.
        """
        if self._end == 0:
            self._write_whole(encode({"kind": "journal", "version": VERSION}))
            self._sync()

    @property
    def end(self) -> int:
        """The position that the next record will get at the earliest."""
        return self._end

    async def write(self, record: dict[str, Any]) -> int:
        """Append a record and return its position once it is durable."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        # From here on the record is written, even if the task that waits for it is cancelled.
        self._hand_over(_Entry(self._encode(record), record["kind"] in _INTENTS, done))
        return await done

    def note(self, record: dict[str, Any]) -> None:
        """Append a record without waiting for the disk."""
        self._hand_over(_Entry(self._encode(record), intent=False, done=None))

    def read(self, position: int) -> dict[str, Any]:
        """Return the record at a position."""
        return read_record(self._path, position)

    async def aclose(self) -> None:
        """Write what is queued, sync, and close the file."""
        self._pass_on()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        if self._failure is not None:
            raise self._failure

    def _hand_over(self, entry: _Entry) -> None:
        """Gather the records of one turn of the event loop.

        Waking the thread for each of them makes the two fight for the interpreter's lock (measured with 64 requests
        in flight: a seventh of the run's CPU time).
        """
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._pass_on)
        self._gathered.append(entry)

    def _pass_on(self) -> None:
        entries, self._gathered = self._gathered, []
        if entries:
            self._queue.put(entries)

    def _encode(self, record: dict[str, Any]) -> bytes:
        spoken = {name: self._redact(record[name][:_LONGEST_SENTENCE]) for name in _SENTENCES if name in record}
        line = encode({**record, **spoken} if spoken else record)
        if len(line) > LONGEST_LINE and "message" in record:
            line = encode({**record, "message": trimmed(record["message"])})
        if len(line) > LONGEST_LINE:
            raise _unwritable(self._path, OSError(errno.EFBIG, f"a record of {len(line):,} bytes is too long"))
        return line

    def _serve(self) -> None:
        more = True
        while more:
            batch, more = self._take()
            try:
                self._append(batch)
            except JournalUnavailable as failure:
                self._failure = failure
                _refuse(batch, failure)
        self._finish()

    def _take(self) -> tuple[list[_Entry], bool]:
        """Wait for entries, then take all that are there. False when the journal is to be closed."""
        batch: list[_Entry] = []
        entries = self._queue.get()
        while entries is not None:
            batch += entries
            try:
                entries = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _append(self, batch: list[_Entry]) -> None:
        if self._failure is not None:
            raise self._failure
        if self._out_of_space:
            intents = [entry for entry in batch if entry.intent]
            _refuse(intents, _no_space(self._path))
            batch = [entry for entry in batch if not entry.intent]
        if any(entry.intent for entry in batch) and not self._is_in_place():
            _refuse([entry for entry in batch if entry.intent], _taken_away(self._path))
            batch = [entry for entry in batch if not entry.intent]
        if not batch:
            return
        position = self._end
        self._write_whole(b"".join(entry.line for entry in batch))
        if any(entry.done is not None for entry in batch):
            self._sync()
        _acknowledge(batch, position)

    def _is_in_place(self) -> bool:
        """Whether the path still names our file: what is written to a removed one is lost when we end."""
        try:
            return self._path.stat().st_ino == os.fstat(self._file).st_ino
        except OSError:
            return False

    def _write_whole(self, data: bytes) -> None:
        try:
            self._write_at_end(data)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} or self._out_of_space:
                raise _unwritable(self._path, error) from error
            self._out_of_space = True
            try:
                self._ballast.unlink(missing_ok=True)
                self._write_at_end(data)
            except OSError as again:
                raise _unwritable(self._path, again) from again

    def _write_at_end(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, self._end)  # a half-written line must not stay before the next one
            raise
        self._end += len(data)

    def _finish(self) -> None:
        try:
            if self._failure is None:
                self._sync()
        except JournalUnavailable as failure:
            self._failure = failure
        finally:
            os.close(self._file)

    def _sync(self) -> None:
        try:
            _fdatasync(self._file)
        except OSError as error:
            raise _unwritable(self._path, error) from error


def _acknowledge(batch: list[_Entry], position: int) -> None:
    for entry in batch:
        if entry.done is not None:  # all of them wait in the same event loop
            entry.done.get_loop().call_soon_threadsafe(_resolve, batch, position)
            return


def _resolve(batch: list[_Entry], position: int) -> None:
    for entry in batch:
        if entry.done is not None and not entry.done.done():
            entry.done.set_result(position)
        position += len(entry.line)


def _refuse(batch: list[_Entry], failure: JournalUnavailable) -> None:
    for entry in batch:
        if entry.done is not None:
            entry.done.get_loop().call_soon_threadsafe(_fail, entry.done, failure)


def _fail(done: asyncio.Future[int], failure: JournalUnavailable) -> None:
    if not done.done():
        done.set_exception(failure)


def _unwritable(path: Path, error: OSError) -> JournalUnavailable:
    return JournalUnavailable(
        f"The journal {path} cannot be written: {error.strerror or error}.",
        hint="Nothing more is sent. Free some space or mend the disk, then run again: "
        "what the journal holds is not paid for again.",
    )


def _taken_away(path: Path) -> JournalUnavailable:
    return JournalUnavailable(
        f"The journal {path} was removed or replaced while this run was working.",
        hint="Nothing more is sent. What this run has stored stays; run again to go on.",
    )


def _no_space(path: Path) -> JournalUnavailable:
    return _unwritable(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
