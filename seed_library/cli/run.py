"""`run` and `rehearse`: the same path, with Claude or with the offline writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seed_library.cli.options import (
    catalog_options,
    global_options,
    invocation,
    keep_secret,
    price_options,
    refresh_option,
    surroundings,
    with_store,
)

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags
    from seed_library.bootstrap.running import Job
    from seed_library.core.plan import Refresh
    from seed_library.settings import Needs


@click.command()
@catalog_options
@price_options
@refresh_option
@click.option("--dry-run", is_flag=True, help="The same as `plan`: free of charge.")
@global_options
def run(flags: Flags, refresh: Refresh | None, *, dry_run: bool) -> int:
    """Seed the target; resume where an earlier run ended."""
    from seed_library.cli.plan import show_plan
    from seed_library.core.errors import ExitCode

    if dry_run:
        show_plan(flags, refresh or "")
        return ExitCode.DONE
    from seed_library.bootstrap.running import Job
    from seed_library.settings import Needs

    return _seed(flags, Needs(claude=True, store=True), Job("run", refresh or ""))


@click.command()
@catalog_options
@refresh_option
@global_options
def rehearse(flags: Flags, refresh: Refresh | None) -> int:
    """Run the whole path with an offline writer: no key, no network, no cost."""
    from dataclasses import replace

    from seed_library.adapters.rehearsal import MODEL
    from seed_library.bootstrap.preparing import REHEARSAL_STORE
    from seed_library.bootstrap.running import Job
    from seed_library.core.errors import UsageInvalid
    from seed_library.core.targets import sqlite_path
    from seed_library.settings import Needs

    if flags.store and not sqlite_path(flags.store):
        raise UsageInvalid(
            "A rehearsal only ever writes to a local SQLite file.",
            hint=f"Leave --store out ({REHEARSAL_STORE}), or give another sqlite:PATH.",
        )
    # The offline writer counts as a model of its own: a real run never takes its drafts for texts that are paid.
    flags = replace(with_store(flags, REHEARSAL_STORE), model=MODEL)
    return _seed(flags, Needs(), Job("rehearse", refresh or "", rehearsing=True))


def _seed(flags: Flags, needs: Needs, job: Job) -> int:
    from seed_library.bootstrap.preparing import prepare
    from seed_library.bootstrap.running import seed
    from seed_library.cli.reporters import reporter_for

    output = invocation().output
    prepared = prepare(flags, needs, surroundings())
    keep_secret(prepared.redactor)
    with reporter_for(output) as reporter:
        return seed(prepared, job, reporter, output.complain).exit_code
