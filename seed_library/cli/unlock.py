"""`unlock`: the lease across machines, looked at and broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.numbers import LARGEST_TOKEN, whole
from seed_library.cli.options import global_options, invocation, keep_secret, surroundings, target_options

if TYPE_CHECKING:
    from seed_library.bootstrap.unlocking import Unlocked


@click.command()
@target_options
@click.option("--token", type=whole(1, LARGEST_TOKEN), metavar="N", help="Break the lease that has this token.")
@global_options
def unlock(catalog: str | None, store: str | None, token: int | None) -> None:
    """Show or break the lease across machines."""
    from seed_library.bootstrap.preparing import Flags, redactor_for
    from seed_library.bootstrap.unlocking import unlock as look_and_break
    from seed_library.bootstrap.unlocking import unlock_settings

    output = invocation().output
    settings = unlock_settings(Flags(catalog, store=store, env_file=invocation().dotenv), surroundings())
    keep_secret(redactor_for(settings))
    found = look_and_break(settings, token)
    if output.as_json:
        output.document(_document(found))
        return
    for line in _lines(found):
        output.result(line)


def _document(found: Unlocked) -> dict[str, Any]:
    state = found.state
    holder = {
        "run_id": state.holder,
        **{name: state.info.get(name) for name in ("pid", "host", "command")},
        "acquired_at": state.acquired_at,
        "seconds_left": round(state.seconds_left, 1),
    }
    return {
        "target": found.target,
        "held": state.held and not found.broken,
        "token": state.token,
        "holder": holder if state.held else None,
        "broken": found.broken,
    }


def _lines(found: Unlocked) -> list[str]:
    state = found.state
    if not state.held:
        return [f"Nobody holds the lease of {found.target}. There is nothing to break."]
    if found.broken:
        return [
            f"Broken: the lease of {found.target} that {state.who} held (token {state.token}).",
            "A new run can start now. If the other one is alive, it stores nothing more and ends with exit code 4",
            "at its next renewal, within 20 s; what it has paid for stays in its own journal.",
        ]
    return [
        f"{state.who} holds the lease of {found.target}.",
        f"It runs out in {state.seconds_left:.0f} s unless that run renews it, as it does every 20 s while it lives.",
        f"Only if that machine is dead: seed-library unlock --token {state.token}",
    ]
