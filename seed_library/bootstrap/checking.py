"""Every preflight check on its own, and reading single texts."""

from __future__ import annotations

import asyncio

from seed_library.adapters.lock import is_held, read_holder
from seed_library.adapters.state import TargetFolder, space_check
from seed_library.bootstrap.building import claude_writer, store_at
from seed_library.bootstrap.preparing import Prepared
from seed_library.core.errors import UsageInvalid
from seed_library.engine.preflight import budget_check, sample_row
from seed_library.ports import Check, StoredText


def all_checks(prepared: Prepared) -> list[Check]:
    """Run every preflight check and nothing else. Settings and catalog are judged by then."""
    catalog = prepared.catalog
    rendered = f"{catalog.name}: {len(prepared.chosen.items)} items selected, every prompt renders"
    checks = [Check("settings", ok=True, message="complete"), Check("catalog", ok=True, message=rendered)]
    if prepared.folder is not None:
        checks += [space_check(prepared.folder, len(prepared.chosen.items)), _lock_check(prepared.folder)]
    return checks + asyncio.run(_outside_checks(prepared))


def _lock_check(folder: TargetFolder) -> Check:
    if not is_held(folder):
        return Check("lock", ok=True, message="free; it excludes other runs on this machine only")
    holder = read_holder(folder)
    who = f"pid {holder.pid} on {holder.host} since {holder.started_at}" if holder else "an unknown process"
    return Check("lock", ok=False, message=f"held by {who}", hint="Wait for that run, or stop it.")


async def _outside_checks(prepared: Prepared) -> list[Check]:
    if prepared.target is None:
        return []
    request = prepared.book.request(prepared.chosen.items[0])
    writer = claude_writer(prepared)
    store = store_at(prepared.target.address, prepared.catalog.table, prepared.settings)
    try:
        findings = await store.check(sample_row(request.item))
        model, finding = await writer.look_up(request.spec.model)
    finally:
        await writer.aclose()
        await store.aclose()
    return [*findings, finding, budget_check(prepared.settings.budget, request, model)]


def read_texts(prepared: Prepared, key: str) -> list[StoredText]:
    """Read the stored texts of one key in the selected categories and locales.

    Raises:
        UsageInvalid: the catalog has no such key, or no target is configured.
    """
    if key not in {item.id.key for item in prepared.chosen.items}:
        raise UsageInvalid(
            f"Catalog {prepared.catalog.name!r} has no key {key!r} in this selection.",
            hint=f"`seed-library plan {prepared.catalog.name}` lists the keys.",
        )
    if prepared.target is None:
        raise UsageInvalid("No target is configured.", hint="Set SUPABASE_URL, or give --store sqlite:PATH.")
    return asyncio.run(_read(prepared, key))


async def _read(prepared: Prepared, key: str) -> list[StoredText]:
    assert prepared.target is not None, "the caller has checked it"
    store = store_at(prepared.target.address, prepared.catalog.table, prepared.settings)
    try:
        return await store.read(key, prepared.chosen.categories, prepared.chosen.locales)
    finally:
        await store.aclose()
