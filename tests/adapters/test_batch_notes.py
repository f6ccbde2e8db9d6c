"""Batches are noted beside the lease, on a real Postgres: for other machines, and only by who holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from servers.supabase import BATCHES, GRANTS, LEASE, ORIGINAL_TABLE, PROVENANCE, ROWS, Supabase

from seed_library.adapters.batch_notes import LeaseRowNotes, NoBatchNotes
from seed_library.adapters.fenced import FencedStore
from seed_library.core.batches import BatchNote
from seed_library.core.errors import LeaseLost, RunBlocked

Machine = Callable[..., FencedStore]
NOTE = BatchNote("0a1b2c3d4e5f", 60, "2099-11-25T10:00:00.000+00:00", "claude-sonnet-5-5", 1_700_000)


async def _notes(project: Supabase, machine: Machine, run: str = "r1") -> LeaseRowNotes:
    lease = machine(project, run)._lease
    await lease.take(())
    return LeaseRowNotes(lease)


async def test_what_one_machine_notes_another_one_reads(supabase: Supabase, machine: Machine) -> None:
    """After the first one has gone: the lease changes hands, the notes stay."""
    first = await _notes(supabase, machine, "r1")
    other = replace(NOTE, token="ffffffffffff")
    await first.write(NOTE)
    await first.write(other)
    await first.write(replace(NOTE, batch_id="msgbatch_1", settled=True))
    supabase.sql("update public.seed_library_lease set expires_at = clock_timestamp() - interval '1 second'")
    second = await _notes(supabase, machine, "r2")
    assert second.kept
    assert {note.token: note for note in await second.read()} == {
        NOTE.token: replace(NOTE, batch_id="msgbatch_1", settled=True),
        other.token: other,
    }


async def test_who_has_lost_the_lease_notes_nothing(supabase: Supabase, machine: Machine) -> None:
    """The batch is then not created: the other machine could not know of it."""
    notes = await _notes(supabase, machine)
    supabase.sql("update public.seed_library_lease set holder = 'somebody else', token = token + 1")
    with pytest.raises(LeaseLost):
        await notes.write(NOTE)
    assert supabase.sql("select batches from public.seed_library_lease") == [{"batches": {}}]


async def test_notes_are_dropped_when_nothing_can_be_fetched_any_more(supabase: Supabase, machine: Machine) -> None:
    """After thirty days, with the next note; the provider keeps results for 29."""
    notes = await _notes(supabase, machine)
    await notes.write(replace(NOTE, at="2020-01-01T00:00:00.000+00:00"))
    fresh = replace(NOTE, token="ffffffffffff")
    await notes.write(fresh)
    assert await notes.read() == [fresh]


async def test_a_database_without_the_functions_keeps_none(project: Callable[..., Supabase], machine: Machine) -> None:
    """The lease alone is not enough; nothing fails, and the engine can say so."""
    bare = project(ORIGINAL_TABLE, GRANTS, PROVENANCE, LEASE, ROWS)
    notes = await _notes(bare, machine)
    assert await notes.read() == []
    assert not notes.kept
    await notes.write(NOTE)
    bare.sql(BATCHES.read_text("utf-8"))
    assert bare.sql("select batches from public.seed_library_lease") == [{"batches": {}}]


async def test_without_a_lease_nothing_is_noted(project: Callable[..., Supabase], machine: Machine) -> None:
    """Neither on a project without lease functions nor in a file."""
    bare = project(ORIGINAL_TABLE, GRANTS, PROVENANCE)
    notes = await _notes(bare, machine)
    for none in (notes, NoBatchNotes()):
        assert not none.kept
        await none.write(NOTE)
        assert await none.read() == []


async def test_notes_that_cannot_be_read_stop_the_run(supabase: Supabase, machine: Machine) -> None:
    """Something is noted that may be a paid batch: to go on would mean paying again."""
    notes = await _notes(supabase, machine)
    supabase.sql("""update public.seed_library_lease set batches = '{"x": {"intended_at": "2099-01-01"}}'""")
    with pytest.raises(RunBlocked, match="cannot be read"):
        await notes.read()
