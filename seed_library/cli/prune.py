"""`prune`: rows that no catalog asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.run import prepared_for
from seed_library.cli.wording import counted

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags


@click.command()
@catalog_options
@click.option("--yes", is_flag=True, help="Remove them; without it they are only listed.")
@click.option("--backup", type=click.Path(dir_okay=False, path_type=Path), help="Where to write them before.")
@global_options
def prune(flags: Flags, *, yes: bool, backup: Path | None) -> int:
    """Remove rows that are not in the catalog, after a backup."""
    from seed_library.bootstrap.row_exchange import backup_rows
    from seed_library.bootstrap.working import do_work, orphans_among, stored_texts
    from seed_library.cli.reporters import WorkReporter
    from seed_library.core.errors import UsageInvalid
    from seed_library.engine.works import Prune
    from seed_library.settings import Needs

    output = invocation().output
    if flags.selection.narrows:
        raise UsageInvalid("`prune` looks at whole categories and locales.", hint="Leave out --key and --limit.")
    prepared = prepared_for(flags, Needs(store=True))
    orphans = orphans_among(prepared, stored_texts(prepared))
    kept_at: Path | None = None
    code = 0
    if yes and orphans:
        kept_at = backup_rows(prepared, orphans, backup)
        work = Prune([text.id for text in orphans])
        code = do_work(prepared, "prune", work, WorkReporter(output), output.complain).exit_code
        if code:
            return code
    if output.as_json:
        rows = [text.id._asdict() for text in orphans]
        output.document({"orphaned": rows, "removed": bool(kept_at), "backup": str(kept_at) if kept_at else None})
        return code
    for text in orphans:
        output.result(f"{text.id}  {text.title}")
    if kept_at:
        output.result(f"{counted(len(orphans), 'row')} removed, and kept in {kept_at} (`import` knows the format).")
    elif orphans:
        output.result(
            f"{counted(len(orphans), 'row')} not in the catalog. `prune --yes` writes a backup and removes them."
        )
    else:
        output.result("Every row of these categories and locales is in the catalog.")
    return code
