"""`sample`: a few drafts to look at before the money for all of them is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.numbers import whole
from seed_library.cli.options import catalog_options, global_options, invocation, price_options
from seed_library.cli.output import Content, as_content
from seed_library.cli.run import prepared_for, work_here
from seed_library.cli.wording import counted

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags
    from seed_library.engine.works import Sampled


@click.command()
@click.argument("count", type=whole(1, 100), default=4)
@catalog_options
@price_options
@global_options
def sample(flags: Flags, count: int) -> int:
    """Show drafts from far apart in the catalog; a later run stores them."""
    from seed_library.core.pricing import usd
    from seed_library.engine.works import Sample
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(claude=True, store=True))
    work = Sample(count)
    finished = work_here(prepared, "sample", work)
    drafts = work.drafts
    if output.as_json:
        if finished.exit_code in {0, 6}:
            output.document(
                {"drafts": as_content([_fields(draft) for draft in drafts]), "spent_usd": finished.spent_usd}
            )
        return finished.exit_code
    for draft in drafts:
        output.result(Content(f"{draft.item.id} · {draft.item.title} · ${usd(draft.cost):.4f}\n\n{draft.text}\n"))
        for finding in draft.findings:
            output.result(Content(f"  {finding.severity}: {finding.gate}: {finding.message} {finding.span}".rstrip()))
        output.result("")
    if drafts:
        said = counted(len(drafts), "draft")
        output.result(f"{said}, ${finished.spent_usd:.4f}. Nothing is stored; a run stores them for free.")
    return finished.exit_code


def _fields(draft: Sampled) -> dict[str, Any]:
    from seed_library.core.pricing import usd

    return {
        **draft.item.id._asdict(),
        "title": draft.item.title,
        "text": draft.text,
        "cost_usd": usd(draft.cost),
        "findings": [
            {"gate": one.gate, "severity": one.severity, "message": one.message, "span": one.span}
            for one in draft.findings
        ],
    }
