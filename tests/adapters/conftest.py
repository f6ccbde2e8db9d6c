"""Machines that share a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from servers.supabase import Supabase

from seed_library.adapters.fenced import FencedStore
from seed_library.adapters.lease import Applicant, SupabaseLease
from seed_library.adapters.lease_functions import LeaseFunctions
from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.core.lease import LeaseTimes


@pytest.fixture
async def machine() -> AsyncIterator[Callable[..., FencedStore]]:
    """A factory of machines: each has a connection, a lease and a store of its own."""
    async with AsyncExitStack() as opened:

        def start(project: Supabase, run_id: str, *, host: str = "", **how: Any) -> FencedStore:
            times = how.pop("times", LeaseTimes())
            store = SupabaseStore(project.url, how.pop("key", project.secret), TableSpec())
            functions = LeaseFunctions(store.connection, TableSpec(), times)
            told = {"host": host or f"host of {run_id}", "pid": 4711, "command": "run"}
            applicant = Applicant(run_id, told, how.pop("required", False))
            lease = SupabaseLease(functions, applicant, times, **how)
            fenced = FencedStore(store, lease)
            opened.push_async_callback(fenced.aclose)
            return fenced

        yield start
