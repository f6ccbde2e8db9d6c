"""One HTTP connection of the scripted Messages API server. Standard library only."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from delivery import Stream, Wire, send_whole, wait_for  # type: ignore[import-not-found]  # as in messages_api.py
from http_text import as_bytes, client_of, head_of  # type: ignore[import-not-found]  # as above
from request_text import prompt_hash, user_prompt  # type: ignore[import-not-found]  # as above

MESSAGES = "/v1/messages"


@dataclass(frozen=True)
class Request:
    """One request, read.

    Attributes:
        target: path and query.
        body: None where it is no JSON object.
        entry: what the log says of it; its answer is noted there.
        fault: what hits it.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    entry: dict[str, Any] = field(default_factory=dict)
    fault: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path without the query."""
        return self.target.partition("?")[0]

    @property
    def streams(self) -> bool:
        """Whether server-sent events are asked for."""
        return self.path == MESSAGES and (self.body or {}).get("stream") is True


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it come one after the other."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.buffer = bytearray()
        self.wanted = 0  # bytes of the request that is coming in; 0 while its head is not complete
        self.tasks: set[asyncio.Task[None]] = set()
        self.unanswered: dict[str, Any] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Note with the request that is under way that its client has gone."""
        if self.unanswered and "finished" not in self.unanswered:
            self.unanswered["gone"] = time.monotonic()

    def data_received(self, data: bytes) -> None:
        """Collect one whole request, then answer it. A batch arrives in thousands of pieces."""
        self.buffer += data
        if not self.wanted:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.wanted = end + 4 + int(head_of(self.buffer[:end])[1].get("content-length", 0))
        if len(self.buffer) < self.wanted:
            return
        request, self.buffer, self.wanted = bytes(self.buffer[: self.wanted]), self.buffer[self.wanted :], 0
        head, _, raw = request.partition(b"\r\n\r\n")
        first, headers = head_of(head)
        method, target, _ = first.split(" ", 2)
        self.take(method, target, headers, raw)

    def take(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> None:
        """Obey a control command, or log a request and begin to answer it."""
        client, target = client_of(target)
        if target.partition("?")[0] == "/__control":
            answer = self.server.control(json.loads(raw))
            self.transport.write(as_bytes((200, json.dumps(answer).encode(), {})))
            return
        request = Request(method, target, headers, _object(raw))
        self.enter(request, client)
        self.unanswered = request.entry
        task = asyncio.get_running_loop().create_task(self.answer(request, self.server.latency))
        self.tasks.add(task)
        task.add_done_callback(self.done)

    def enter(self, request: Request, client: str) -> None:
        """Enter a request in the log, and find the fault that hits it: the rate limit comes before all others."""
        server, body = self.server, request.body or {}
        user = user_prompt(body)
        server.log.append(request.entry)
        limited = server.limit.refusal() if request.path == MESSAGES else {}
        request.fault.update(limited or server.faults.take(request.method, request.path, user))
        request.entry.update(
            method=request.method,
            path=request.path,
            client=client,
            journals=server.journal_sizes(),
            headers=request.headers,
            prompt=prompt_hash(body, user),
            arrived=time.monotonic(),
            status=0,
            body=body if "requests" not in body else {"requests": len(body["requests"])},
            request_id=f"req_{len(server.log):06}",
            fault=request.fault,
        )

    async def answer(self, request: Request, latency: float) -> None:
        """Answer a request when it is time to."""
        await asyncio.sleep(latency if request.path == MESSAGES else 0)
        cut = request.fault.get("drop") == "before"
        if request.streams and not cut and self.server.refusal(request) is None:
            await self.stream(request)
        else:
            await self.answer_whole(request)

    async def stream(self, request: Request) -> None:
        """Send a message as server-sent events. It is billed when its first event leaves."""
        server, headers = self.server, self.server.headers_of(request)
        message = server.bill(request)
        request.entry["status"] = 200
        stream = Stream(Wire(self.transport), message, headers)
        await stream.send(request.fault, server.holds, server.ping_seconds)
        if not request.fault.get("hang"):
            request.entry["finished"] = time.monotonic()

    async def answer_whole(self, request: Request) -> None:
        """Send an answer that is no stream. A message is billed when its answer leaves."""
        server, fault, wire = self.server, request.fault, Wire(self.transport)
        await wait_for(fault, server.holds)
        if fault.get("hang"):
            return
        if fault.get("drop") == "before":
            self.unanswered = {}  # it is not the client who goes
            wire.cut()
            return
        status, payload, headers = server.reply(request)
        request.entry["status"] = status
        await send_whole(wire, (status, payload, server.headers_of(request) | headers), fault)
        request.entry["finished"] = time.monotonic()

    def done(self, task: asyncio.Task[None]) -> None:
        """Forget a task. Where the server itself is broken, end the connection: nobody shall wait for it."""
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.transport.abort()
            raise error


def _object(raw: bytes) -> dict[str, Any] | None:
    """Return the body of a request: an empty one without content, None where it is no JSON object."""
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
