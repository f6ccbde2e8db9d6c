"""What answers in the place of a service may hold the key that it was sent, anywhere and in any coding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from adapters.claude_requests import SONNET, chain_of, claude, request_for
from adapters.library_rows import row
from core.test_foreign_text import CODINGS, stretches
from servers.processes import KEY, MessagesServer
from servers.supabase import Supabase

from seed_library.adapters.claude_batches import ClaudeBatches
from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RunBlocked, WriteFailed

HEADERS = ("request-id", "anthropic-workspace-id", "anthropic-organization-id", "retry-after", "x-echo", "location")
SOME = ["as it is", "wrapped in short lines", "its tail", "backwards", "base64 of basic authentication", "hexadecimal"]
SOME += ["percent-encoded", "escaped as JSON", "HTML entities", "in capitals"]


def _told(told: str) -> str:
    """As a header can hold it."""
    return " ".join(told.split())


def _assert_harmless(secret: str, told: str, *said: object) -> None:
    everything = " ".join(map(str, said))
    found = (stretches(secret) | stretches(told)) & stretches(everything)
    assert not found, everything


@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("coding", SOME)
async def test_an_error_of_the_messages_api_shows_no_part_of_the_key(
    messages: MessagesServer, coding: str, status: int
) -> None:
    """Not by its message, kind, code or headers; neither in what is raised nor in what is kept of it."""
    told = CODINGS[coding](KEY)
    headers = dict.fromkeys(HEADERS, _told(told))
    fault = {"status": status, "message": f"refused: {told}", "type": told, "error_code": told, "headers": headers}
    messages.faults({**fault, "times": 1}, {**fault, "times": 9, "path": "/v1/models"})
    async with claude(messages.url) as writer:
        with pytest.raises((RunBlocked, WriteFailed)) as caught:
            await writer.write(request_for())
        _, check = await writer.look_up(SONNET)
        workspace = writer.connection.workspace
    chain = [f"{error!r} {error.args} {getattr(error, 'hint', '')}" for error in chain_of(caught.value)]
    _assert_harmless(KEY, told, check, workspace, *chain)
    assert str(status) in str(caught.value)


@pytest.mark.parametrize("coding", SOME)
async def test_a_success_keeps_no_header_that_holds_the_key(messages: MessagesServer, coding: str) -> None:
    """The ids in its headers go to the journal."""
    told = CODINGS[coding](KEY)
    page = json.dumps({"type": "message", "id": "msg_1", "content": []})
    headers = dict.fromkeys(HEADERS, _told(told))
    messages.faults({"body": page, "content_type": "application/json", "headers": headers})
    async with claude(messages.url) as writer:
        answer = await writer.write(request_for())
    assert answer.message["id"] == "msg_1"
    _assert_harmless(KEY, told, answer.request_id, answer.workspace, writer.connection.workspace)


@pytest.mark.parametrize("coding", SOME)
async def test_a_batch_shows_no_part_of_the_key(messages: MessagesServer, coding: str) -> None:
    """Its id becomes part of an address and of what is said; the reasons of its results are foreign, too."""
    told = CODINGS[coding](KEY)
    batch = {
        "id": told,
        "processing_status": "ended",
        "created_at": "2026-11-26T10:00:00Z",
        "request_counts": {"errored": 1},
        "results_url": "x",
    }
    error = {"type": "error", "error": {"type": told, "message": f"refused: {told}"}}
    result = {"custom_id": "a", "result": {"type": "errored", "error": error}}
    answers = [batch, {"data": [batch], "has_more": False}]
    async with claude(messages.url) as writer:
        batches = ClaudeBatches(writer)
        for answer in answers:
            messages.faults(
                {"path": "/v1/messages/batches", "body": json.dumps(answer), "content_type": "application/json"}
            )
            with pytest.raises(WriteFailed) as caught:
                await (batches.look("msgbatch_1") if answer is batch else _first(batches))
            _assert_harmless(KEY, told, caught.value)
        messages.faults({"path": "/v1/messages/batches", "body": json.dumps(result), "content_type": "text/plain"})
        (one,) = [one async for one in batches.results("msgbatch_1")]
    _assert_harmless(KEY, told, asdict(one))


async def _first(batches: ClaudeBatches) -> Any:
    from datetime import UTC, datetime

    return await batches.find(datetime(2026, 1, 1, tzinfo=UTC))


def _answers(told: str) -> Iterator[dict[str, Any]]:
    """Yield answers of a status, from an error object to a page, with a secret in every place."""
    json_kind, page_kind = {"content-type": "application/json"}, {"content-type": "text/html"}
    headers = {"proxy-status": f'postgrest; error="{_told(told)}"', "x-echo": _told(told)}
    said = {"message": f"refused: {told}", "code": told, "hint": told, "details": told}
    yield {"body": json.dumps(said), "headers": json_kind | headers}
    yield {"body": json.dumps({"message": f'null value in column "{told}"', "code": "23502"}), "headers": json_kind}
    yield {"body": json.dumps({"message": f'relation "{told}" does not exist', "code": "42P01"}), "headers": json_kind}
    yield {"body": json.dumps({"error": told, "msg": told}), "headers": json_kind | headers}
    yield {"body": f"<html>{told}</html>", "headers": page_kind | headers}
    yield {"body": told, "headers": headers}


@pytest.mark.parametrize("status", [200, 400, 401, 503])
@pytest.mark.parametrize("coding", SOME)
async def test_an_answer_in_the_place_of_supabase_shows_no_part_of_the_key(
    supabase: Supabase, coding: str, status: int
) -> None:
    """Not by message, code, hint, details, a header or a page: to a write, a read and a check."""
    told = CODINGS[coding](supabase.secret)
    store = SupabaseStore(supabase.url, supabase.secret, TableSpec())
    try:
        for answer in _answers(told):
            supabase.faults(*({"match": m, "status": status, "times": 99, **answer} for m in ("GET", "POST")))
            try:
                await store.upsert([row("a")])
            except Exception as error:  # noqa: BLE001  whichever it is
                said = [f"{one!r} {one.args} {getattr(one, 'hint', '')}" for one in chain_of(error)]
            else:
                said = []
            _assert_harmless(supabase.secret, told, *said, *await store.check(row("a")))
    finally:
        supabase.faults()
        await store.aclose()
