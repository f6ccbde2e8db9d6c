"""Looking at the lease without taking it: for `check`, `plan` and `unlock`."""

from __future__ import annotations

from seed_library.adapters.journal_lines import read_ledger
from seed_library.adapters.lease import missing, not_needed
from seed_library.adapters.lease_functions import FunctionsMissing
from seed_library.bootstrap.building import lease_functions_at
from seed_library.bootstrap.preparing import Prepared
from seed_library.core.errors import SeedLibraryError
from seed_library.core.lease import LeaseState, locked_elsewhere
from seed_library.core.targets import SqliteAddress
from seed_library.ports import Check


async def lease_check(prepared: Prepared) -> Check:
    """Find out whether a run could have the lease now."""
    address = prepared.known_target.address
    if isinstance(address, SqliteAddress):
        return not_needed()
    try:
        async with lease_functions_at(address, prepared.catalog.table, prepared.settings) as functions:
            state = await functions.peek()
            await functions.require_store()
            return _finding(prepared, state)
    except FunctionsMissing:
        return missing(required=prepared.settings.seed_library_require_lease)
    except SeedLibraryError as error:
        return Check("lease", ok=False, message=error.message, hint=error.hint)


def _finding(prepared: Prepared, state: LeaseState) -> Check:
    if not state.held:
        return Check("lease", ok=True, message="free; it excludes runs on other machines")
    ledger, _ = read_ledger(prepared.known_folder.journal)
    if state.holder in ledger.leasing_runs:
        return Check("lease", ok=True, message=f"held by run {state.holder} of this machine")
    refusal = locked_elsewhere(state)
    return Check("lease", ok=False, message=refusal.message, hint=refusal.hint, locked=True)
