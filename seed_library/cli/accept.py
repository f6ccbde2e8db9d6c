"""`accept`: a person knows better than a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.output import Content, as_content
from seed_library.cli.run import prepared_for, work_here

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags


@click.command()
@click.argument("wanted", metavar="KEY")
@catalog_options
@global_options
def accept(flags: Flags, wanted: str) -> int:
    """Store a rejected draft knowingly."""
    from seed_library.engine.works import Accept
    from seed_library.settings import Needs

    output = invocation().output
    work = Accept(wanted)
    prepared = prepared_for(flags, Needs(store=True))
    finished = work_here(prepared, "accept", work)
    if finished.exit_code == 0:
        if output.as_json:
            output.document({"accepted": as_content([item._asdict() for item in work.accepted])})
        else:
            output.result(Content("Stored: " + ", ".join(map(str, work.accepted))))
    return finished.exit_code
