"""Programs that break a promise on purpose: what a trial has to find. The test of the tests.

Each changes the program in the process that is about to become it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_Record = dict[str, Any]


def _work_without_lock() -> None:
    """Two runs at a time."""
    from seed_library.adapters.lock import TargetLock

    def acquire(self: TargetLock, holder: Any, *, progress: Any) -> None:
        self._folder.lock.touch()
        self._inode, self._lock = self._folder.lock.stat().st_ino, _NoLock()  # type: ignore[assignment]  # that is the point
        self._publish(holder)

    TargetLock.acquire = acquire  # type: ignore[method-assign]


class _NoLock:
    def release(self) -> None:
        """Release nothing."""


def _believe_the_table_only() -> None:
    """What is paid for and not stored is asked for again."""
    from seed_library.core.ledger import Ledger

    Ledger.draft = lambda *_: None  # type: ignore[method-assign]


def _write_no_intent() -> None:
    """What a killed process had in flight is forgotten."""
    from seed_library.adapters.journal import JournalFile

    write = JournalFile.write

    async def write_most(self: JournalFile, record: _Record) -> int:
        return self.end if record["kind"] == "intent" else await write(self, record)

    JournalFile.write = write_most  # type: ignore[method-assign]


def _store_before_keeping() -> None:
    """A paid text reaches the table first, and the journal when the table has it."""
    from seed_library.adapters.journal import JournalFile

    write, note, late = JournalFile.write, JournalFile.note, list[_Record]()

    async def write_later(self: JournalFile, record: _Record) -> int:
        if record["kind"] == "paid":
            late.append(record)
            return self.end
        return await write(self, record)

    def note_all(self: JournalFile, record: _Record) -> None:
        while record["kind"] == "stored" and late:
            note(self, late.pop(0))
        note(self, record)

    JournalFile.write, JournalFile.note = write_later, note_all  # type: ignore[method-assign]


def _leave_the_torn_tail() -> None:
    """The next record is glued to half a line."""
    from seed_library.adapters import journal

    journal._set_aside = lambda *_: ()


def _forget_what_was_in_flight() -> None:
    """Open intents are never counted as "may have been billed"."""
    from seed_library.engine import runner

    async def close_none(*_: Any) -> None:
        """Close none."""

    runner.close_open_intents = close_none  # type: ignore[attr-defined,assignment]  # that is the point


def _try_again_behind_the_journal() -> None:
    """The SDK retries by itself, as it does by default: up to three payments for one intent."""
    import anthropic

    begin = anthropic.AsyncAnthropic.__init__

    def begin_retrying(self: Any, **options: Any) -> None:
        begin(self, **{**options, "max_retries": 2})

    anthropic.AsyncAnthropic.__init__ = begin_retrying  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "no lock": _work_without_lock,
    "table only": _believe_the_table_only,
    "no intent": _write_no_intent,
    "upsert before paid": _store_before_keeping,
    "torn tail left": _leave_the_torn_tail,
    "open intents forgotten": _forget_what_was_in_flight,
    "hidden retries": _try_again_behind_the_journal,
}
