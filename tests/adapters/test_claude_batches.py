"""The Message Batches adapter against the scripted server and an independent one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from adapters.claude_requests import chain_of, claude, request_for
from servers.processes import KEY, MessagesServer, MockAiApi

from seed_library.adapters.claude_batches import ClaudeBatches
from seed_library.core.batches import BatchResult, batch_token, custom_id
from seed_library.core.drafts import Request, reading_fault, text_of
from seed_library.core.errors import ItemRefused, RunBlocked, WriteRetryable

BATCHES = "/v1/messages/batches"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TOKEN = batch_token("r1", 1)


def _named(count: int) -> list[tuple[str, Request]]:
    requests = [request_for(user=f"Schreibe Text {number}.") for number in range(count)]
    return [(f"{TOKEN}-{number:016x}-{'ab' * 16}", request) for number, request in enumerate(requests)]


@pytest.fixture
async def batches(messages: MessagesServer) -> AsyncIterator[ClaudeBatches]:
    """The adapter in front of the scripted server."""
    async with claude(messages.url) as writer:
        yield ClaudeBatches(writer)


async def _results(batches: ClaudeBatches, batch_id: str) -> list[BatchResult]:
    return [result async for result in batches.results(batch_id)]


async def test_a_batch_goes_its_way_from_creation_to_results(batches: ClaudeBatches, messages: MessagesServer) -> None:
    """With the ids that identify it, and a message per request, in the provider's order."""
    created = await batches.create(_named(3))
    assert (created.status, created.count, created.ended) == ("in_progress", 3, False)
    assert created.request_id.startswith("req_")
    assert created.workspace == "wrkspc_test"
    assert datetime.now(UTC) - created.created_at < timedelta(minutes=1)
    waiting = await batches.look(created.id)
    assert waiting is not None
    assert not waiting.ended
    ended = await batches.look(created.id)
    assert ended is not None
    assert (ended.ended, ended.counts["succeeded"], ended.count) == (True, 3, 3)
    results = await _results(batches, created.id)
    assert sorted(result.custom_id for result in results) == sorted(name for name, _ in _named(3))
    assert all(reading_fault(result.message) == "" and text_of(result.message) for result in results)
    assert len(messages.billed()) == 3


async def test_what_is_sent_is_what_a_message_would_be(batches: ClaudeBatches, messages: MessagesServer) -> None:
    """The canary proves the parameters of the batch only if they are the same."""
    async with claude(messages.url) as writer:
        await writer.write(request_for())
        (sent,) = messages.log()
        assert sent["body"] == writer.parameters(request_for())


async def test_results_say_why_there_is_no_text(batches: ClaudeBatches, messages: MessagesServer) -> None:
    """Errored with the API's reason, expired, canceled."""
    messages.control(batch_polls=0, batch_outcomes=[{"type": "errored"}, {"type": "expired"}, {"type": "canceled"}])
    created = await batches.create(_named(4))
    await batches.look(created.id)
    results = await _results(batches, created.id)
    assert sorted(result.outcome for result in results) == ["canceled", "errored", "expired", "succeeded"]
    (errored,) = [result for result in results if result.outcome == "errored"]
    assert errored.reason == "api_error: scripted"


async def test_a_canceled_batch_keeps_what_was_finished(batches: ClaudeBatches, messages: MessagesServer) -> None:
    """Every second request, here."""
    messages.control(batch_polls=100)
    created = await batches.create(_named(4))
    assert (await batches.cancel(created.id)).status == "canceling"
    await batches.look(created.id)
    outcomes = sorted(result.outcome for result in await _results(batches, created.id))
    assert outcomes == ["canceled", "canceled", "succeeded", "succeeded"]


async def test_batches_are_found_by_their_time_oldest_first_over_many_pages(
    batches: ClaudeBatches, messages: MessagesServer
) -> None:
    """The list is newest first, in pages; what is older than asked for ends it."""
    created = [await batches.create(_named(1)) for _ in range(105)]
    found = await batches.find(LONG_AGO)
    assert [one.id for one in found] == [one.id for one in created]
    assert len(messages.log(BATCHES)) == 105 + 2
    recent = await batches.find(created[-3].created_at)
    assert [one.id for one in recent] == [one.id for one in created[-3:]]
    assert len(messages.log(BATCHES)) == 105 + 3


async def test_a_lost_answer_to_a_creation_may_have_made_a_batch(
    batches: ClaudeBatches, messages: MessagesServer
) -> None:
    """It is sent once; the caller is told that nobody knows."""
    messages.faults({"path": BATCHES, "method": "POST", "drop": "after"})
    with pytest.raises(WriteRetryable) as lost:
        await batches.create(_named(2))
    assert lost.value.maybe_billed
    assert len(messages.log(BATCHES)) == 1
    assert [one.count for one in await batches.find(LONG_AGO)] == [2]


