"""Making adapters from settings. Each vendor is loaded only when its adapter is made."""

from __future__ import annotations

from seed_library.adapters.models import ModelsTable, load_models
from seed_library.bootstrap.preparing import Prepared
from seed_library.core.catalog import TableSpec
from seed_library.core.targets import SqliteAddress, StoreAddress
from seed_library.ports import Store, Writer
from seed_library.settings import Settings


def models_of(settings: Settings) -> ModelsTable:
    """Return the dated table of models with the user's overrides."""
    return load_models(settings.seed_library_models_file)


def claude_writer(prepared: Prepared) -> Writer:
    """Return the writer that asks Claude."""
    from seed_library.adapters.claude import ClaudeWriter

    settings = prepared.settings
    return ClaudeWriter(settings.claude_key, settings.anthropic_base_url, models_of(settings))


def offline_writer() -> Writer:
    """Return the writer of rehearsals."""
    from seed_library.adapters.rehearsal import OfflineWriter

    return OfflineWriter()


def store_at(address: StoreAddress, table: TableSpec, settings: Settings) -> Store:
    """Return the store at an address."""
    if isinstance(address, SqliteAddress):
        from pathlib import Path

        from seed_library.adapters.sqlite import SqliteStore

        return SqliteStore(Path(address.path), table)
    from seed_library.adapters.supabase import SupabaseStore

    return SupabaseStore(address.url, settings.supabase_key, table)
