"""`status`: where do we stand?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.options import global_options, invocation

if TYPE_CHECKING:
    from seed_library.adapters.status import Status
    from seed_library.cli.output import Output

_MICRO = 1_000_000


@click.command()
@click.argument("catalog", required=False)
@click.option("--store", metavar="STORE", help="supabase, or sqlite:PATH.")
@global_options
def status(catalog: str | None, store: str | None) -> None:
    """Show where we stand."""
    from seed_library.adapters.status import Status, read_status
    from seed_library.bootstrap.light import status_folder
    from seed_library.core.ledger import RunTally

    said = invocation()
    folder = status_folder(said.dotenv, catalog, store)
    found = read_status(folder) if folder else Status("idle", None, RunTally())
    if said.output.as_json:
        said.output.document(_document(found))
    else:
        _print(said.output, found)


def _document(found: Status) -> dict[str, Any]:
    holder, run = found.holder, found.run
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
        "totals": found.totals,
        "parts": found.parts,
        "stored": run.stored,
        "recovered": run.recovered,
        "generated": run.generated,
        "rejected": run.rejected,
        "failed": run.failed,
        "left": found.left,
        "requests": run.requests,
        "spent_usd": run.spent / _MICRO,
        "maybe_spent_usd": (run.maybe_spent + found.maybe_in_flight) / _MICRO,
        "eta_seconds": found.eta_seconds(datetime.now(UTC)),
        "last_error": run.last_error or None,
        "started_at": run.started_at or None,
        "finished_at": run.finished_at or None,
        "exit_code": run.exit_code,
    }


def _print(output: Output, found: Status) -> None:
    run = found.run
    output.result(f"State    {found.state}" + (f" (exit code {run.exit_code})" if found.state == "finished" else ""))
    if found.state == "idle":
        output.result("No run has begun on this target from this machine.")
        return
    output.result(f"Target   {found.target}")
    if found.holder and found.state == "running":
        holder = found.holder
        output.result(f"Holder   pid {holder.pid} on {holder.host}: seed-library {holder.command}")
    output.result(f"Run      {run.run_id} since {run.started_at}")
    for name, counts in found.parts.items():
        output.result(f"  {counts['done']:>6,} of {counts['items']:>6,}  {name}")
    output.result(
        f"This run {run.stored} stored ({run.recovered} paid before), {run.rejected} rejected, "
        f"{run.failed} failed, {found.left} left"
    )
    maybe = run.maybe_spent + found.maybe_in_flight
    output.result(
        f"Spent    ${run.spent / _MICRO:.4f}" + (f" and perhaps up to ${maybe / _MICRO:.4f} more" if maybe else "")
    )
    eta = found.eta_seconds(datetime.now(UTC))
    if eta is not None:
        output.result(f"Left     about {eta} s")
    if run.last_error:
        output.result(f"Error    {run.last_error}")
    if found.state == "interrupted":
        output.result("The run was killed. Run again: it resumes; what is paid is not paid again.")
