"""`audit`: the gates over what is stored."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.output import Content, as_content
from seed_library.cli.run import prepared_for
from seed_library.cli.wording import counted

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags
    from seed_library.bootstrap.working import Audited


@click.command()
@catalog_options
@global_options
def audit(flags: Flags) -> int:
    """Put every stored text through the gates."""
    from seed_library.bootstrap.working import audited, gates_aside, orphans_among, stored_texts
    from seed_library.core.errors import ExitCode
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(store=True))
    texts = stored_texts(prepared)
    found, figures = audited(prepared, texts)
    bad, orphans = [one for one in found if not one.good], orphans_among(prepared, texts)
    if output.as_json:
        output.document(
            {
                "audited": len(found),
                "bad": len(bad),
                "orphaned": len(orphans),
                "texts": as_content([_fields(one) for one in found if one.findings]),
                "diversity": asdict(figures) if figures else None,
                "standing_aside": gates_aside(prepared),
            }
        )
    else:
        for one in found:
            for finding in one.findings:
                said = f"{finding.severity:<7} {one.text.id}: {finding.gate}: {finding.message} {finding.span}"
                output.result(Content(said.rstrip()))
        if figures:
            output.result(
                f"\nVariety of {figures.texts:,} texts of {figures.words:.0f} words: "
                f"distinct-2 {figures.distinct_2:.3f}, distinct-3 {figures.distinct_3:.3f}, "
                f"shared four-word runs {figures.self_repetition:.1%}, shared openings {figures.openings:.1%}."
            )
        for line in gates_aside(prepared):
            output.narrate(f"Gates standing aside: {line}")
        also = f" {counted(len(orphans), 'more row')} not in the catalog (`prune`)." if orphans else ""
        output.result(f"{counted(len(found), 'text')}, {len(bad):,} of them refused by a gate.{also}")
    return ExitCode.ITEMS_FAILED if bad else ExitCode.DONE


def _fields(one: Audited) -> dict[str, Any]:
    return {**one.text.id._asdict(), "good": one.good, "findings": [asdict(finding) for finding in one.findings]}
