"""Every preflight check on its own, and reading single texts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seed_library.adapters.installed import packages_check
from seed_library.adapters.journal_lines import read_ledger
from seed_library.adapters.journal_repair import journal_check
from seed_library.adapters.languages import languages_checks
from seed_library.adapters.lock import is_held, read_holder
from seed_library.adapters.state import TargetFolder, space_check
from seed_library.bootstrap.building import claude_writer, store_at
from seed_library.bootstrap.lease_checks import lease_check
from seed_library.bootstrap.preparing import Inspection, Prepared, claude_faults, store_faults
from seed_library.bootstrap.working import gates_aside
from seed_library.core.catalog import ItemId
from seed_library.core.errors import RunBlocked, SeedLibraryError, TargetLocked, UsageInvalid
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Lookup
from seed_library.core.pricing import FREE
from seed_library.engine.planning import plan_from_store
from seed_library.engine.preflight import budget_check, effort_check, preflight_error, rehearse, require
from seed_library.ports import Check, StoredText


@dataclass(frozen=True, slots=True)
class Findings:
    """What `check` found. `error` sums up what a run would refuse; None where nothing stands in its way."""

    checks: tuple[Check, ...]
    error: SeedLibraryError | None


def all_checks(inspection: Inspection) -> Findings:
    """Run every preflight check and nothing else; what one failure hides is left out, everything else is looked at."""
    checks = [packages_check(), *languages_checks(), *_setting_checks(inspection), _catalog_check(inspection)]
    prepared = inspection.prepared
    if prepared is not None:
        checks += _gates_checks(prepared)
        ledger = Ledger()
        if (folder := prepared.folder) is not None:
            ledger, _ = read_ledger(folder.journal)
            checks += [space_check(folder, len(prepared.chosen.items)), journal_check(folder, ledger)]
            checks.append(_lock_check(folder))
        checks += asyncio.run(_outside_checks(prepared, ledger, inspection.faults))
    return Findings(tuple(checks), inspection.error() or _locked(checks) or preflight_error(checks))


def _locked(checks: Sequence[Check]) -> TargetLocked | None:
    """Return the refusal of a start, where a run that is working is all that stands in its way."""
    failed = [check for check in checks if not check.ok]
    if len(failed) == 1 and failed[0].locked:
        return TargetLocked(failed[0].message, hint=failed[0].hint)
    return None


def require_outside(prepared: Prepared) -> None:
    """Make the checks of a run that is about to go into the background, before anything is started.

    Raises:
        PreflightFailed: with everything that is wrong.
    """
    folder = prepared.known_folder
    ledger, _ = read_ledger(folder.journal)
    checks = [packages_check(), *languages_checks()]
    checks += [space_check(folder, len(prepared.chosen.items)), journal_check(folder, ledger)]
    # What may pass by itself, and the lease, are judged by the process that takes it, and waits for it.
    found = asyncio.run(_store_checks(prepared, ledger)) + asyncio.run(_claude_checks(prepared))
    require(checks + [check for check in found if not check.passing])


def _setting_checks(inspection: Inspection) -> list[Check]:
    if not inspection.faults:
        return [Check("settings", ok=True, message="complete")]
    hint = "Set it in the environment or in .env (see .env.example)."
    return [
        Check("settings", ok=False, message=f"{name} {fault}", hint=hint) for name, fault in inspection.faults.items()
    ]


def _catalog_check(inspection: Inspection) -> Check:
    if inspection.catalog_error is not None:
        error = inspection.catalog_error
        return Check("catalog", ok=False, message=error.message, hint=error.hint)
    prepared = inspection.prepared
    if prepared is None:
        return Check("catalog", ok=False, message="none was found to look at", hint="Mend the settings first.")
    rendered = f"{prepared.catalog.name}: {len(prepared.chosen.items)} items selected, every prompt renders"
    return Check("catalog", ok=True, message=rendered)


def _gates_checks(prepared: Prepared) -> list[Check]:
    """Say which gates will say nothing of a text, whatever is wrong with it; nothing where all of them do."""
    return [Check("gates", ok=True, message=f"standing aside: {line}") for line in gates_aside(prepared)]


def _lock_check(folder: TargetFolder) -> Check:
    if not is_held(folder):
        return Check("lock", ok=True, message="free; it excludes other runs on this machine only")
    holder = read_holder(folder)
    who = f"pid {holder.pid} on {holder.host} since {holder.started_at}" if holder else "an unknown process"
    hint = "Wait for that run (`run --wait-lock SECONDS`), or stop it (`seed-library stop`)."
    return Check("lock", ok=False, message=f"The target is held by {who}.", hint=hint, locked=True)


async def _outside_checks(prepared: Prepared, ledger: Ledger, faults: Mapping[str, str]) -> list[Check]:
    checks: list[Check] = []
    if prepared.target is not None and not store_faults(faults):
        checks += await _store_checks(prepared, ledger)
        if all(check.ok for check in checks):
            checks.append(await lease_check(prepared))
    if not claude_faults(faults):
        checks += await _claude_checks(prepared)
    return checks


async def _store_checks(prepared: Prepared, ledger: Ledger) -> list[Check]:
    """Check the target, and try the rows that a run would bring into it."""
    store = store_at(prepared.known_target.address, prepared.catalog.table, prepared.settings)
    try:
        checks = await store.check(prepared.sample_row)
        if all(check.ok for check in checks):
            lookup = Lookup(ledger, repairs=prepared.catalog.repairs, tries=prepared.catalog.tries)
            checks += await rehearse(store, prepared.catalog, await plan_from_store(prepared.chosen, store, lookup))
    except RunBlocked as error:
        return [Check("table", ok=False, message=error.message, hint=error.hint)]
    else:
        return checks
    finally:
        await store.aclose()


async def _claude_checks(prepared: Prepared) -> list[Check]:
    request = prepared.book.request(prepared.chosen.items[0])
    writer = claude_writer(prepared)
    try:
        model, finding = await writer.look_up(request.spec.model)
    finally:
        await writer.aclose()
    if not finding.ok and model.price == FREE:
        return [finding]  # without a price there is nothing to hold against the budget
    effort = effort_check(request.spec, model) if finding.ok else []
    return [finding, budget_check(prepared.settings.budget, request, model), *effort]


def read_texts(prepared: Prepared, key: str, locales: Sequence[str]) -> list[StoredText]:
    """Read the stored texts of one key in the selected categories, and in these locales (in every one if empty).

    Raises:
        UsageInvalid: the catalog has no such key, or no target is configured.
    """
    if key not in {item.id.key for item in prepared.chosen.items}:
        raise UsageInvalid(
            f"Catalog {prepared.catalog.name!r} has no key {key!r} in this selection.",
            hint=f"`seed-library plan {prepared.catalog.name}` lists the keys.",
        )
    return asyncio.run(_read(prepared, key, locales or prepared.catalog.locales))


async def _read(prepared: Prepared, key: str, locales: Sequence[str]) -> list[StoredText]:
    store = store_at(prepared.known_target.address, prepared.catalog.table, prepared.settings)
    try:
        places = [(category, locale) for category in prepared.chosen.categories for locale in locales]
        return await store.read([ItemId(category, key, locale) for category, locale in places])
    finally:
        await store.aclose()
