"""`prune`: rows that no catalog asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.output import Content, as_content
from seed_library.cli.paths import result_path
from seed_library.cli.run import prepared_for, work_here
from seed_library.cli.wording import counted
from seed_library.core.errors import ExitCode

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags


@click.command()
@catalog_options
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
@click.option("--backup", type=result_path, metavar="FILE", help="Where to write them before.")
@global_options
def prune(flags: Flags, *, yes: bool, backup: Path | None) -> int:
    """Remove rows that are not in the catalog, after a backup."""
    from seed_library.bootstrap.row_exchange import backup_rows
    from seed_library.bootstrap.working import orphaned_rows
    from seed_library.core.errors import UsageInvalid
    from seed_library.engine.row_works import Prune
    from seed_library.settings import Needs

    output = invocation().output
    if flags.selection.narrows:
        raise UsageInvalid("`prune` looks at whole categories and locales.", hint="Leave out --key and --limit.")
    prepared = prepared_for(flags, Needs(store=True))
    orphans = orphaned_rows(prepared)
    kept_at: Path | None = None
    code = 0
    work = Prune(orphans)
    if yes and orphans:
        kept_at = backup_rows(prepared, orphans, backup)
        code = work_here(prepared, "prune", work).exit_code
        if code not in {0, ExitCode.ITEMS_FAILED}:
            output.complain(f"All of these rows are kept in {kept_at}; {len(work.removed):,} are known to be removed.")
            return code
    if output.as_json:
        rows, gone = ([item._asdict() for item in items] for items in ([row.id for row in orphans], work.removed))
        kept = str(kept_at) if kept_at else None
        listed = as_content({"orphaned": rows, "removed_rows": gone})
        output.document({**listed, "removed": bool(kept_at), "backup": kept})
        return code
    title = prepared.catalog.table.title
    for row in orphans:
        output.result(Content(f"{row.id}  {row.columns.get(title) or ''}"))
    output.result(_outcome(len(orphans), len(work.removed), kept_at))
    return code


def _outcome(orphans: int, removed: int, kept_at: Path | None) -> str:
    if kept_at:
        still = f" {counted(orphans - removed, 'row')} stayed (see above)." if removed < orphans else ""
        return f"{counted(removed, 'row')} removed, and kept in {kept_at} (`import --restore` puts them back).{still}"
    if orphans:
        return f"{counted(orphans, 'row')} not in the catalog. `prune --yes` writes a backup and removes them."
    return "Every row of these categories and locales is in the catalog."
