"""`show`: stored texts with their provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation, keep_secret, surroundings
from seed_library.cli.output import Content, as_content

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags
    from seed_library.cli.output import Output
    from seed_library.ports import StoredText


@click.command()
@click.argument("wanted", metavar="KEY")
@catalog_options
@global_options
def show(flags: Flags, wanted: str) -> None:
    """Show the stored texts of a key with their provenance."""
    from seed_library.bootstrap.checking import read_texts
    from seed_library.bootstrap.preparing import prepare
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepare(flags, Needs(store=True), surroundings())
    keep_secret(prepared.redactor)
    texts = read_texts(prepared, wanted, prepared.chosen.locales if flags.selection.locales else ())
    if output.as_json:
        output.document(as_content({"key": wanted, "texts": [_fields(text) for text in texts]}))
        return
    if not texts:
        output.result(Content(f"No text of {wanted} is stored in {prepared.target_label}."))
    for text in texts:
        _print(output, text)


def _fields(text: StoredText) -> dict[str, object]:
    return {
        **text.id._asdict(),
        "title": text.title,
        "text": text.text,
        **text.generated,
        "provenance": text.provenance,
        "updated_at": text.updated_at,
    }


def _print(output: Output, text: StoredText) -> None:
    output.result(Content(f"{text.id} · {text.title}"))
    output.result(Content(f"\n{text.text}\n"))
    for name, value in text.generated.items():
        output.result(Content(f"  {name}: {value}"))
    known = text.provenance or {}
    shown = ", ".join(f"{name} {known[name]}" for name in ("writer", "model", "generated_at", "run") if known.get(name))
    output.result(Content(f"  {shown or 'no provenance: written by another tool or hand'}\n"))
