"""A message as server-sent events: `"stream": true`. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_CUMULATIVE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
)
_PIECE = 40  # characters of text in one event
LAST_CHUNK = b"0\r\n\r\n"
Event = tuple[str, dict[str, Any]]


def start_of(message: dict[str, Any]) -> bytes:
    """Return the first event: the message without its content, and what is known of its usage by then."""
    usage = message["usage"]
    if isinstance(usage, dict):
        usage = {name: value for name, value in usage.items() if name != "output_tokens_details"}
        if type(usage.get("output_tokens")) is int:
            usage["output_tokens"] = min(1, usage["output_tokens"])
    begun = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None, "usage": usage}
    return _encoded(("message_start", {"message": begun}))


def rest_of(message: dict[str, Any]) -> list[bytes]:
    """Return all other events; the first block's beginning is followed by a ping, the last event is message_stop."""
    events: list[Event] = []
    for index, block in enumerate(message["content"]):
        events += _block_events(index, block)
        if index == 0:
            events.insert(1, ("ping", {}))
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    if message["stop_details"] is not None:
        delta["stop_details"] = message["stop_details"]
    events.append(("message_delta", {"delta": delta, "usage": _cumulative(message["usage"])}))
    events.append(("message_stop", {}))
    return [_encoded(event) for event in events]


def ping() -> bytes:
    """Return the event that says no more than that the connection lives."""
    return _encoded(("ping", {}))


def error_event(kind: str, message: str = "scripted") -> bytes:
    """Return an error that comes after the status 200 has been sent."""
    return _encoded(("error", {"error": {"type": kind, "message": message}}))


def head(headers: dict[str, str]) -> bytes:
    """Return status and headers of a stream."""
    fixed = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in (fixed | headers).items())
    return f"HTTP/1.1 200 OK\r\n{lines}transfer-encoding: chunked\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    """Return data as one chunk of chunked transfer."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _block_events(index: int, block: dict[str, Any]) -> Iterator[Event]:
    empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}.get(block.get("type", ""), {})
    yield "content_block_start", {"index": index, "content_block": block | empty}
    for delta in _deltas(block):
        yield "content_block_delta", {"index": index, "delta": delta}
    yield "content_block_stop", {"index": index}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a block is made of. Thoughts that are not displayed have a signature only."""
    if block.get("type") == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in _pieces(block["text"]))
    elif block.get("type") == "thinking":
        yield from ({"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"]))
        yield {"type": "signature_delta", "signature": block["signature"]}


def _pieces(text: str) -> Iterator[str]:
    yield from (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _cumulative(usage: Any) -> Any:
    return {name: usage[name] for name in _CUMULATIVE if name in usage} if isinstance(usage, dict) else usage


def _encoded(event: Event) -> bytes:
    name, fields = event
    data = json.dumps({"type": name, **fields}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {data}\n\n".encode()
