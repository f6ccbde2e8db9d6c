"""`catalogs` and `schema`: what comes with the package."""

from __future__ import annotations

import click

from seed_library.cli.options import global_options, invocation


@click.command()
@global_options
def catalogs() -> None:
    """List the catalogs."""
    from seed_library.adapters.catalog_folders import list_catalogs, prompts_folder
    from seed_library.bootstrap.light import read_light_settings

    output = invocation().output
    folder = prompts_folder(read_light_settings(invocation().dotenv).prompts_dir)
    found = list_catalogs(folder)
    if output.as_json:
        output.document({"folder": str(folder), "catalogs": [listing._asdict() for listing in found]})
        return
    for listing in found:
        output.result(f"{listing.name:<20} {listing.description or 'unreadable: ' + listing.fault}")
    output.narrate(f"(from {folder})")


@click.command()
@global_options
def schema() -> None:
    """Print the SQL migration of the target table."""
    from seed_library.adapters.migrations import migrations

    output = invocation().output
    found = migrations()
    if output.as_json:
        output.document({"migrations": [{"name": one.name, "sql": one.sql} for one in found]})
        return
    for one in found:
        output.result(f"-- {one.name}\n{one.sql}")
