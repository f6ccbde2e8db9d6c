"""Connections that are not heard from are given up, so that nobody can keep the page from its owner.

uvicorn waits for the first byte of a request for ever, and for the last one of its head. Here the whole head has to
arrive within a time that begins with the connection, and anew with each answer; a byte now and then buys none. (The
time for the body is in `app`.) Where too many connections are open, the one that has kept us waiting longest makes
room: whoever asks at once is served, whatever another user of the machine opens.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import ClassVar, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from seed_library.adapters.review.headers import headers_of

HEAR_OUT_SECONDS = 2.0  # for who is refused in the middle of a request
_UNREADABLE = "This is no HTTP request that could be read, or its head is too long."
_TOO_SLOW = "The request did not arrive in time."


class Guest(H11Protocol):
    """One connection."""

    patience: ClassVar[float]
    most: ClassVar[int]
    _over = False  # answered here; what else arrives is thrown away

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        """Begin to wait for a request, and let another connection go where there are too many."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > self.most:
            waiting = (one for one in self.connections if isinstance(one, Guest) and one.waits)
            min(waiting, key=lambda one: one.since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived. The wait ends with the last byte of a request's head."""
        if self._over:
            return
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._end_wait()

    def eof_received(self) -> bool:  # type: ignore[override]  # it may, says asyncio
        """Answer what has been asked, also where the other side has closed its half already (RFC 9112, 9.6)."""
        asked = self._under_way
        if self._over or asked is None or asked.more_body:
            return False
        asked.keep_alive = False
        return True

    def on_response_complete(self) -> None:
        """Wait for the next request, which may be here already."""
        self._await_request()
        before = self.cycle
        super().on_response_complete()
        if self.cycle is not before:
            self._end_wait()

    def send_400_response(self, msg: str) -> None:
        """Say that this is no request."""
        del msg
        self._end_with(HTTPStatus.BAD_REQUEST, _UNREADABLE)

    @property
    def waits(self) -> bool:
        """Whether it has no request to answer, and may still bring one."""
        return not (self._wait.cancelled() or self.transport.is_closing())

    @property
    def _under_way(self) -> RequestResponseCycle | None:
        """The request that is being heard or answered."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    def _await_request(self) -> None:
        self.since = self.loop.time()
        self._wait = self.loop.call_later(self.patience, self._give_up)

    def _end_wait(self) -> None:
        self._wait.cancel()

    def _give_up(self) -> None:
        if self.conn.trailing_data[0]:  # a part of a head
            self._end_with(HTTPStatus.REQUEST_TIMEOUT, _TOO_SLOW)
        else:
            self.transport.abort()

    def _end_with(self, status: HTTPStatus, sentence: str) -> None:
        """Answer outside of the app, and hear the other side out before closing: else it may read nothing of it."""
        asked = self._under_way
        if asked is not None and asked.response_started:
            self.transport.abort()
            return
        if asked is not None:
            asked.disconnected = True  # the app has nothing to add
            asked.message_event.set()
        self._over = True
        self.transport.write(_answer(status, sentence))
        self.transport.write_eof()
        self.flow.resume_reading()
        self._end_wait()
        self._wait = self.loop.call_later(HEAR_OUT_SECONDS, self.transport.abort)


def _answer(status: HTTPStatus, sentence: str) -> bytes:
    body = sentence.encode()
    fields = {**headers_of("text/plain"), "content-length": str(len(body)), "connection": "close"}
    lines = [f"HTTP/1.1 {status} {status.phrase}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join((*lines, "", "")).encode() + body


def guests(patience: float, most: int) -> type[Guest]:
    """Return the class of connections that wait so long (seconds), and of which so many may be open."""

    class Limited(Guest):
        pass

    Limited.patience, Limited.most = patience, most
    return Limited
