"""`cancel`: give up the Message Batches that are under way, and keep what they had finished."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from seed_library.cli.options import global_options, invocation, target_options, wait_lock_option
from seed_library.cli.run import prepared_for, seed_here


@click.command()
@target_options
@wait_lock_option
@global_options
def cancel(catalog: str | None, store: str | None, *, wait_lock: float) -> int:
    """Cancel the batches under way; store what they had finished."""
    from seed_library.bootstrap.preparing import Flags, new_run_id
    from seed_library.bootstrap.running import Job
    from seed_library.settings import Needs

    flags = Flags(catalog, store=store, env_file=invocation().dotenv)
    job = Job(new_run_id(datetime.now(UTC)), "cancel", wait_seconds=wait_lock, purpose="cancel")
    return seed_here(prepared_for(flags, Needs(claude=True, store=True)), job)
