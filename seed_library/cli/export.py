"""`export`: the stored rows as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation
from seed_library.cli.paths import result_path
from seed_library.cli.run import prepared_for
from seed_library.cli.wording import counted

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags


@click.command()
@catalog_options
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv", "sql"]), default="jsonl", help="jsonl by default.")
@click.option("--output", "path", type=result_path, metavar="FILE", help="Write to this file.")
@global_options
def export(flags: Flags, kind: str, path: Path | None) -> None:
    """Write the stored rows as jsonl, csv or SQL."""
    from seed_library.adapters.destinations import is_stdout, write_result
    from seed_library.bootstrap.row_exchange import exported_lines, for_spreadsheets
    from seed_library.bootstrap.working import stored_texts
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(store=True))
    chosen = {item.id for item in prepared.chosen.items}
    texts = [text for text in stored_texts(prepared) if text.id in chosen]
    lines = exported_lines(texts, kind, prepared.catalog.table)
    if path is None or is_stdout(path):
        output.data(lines)
        return
    write_result(path, for_spreadsheets(lines) if kind == "csv" else lines)
    if output.as_json:
        output.document({"file": str(path), "rows": len(texts)})
    else:
        output.result(f"{counted(len(texts), 'row')} in {path}.")
