"""`check`: every preflight check on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.options import (
    catalog_options,
    global_options,
    invocation,
    keep_secret,
    price_options,
    surroundings,
)
from seed_library.cli.output import error_fields

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags
    from seed_library.ports import Check


@click.command()
@catalog_options
@price_options
@global_options
def check(flags: Flags) -> int:
    """Run every preflight check, and nothing else."""
    from seed_library.bootstrap.checking import all_checks
    from seed_library.bootstrap.preparing import inspect
    from seed_library.core.errors import ExitCode
    from seed_library.settings import Needs

    output = invocation().output
    inspection = inspect(flags, Needs(claude=True, store=True), surroundings())
    keep_secret(inspection.redactor)
    found = all_checks(inspection)
    if output.as_json:
        failure = {"error": error_fields(found.error)} if found.error else {}
        output.document({"ok": not failure, "checks": [_fields(one) for one in found.checks], **failure})
    else:
        for one in found.checks:
            output.result(f"{'ok  ' if one.ok else 'FAIL'}  {one.name}: {one.message}")
            if one.hint:
                output.result(f"      {one.hint}")
    return found.error.exit_code if found.error else ExitCode.DONE


def _fields(check: Check) -> dict[str, Any]:
    return {"name": check.name, "ok": check.ok, "message": check.message, "hint": check.hint}
