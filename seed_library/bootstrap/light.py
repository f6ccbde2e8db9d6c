"""The few settings that say where things are, read without loading the settings class.

`status` must answer at once and must work with a half-configured environment. A test proves that this reader and
`Settings` agree.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from seed_library.adapters.catalog_folders import meant_catalog, peek_table, prompts_folder
from seed_library.adapters.lock import read_holder
from seed_library.adapters.state import TargetFolder, target_folder
from seed_library.bootstrap.places import resolve_state_dir, sqlite_file
from seed_library.core.errors import SettingsInvalid, UsageInvalid
from seed_library.core.service_urls import supabase_url_fault
from seed_library.core.targets import SqliteAddress, SupabaseAddress, Target, sqlite_path


@dataclass(frozen=True, slots=True)
class LightSettings:
    """What names the target and its state. `catalog` is empty where no setting names one."""

    catalog: str
    store: str
    supabase_url: str
    prompts_dir: Path | None
    state_dir: Path


def read_light_settings(env_file: Path | None) -> LightSettings:
    """Read environment and env file; the environment wins, empty values count as not set.

    Raises:
        SettingsInvalid: the env file cannot be read.
    """
    values = _read_env_file(env_file) if env_file else {}
    values |= {name.upper(): value for name, value in os.environ.items() if value}
    prompts_dir = values.get("SEED_LIBRARY_PROMPTS_DIR")
    setting = values.get("SEED_LIBRARY_STATE_DIR")
    return LightSettings(
        catalog=values.get("SEED_LIBRARY_CATALOG", ""),
        store=values.get("SEED_LIBRARY_STORE", "supabase"),
        supabase_url=values.get("SUPABASE_URL", "").strip().rstrip("/"),
        prompts_dir=Path(prompts_dir) if prompts_dir else None,
        state_dir=resolve_state_dir(Path(setting) if setting else None),
    )


def _read_env_file(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    try:
        return {name.upper(): value for name, value in dotenv_values(path, encoding="utf-8-sig").items() if value}
    except UnicodeDecodeError as error:
        fault = f"is not UTF-8 (byte {error.start})"
    except OSError as error:
        fault = f"cannot be read ({error.strerror})"
    # Not raised inside the handler: the error of a decoder carries the whole file, secrets and all.
    raise SettingsInvalid(f"{path} {fault}.", hint="Save it as UTF-8, readable for you.")


def status_folder(env_file: Path | None, catalog: str | None, store: str | None) -> TargetFolder | None:
    """Return the folder of the target that is meant; the one used last where none is configured.

    Raises:
        UsageInvalid, SettingsInvalid: as `named_folder`.
    """
    named = named_folder(env_file, catalog, store)
    return named if named is not None else _used_last(read_light_settings(env_file).state_dir)


def named_folder(env_file: Path | None, catalog: str | None, store: str | None) -> TargetFolder | None:
    """Return the folder of the target that settings or arguments name; None where they name none.

    Raises:
        UsageInvalid: the store is neither `supabase` nor `sqlite:PATH`.
        SettingsInvalid: the project's URL, or the env file, cannot be read.
    """
    light = read_light_settings(env_file)
    chosen = store or light.store
    path = sqlite_path(chosen)
    if not path and chosen != "supabase":
        raise UsageInvalid(f"{chosen!r} is no store.", hint="Use supabase, or sqlite:PATH.")
    if not path and not light.supabase_url:
        return None
    if not path and (fault := supabase_url_fault(light.supabase_url)):
        raise SettingsInvalid(f"SUPABASE_URL {fault}.", hint="Mend it in the environment or in .env.")
    folder = prompts_folder(light.prompts_dir)
    table = peek_table(folder, catalog or light.catalog or meant_catalog(folder))
    address = _sqlite(path, store) if path else SupabaseAddress(light.supabase_url)
    return target_folder(light.state_dir, Target(address, table.schema, table.name))


def _sqlite(path: str, typed: str | None) -> SqliteAddress:
    try:
        return SqliteAddress(sqlite_file(path))
    except ValueError as error:
        fault = str(error)
    if typed:
        raise UsageInvalid(f"--store {fault}.", hint="Use supabase, or sqlite:PATH.")
    raise SettingsInvalid(f"SEED_LIBRARY_STORE {fault}.", hint="Mend it in the environment or in .env.")


def _used_last(state_dir: Path) -> TargetFolder | None:
    targets = state_dir / "targets"
    folders = [TargetFolder(path) for path in targets.iterdir()] if targets.is_dir() else []
    known = [(holder.started_at, folder) for folder in folders if (holder := read_holder(folder)) is not None]
    return max(known, key=lambda pair: pair[0])[1] if known else None
