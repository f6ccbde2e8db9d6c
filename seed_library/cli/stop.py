"""`stop`: ask the holder of a target to stop, and wait until it has."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.numbers import seconds
from seed_library.cli.options import global_options, invocation, target_options
from seed_library.cli.wording import sentence
from seed_library.core.errors import TargetLocked, UsageInvalid
from seed_library.core.events import BatchLeft

if TYPE_CHECKING:
    from seed_library.adapters.holder_process import HolderProcess
    from seed_library.adapters.status import Status

_ASK_AGAIN_SECONDS = 0.2
_TIMES_ASKED = 25  # five seconds; then a process that heeds nothing is killed, which loses nothing that is paid


@click.command()
@target_options
@click.option("--now", is_flag=True, help="Leave at once: requests in flight may have been billed.")
@click.option("--timeout", type=seconds(0), metavar="SECONDS", default=300, help="Wait at most so long.")
@global_options
def stop(catalog: str | None, store: str | None, *, now: bool, timeout: float) -> None:
    """Ask the run that is working to stop, and wait until it has."""
    from seed_library.adapters.holder_process import find_holder
    from seed_library.adapters.status import read_status
    from seed_library.bootstrap.light import named_folder

    said = invocation()
    folder = named_folder(said.dotenv, catalog, store)
    if folder is None:
        raise UsageInvalid("No target is configured.", hint="Set SUPABASE_URL, or give --store sqlite:PATH.")
    process = find_holder(folder)
    if process is None:
        _say_nobody()
        return
    with process:
        if now:
            _end_at_once(process)
        else:
            _end_politely(process, timeout)
    found = read_status(folder)
    if said.output.as_json:
        said.output.document(_document(process, found))
    else:
        said.output.result(_sentence(process, found))


def _say_nobody() -> None:
    output = invocation().output
    if output.as_json:
        output.document({"stopped": False, "pid": None, "run_id": None})
    else:
        output.result("No run of this machine is working on this target.")


def _end_politely(process: HolderProcess, timeout: float) -> None:
    """Ask, if nobody has asked before (a second signal means "at once"), and wait.

    Raises:
        TargetLocked: it still works when time is up.
    """
    holder = process.holder
    if not holder.stopping:
        process.signal(signal.SIGTERM)
    if process.wait(timeout):
        return
    if process.is_frozen:
        raise TargetLocked(
            f"The run (pid {holder.pid}) is frozen: it has been asked, but can heed nothing until it is continued.",
            hint=f"kill -CONT {holder.pid}, or `seed-library stop --now`.",
        )
    raise TargetLocked(
        f"The run (pid {holder.pid}) has been asked to stop, and still finishes what is in flight.",
        hint="`seed-library status` shows it. Wait longer (--timeout), or `seed-library stop --now`.",
    )


def _end_at_once(process: HolderProcess) -> None:
    for _ in range(_TIMES_ASKED):
        process.signal(signal.SIGTERM)  # the second one makes it leave at once
        if process.wait(_ASK_AGAIN_SECONDS):
            return
    process.signal(signal.SIGKILL)
    process.wait(_ASK_AGAIN_SECONDS * _TIMES_ASKED)


def _document(process: HolderProcess, found: Status) -> dict[str, Any]:
    run = found.run
    return {
        "stopped": True,
        "pid": process.holder.pid,
        "run_id": process.holder.run_id,
        "state": found.state,
        "exit_code": run.exit_code,
        "stored": run.stored,
        "left": found.left,
        "batches": [batch.note.batch_id or None for batch in found.batches],
        "spent_usd": found.spent_usd,
        "maybe_spent_usd": found.maybe_spent_usd,
    }


def _sentence(process: HolderProcess, found: Status) -> str:
    run = found.run
    pid = process.holder.pid
    counts = f"{run.stored:,} stored, {found.left:,} left, ${found.spent_usd:.4f} spent"
    maybe = f" and perhaps up to ${found.maybe_spent_usd:.4f} more" if found.maybe_spent_usd else ""
    left = "".join(
        f"\n{sentence(BatchLeft(batch.note.batch_id or '(id unknown)', batch.note.count))}" for batch in found.batches
    )
    if found.state == "finished":
        return f"Stopped (pid {pid}, exit code {run.exit_code}): {counts}{maybe}. Run again to go on.{left}"
    return f"Ended at once (pid {pid}): {counts}{maybe}. Run again to go on; what is paid is not paid again.{left}"
