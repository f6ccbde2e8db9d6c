"""How an answer leaves: at once, late, slowly, in part, as a stream, or not at all. Standard library only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from api_rules import Reply  # type: ignore[import-not-found]  # found beside this file when it runs alone
from faults import Holds  # type: ignore[import-not-found]  # as above
from http_text import as_bytes  # type: ignore[import-not-found]  # as above
from streams import LAST_CHUNK, chunk, error_event, head, ping, rest_of, start_of  # type: ignore[import-not-found]

_PIECES = 10
Fault = dict[str, Any]


class Wire:
    """The connection to a client, who may be gone at any time."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send something, if there is still somebody to read it."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def cut(self) -> None:
        """End the connection in the middle."""
        self._transport.abort()


async def wait_for(fault: Fault, holds: Holds) -> None:
    """Wait as long as a fault wants."""
    if fault.get("delay_ms"):
        await asyncio.sleep(fault["delay_ms"] / 1000)
    if fault.get("hold"):
        await holds.wait()


async def send_whole(wire: Wire, reply: Reply, fault: Fault) -> None:
    """Send an answer that is no stream."""
    if fault.get("drop") == "after":
        wire.cut()
        return
    if fault.get("truncate"):
        status, payload, headers = reply
        reply = status, payload[: len(payload) // 2], headers
    data = as_bytes(reply)
    if "dribble_ms" not in fault:
        wire.write(data)
        return
    size = len(data) // _PIECES + 1
    await _spread(wire, [data[start : start + size] for start in range(0, len(data), size)], fault["dribble_ms"])


class Stream:
    """One message on its way as server-sent events."""

    def __init__(self, wire: Wire, message: dict[str, Any], headers: dict[str, str]) -> None:
        self._wire = wire
        self._message = message
        self._headers = headers

    async def send(self, fault: Fault, holds: Holds, ping_seconds: float) -> None:
        """Send the first event, pings while a fault lets the rest wait, then the rest, as far as the fault allows."""
        self._wire.write(head(self._headers))
        self._wire.write(chunk(start_of(self._message)))
        events = rest_of(self._message)
        if fault.get("hang"):
            self._wire.write(b"".join(map(chunk, events[:2])))
            return
        await self._wait(fault, holds, ping_seconds)
        await _spread(self._wire, list(map(chunk, self._kept(events, fault))), fault.get("dribble_ms", 0))
        if fault.get("drop") == "after":
            self._wire.cut()
        else:
            self._wire.write(LAST_CHUNK)

    async def _wait(self, fault: Fault, holds: Holds, ping_seconds: float) -> None:
        waiting = asyncio.ensure_future(wait_for(fault, holds))
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=ping_seconds)
            if not waiting.done():
                self._wire.write(chunk(ping()))

    def _kept(self, events: list[bytes], fault: Fault) -> Iterator[bytes]:
        """Yield what is sent of the events after the first one."""
        truncate, half = fault.get("truncate"), len(events) // 2
        if fault.get("drop") == "after" or "error_event" in fault:
            yield from events[:half]
        elif truncate:
            yield from events[:-1] if truncate is True else events[: truncate - 1]
        else:
            yield from events
        if "error_event" in fault:
            yield error_event(fault["error_event"])


async def _spread(wire: Wire, pieces: list[bytes], milliseconds: float) -> None:
    """Send pieces over so long, or all of them at once."""
    if not milliseconds:
        wire.write(b"".join(pieces))
        return
    for number, piece in enumerate(pieces):
        if number:
            await asyncio.sleep(milliseconds / 1000 / len(pieces))
        wire.write(piece)
