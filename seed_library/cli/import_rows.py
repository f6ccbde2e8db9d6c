"""`import`: texts that people have reviewed or edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.run import prepared_for
from seed_library.cli.wording import counted

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@catalog_options
@global_options
def import_(flags: Flags, path: Path) -> int:
    """Store reviewed or edited texts; a run never replaces them."""
    from seed_library.bootstrap.row_exchange import changed_texts
    from seed_library.bootstrap.working import do_work
    from seed_library.cli.reporters import WorkReporter
    from seed_library.engine.works import WriteByHand
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(store=True))
    changed, findings = changed_texts(prepared, path)
    for item, finding in findings:
        output.narrate(f"{finding.severity}: {item}: {finding.gate}: {finding.message} {finding.span}".rstrip())
    code = 0
    if changed:
        work = WriteByHand(changed)
        code = do_work(prepared, "import", work, WorkReporter(output), output.complain).exit_code
    if code == 0:
        if output.as_json:
            output.document({"imported": [one.item.id._asdict() for one in changed]})
        else:
            output.result(f"{counted(len(changed), 'text')} stored as people's own; no run will replace them.")
    return code
