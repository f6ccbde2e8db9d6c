"""`catalogs` and `schema`: what comes with the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.options import catalog_argument, global_options, invocation
from seed_library.cli.output import Content, as_content

if TYPE_CHECKING:
    from pathlib import Path

    from seed_library.adapters.catalog_folders import Listing
    from seed_library.core.catalog import TableSpec


@click.group(invoke_without_command=True)
@global_options
@click.pass_context
def catalogs(context: click.Context) -> None:
    """List the catalogs; `catalogs new NAME` makes one."""
    from seed_library.adapters.catalog_folders import list_catalogs

    if context.invoked_subcommand is not None:
        return
    output = invocation().output
    folder = _folder()
    found = list_catalogs(folder)
    if output.as_json:
        output.document({"folder": str(folder), "catalogs": [_fields(listing) for listing in found]})
        return
    for listing in found:
        said = listing.description or f"unreadable: {output.redact(listing.fault)}"
        output.result(Content(f"{listing.name:<20} {said}"))
    output.narrate(f"(from {folder})")


def _fields(listing: Listing) -> dict[str, Any]:
    return {**as_content(listing._asdict()), "fault": listing.fault}


@catalogs.command()
@click.argument("name")
@click.option(
    "--locale", "locales", multiple=True, metavar="LOCALE", help="A locale of its texts (repeatable, or a,b): en."
)
@global_options
def new(name: str, locales: tuple[str, ...]) -> None:
    """Make a catalog that works at once, in ./prompts or SEED_LIBRARY_PROMPTS_DIR."""
    from pathlib import Path

    from seed_library.adapters.catalog_scaffold import make_catalog
    from seed_library.adapters.catalogs import gates_aside
    from seed_library.bootstrap.light import read_light_settings

    output = invocation().output
    wanted = [part for locale in locales for part in locale.split(",")] or ["en"]
    place = make_catalog(read_light_settings(invocation().dotenv).prompts_dir or Path("prompts"), name, wanted)
    aside = gates_aside(place.parent, name)
    if output.as_json:
        output.document({"catalog": name, "folder": str(place), "standing_aside": aside})
        return
    output.result(f"{place} is ready. Next:")
    output.result(f"  seed-library plan {name} --show-prompts    what would be sent")
    output.result(f"  seed-library rehearse {name}               the whole path, free of charge")
    for line in aside:
        output.narrate(f"Gates standing aside: {line}")


@click.command()
@catalog_argument
@global_options
def schema(catalog: str | None) -> None:
    """Print the SQL migration of a catalog's table."""
    from seed_library.adapters.migrations import migrations, migrations_for

    output = invocation().output
    found = migrations_for(_table_of(catalog)) if catalog else migrations()
    if output.as_json:
        output.document({"migrations": as_content([{"name": one.name, "sql": one.sql} for one in found])})
        return
    for one in found:
        output.result(Content(f"-- {one.name}\n{one.sql}"))


def _table_of(catalog: str) -> TableSpec:
    from seed_library.adapters.catalogs import load_table

    return load_table(_folder(), catalog)


def _folder() -> Path:
    from seed_library.adapters.catalog_folders import prompts_folder
    from seed_library.bootstrap.light import read_light_settings

    return prompts_folder(read_light_settings(invocation().dotenv).prompts_dir)
