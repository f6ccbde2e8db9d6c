"""One contract for what makes batches and what notes them: the real adapters, and the fakes of the engine's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from adapters.claude_requests import claude, request_for
from fakes.batches import MemoryBatches, MemoryNotes
from fakes.clock import FakeClock
from servers.processes import MessagesServer
from servers.supabase import Supabase

from seed_library.adapters.batch_notes import LeaseRowNotes
from seed_library.adapters.claude_batches import ClaudeBatches
from seed_library.adapters.fenced import FencedStore
from seed_library.core.batches import BatchNote, BatchState
from seed_library.core.drafts import Request, reading_fault, text_of, usage_of
from seed_library.core.errors import WriteRetryable
from seed_library.ports import BatchNotes, BatchWriter

_NAMED: list[tuple[str, Request]] = [
    (f"0a1b2c3d4e5f-{number:016x}-{'ab' * 16}", request_for(user=f"Schreibe Text {number}.")) for number in range(4)
]
_NOTE = BatchNote("0a1b2c3d4e5f", 4, "2099-11-25T10:00:00.000+00:00", "claude-sonnet-5-5", 1_700_000)


@pytest.fixture(params=["scripted server", "memory"])
async def batches(request: pytest.FixtureRequest) -> AsyncIterator[BatchWriter]:
    """A provider with nothing in it; a batch of it ends when it is looked at a second time."""
    if request.param == "memory":
        yield MemoryBatches(FakeClock(), looks=2)
        return
    messages: MessagesServer = request.getfixturevalue("messages")
    async with claude(messages.url) as writer:
        yield ClaudeBatches(writer)


@pytest.fixture(params=["lease row", "memory"])
async def notes(request: pytest.FixtureRequest, supabase: Supabase, machine: Callable[..., FencedStore]) -> BatchNotes:
    """A place for notes, with the lease held where there is one."""
    if request.param == "memory":
        return MemoryNotes()
    lease = machine(supabase, "r1")._lease
    await lease.take(())
    return LeaseRowNotes(lease)


async def _ended(batches: BatchWriter, batch_id: str) -> BatchState:
    while True:
        state = await batches.look(batch_id)
        assert state is not None
        if state.ended:
            return state


async def test_a_batch_says_how_many_requests_it_has_from_its_creation_to_its_end(batches: BatchWriter) -> None:
    """That number is how a lost one is found; the counts of results come with the end only."""
    created = await batches.create(_NAMED)
    assert (created.count, created.ended, sum(created.counts.values())) == (4, False, 0)
    ended = await _ended(batches, created.id)
    assert (ended.count, ended.counts["succeeded"]) == (4, 4)


async def test_results_come_once_per_request_and_again_from_the_top(batches: BatchWriter) -> None:
    """Each with its name and a message that says what it costs."""
    created = await batches.create(_NAMED)
    await _ended(batches, created.id)
    for _ in range(2):
        results = [result async for result in batches.results(created.id)]
        assert sorted(result.custom_id for result in results) == [name for name, _ in _NAMED]
        for result in results:
            assert (result.outcome, reading_fault(result.message)) == ("succeeded", "")
            assert text_of(result.message)
            assert usage_of(result.message).output_tokens > 0


async def test_batches_are_found_by_their_time_oldest_first(batches: BatchWriter) -> None:
    """Whether they have ended or not; later ones only, where a later time is asked for."""
    first, second = await batches.create(_NAMED[:1]), await batches.create(_NAMED[1:])
    found = await batches.find(first.created_at - timedelta(seconds=1))
    assert [one.id for one in found] == [first.id, second.id]
    assert await batches.find(second.created_at + timedelta(hours=1)) == []


async def test_a_canceled_batch_ends_with_what_was_finished(batches: BatchWriter) -> None:
    """Some of it succeeded, some was given up; asking twice does no harm."""
    created = await batches.create(_NAMED)
    await batches.cancel(created.id)
    await batches.cancel(created.id)
    await _ended(batches, created.id)
    outcomes = {result.outcome async for result in batches.results(created.id)}
    assert outcomes == {"succeeded", "canceled"}


async def test_nobody_knows_a_batch_that_was_never_made(batches: BatchWriter) -> None:
    """It is none, and no error: minutes after its creation that may be untrue."""
    assert await batches.look("msgbatch_unknown") is None
    with pytest.raises((WriteRetryable, KeyError)):
        assert [result async for result in batches.results("msgbatch_unknown")]


async def test_the_newest_word_about_a_batch_counts(notes: BatchNotes) -> None:
    """Nothing at first; one note per token; all of it comes back."""
    assert await notes.read() == []
    other = replace(_NOTE, token="ffffffffffff")
    for note in (_NOTE, other, replace(_NOTE, batch_id="msgbatch_1", settled=True)):
        await notes.write(note)
    assert notes.kept
    found = {note.token: note for note in await notes.read()}
    assert found == {_NOTE.token: replace(_NOTE, batch_id="msgbatch_1", settled=True), other.token: other}
