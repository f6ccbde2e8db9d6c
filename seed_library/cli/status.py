"""`status`: where do we stand?"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from seed_library.adapters.state import TargetFolder
from seed_library.adapters.status import Status, read_status
from seed_library.cli.options import folder_to_look_at, global_options, invocation, target_options
from seed_library.cli.output import Content, Output, as_content
from seed_library.cli.wording import counted, minutes
from seed_library.core.catalog import ItemId
from seed_library.core.run_tally import RunTally

_WATCH_SECONDS = 1.0
_MOST_NAMED = 20
_CLEAR = "\x1b[H\x1b[2J"


@click.command()
@target_options
@click.option("--watch", is_flag=True, help="Draw it again every second until the run has ended.")
@global_options
def status(catalog: str | None, store: str | None, *, watch: bool) -> None:
    """Show where we stand."""
    folder = folder_to_look_at(catalog, store)
    found = _look(folder)
    while watch and found.state == "running":
        _show(found, clear=True)
        time.sleep(_WATCH_SECONDS)
        found = _look(folder)
    _show(found, clear=watch)


def _look(folder: TargetFolder | None) -> Status:
    return read_status(folder) if folder else Status("idle", None, RunTally())


def _show(found: Status, *, clear: bool) -> None:
    output = invocation().output
    if output.as_json:
        output.document(_document(found))
        return
    if clear and sys.stdout.isatty():
        click.echo(_CLEAR, nl=False)
    _print(output, found)


def _document(found: Status) -> dict[str, Any]:
    holder, run = found.holder, found.run
    now = datetime.now(UTC)
    return {
        "state": found.state,
        "target": found.target,
        "run_id": run.run_id or (holder.run_id if holder else None),
        "holder": {
            "pid": holder.pid,
            "host": holder.host,
            "started_at": holder.started_at,
            "command": holder.command,
        }
        if holder and found.state == "running"
        else None,
        "lease": {"token": found.lease} if found.lease else None,
        "batches": found.batches_as_json(now),
        "totals": found.totals,
        "parts": found.parts,
        "stored": run.stored,
        "recovered": run.recovered,
        "generated": run.generated,
        "rejected": run.rejected,
        "failed": run.failed,
        "conflicts": _listed(run.conflicts),
        "left": found.left,
        "requests": run.requests,
        "spent_usd": found.spent_usd,
        "maybe_spent_usd": found.maybe_spent_usd,
        "per_minute": found.per_minute(now),
        "eta_seconds": found.eta_seconds(now),
        "given_up": _listed(run.given_up),
        "last_error": run.last_error or None,
        "started_at": run.started_at or None,
        "finished_at": run.finished_at or None,
        "exit_code": run.exit_code,
        "set_aside": {"records": found.set_aside, "copies": str(found.damaged)} if found.set_aside else None,
    }


def _named(items: Sequence[Sequence[str]]) -> list[tuple[ItemId, str]]:
    """Read what the journal says of items: category, key, locale, reason."""
    return [(ItemId(category, key, locale), reason) for category, key, locale, reason, *_ in items]


def _listed(items: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    return [{**as_content(item._asdict()), "reason": reason} for item, reason in _named(items)]


def _batch(batch: dict[str, Any]) -> str:
    name = batch["batch_id"] or "(id not known yet)"
    asked = counted(batch["items"], "request")
    whose = f", of {batch['workspace']}" if batch["workspace"] else ""
    return f"{name}: {asked}, {minutes(batch['age_seconds'])} old, {batch['collected']:,} collected{whose}"


def _print_set_aside(output: Output, found: Status) -> None:
    if found.set_aside:
        what = counted(found.set_aside, "record")
        output.result(f"Journal  {what} of it not understood, and set aside; copies are in {found.damaged}")


def _print_troubles(output: Output, run: RunTally) -> None:
    for item, reason in _named(run.given_up):
        output.result(Content(f"Given up {item}: {output.redact(reason)}"))
    for item, reason in _named(run.conflicts[:_MOST_NAMED]):
        output.result(Content(f"Conflict {item}: {output.redact(reason)}"))
    if len(run.conflicts) > _MOST_NAMED:
        output.result(f"         and {len(run.conflicts) - _MOST_NAMED:,} more conflicts (`status --json` has all)")
    if run.last_error:
        output.result(f"Error    {run.last_error}")


def _print(output: Output, found: Status) -> None:
    run = found.run
    output.result(f"State    {found.state}" + (f" (exit code {run.exit_code})" if found.state == "finished" else ""))
    _print_set_aside(output, found)
    if found.state == "idle":
        output.result("No run has begun on this target from this machine.")
        return
    output.result(f"Target   {found.target}")
    if found.holder and found.state == "running":
        holder = found.holder
        output.result(f"Holder   pid {holder.pid} on {holder.host}: seed-library {holder.command}")
    output.result(f"Run      {run.run_id} since {run.started_at}")
    if found.state == "running":
        kept = f"fencing token {found.lease}" if found.lease else "none: only runs on this machine are kept out"
        output.result(f"Lease    {kept}")
    for name, counts in found.parts.items():
        output.result(Content(f"  {counts['done']:>6,} of {counts['items']:>6,}  {name}"))
    output.result(
        f"This run {run.stored} stored ({run.recovered} paid before), {run.rejected} rejected, "
        f"{run.failed} failed, {len(run.conflicts)} conflicts, {found.left} left"
    )
    maybe = f" and perhaps up to ${found.maybe_spent_usd:.4f} more" if found.maybe_spent_usd else ""
    output.result(f"Spent    ${found.spent_usd:.4f}{maybe}")
    now = datetime.now(UTC)
    pace, eta = found.per_minute(now), found.eta_seconds(now)
    if pace is not None:
        output.result(f"Pace     {pace:.0f} a minute" + (f", about {eta:,} s left" if eta is not None else ""))
    for batch in found.batches_as_json(now):
        output.result(f"Batch    {_batch(batch)}")
    if found.lease and found.state != "running":
        output.result("Runs of other machines are not seen from here; `seed-library unlock` shows them.")
    _print_troubles(output, run)
    if found.state == "interrupted":
        output.result("The run was killed. Run again: it resumes; what is paid is not paid again.")
