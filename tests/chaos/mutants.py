"""Programs that break a promise on purpose: what a trial has to find. The test of the tests.

Each changes the program in the process that is about to become it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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

    journal.set_aside = lambda *_: ()  # type: ignore[attr-defined]


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


def _take_what_is_there_as_decided() -> None:
    """Rows are replaced whatever they hold by then."""
    from seed_library.engine.replacing import Replacer

    settle = Replacer.settle

    async def settle_anything(self: Replacer, decided: Any) -> Any:
        return await settle(self, [replace(one, over=None) for one in decided])

    Replacer.settle, Replacer._may_replace = settle_anything, lambda *_: True  # type: ignore[method-assign]


def _write_without_conditions() -> None:
    """The database is not told what a write was decided on."""
    from seed_library.adapters.supabase_connection import SupabaseConnection

    call = SupabaseConnection.call

    async def call_freely(self: SupabaseConnection, schema: str, function: str, arguments: Any) -> Any:
        return await call(self, schema, function, arguments | ({"p_content": None} if "p_content" in arguments else {}))

    SupabaseConnection.call = call_freely  # type: ignore[method-assign]


def _keep_nothing_of_what_goes_away() -> None:
    """A text that is replaced is gone."""
    from seed_library.engine.replacing import Replacer

    async def keep_none(*_: Any) -> None:
        """Keep none."""

    Replacer._keep = keep_none  # type: ignore[method-assign,assignment]  # that is the point


def _delete_by_list() -> None:
    """One deletion for all keys, as the vendor's client spells them: blanks after a comma do not count."""
    from seed_library.adapters.supabase import SupabaseStore

    async def remove(self: SupabaseStore, rows: Any) -> Any:
        keys = [row.id.key for row in rows]
        await self.connection.execute(self._builder().delete().in_(self.table.key, keys))
        there = {row.id for row in await self.whole([row.id for row in rows])}
        return [row.id for row in rows if row.id not in there]

    SupabaseStore.remove = remove  # type: ignore[method-assign]


def _pay_before_trying() -> None:
    """What the table refuses is found when it is stored."""
    from seed_library.engine import preflight

    async def try_none(*_: Any) -> list[Any]:
        return []

    preflight.rehearse = try_none  # type: ignore[assignment]  # that is the point


def _let_the_clock_decide() -> None:
    """An answer that has arrived is thrown away when the clock says that it is late."""
    import asyncio
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager

    from seed_library.adapters import claude_connection
    from seed_library.adapters.awake import TimeAwake

    @asynccontextmanager
    async def by_the_clock(whole: float, silence: float | None = None) -> AsyncIterator[TimeAwake]:
        async with asyncio.timeout(120):
            yield TimeAwake(whole, silence or whole)

    claude_connection.patiently = by_the_clock  # type: ignore[attr-defined]  # that is the point


def _print_oneself() -> None:
    """Whoever works waits for the reader of its output."""
    from contextlib import nullcontext

    from seed_library.cli import unread

    unread.unblocked = nullcontext  # type: ignore[assignment]  # that is the point


def _try_six_times() -> None:
    """A target that is away is given up after some tries, however short they were."""
    from tenacity import wait_none

    from seed_library.engine import store_patience

    begin = store_patience.StorePatience.__init__

    def begin_hastily(self: store_patience.StorePatience, clock: Any, halt: Any, reporter: Any) -> None:
        begin(self, clock, halt, reporter, seconds=1.0)

    store_patience._backoff = wait_none()  # type: ignore[assignment]  # that is the point
    store_patience.StorePatience.__init__ = begin_hastily  # type: ignore[method-assign,assignment]  # as above


def _give_up_what_another_key_sees() -> None:
    """A batch that the key in use does not see was never created."""
    from seed_library.engine import batch_collecting, batch_finding

    for module in (batch_collecting, batch_finding):
        module.of_another_workspace = lambda *_: False  # type: ignore[attr-defined]  # as above
    batch_collecting.of_the_same_workspace = lambda *_: True  # type: ignore[attr-defined]  # as above


def _ask_through_a_proxy() -> None:
    """What goes to this machine takes the proxy that the variables name, too."""
    from seed_library.core import proxies

    proxies.is_loopback = lambda host: False  # type: ignore[attr-defined]


def _send_keys_in_clear() -> None:
    """Plain http is as good as https, wherever it leads."""
    from seed_library import settings
    from seed_library.adapters import routes

    settings.claude_url_fault = settings.supabase_url_fault = lambda url: ""  # type: ignore[attr-defined]
    routes.is_loopback = lambda host: True  # type: ignore[attr-defined]


def _ask_as_fast_as_it_can() -> None:
    """What the account allows is found out by being refused."""
    from seed_library.core.pacing import Pacer

    Pacer.wait = lambda *_: 0.0  # type: ignore[method-assign]  # that is the point


MUTANTS: dict[str, Callable[[], None]] = {
    "no lock": _work_without_lock,
    "table only": _believe_the_table_only,
    "no intent": _write_no_intent,
    "upsert before paid": _store_before_keeping,
    "torn tail left": _leave_the_torn_tail,
    "open intents forgotten": _forget_what_was_in_flight,
    "hidden retries": _try_again_behind_the_journal,
    "overwrite whatever is there": _take_what_is_there_as_decided,
    "no conditions": _write_without_conditions,
    "nothing kept": _keep_nothing_of_what_goes_away,
    "delete by list": _delete_by_list,
    "no rehearsal": _pay_before_trying,
    "the clock decides": _let_the_clock_decide,
    "printing itself": _print_oneself,
    "hasty": _try_six_times,
    "one workspace": _give_up_what_another_key_sees,
    "through a proxy": _ask_through_a_proxy,
    "keys in clear": _send_keys_in_clear,
    "no pace": _ask_as_fast_as_it_can,
}
