"""A run from the lock to the last event."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from seed_library import __version__
from seed_library.adapters.clock import SystemClock
from seed_library.adapters.installed import packages_check
from seed_library.adapters.journal import open_journal
from seed_library.adapters.languages import languages_checks
from seed_library.adapters.lease import Applicant
from seed_library.adapters.lock import TargetLock, holder_of
from seed_library.adapters.process import stop_signals, this_process
from seed_library.adapters.sqlite_names import claim_name
from seed_library.adapters.state import TargetFolder, space_check
from seed_library.adapters.status import read_status
from seed_library.bootstrap.building import claude_writers, leased_store_at, offline_writers
from seed_library.bootstrap.preparing import Prepared
from seed_library.core.batches import BatchTimes
from seed_library.core.errors import JournalUnavailable, Stopped, TargetLocked
from seed_library.core.events import RunFinished, StopRequested, WaitingForLock, Warned
from seed_library.core.plan import Refresh
from seed_library.core.targets import SqliteAddress, Target
from seed_library.engine.context import Ports
from seed_library.engine.runner import RunOrder, run
from seed_library.engine.stopping import Halt
from seed_library.engine.works import Work
from seed_library.ports import Check, Reporter


@dataclass(frozen=True, slots=True)
class Job:
    """What kind of run.

    Attributes:
        command: the verb.
        rehearsing: the offline writer writes.
        wait_seconds: how long to wait for another run that holds the target.
        work: what to do instead of seeding.
        purpose: "cancel" cancels batches, and asks for nothing.
    """

    run_id: str
    command: str
    refresh: Refresh = ""
    rehearsing: bool = False
    wait_seconds: float = 0
    purpose: Literal["seed", "cancel"] = "seed"
    work: Work | None = None


def seed(prepared: Prepared, job: Job, reporter: Reporter, say: Callable[[str], None]) -> RunFinished:
    """Lock the target and do the run. Signals ask it to stop from before the lock is taken.

    Args:
        prepared: what to do it with.
        job: what to do.
        reporter: is told what happens.
        say: prints a last word when a second signal ends the process.

    Raises:
        TargetLocked: another run holds the target.
        JournalUnavailable: the state folder cannot be used.
    """
    target = prepared.known_target
    if isinstance(target.address, SqliteAddress):
        claim_name(prepared.state_dir, target.address.path)
    folder = prepared.known_folder
    folder.create()
    lock = TargetLock(folder)
    stop = _Stop(reporter, lock)
    with stop_signals(stop.ask, say):
        _acquire(lock, job, folder, reporter, stop)
        try:
            session = _Session(prepared, job, target, folder, reporter, lock)
            return asyncio.run(_run(session, stop))
        finally:
            lock.release()


def _acquire(lock: TargetLock, job: Job, folder: TargetFolder, reporter: Reporter, stop: _Stop) -> None:
    """Take the lock; wait for its holder as long as the user wants to."""
    deadline = time.monotonic() + job.wait_seconds
    while True:
        now = datetime.now(UTC)
        holder = holder_of(
            this_process(),
            run_id=job.run_id,
            started_at=now.isoformat(timespec="seconds"),
            command=job.command,
            version=__version__,
        )
        try:
            lock.acquire(holder, progress=lambda: _progress(folder))
        except TargetLocked as refusal:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            stop.check()
            reporter.report(WaitingForLock(refusal.message, round(left, 1)))
        else:
            return


@dataclass(frozen=True, slots=True)
class _Session:
    prepared: Prepared
    job: Job
    target: Target
    folder: TargetFolder
    reporter: Reporter
    lock: TargetLock


class _Stop:
    """Carries a signal into the event loop, also one that arrives before the loop exists."""

    def __init__(self, reporter: Reporter, lock: TargetLock) -> None:
        self._reporter = reporter
        self._lock = lock
        self._reason = ""
        self._over = False
        self._deliver: Callable[[str], None] | None = None

    def ask(self, signal_name: str) -> None:
        self._reason = signal_name
        if self._deliver is not None:
            self._deliver(signal_name)

    def check(self) -> None:
        """Raise if a stop was asked for."""
        if self._reason:
            raise _stopped(self._reason)

    def connect(self, halt: Halt) -> None:
        loop = asyncio.get_running_loop()

        def stop(reason: str) -> None:
            if self._over:
                return
            with suppress(JournalUnavailable):  # a record that cannot be written must not keep us from stopping
                self._lock.stopping(reason)
            self._reporter.report(StopRequested(reason))
            halt.because(_stopped(reason))

        def deliver(reason: str) -> None:
            loop.call_soon_threadsafe(stop, reason)

        self._deliver = deliver
        if self._reason:
            stop(self._reason)

    def disconnect(self) -> None:
        """Say nothing more: the run has said its last word, and there is nothing left to stop."""
        self._over = True


def _stopped(reason: str) -> Stopped:
    return Stopped(f"Stopped on request ({reason}).", hint="Run again to go on where this run ended.")


async def _run(session: _Session, stop: _Stop) -> RunFinished:
    prepared = session.prepared
    clock = SystemClock()
    halt = Halt(clock)
    stop.connect(halt)
    opened = open_journal(session.folder, prepared.redactor)
    for repair in opened.repairs:
        session.reporter.report(Warned(repair))
    writer, batches = offline_writers() if session.job.rehearsing else claude_writers(prepared)
    store, lease, notes = leased_store_at(
        session.target.address, prepared.catalog.table, prepared.settings, _applicant(session)
    )
    ports = Ports(writer, store, opened.journal, session.lock, lease, clock, session.reporter, batches, notes)
    try:
        return await run(_order(session), ports, opened.ledger, halt)
    finally:
        stop.disconnect()
        await writer.aclose()
        await store.aclose()
        with suppress(JournalUnavailable):  # it has halted the run already
            await opened.journal.aclose()


def _applicant(session: _Session) -> Applicant:
    """Who asks for the lease, as other machines are told."""
    process = this_process()
    told = {"host": process.host, "pid": process.pid, "command": session.job.command, "version": __version__}
    return Applicant(session.job.run_id, told, required=session.prepared.settings.seed_library_require_lease)


def _checks(session: _Session) -> list[Check]:
    """Return what is checked of this machine before anything is paid; a rehearsal's texts are in no language."""
    checks = [packages_check(), space_check(session.folder, len(session.prepared.chosen.items))]
    return checks if session.job.rehearsing else checks + languages_checks()


def _order(session: _Session) -> RunOrder:
    prepared, settings = session.prepared, session.prepared.settings
    return RunOrder(
        run_id=session.job.run_id,
        command=session.job.command,
        writer_name="rehearsal" if session.job.rehearsing else "claude",
        catalog=prepared.catalog,
        book=prepared.book,
        chosen=prepared.chosen,
        target=session.target.label,
        budget=settings.budget,
        concurrency=settings.seed_library_concurrency,
        refresh=session.job.refresh,
        checks=tuple(_checks(session)),
        wait_seconds=session.job.wait_seconds,
        mode="messages" if session.job.rehearsing else settings.seed_library_mode,
        purpose=session.job.purpose,
        work=session.job.work,
        batch_times=BatchTimes(settings.seed_library_batch_poll_seconds, settings.seed_library_batch_grace_seconds),
    )


def _progress(folder: TargetFolder) -> str:
    status = read_status(folder)
    return f"{status.run.stored} of {status.run.to_do} stored" if status.run.to_do else "preparing"
