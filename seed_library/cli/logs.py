"""`logs`: what a run said, also while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seed_library.cli.numbers import whole
from seed_library.cli.options import folder_to_look_at, global_options, invocation, target_options
from seed_library.core.errors import UsageInvalid

if TYPE_CHECKING:
    from seed_library.adapters.state import TargetFolder


@click.command()
@target_options
@click.option("-f", "--follow", "following", is_flag=True, help="Show new lines as they come, until the run has ended.")
@click.option("--run", "run_id", metavar="RUN_ID", help="The log of this run; without it the newest.")
@click.option("-n", "--lines", "last", type=whole(0), metavar="N", help="Only the last N lines.")
@global_options
def logs(catalog: str | None, store: str | None, run_id: str | None, last: int | None, *, following: bool) -> None:
    """Show the log of a run."""
    from seed_library.adapters.run_log import follow, lines

    said = invocation()
    folder = folder_to_look_at(catalog, store)
    path = _chosen(folder, run_id)
    if folder is None or path is None:
        raise UsageInvalid("There is no log: no run has begun on this target.", hint="`seed-library run` begins one.")
    if following:
        from seed_library.adapters.lock import is_held, read_holder

        def goes_on() -> bool:
            holder = read_holder(folder)
            return holder is not None and holder.run_id == path.stem and is_held(folder)

        for line in follow(path, goes_on):
            _show(line)
    elif said.output.as_json:
        said.output.document({"run_id": path.stem, "path": str(path), "lines": lines(path, last)})
    else:
        for line in lines(path, last):
            said.output.result(line)


def _show(line: str) -> None:
    output = invocation().output
    if output.as_json:
        output.document({"line": line})
    else:
        output.result(line)


def _chosen(folder: TargetFolder | None, run_id: str | None) -> Path | None:
    """Return the log that is meant: the one of a run, or the newest.

    Raises:
        UsageInvalid: the named run has none.
    """
    from seed_library.adapters.run_log import run_logs

    known = {path.stem: path for path in run_logs(folder)} if folder else {}
    if run_id is None:
        return list(known.values())[-1] if known else None
    if run_id not in known:
        raise UsageInvalid(
            f"There is no log of a run {run_id!r}.", hint="There are: " + (", ".join(known) or "none") + "."
        )
    return known[run_id]
