"""Server-sent events of the scripted Messages API server, by plain HTTP and by the SDK."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest
from anthropic import Anthropic, APIStatusError

from servers.http_client import HAIKU, OPUS, ask, headers, params, refusal, streamed
from servers.processes import KEY, MessagesServer

Event = tuple[str, dict[str, Any]]


def _events(lines: Iterator[str]) -> Iterator[Event]:
    """Yield the events as they arrive, by the rules of their format: a name, one line of data, an empty line."""
    for line in lines:
        name, data = line, next(lines)
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        assert next(lines) == ""
        event: dict[str, Any] = json.loads(data.removeprefix("data: "))
        assert event["type"] == name.removeprefix("event: ")
        yield event["type"], event


def _all(url: str, **changes: Any) -> list[Event]:
    with streamed(url, **changes) as response:
        assert response.status_code == 200
        return list(_events(response.iter_lines()))


def _names(events: list[Event]) -> list[str]:
    """Return the names of events, repeated ones once."""
    names = [name for name, _ in events]
    return [name for place, name in enumerate(names) if place == 0 or name != names[place - 1]]


def _text(events: list[Event]) -> str:
    deltas = [event["delta"] for name, event in events if name == "content_block_delta"]
    return "".join(delta["text"] for delta in deltas if delta["type"] == "text_delta")


def _posted(url: str, body: dict[str, Any]) -> socket.socket:
    """Return a connection on which a message has been asked for."""
    raw = json.dumps(body)
    lines = {**headers(), "host": "test", "content-length": str(len(raw))}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    connection = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=60)
    connection.sendall(f"POST /v1/messages HTTP/1.1\r\n{head}\r\n{raw}".encode())
    return connection


@pytest.fixture
def sdk(messages: MessagesServer) -> Iterator[Anthropic]:
    """The SDK without its retries."""
    with Anthropic(api_key=KEY, base_url=messages.url, max_retries=0) as client:
        yield client


def test_a_stream_has_the_events_of_the_real_one(messages: MessagesServer) -> None:
    """The order of the documentation: message_start, each block, message_delta, message_stop; a ping among them."""
    with streamed(messages.url) as response:
        events = list(_events(response.iter_lines()))
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in response.headers
    assert response.headers["request-id"] == "req_000001"
    assert _names(events) == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    whole = ask(messages.url).json()
    start = events[0][1]["message"]
    assert (start["content"], start["stop_reason"], start["role"]) == ([], None, "assistant")
    assert start["usage"]["input_tokens"] == whole["usage"]["input_tokens"]
    assert start["usage"]["output_tokens"] == 1
    assert events[1][1] == {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert _text(events) == whole["content"][0]["text"]
    delta = events[-2][1]
    assert delta["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert delta["usage"]["output_tokens"] == whole["usage"]["output_tokens"]


def test_thoughts_that_are_omitted_have_a_signature_only(messages: MessagesServer) -> None:
    """Thinking: "`display` defaults to omitted on 5.x: thinking blocks come with empty text"."""
    events = _all(messages.url, model=OPUS, thinking=None, max_tokens=4096)
    blocks = [event["content_block"] for name, event in events if name == "content_block_start"]
    assert blocks == [{"type": "thinking", "thinking": "", "signature": ""}, {"type": "text", "text": ""}]
    first = [event["delta"] for name, event in events if name == "content_block_delta" and event["index"] == 0]
    assert first == [{"type": "signature_delta", "signature": "c2ln"}]


def test_thoughts_that_are_shown_come_in_pieces(messages: MessagesServer) -> None:
    """With `display: summarized` there are thinking_deltas, and the signature last."""
    thinking = {"type": "adaptive", "display": "summarized"}
    events = _all(messages.url, model=HAIKU, thinking=thinking, max_tokens=4096)
    first = [event["delta"] for name, event in events if name == "content_block_delta" and event["index"] == 0]
    assert [delta["type"] for delta in first] == ["thinking_delta"] * (len(first) - 1) + ["signature_delta"]
    assert "".join(delta["thinking"] for delta in first[:-1]).startswith("The reader wants")


@pytest.mark.parametrize("user", ["Write about a lamp.", "Schreibe über den Büffel, die Größe und das Öl. 甲子"])
def test_the_sdk_puts_a_stream_together(messages: MessagesServer, sdk: Anthropic, user: str) -> None:
    """`messages.stream()` gives the same message as `create()`, umlauts included."""
    wanted = params(user, thinking={"type": "adaptive"}, max_tokens=4096)
    with sdk.messages.stream(**wanted) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    whole = sdk.messages.create(**wanted)
    assert message.model_dump(exclude={"id"}, exclude_none=True) | {"content": None} == (
        whole.model_dump(exclude={"id"}, exclude_none=True) | {"content": None}
    )
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert text == "".join(block.text for block in whole.content if block.type == "text")
    assert message.usage.output_tokens == messages.billed()[0]["usage"]["output_tokens"]


def test_the_sdk_reads_raw_events(messages: MessagesServer, sdk: Anthropic) -> None:
    """`create(stream=True)` passes everything on but pings."""
    with sdk.messages.create(**params(), stream=True) as stream:
        kinds = [event.type for event in stream]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    assert "ping" not in kinds


def test_a_refused_stream_is_a_plain_error(messages: MessagesServer) -> None:
    """Before the first event there is a status: errors come as JSON, as without a stream."""
    with streamed(messages.url, max_tokens=0) as response:
        response.read()
    assert refusal(response)[:2] == (400, "invalid_request_error")
    messages.faults({"status": 529, "type": "overloaded_error"})
    with streamed(messages.url) as response:
        response.read()
    assert refusal(response)[:2] == (529, "overloaded_error")
    assert messages.billed() == []


def test_a_stream_breaks_off_in_its_middle(messages: MessagesServer) -> None:
    """A cut connection "may swallow the last received line"; what came before it has arrived, all of it is billed."""
    messages.faults({"drop": "after"})
    seen: list[Event] = []
    with streamed(messages.url) as response, pytest.raises(httpx.HTTPError):
        seen.extend(_events(response.iter_lines()))
    assert (seen[0][0], bool(_text(seen)), seen[-1][0]) == ("message_start", True, "content_block_delta")
    assert len(messages.billed()) == 1


def test_a_stream_that_never_begins_is_not_billed(messages: MessagesServer) -> None:
    """`drop: before`: the connection is cut without an answer."""
    messages.faults({"drop": "before"})
    with pytest.raises(httpx.HTTPError), streamed(messages.url):
        pass
    assert messages.billed() == []
    (entry,) = messages.log()
    assert (entry["status"], "gone" in entry) == (0, False)


@pytest.mark.parametrize("truncate", [True, 3])
def test_a_stream_may_end_in_order_without_its_end(messages: MessagesServer, truncate: object) -> None:
    """A proxy that ends the response politely: no error of HTTP says that message_stop is missing."""
    whole = _all(messages.url)
    messages.faults({"truncate": truncate})
    cut = _all(messages.url)
    wanted = len(whole) - 1 if truncate is True else 3
    assert [name for name, _ in cut] == [name for name, _ in whole][:wanted]
    assert len(messages.billed()) == 2


def test_an_error_may_come_in_the_middle(messages: MessagesServer, sdk: Anthropic) -> None:
    """After the 200, an error is an event: `overloaded_error`, which would be a 529 before."""
    messages.faults({"error_event": "overloaded_error", "times": 2})
    events = _all(messages.url)
    assert events[-1][1]["error"] == {"type": "overloaded_error", "message": "scripted"}
    assert "content_block_delta" in _names(events)
    assert "message_stop" not in _names(events)
    with pytest.raises(APIStatusError) as raised, sdk.messages.stream(**params()) as stream:
        stream.until_done()
    assert raised.value.type == "overloaded_error"


def test_a_stream_may_fall_silent(messages: MessagesServer) -> None:
    """`hang`: the first events, then nothing; not even pings."""
    messages.control(ping_ms=1)
    messages.faults({"hang": True})
    received = b""
    with _posted(messages.url, params(stream=True)) as connection:
        while b"event: ping" not in received:
            received += connection.recv(65536)
        assert ask(messages.url).status_code == 200
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            received += connection.recv(65536)
    assert re.findall(rb"event: (\w+)", received) == [b"message_start", b"content_block_start", b"ping"]
    assert len(messages.billed()) == 2
    assert "finished" not in messages.log()[0]


@pytest.mark.parametrize("fault", [{"hold": True}, {"delay_ms": 60}], ids=["held", "late"])
def test_pings_show_that_a_late_stream_lives(messages: MessagesServer, fault: dict[str, Any]) -> None:
    """Streaming tells "a living answer from a dead one": pings come while the model has nothing to say."""
    messages.control(ping_ms=5)
    messages.faults(fault)
    with streamed(messages.url) as response:
        events = _events(response.iter_lines())
        assert [next(events)[0] for _ in range(4)] == ["message_start", "ping", "ping", "ping"]
        messages.control(release=True)
        assert _names(list(events))[-2:] == ["message_delta", "message_stop"]


def test_events_may_trickle(messages: MessagesServer) -> None:
    """`dribble_ms` spreads the events: they are the same, the last one comes so much later than the first."""
    whole = _all(messages.url)
    messages.faults({"dribble_ms": 100})
    slow = _all(messages.url)
    assert [name for name, _ in slow] == [name for name, _ in whole]
    entry = messages.log()[1]
    assert entry["finished"] - entry["arrived"] >= 0.1 * (len(whole) - 2) / (len(whole) - 1)


def test_a_connection_is_used_again_after_a_stream(messages: MessagesServer) -> None:
    """Chunked transfer has an end: the next answer on the same connection is a whole one."""
    connection = HTTPConnection(messages.url.removeprefix("http://"), timeout=60)
    with closing(connection):
        connection.connect()
        connection.auto_open = 0  # it shall not connect again in secret
        for stream in (True, False, True):
            connection.request("POST", "/v1/messages", json.dumps(params(stream=stream)), headers())
            assert connection.getresponse().read().endswith(b"\n\n") is stream
    assert len(messages.log()) == 3


@pytest.mark.parametrize("usage", [{"input_tokens": 0, "output_tokens": 0}, None, {"output_tokens": "many"}])
def test_odd_usage_is_streamed_as_it_is(messages: MessagesServer, usage: Any) -> None:
    """The usage of message_delta is cumulative; what a fault makes of it stands in both events."""
    messages.faults({"usage": usage})
    events = _all(messages.url)
    start, delta = events[0][1]["message"]["usage"], events[-2][1]["usage"]
    assert delta == (usage if usage is None else delta | usage)
    assert start == (usage if usage is None else start | usage)


def test_content_and_stop_reason_of_a_fault_are_streamed(messages: MessagesServer) -> None:
    """A refusal "before any output" has empty content; the reason and its details come in message_delta."""
    messages.faults({"content": [], "stop_reason": "refusal", "stop_details": {"category": "bio"}})
    events = _all(messages.url)
    assert _names(events) == ["message_start", "message_delta", "message_stop"]
    assert events[1][1]["delta"]["stop_reason"] == "refusal"
    assert events[1][1]["delta"]["stop_details"] == {"category": "bio"}
