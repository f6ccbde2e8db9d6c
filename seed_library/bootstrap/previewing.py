"""The preview: what a run would do and cost. Takes no lock, pays nothing, and says what it could not see."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from seed_library.adapters.journal_lines import read_ledger
from seed_library.adapters.journal_repair import journal_check
from seed_library.bootstrap.building import claude_writer, models_of, store_at
from seed_library.bootstrap.lease_checks import lease_check
from seed_library.bootstrap.preparing import Prepared, claude_faults, store_faults
from seed_library.core.batches import chosen_mode
from seed_library.core.errors import SeedLibraryError
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Lookup, Plan, Refresh
from seed_library.core.pricing import ModelFacts
from seed_library.core.targets import SqliteAddress
from seed_library.engine.planning import Cost, Prices, count, estimate, plan_from_journal, plan_from_store
from seed_library.engine.preflight import effort_check, rehearse
from seed_library.ports import Check


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan and its price. `prices` are None where the model's price is not known.

    Attributes:
        mode: how a run would ask for the texts.
        model: what is known of the model; None where nothing is.
        notes: what could not be seen, and what stands in the way of a run.
    """

    plan: Plan
    prices: Prices | None
    mode: Literal["messages", "batch"]
    model: ModelFacts | None
    notes: tuple[str, ...]

    @property
    def cost(self) -> Cost | None:
        """The cost in the mode of the run."""
        return self.prices.of(self.mode) if self.prices else None


def preview(prepared: Prepared, refresh: Refresh, *, faults: dict[str, str]) -> Preview:
    """Plan as far as settings and network allow.

    Args:
        prepared: catalog, selection and target.
        refresh: how changed texts are to be treated.
        faults: settings that a run would refuse, by name; what depends on them is not looked at.
    """
    return asyncio.run(_Look(prepared, refresh, faults).preview())


class _Look:
    def __init__(self, prepared: Prepared, refresh: Refresh, faults: dict[str, str]) -> None:
        self._prepared = prepared
        self._refresh = refresh
        self._faults = faults
        self._notes = [f"{name} {fault}." for name, fault in faults.items()]
        self._notes += filter(None, [prepared.left_out])

    async def preview(self) -> Preview:
        ledger = self._ledger()
        catalog, by_name = self._prepared.catalog, self._prepared.chosen.by_name
        lookup = Lookup(ledger, self._refresh, repairs=catalog.repairs, tries=catalog.tries, by_name=by_name)
        plan = await self._plan(lookup)
        prices, model = await self._prices(plan)
        settings = self._prepared.settings
        mode = chosen_mode(settings.seed_library_mode, len(plan.to_generate), settings.seed_library_concurrency)
        for intent in ledger.open_intents.values():
            self._notes.append(f"{intent.item}: a request of a killed or running run is open; it may have been billed.")
        for batch in ledger.open_batches.values():
            named = batch.note.batch_id or "whose id is not known yet"
            whose = f" with a key of {batch.note.workspace}" if batch.note.workspace else ""
            self._notes.append(
                f"A batch of {batch.note.count:,} requests ({named}) is at the provider; a run{whose} collects it."
            )
        return Preview(plan, prices, mode, model, tuple(self._notes))

    def _ledger(self) -> Ledger:
        folder = self._prepared.folder
        if folder is None:
            return Ledger()
        ledger, _ = read_ledger(folder.journal)
        if (check := journal_check(folder, ledger)).hint:
            self._notes.append(_note(check))
        return ledger

    def _note_lease(self, check: Check) -> None:
        if check.hint:
            self._notes.append(_note(check))

    async def _plan(self, lookup: Lookup) -> Plan:
        prepared = self._prepared
        if prepared.target is None or not self._store_is_usable():
            self._notes.append("The table was not read; what the journal remembers as stored stands for it.")
            return plan_from_journal(prepared.chosen, lookup, "claude")
        store = store_at(prepared.target.address, prepared.catalog.table, prepared.settings)
        try:
            failed = [check for check in await store.check(prepared.sample_row) if not check.ok]
            if not failed:
                self._note_lease(await lease_check(prepared))
                plan = await plan_from_store(prepared.chosen, store, lookup)
                tried = await rehearse(store, prepared.catalog, plan)
                self._notes += [_note(check) for check in tried if check.hint]
                return plan
            self._notes += [_note(check) for check in failed]
        except SeedLibraryError as error:
            self._notes.append(f"{error.message} {error.hint}".strip())
        finally:
            await store.aclose()
        self._notes.append("The table could not be read; what the journal remembers as stored stands for it.")
        return plan_from_journal(prepared.chosen, lookup, "claude")

    def _store_is_usable(self) -> bool:
        target = self._prepared.target
        if target is not None and isinstance(target.address, SqliteAddress):
            return True
        return not store_faults(self._faults)

    async def _prices(self, plan: Plan) -> tuple[Prices | None, ModelFacts | None]:
        """Return the price, and what is known of the model: by the API where it can be asked, else by the table."""
        prepared, steps = self._prepared, plan.to_generate
        known = self._known()
        if steps and not claude_faults(self._faults):
            return await self._counted(plan, known)
        if not steps:
            nothing = Cost(0, 0, "nothing to generate")
            return Prices(nothing, nothing), known
        return (estimate(steps, prepared.book, known) if known else None), known

    def _known(self) -> ModelFacts | None:
        models, name = models_of(self._prepared.settings), self._prepared.book.spec.model
        if name in models.retired:
            self._notes.append(f"The model {name!r} is retired since {models.retired[name]}; a run will refuse it.")
        elif models.facts(name) is None:
            self._notes.append(f"The price of the model {name!r} is not known.")
        return models.facts(name)

    async def _counted(self, plan: Plan, known: ModelFacts | None) -> tuple[Prices | None, ModelFacts | None]:
        prepared = self._prepared
        writer = claude_writer(prepared)
        try:
            facts, check = await writer.look_up(prepared.book.spec.model)
            if check.ok:
                effort = effort_check(prepared.book.spec, facts)
                self._notes += [_note(one) for one in (check, *effort) if one.hint]
                return await count(plan.to_generate, prepared.book, facts, writer), facts
            self._notes.append(_note(check))
        finally:
            await writer.aclose()
        return (estimate(plan.to_generate, prepared.book, known) if known else None), known


def _note(check: Check) -> str:
    return f"{check.name}: {check.message.rstrip('.')}. {check.hint}".strip()
