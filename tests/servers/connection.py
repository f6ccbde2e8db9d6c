"""One HTTP connection of the scripted Messages API server. Standard library only."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from api_rules import Reply, error_reply  # type: ignore[import-not-found]  # found beside this file when it runs alone
from faults import scripted  # type: ignore[import-not-found]  # as above
from http_text import as_bytes, client_of, head_of  # type: ignore[import-not-found]  # as above
from request_text import prompt_hash, token_count, user_prompt  # type: ignore[import-not-found]  # as above

_PIECES = 10


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it come one after the other."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.buffer = bytearray()
        self.wanted = 0  # bytes of the request that is coming in; 0 while its head is not complete

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

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
        self.answer(method, target, headers, raw)

    def answer(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> None:
        """Decide what to send, and when."""
        server, (client, target) = self.server, client_of(target)
        path = target.partition("?")[0]
        if path == "/__control":
            self.send((200, json.dumps(server.control(json.loads(raw))).encode(), {}))
            return
        arrived = time.monotonic()
        body = json.loads(raw) if raw else {}
        user = user_prompt(body)
        entry = {
            "method": method,
            "path": path,
            "client": client,
            "journals": server.journal_sizes(),
            "headers": headers,
            "prompt": prompt_hash(body, user),
            "arrived": arrived,
            "status": 0,
            "body": body if "requests" not in body else {"requests": len(body["requests"])},
        }
        server.log.append(entry)
        fault = server.take_fault(method, path, user) or (server.over_limit() if path == "/v1/messages" else {})
        entry["fault"] = fault
        delay = fault.get("delay_ms", 0) / 1000 + (server.latency if path == "/v1/messages" else 0)
        asyncio.get_running_loop().call_later(delay, self.reply, method, target, headers, body, fault, entry)

    def reply(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: dict[str, Any],
        fault: dict[str, Any],
        entry: dict[str, Any],
    ) -> None:
        """Send the answer."""
        server = self.server
        if fault.get("hang"):
            return
        if fault.get("drop") == "before":
            self.transport.abort()
            return
        status, payload, extra = self.reply_to(method, target, headers, body, fault, entry["arrived"])
        entry["status"], entry["finished"] = status, time.monotonic()
        if fault.get("drop") == "after":
            self.transport.abort()
            return
        if fault.get("truncate"):
            payload = payload[: len(payload) // 2]
        number = len(server.log)
        extra = {"request-id": f"req_{number:06}", "anthropic-workspace-id": "wrkspc_test", **extra}
        if "dribble_ms" in fault:
            self.dribble((status, payload, extra), fault["dribble_ms"] / 1000)
        else:
            self.send((status, payload, extra))

    def reply_to(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: dict[str, Any],
        fault: dict[str, Any],
        arrived: float,
    ) -> Reply:
        """Work out status, body and headers."""
        server, path = self.server, target.partition("?")[0]
        if path.startswith("/v1/messages/batches"):
            base = f"http://{headers.get('host', '')}"
            refused = server.refuse(headers) or scripted(fault)
            return refused or server.batches.reply(method, target, body, base)
        if method == "GET" and path.startswith("/v1/models/"):
            return server.refuse(headers) or scripted(fault) or server.model_reply(path.removeprefix("/v1/models/"))
        unknown = None if path in {"/v1/messages", "/v1/messages/count_tokens"} else error_reply(404, path)
        if refused := server.refuse(headers) or scripted(fault) or unknown or server.bad_request(body):
            return refused
        user = user_prompt(body)
        if path.endswith("count_tokens"):
            system = json.dumps(body.get("system", ""), ensure_ascii=False)
            return 200, json.dumps({"input_tokens": token_count(system + user)}).encode(), {}
        return 200, json.dumps(server.bill(body, user, fault, arrived), ensure_ascii=False).encode(), {}

    def send(self, reply: Reply) -> None:
        """Write one HTTP answer."""
        self.transport.write(as_bytes(reply))

    def dribble(self, reply: Reply, seconds: float) -> None:
        """Write one HTTP answer slowly."""
        data, loop = as_bytes(reply), asyncio.get_running_loop()
        size = len(data) // _PIECES + 1
        for number in range(_PIECES):
            piece = data[number * size : (number + 1) * size]
            loop.call_later(seconds * number / _PIECES, self.continue_with, piece)

    def continue_with(self, piece: bytes) -> None:
        """Write a piece of an answer, if there is still somebody to read it."""
        if not self.transport.is_closing():
            self.transport.write(piece)
