"""Breaking the lease of a machine that is gone. The local lock is never touched: the kernel frees it by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from seed_library.adapters.catalog_folders import peek_table, prompts_folder
from seed_library.adapters.lease import missing
from seed_library.adapters.lease_functions import FunctionsMissing, LeaseFunctions
from seed_library.bootstrap.building import lease_functions_at
from seed_library.bootstrap.preparing import Flags, Surroundings
from seed_library.core.errors import PreflightFailed, TargetLocked, UsageInvalid
from seed_library.core.lease import LeaseState
from seed_library.core.targets import SupabaseAddress, Target
from seed_library.settings import Needs, Settings


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What was found, and whether it was broken."""

    target: str
    state: LeaseState
    broken: bool


def unlock(settings: Settings, token: int | None) -> Unlocked:
    """Look at the lease of the configured target; break it if its token is named.

    Only the table's name is read from the catalog, so a damaged one does not stand in the way.

    Raises:
        UsageInvalid: the target has no lease.
        PreflightFailed: the database has no lease functions, or refuses.
        TargetLocked: the token is not the one of the lease that is held.
    """
    address = settings.store_address
    if not isinstance(address, SupabaseAddress):
        raise UsageInvalid(
            "A SQLite target has no lease.", hint="Its lock is the kernel's: a dead holder frees it by itself."
        )
    table = peek_table(prompts_folder(settings.seed_library_prompts_dir), settings.seed_library_catalog)

    async def look_and_break() -> Unlocked:
        async with lease_functions_at(address, table, settings) as functions:
            state = await functions.peek()
            broken = token is not None and state.held and await _break(functions, state, token)
            return Unlocked(Target(address, table.schema, table.name).label, state, broken)

    try:
        return asyncio.run(look_and_break())
    except FunctionsMissing:
        check = missing(required=False)
    raise PreflightFailed(f"There is nothing to unlock: {check.message}.", hint=check.hint)


async def _break(functions: LeaseFunctions, state: LeaseState, token: int) -> bool:
    if state.token == token and await functions.break_(token):
        return True
    now = await functions.peek()
    if not now.held:
        return False
    raise TargetLocked(
        f"The lease has fencing token {now.token}, not {token}: {now.who} holds it. Nothing was broken.",
        hint="Somebody has taken it since you looked. Look again with `seed-library unlock`, and think again.",
    )


def unlock_settings(flags: Flags, surroundings: Surroundings) -> Settings:
    """Read the settings that reaching the target needs.

    Raises:
        SettingsInvalid: with everything that is wrong.
    """
    from seed_library.settings import load_settings

    return load_settings(flags.env_file, flags.overrides, Needs(store=True), surroundings.environment, surroundings.now)
