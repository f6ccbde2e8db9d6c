"""Making adapters from settings. Each vendor is loaded only when its adapter is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from seed_library.adapters.batch_notes import LeaseRowNotes, NoBatchNotes
from seed_library.adapters.lease import Applicant, NoLease, SupabaseLease
from seed_library.adapters.lease_functions import LeaseFunctions
from seed_library.adapters.models import ModelsTable, load_models
from seed_library.adapters.supabase_connection import SupabaseConnection
from seed_library.bootstrap.preparing import Prepared
from seed_library.core.catalog import TableSpec
from seed_library.core.lease import LeaseTimes
from seed_library.core.targets import SqliteAddress, StoreAddress, SupabaseAddress
from seed_library.ports import BatchNotes, BatchWriter, Lease, Library, Writer
from seed_library.settings import Settings


def models_of(settings: Settings) -> ModelsTable:
    """Return the dated table of models with the user's overrides."""
    return load_models(settings.seed_library_models_file)


def claude_writer(prepared: Prepared) -> Writer:
    """Return the writer that asks Claude."""
    return claude_writers(prepared)[0]


def claude_writers(prepared: Prepared) -> tuple[Writer, BatchWriter]:
    """Return what asks Claude, by messages and by batches. They share a connection, which the first one closes."""
    from seed_library.adapters.claude import ClaudeWriter
    from seed_library.adapters.claude_batches import ClaudeBatches

    settings = prepared.settings
    writer = ClaudeWriter(settings.claude_key, settings.anthropic_base_url, models_of(settings))
    return writer, ClaudeBatches(writer)


def offline_writers() -> tuple[Writer, BatchWriter]:
    """Return the writers of rehearsals."""
    from seed_library.adapters.rehearsal import NoBatches, OfflineWriter

    return OfflineWriter(), NoBatches()


def store_at(address: StoreAddress, table: TableSpec, settings: Settings) -> Library:
    """Return the library at an address."""
    if isinstance(address, SqliteAddress):
        from pathlib import Path

        from seed_library.adapters.sqlite import SqliteStore

        return SqliteStore(Path(address.path), table)
    from seed_library.adapters.supabase import SupabaseStore

    return SupabaseStore(address.url, settings.supabase_key, table)


@asynccontextmanager
async def lease_functions_at(
    address: SupabaseAddress, table: TableSpec, settings: Settings
) -> AsyncIterator[LeaseFunctions]:
    """Give what looks at a lease and breaks it, without taking it."""
    connection = SupabaseConnection(address.url, settings.supabase_key)
    try:
        yield LeaseFunctions(connection, table, LeaseTimes())
    finally:
        await connection.aclose()


def leased_store_at(
    address: StoreAddress, table: TableSpec, settings: Settings, applicant: Applicant
) -> tuple[Library, Lease, BatchNotes]:
    """Return the store of a run, the lease whose token its writes carry, and where its batches are noted."""
    if isinstance(address, SqliteAddress):
        return store_at(address, table, settings), NoLease(), NoBatchNotes()
    from seed_library.adapters.fenced import FencedStore
    from seed_library.adapters.supabase import SupabaseStore

    store = SupabaseStore(address.url, settings.supabase_key, table)
    times = LeaseTimes()
    lease = SupabaseLease(LeaseFunctions(store.connection, table, times), applicant, times)
    return FencedStore(store, lease), lease, LeaseRowNotes(lease)
