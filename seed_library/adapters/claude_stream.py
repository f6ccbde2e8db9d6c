"""An answer that comes as a stream of events, put together to the message that it would have been in one piece.

The events are those of the platform documentation ("Streaming messages"). They are read here and not by the SDK's own
reader, which hides the pings: they tell an answer that is being thought about from one that will never come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from seed_library.adapters.claude_errors import cut_off, failed_midway, unreadable
from seed_library.core import foreign_json
from seed_library.core.foreign_text import ForeignText

_DATA = b"data:"
# What grows piece by piece, by the type of the delta: the field of the block, and that of the delta.
_GROWING = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
}


async def events_of(chunks: AsyncIterator[bytes], request_id: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the events of a stream as they arrive, pings included.

    Raises:
        WriteRetryable: an event is no JSON object.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(_DATA):
                yield _event(line[len(_DATA) :], request_id)
    if rest.startswith(_DATA):
        yield _event(rest[len(_DATA) :], request_id)


def _event(data: bytes, request_id: str) -> dict[str, Any]:
    try:
        event = foreign_json.loads(data)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise unreadable("a stream with an event that is no JSON object", request_id)
    return event


class StreamedMessage:
    """The message so far."""

    def __init__(self, request_id: str, foreign: ForeignText) -> None:
        self._request_id = request_id
        self._foreign = foreign
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._whole = False

    def take(self, event: dict[str, Any]) -> bool:
        """Take an event; say whether the message is whole with it. Events of unknown types are left alone.

        Raises:
            WriteRetryable: it says that something failed, or does not fit to what came before.
        """
        kind = event.get("type")
        if kind == "error":
            error = event.get("error")
            kind = self._foreign.code(error.get("type") if isinstance(error, dict) else None)
            raise failed_midway(kind, self._request_id)
        try:
            self._apply(kind, event)
        except (LookupError, TypeError, AttributeError, ValueError):
            kind = "nonsense"
        if kind == "nonsense":
            raise unreadable("a stream with an event that fits nowhere", self._request_id)
        return self._whole

    def message(self) -> dict[str, Any]:
        """Return the message.

        Raises:
            WriteRetryable: its end has not come.
        """
        if not self._whole:
            raise cut_off(self._request_id)
        return {**self._message, "content": [self._blocks[place] for place in sorted(self._blocks)]}

    def _apply(self, kind: Any, event: dict[str, Any]) -> None:
        if kind == "message_start":
            self._message = dict(event["message"])
            self._blocks = dict(enumerate(map(dict, self._message.get("content") or ())))
        elif kind == "content_block_start":
            self._blocks[int(event["index"])] = dict(event["content_block"])
        elif kind == "content_block_delta":
            self._grow(self._blocks[int(event["index"])], event["delta"])
        elif kind == "message_delta":
            self._message.update(event["delta"])
            usage = event.get("usage")
            if isinstance(usage, dict):  # the counts are cumulative
                self._message["usage"] = {**(self._message.get("usage") or {}), **usage}
        elif kind == "message_stop":
            self._whole = self._message["type"] == "message"

    def _grow(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        if delta["type"] in _GROWING:
            grown, piece = _GROWING[delta["type"]]
            # A list would be quicker for very long answers; they come in pieces that are slower by far.
            block[grown] = block.get(grown, "") + delta[piece]
