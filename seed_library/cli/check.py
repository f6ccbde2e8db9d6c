"""`check`: every preflight check on its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seed_library.cli.options import catalog_options, global_options, invocation, price_options, surroundings

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags


@click.command()
@catalog_options
@price_options
@global_options
def check(flags: Flags) -> int:
    """Run every preflight check, and nothing else."""
    from seed_library.bootstrap.checking import all_checks
    from seed_library.bootstrap.preparing import prepare
    from seed_library.core.errors import ExitCode
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepare(flags, Needs(claude=True, store=True), surroundings())
    output.redact = prepared.redactor
    checks = all_checks(prepared)
    ok = all(one.ok for one in checks)
    if output.as_json:
        output.document({"ok": ok, "checks": [asdict(one) for one in checks]})
    else:
        for one in checks:
            output.result(f"{'ok  ' if one.ok else 'FAIL'}  {one.name}: {one.message}")
            if one.hint:
                output.result(f"      {one.hint}")
    return ExitCode.DONE if ok else ExitCode.PREFLIGHT