@pytest.mark.parametrize("body", ["<html>gateway</html>", "[]", '{"id": "msgbatch_1"}'])
async def test_an_unreadable_answer_to_a_creation_may_have_made_a_batch(
    batches: ClaudeBatches, messages: MessagesServer, body: str
) -> None:
    """A proxy's page is no proof that nothing was created."""
    messages.faults({"path": BATCHES, "method": "POST", "body": body})
    with pytest.raises(WriteRetryable) as lost:
        await batches.create(_named(2))
    assert lost.value.maybe_billed


@pytest.mark.parametrize(
    ("status", "kind", "maybe"),
    [
        (400, RunBlocked, None),
        (401, RunBlocked, None),
        (413, ItemRefused, False),
        (429, WriteRetryable, False),
        (500, WriteRetryable, True),
        (529, WriteRetryable, False),
    ],
)
async def test_a_refused_creation_says_whether_the_batch_may_exist(
    batches: ClaudeBatches, messages: MessagesServer, status: int, kind: type[Exception], maybe: bool | None
) -> None:
    """As for messages: only a server error leaves it open."""
    messages.faults({"path": BATCHES, "method": "POST", "status": status})
    with pytest.raises(kind) as refused:
        await batches.create(_named(1))
    assert getattr(refused.value, "maybe_billed", None) == maybe


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"drop": "after"}, {"truncate": True}])
async def test_questions_that_fail_can_be_asked_again_and_cost_nothing(
    batches: ClaudeBatches, messages: MessagesServer, fault: dict[str, object]
) -> None:
    """Look, list, results, cancel."""
    messages.control(batch_polls=0)
    created = await batches.create(_named(3))
    await batches.look(created.id)
    for ask in (
        lambda: batches.look(created.id),
        lambda: batches.find(LONG_AGO),
        lambda: _results(batches, created.id),
        lambda: batches.cancel(created.id),
    ):
        messages.faults({"path": BATCHES, **fault})
        with pytest.raises(WriteRetryable) as failed:
            await ask()
        assert not failed.value.maybe_billed
        assert "may have been billed" not in failed.value.message
    assert len(await _results(batches, created.id)) == 3


async def test_results_are_passed_on_before_they_break_off(batches: ClaudeBatches, messages: MessagesServer) -> None:
    """What arrived whole is kept; half a line is none."""
    messages.control(batch_polls=0)
    created = await batches.create(_named(10))
    await batches.look(created.id)
    messages.faults({"path": f"{BATCHES}/{created.id}/results", "truncate": True})
    kept: list[BatchResult] = []

    async def read() -> None:
        async for result in batches.results(created.id):
            kept.append(result)  # noqa: PERF401  what was received before the failure counts

    with pytest.raises(WriteRetryable):
        await read()
    assert 0 < len(kept) < 10


async def test_a_batch_that_the_provider_does_not_know_is_none(batches: ClaudeBatches) -> None:
    """It may be known a moment later, so that the results of one are worth another question."""
    assert await batches.look("msgbatch_unknown") is None
    with pytest.raises(WriteRetryable):
        await _results(batches, "msgbatch_unknown")
    with pytest.raises(WriteRetryable):
        await batches.cancel("msgbatch_unknown")


async def test_a_refused_question_ends_the_run_without_the_key_in_its_errors(messages: MessagesServer) -> None:
    """A revoked key: nothing can be asked; neither message nor chain quotes it."""
    other = KEY.replace("not", "wrong")
    async with claude(messages.url, other) as writer:
        batches = ClaudeBatches(writer)
        for ask in (batches.look("msgbatch_1"), batches.find(LONG_AGO), _results(batches, "msgbatch_1")):
            with pytest.raises(RunBlocked) as refused:
                await ask
            assert all(other not in str(error) for error in chain_of(refused.value))


async def test_an_independent_server_agrees(mock_ai_api: MockAiApi) -> None:
    """Its batches are born with the address of their results, which is what counts."""
    async with claude(mock_ai_api.url) as writer:
        batches = ClaudeBatches(writer)
        name = custom_id(TOKEN, request_for().item.id, "ab" * 16)
        created = await batches.create([(name, request_for())])
        assert (created.ended, created.count) == (True, 1)
        assert created.id in [one.id for one in await batches.find(LONG_AGO)]
        looked = await batches.look(created.id)
        assert looked is not None
        (result,) = await _results(batches, created.id)
        assert (result.custom_id, result.outcome, reading_fault(result.message)) == (name, "succeeded", "")
        assert await batches.look("msgbatch_unknown") is None
