"""Answers that may take long: asked for as a stream, put together, and told from answers that will never come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from adapters.claude_requests import SONNET, claude, request_for
from servers.processes import MessagesServer

from seed_library.adapters.claude_stream import StreamedMessage, events_of
from seed_library.core.catalog import RequestSpec
from seed_library.core.drafts import Request, text_of
from seed_library.core.errors import WriteRetryable
from seed_library.core.foreign_text import ForeignText

START: dict[str, Any] = {
    "type": "message_start",
    "message": {"type": "message", "content": [], "stop_reason": None, "usage": {"input_tokens": 5}},
}
BLOCK: dict[str, Any] = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
STOP: dict[str, Any] = {"type": "message_stop"}


def _long(**spec: Any) -> Request:
    request = request_for()
    wanted = {"thinking": "on", "thinking_tokens": 16_000, **spec}
    return Request(request.item, request.prompt, RequestSpec(SONNET, **wanted), request.fingerprint, request.words)


def _delta(**delta: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": delta}


async def test_a_streamed_answer_is_the_one_that_would_have_come_in_one_piece(messages: MessagesServer) -> None:
    """Text, thoughts, signature, usage, stop reason: nothing is missing, and nothing is added."""
    async with claude(messages.url) as writer:
        streamed = await writer.write(_long())
        whole = await writer.write(_long(thinking_tokens=1_000))
    long, short = messages.log()
    assert long["body"]["stream"] is True
    assert "stream" not in short["body"]
    assert streamed.message.keys() == whole.message.keys()
    for name in ("content", "stop_reason", "model", "role", "type"):
        assert streamed.message[name] == whole.message[name]
    assert streamed.message["usage"].keys() == whole.message["usage"].keys()
    assert text_of(streamed.message)
    assert streamed.request_id


async def test_pings_tell_a_living_answer_from_a_dead_one(messages: MessagesServer) -> None:
    """It takes many times the silence that is borne, and is received."""
    messages.control(ping_ms=20)
    messages.faults({"delay_ms": 2500})
    async with claude(messages.url, silence=1) as writer:
        assert text_of((await writer.write(_long())).message)
    assert len(messages.billed()) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"hang": True}, "no answer"),
        ({"truncate": True}, "before its end"),
        ({"truncate": 2}, "before its end"),
        ({"drop": "after"}, "no answer"),
        ({"drop": "before"}, "no answer"),
        ({"error_event": "overloaded_error"}, "overloaded_error"),
        ({"error_event": "api_error"}, "api_error"),
    ],
    ids=str,
)
async def test_a_stream_that_ends_early_may_have_been_billed(
    messages: MessagesServer, fault: dict[str, Any], said: str
) -> None:
    """Half a text never passes for a text; the next request goes through on the same client."""
    messages.faults(fault)
    async with claude(messages.url, silence=0.4) as writer:
        with pytest.raises(WriteRetryable, match=said) as failure:
            await writer.write(_long())
        assert failure.value.maybe_billed
        assert text_of((await writer.write(_long())).message)


async def test_a_stream_that_never_ends_is_left_after_a_while(messages: MessagesServer) -> None:
    """Pings alone are no answer for ever."""
    messages.control(ping_ms=20)
    messages.faults({"hold": True})
    async with claude(messages.url, answer_seconds=0.6) as writer:
        writer_module = "seed_library.adapters.claude._STREAM_AT_MOST"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writer_module, 0.001)
            with pytest.raises(WriteRetryable, match="no answer") as failure:
                await writer.write(_long())
    assert failure.value.maybe_billed
    messages.control(release=True)


async def test_a_server_that_knows_no_streams_is_understood(messages: MessagesServer) -> None:
    """Some gateways answer in one piece whatever is asked for."""
    message = {"type": "message", "content": [{"type": "text", "text": "ä"}], "usage": {}, "stop_reason": "end_turn"}
    messages.faults({"body": json.dumps(message), "content_type": "application/json"})
    async with claude(messages.url) as writer:
        assert text_of((await writer.write(_long())).message) == "ä"


async def test_an_error_status_is_an_error_status(messages: MessagesServer) -> None:
    """Before the stream begins nothing differs from other requests."""
    messages.faults({"status": 429, "headers": {"retry-after": "7"}})
    async with claude(messages.url) as writer:
        with pytest.raises(WriteRetryable, match="429") as failure:
            await writer.write(_long())
    assert (failure.value.maybe_billed, failure.value.retry_after) == (False, 7)


@pytest.mark.parametrize(
    "events",
    [
        [_delta(type="text_delta", text="x")],
        [START, BLOCK, _delta(type="text_delta")],
        [START, BLOCK, _delta(text="x")],
        [{"type": "message_start"}],
        [{"type": "message_start", "message": "x"}],
        [STOP],
        [START, {"type": "content_block_start", "index": None, "content_block": {}}],
        [START, {"type": "message_delta", "delta": 5}],
    ],
    ids=str,
)
def test_events_that_fit_nowhere_are_no_message(events: list[dict[str, Any]]) -> None:
    """Whatever shape they have, the failure is one of an answer, and it may have been billed."""
    message = StreamedMessage("req_1", ForeignText(()))
    *before, last = events
    for event in before:
        message.take(event)
    with pytest.raises(WriteRetryable, match="req_1") as failure:
        message.take(last)
    assert failure.value.maybe_billed


def test_events_of_a_later_version_are_left_alone() -> None:
    """Unknown events, deltas and fields are no reason to throw a paid text away."""
    message = StreamedMessage("", ForeignText(()))
    later = [{"type": "weather"}, _delta(type="sound_delta", sound="x")]
    ends = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}
    for event in (START, BLOCK, *later, _delta(type="text_delta", text="a"), _delta(type="text_delta", text="b"), ends):
        assert not message.take(event)
    assert message.take(STOP)
    found = message.message()
    assert (found["content"], found["stop_reason"]) == ([{"type": "text", "text": "ab"}], "end_turn")
    assert found["usage"] == {"input_tokens": 5, "output_tokens": 9}


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
async def test_events_are_read_however_the_bytes_are_cut(size: int) -> None:
    """In the middle of a character, of a line end, of a word; with either line end, and without a last one."""
    data = 'event: a\r\ndata: {"n": "ä"}\r\n\r\n: a comment\ndata:{"n": "道"}\n\ndata: {"n": 3}'.encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    assert [event["n"] async for event in events_of(chunks(), "")] == ["ä", "道", 3]


@pytest.mark.parametrize("data", ["[1]", "nonsense", "", "\udcff"])
async def test_an_event_that_is_no_object_breaks_the_answer_off(data: str) -> None:
    """What comes after it cannot be trusted."""

    async def chunks() -> AsyncIterator[bytes]:
        yield f"data: {data}\n".encode("utf-8", "surrogateescape")

    with pytest.raises(WriteRetryable, match="no JSON object"):
        async for _ in events_of(chunks(), ""):
            pass
