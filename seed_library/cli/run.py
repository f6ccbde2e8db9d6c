"""`run` and `rehearse`: the same path, with Claude or with the offline writer, here or in the background."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.numbers import seconds, whole
from seed_library.cli.options import (
    catalog_options,
    global_options,
    invocation,
    keep_secret,
    price_options,
    refresh_option,
    surroundings,
    wait_lock_option,
    with_store,
)
from seed_library.cli.output import Output, error_fields, event_fields
from seed_library.cli.paths import run_id

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags, Prepared
    from seed_library.bootstrap.running import Job
    from seed_library.cli.log_reporter import LogReporter
    from seed_library.core.events import RunFinished
    from seed_library.core.plan import Refresh
    from seed_library.engine.works import Work
    from seed_library.settings import Needs


@click.command()
@catalog_options
@price_options
@refresh_option
@click.option("--dry-run", is_flag=True, help="The same as `plan`: free of charge.")
@click.option("--detach", is_flag=True, help="Go on in the background once the first text is stored.")
@wait_lock_option
@click.option("--detach-timeout", type=seconds(1), metavar="SECONDS", default=180, help="Wait so long for --detach.")
@click.option("--run-id", type=run_id, hidden=True)
@click.option("--ready-fd", type=whole(3), hidden=True)
@global_options
def run(flags: Flags, refresh: Refresh | None, **how: Any) -> int:
    """Seed the target; resume where an earlier run ended."""
    from seed_library.bootstrap.preparing import new_run_id
    from seed_library.cli.plan import show_plan
    from seed_library.core.errors import ExitCode

    if how["dry_run"]:
        show_plan(flags, refresh or "")
        return ExitCode.DONE
    from seed_library.bootstrap.running import Job
    from seed_library.settings import Needs

    job = Job(how["run_id"] or new_run_id(datetime.now(UTC)), "run", refresh or "", wait_seconds=how["wait_lock"])
    prepared = prepared_for(flags, Needs(claude=True, store=True))
    if how["detach"]:
        return _detach(prepared, job, how["detach_timeout"] + how["wait_lock"])
    if how["ready_fd"] is not None:
        return _seed_in_background(prepared, job, how["ready_fd"])
    return seed_here(prepared, job)


@click.command()
@catalog_options
@refresh_option
@global_options
def rehearse(flags: Flags, refresh: Refresh | None) -> int:
    """Run the whole path with an offline writer: no key, no network, no cost."""
    from dataclasses import replace

    from seed_library.adapters.rehearsal import MODEL
    from seed_library.bootstrap.preparing import REHEARSAL_STORE, new_run_id
    from seed_library.bootstrap.running import Job
    from seed_library.core.errors import UsageInvalid
    from seed_library.core.targets import sqlite_path
    from seed_library.settings import Needs

    if flags.store and not sqlite_path(flags.store):
        raise UsageInvalid(
            "A rehearsal only ever writes to a local SQLite file.",
            hint=f"Leave --store out ({REHEARSAL_STORE}), or give another sqlite:PATH.",
        )
    # The offline writer counts as a model of its own: a real run never takes its drafts for texts that are paid.
    flags = replace(with_store(flags, REHEARSAL_STORE), model=MODEL)
    job = Job(new_run_id(datetime.now(UTC)), "rehearse", refresh or "", rehearsing=True)
    return seed_here(prepared_for(flags, Needs()), job)


def prepared_for(flags: Flags, needs: Needs) -> Prepared:
    """Judge the inputs of a verb that locks the target; nothing leaves unredacted from here on."""
    from seed_library.bootstrap.preparing import prepare

    prepared = prepare(flags, needs, surroundings())
    keep_secret(prepared.redactor)
    return prepared


def seed_here(prepared: Prepared, job: Job) -> int:
    """Do a job in this process, and show it."""
    from seed_library.adapters.process import deaf_afterwards
    from seed_library.bootstrap.running import seed
    from seed_library.cli.log_reporter import Reporters
    from seed_library.cli.reporters import reporter_for
    from seed_library.cli.unread import unblocked

    output = invocation().output
    if prepared.left_out:
        output.narrate(prepared.left_out)
    with unblocked(), reporter_for(output) as reporter, deaf_afterwards():
        return seed(prepared, job, Reporters(reporter, _log(prepared, job)), output.last_word).exit_code


def work_here(prepared: Prepared, command: str, work: Work) -> RunFinished:
    """Do a work under the lock; only what goes wrong is shown, and is in the exit code."""
    from seed_library.bootstrap.working import do_work
    from seed_library.cli.reporters import WorkReporter
    from seed_library.cli.unread import unblocked

    output = invocation().output
    with unblocked():
        return do_work(prepared, command, work, WorkReporter(output), output.last_word)


def _log(prepared: Prepared, job: Job) -> LogReporter:
    from seed_library.adapters.run_log import RunLog
    from seed_library.cli.log_reporter import LogReporter

    return LogReporter(RunLog(prepared.known_folder, job.run_id).write, invocation().output, lambda: datetime.now(UTC))


def _detach(prepared: Prepared, job: Job, patience: float) -> int:
    """Judge what can be judged here, start the rest in the background, and say where it is."""
    from seed_library.bootstrap.checking import require_outside
    from seed_library.bootstrap.detaching import start_in_background

    output = invocation().output
    require_outside(prepared)
    arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
    started = start_in_background(prepared.known_folder, job.run_id, arguments, patience)
    if started.error is not None:
        output.error(started.error)
    elif started.finished is not None:
        _say_finished(output, started.finished, started.log)
    elif output.as_json:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        said = {"run_id": started.run_id, "pid": started.pid, "log": str(started.log)}
        output.document({"event": "detached", "at": at, **said})
    else:
        output.result(f"Run {started.run_id} goes on in the background (pid {started.pid}); its first text is stored.")
        output.result(f"  Log     {started.log}")
        output.result("  Follow  seed-library logs -f    Look  seed-library status    Stop  seed-library stop")
    return started.exit_code


def _say_finished(output: Output, finished: Mapping[str, Any], log: Path) -> None:
    if output.as_json:
        output.document({**event_fields(finished), "at": datetime.now(UTC).isoformat(timespec="milliseconds")})
    else:
        output.result(
            f"Run {finished['run_id']} is over already: {finished['stored']} stored, {finished['failed']} failed, "
            f"{finished['rejected']} rejected (exit code {finished['exit_code']}).\n  Log     {log}"
        )


def _seed_in_background(prepared: Prepared, job: Job, ready_fd: int) -> int:
    """Be the process in the background: events go to the log, and the first word of success or failure to the pipe."""
    from seed_library.bootstrap.detaching import ReadyPipe, leave_the_terminal
    from seed_library.bootstrap.running import seed
    from seed_library.cli.log_reporter import Reporters
    from seed_library.core.errors import SeedLibraryError

    leave_the_terminal()
    pipe = ReadyPipe(ready_fd)
    try:
        return seed(prepared, job, Reporters(_log(prepared, job), pipe), invocation().output.last_word).exit_code
    except SeedLibraryError as error:
        pipe.refuse(error_fields(error), error.exit_code)
        raise
