"""`import`: texts that people have reviewed or edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.output import as_content
from seed_library.cli.run import prepared_for, work_here
from seed_library.cli.wording import counted
from seed_library.core.errors import ExitCode

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags, Prepared
    from seed_library.cli.output import Output
    from seed_library.engine.row_works import Restore, WriteByHand


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--restore", is_flag=True, help="Put back the rows of a backup of `prune`, with all their columns.")
@catalog_options
@global_options
def import_(flags: Flags, path: Path, *, restore: bool) -> int:
    """Store reviewed or edited texts; a run never replaces them."""
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(store=True))
    work = _restored(path) if restore else _edited(prepared, path, output)
    code = 0
    if work is not None:
        code = work_here(prepared, "import", work).exit_code
    done = work.done if work is not None else []
    if output.as_json:
        if code in {0, ExitCode.ITEMS_FAILED}:
            output.document({"restored" if restore else "imported": as_content([item._asdict() for item in done])})
    elif code in {0, ExitCode.ITEMS_FAILED}:
        how = "put back as they were." if restore else "stored as people's own; no run will replace them."
        output.result(f"{counted(len(done), 'row' if restore else 'text')} {how}")
    return code


def _edited(prepared: Prepared, path: Path, output: Output) -> WriteByHand | None:
    """Return the work of storing what was edited; None where nothing was."""
    from seed_library.bootstrap.row_exchange import changed_texts
    from seed_library.engine.row_works import WriteByHand

    changed, findings = changed_texts(prepared, path)
    for item, finding in findings:
        output.narrate(f"{finding.severity}: {item}: {finding.gate}: {finding.message} {finding.span}".rstrip())
    return WriteByHand(changed) if changed else None


def _restored(path: Path) -> Restore:
    from seed_library.bootstrap.row_exchange import backed_up
    from seed_library.engine.row_works import Restore

    return Restore(backed_up(path))
