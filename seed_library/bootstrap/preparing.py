"""From flags and settings to everything that is known before the first lock or request."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seed_library.adapters.catalog_folders import meant_catalog, prompts_folder
from seed_library.adapters.routes import faults_on_the_way, proxy_secrets
from seed_library.adapters.state import TargetFolder, target_folder
from seed_library.bootstrap.places import resolve_state_dir
from seed_library.core.catalog import Catalog, Selection, select
from seed_library.core.errors import CatalogInvalid, SeedLibraryError, SettingsInvalid, UsageInvalid
from seed_library.core.locales import spelt_as
from seed_library.core.prompts import PromptBook
from seed_library.core.redaction import Redactor
from seed_library.core.targets import StoreAddress, SupabaseAddress, Target
from seed_library.engine.planning import Chosen, choose
from seed_library.engine.preflight import sample_row
from seed_library.ports import Row

if TYPE_CHECKING:
    from seed_library.settings import Needs, Settings

REHEARSAL_STORE = "sqlite:rehearsal.sqlite3"
_OUR_NAMES = ("ANTHROPIC_", "SUPABASE_", "SEED_LIBRARY_")  # another one says how any service is reached


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; None and empty mean "not given"."""

    catalog: str | None = None
    selection: Selection = field(default_factory=Selection)
    store: str | None = None
    model: str | None = None
    budget: str | None = None
    concurrency: int | None = None
    mode: str | None = None
    env_file: Path | None = None

    @property
    def overrides(self) -> dict[str, Any]:
        """The flags as settings, by name; only those that were given."""
        named = {
            "seed_library_catalog": self.catalog,
            "seed_library_store": self.store,
            "seed_library_model": self.model,
            "seed_library_budget_usd": self.budget,
            "seed_library_concurrency": self.concurrency,
            "seed_library_mode": self.mode,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process brings along: its environment and its clock's reading at the start."""

    environment: Mapping[str, str]
    now: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """Settings, catalog, items and target, all valid. `target` is None where no store is configured."""

    settings: Settings
    catalog: Catalog
    book: PromptBook
    chosen: Chosen
    target: Target | None
    state_dir: Path

    @property
    def folder(self) -> TargetFolder | None:
        """The target's folder in the state directory."""
        return target_folder(self.state_dir, self.target) if self.target else None

    @property
    def known_target(self) -> Target:
        """The target.

        Raises:
            UsageInvalid: none is configured.
        """
        if self.target is None:
            raise UsageInvalid("No target is configured.", hint="Set SUPABASE_URL, or give --store sqlite:PATH.")
        return self.target

    @property
    def known_folder(self) -> TargetFolder:
        """The target's folder in the state directory.

        Raises:
            UsageInvalid: no target is configured.
        """
        return target_folder(self.state_dir, self.known_target)

    @property
    def sample_row(self) -> Row:
        """A real item of the selection as a row with placeholder text, for the target's checks."""
        return sample_row(self.chosen.items[0], self.catalog.table)

    @property
    def target_label(self) -> str:
        """The target, for people."""
        return self.target.label if self.target else "not configured (SUPABASE_URL is not set)"

    @property
    def left_out(self) -> str:
        """Says which locales of the catalog are not meant, by a flag or a setting; empty where all are."""
        missing = [locale for locale in self.catalog.locales if locale not in self.chosen.locales]
        if not missing:
            return ""
        meant = ", ".join(self.chosen.locales)
        return f"Left out: {', '.join(missing)} (--locale, or SEED_LIBRARY_LOCALES, means {meant} only)."

    @property
    def redactor(self) -> Redactor:
        """Takes this run's secrets out of any text."""
        return redactor_for(self.settings)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the inputs are worth, without anything touched.

    Attributes:
        faults: setting name -> what is wrong with it.
        catalog_error: what is wrong with the catalog, if anything is.
        prepared: everything that follows from the inputs; None where the catalog cannot be used.
    """

    settings: Settings
    faults: Mapping[str, str]
    catalog_error: CatalogInvalid | None = None
    prepared: Prepared | None = None

    @property
    def redactor(self) -> Redactor:
        """Takes the secrets among the settings out of any text."""
        return redactor_for(self.settings)

    def error(self) -> SeedLibraryError | None:
        """Return one error that names everything that is wrong, or None."""
        from seed_library.settings import settings_invalid

        if not self.faults:
            return self.catalog_error
        error = settings_invalid(self.faults)
        if self.catalog_error is None:
            return error
        return SettingsInvalid(f"{error.message}\n{self.catalog_error.message}", hint=error.hint)


def prepare(flags: Flags, needs: Needs, surroundings: Surroundings) -> Prepared:
    """Judge settings, catalog and selection; render every selected item once.

    Raises:
        UsageInvalid, SettingsInvalid, CatalogInvalid: with everything that is wrong, before anything is touched.
    """
    inspection = inspect(flags, needs, surroundings)
    error = inspection.error()
    if error is not None:
        raise error
    assert inspection.prepared is not None, "no error means that everything is there"
    return inspection.prepared


def inspect(flags: Flags, needs: Needs, surroundings: Surroundings) -> Inspection:
    """Judge settings, catalog and selection, and keep what is wrong instead of raising it.

    Raises:
        UsageInvalid: the arguments cannot be meant.
        SettingsInvalid: the env file cannot be read at all.
    """
    from seed_library.settings import inspect_settings

    settings, faults = inspect_settings(
        flags.env_file, flags.overrides, needs, surroundings.environment, surroundings.now
    )
    _refuse_flags(flags, faults)
    faults |= network_faults(settings, needs)
    try:
        return Inspection(settings, faults, prepared=_prepared(flags, settings))
    except CatalogInvalid as error:
        return Inspection(settings, faults, error)
    except _SettingFault as fault:
        return Inspection(settings, {**faults, fault.name: str(fault)})


def _refuse_flags(flags: Flags, faults: Mapping[str, str]) -> None:
    """Blame the flag, not the setting that it stands for.

    Raises:
        UsageInvalid: with every flag whose value cannot be meant.
    """
    typed = {name: f"--{name.removeprefix('seed_library_').removesuffix('_usd')}" for name in flags.overrides}
    wrong = [f"{typed[name.lower()]} {fault}" for name, fault in faults.items() if name.lower() in typed]
    if wrong:
        raise UsageInvalid("; ".join(wrong) + ".", hint="`--help` explains. Nothing was started.")


class _SettingFault(Exception):
    """A setting names something that the catalog does not have."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _prepared(flags: Flags, settings: Settings) -> Prepared:
    catalog = _load_catalog(flags, settings)
    spec = replace(catalog.request, model=settings.seed_library_model or catalog.request.model)
    book = PromptBook(catalog, spec)
    selection = _with_locales(flags.selection, settings, catalog)
    chosen = choose(catalog, book, selection, select(catalog, selection))
    address = settings.store_address
    return Prepared(
        settings=settings,
        catalog=catalog,
        book=book,
        chosen=chosen,
        target=_target(address, catalog) if address else None,
        state_dir=resolve_state_dir(settings.seed_library_state_dir),
    )


def _target(address: StoreAddress, catalog: Catalog) -> Target:
    return Target(address, catalog.table.schema, catalog.table.name)


def _load_catalog(flags: Flags, settings: Settings) -> Catalog:
    from seed_library.adapters.catalogs import load_catalog

    folder = prompts_folder(settings.seed_library_prompts_dir)
    said = "seed_library_catalog" in settings.model_fields_set
    try:
        return load_catalog(folder, settings.seed_library_catalog if said else meant_catalog(folder))
    except UsageInvalid as error:
        if flags.catalog is not None:
            raise
        raise _SettingFault("SEED_LIBRARY_CATALOG", f"names no catalog: {error.message} {error.hint}") from None


def _with_locales(selection: Selection, settings: Settings, catalog: Catalog) -> Selection:
    """Without `--locale` the setting decides, without that the catalog. A locale is meant however it is spelt."""
    wanted = selection.locales or settings.seed_library_locales or catalog.locales
    spelt = tuple(dict.fromkeys(spelt_as(locale, catalog.locales) for locale in wanted))
    unknown = [locale for locale in spelt if locale not in catalog.locales]
    if unknown and not selection.locales:
        raise _SettingFault(
            "SEED_LIBRARY_LOCALES",
            f"names {', '.join(unknown)}, which catalog {catalog.name!r} does not have; "
            f"its locales: {', '.join(catalog.locales)}",
        )
    return replace(selection, locales=spelt)


def redactor_for(settings: Settings) -> Redactor:
    """Return what takes the keys among the settings, and the passwords of proxies, out of any text."""
    return Redactor((*settings.secrets, *proxy_secrets()))


def network_faults(settings: Settings, needs: Needs) -> dict[str, str]:
    """Return what is wrong with the variables that say how the services are reached: name -> what is wrong with it."""
    address = settings.store_address
    urls = [settings.anthropic_base_url] if needs.claude else []
    if needs.store and isinstance(address, SupabaseAddress):
        urls.append(address.url)
    return faults_on_the_way(urls)


def store_faults(faults: Mapping[str, str]) -> bool:
    """Whether what is wrong with the settings keeps us from the target."""
    return _any_begins(faults, "SUPABASE_", "SEED_LIBRARY_STORE")


def claude_faults(faults: Mapping[str, str]) -> bool:
    """Whether what is wrong with the settings keeps us from the Claude API."""
    return _any_begins(faults, "ANTHROPIC_", "SEED_LIBRARY_MODEL")


def _any_begins(faults: Mapping[str, str], *beginnings: str) -> bool:
    return any(name.startswith(beginnings) or not name.upper().startswith(_OUR_NAMES) for name in faults)


def new_run_id(now: datetime) -> str:
    """Return a run id that sorts by time and is unique."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
