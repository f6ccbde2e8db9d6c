"""A scripted Messages API server: the rules of API version 2026-10-21, faults on demand, a record of what it bills.

Stand-alone, standard library only: `python messages_api.py`. Config as JSON in SEED_TEST_MESSAGES: key, latency_ms.
Prints one JSON line {"url": ...} when ready and ends when stdin closes.

Control, as POST /__control with JSON, answered with the whole state that was asked for:
  {"latency_ms": n}  {"faults": [...]}  {"models": {id: changes}}  {"clear": true}  {"state": true}
  {"lenient": true}      take old SDKs: keys as x-api-key, and parameters that this version refuses
  {"watch": [folders]}   note with each request how long the journals in these state folders are when it arrives
  and those of the Message Batches (see batches_api.py).
Paths may begin with /as/NAME: the record then says that the request is NAME's.
A fault hits requests whose path starts with `path` (default: messages only, no batches), whose method is `method` and
whose user prompt holds `match`;
`skip` lets so many pass, then `times` (default 1) are hit, or each with `probability` (seeded). What it does:
  status (+ type, error_code, message, headers)   an error answer, not billed
  drop: "before" | "after"                        cut the connection without or with billing
  body                                            a 200 with this body, not billed
  truncate: true                                  half of a billed answer
  hang: true                                      no answer, ever
  delay_ms                                        later than usual
  dribble_ms                                      an answer in ten pieces, over so long
  text, content, stop_reason, stop_details        change the billed message
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from api_rules import THINKING, Reply, bad_request, error_reply, model_info  # type: ignore[import-not-found]  # as below
from batches_api import Batches  # type: ignore[import-not-found]  # found beside this file when it runs alone
from texts import text_for  # type: ignore[import-not-found]  # found beside this file when it runs alone

_THOUGHT_TOKENS = 700
_PIECES = 10


@dataclass
class Server:
    """The state of the server."""

    key: str
    latency: float
    faults: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    billed: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0
    watched: list[Path] = field(default_factory=list)
    lenient: bool = False
    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: model_info(name) for name in THINKING})
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    batches: Any = field(init=False)

    def __post_init__(self) -> None:
        """Open the other half."""
        self.batches = Batches(self.write, self.batch_fault, self.billed_in_batch)

    def control(self, command: dict[str, Any]) -> dict[str, Any]:
        """Obey a control command."""
        self.lenient = command.get("lenient", self.lenient)
        if "watch" in command:
            self.watched = [Path(folder) for folder in command["watch"]]
        if "latency_ms" in command:
            self.latency = command["latency_ms"] / 1000
        if "faults" in command:
            self.faults = [{"times": 1, "skip": 0, **fault} for fault in command["faults"]]
            self.dice = random.Random(1)
        for name, changes in command.get("models", {}).items():
            self.models[name] = {**(self.models.get(name) or {"type": "model", "id": name}), **changes}
        answer = {"log": self.log, "billed": self.billed} if command.get("state") else {}
        self.batches.control(command)
        if command.get("clear"):
            self.log, self.billed, self.faults, self.watched = [], [], [], []
            self.models = {name: model_info(name) for name in THINKING}
        return answer

    def take_fault(self, method: str, path: str, user: str) -> dict[str, Any]:
        """Return the fault that hits this request, or an empty one."""
        for fault in self.faults:
            if not _is_meant(fault, method, path) or fault.get("match", "") not in user:
                continue
            if "probability" in fault:
                if self.dice.random() < fault["probability"]:
                    return fault
            elif fault["skip"] > 0:
                fault["skip"] -= 1
            elif fault["times"] > 0:
                fault["times"] -= 1
                return fault
        return {}

    def journal_sizes(self) -> list[int]:
        """Return how long the watched journals are, 0 where there is none."""
        return [sum(_sizes(folder.glob("targets/*/journal.jsonl"))) for folder in self.watched]

    def refuse(self, headers: dict[str, str]) -> Reply | None:
        """Refuse what every endpoint refuses."""
        if self.lenient and headers.get("x-api-key") == self.key:
            return None
        if headers.get("authorization") != f"Bearer {self.key}":
            return error_reply(401, "invalid bearer token")
        if "anthropic-version" not in headers:
            return error_reply(400, "anthropic-version: header is required")
        return None

    def model_reply(self, name: str) -> Reply:
        """Answer GET /v1/models/ID."""
        if name not in self.models:
            return error_reply(404, f"model: {name}")
        return 200, json.dumps(self.models[name]).encode(), {}

    def bill(self, body: dict[str, Any], user: str, fault: dict[str, Any], arrived: float) -> dict[str, Any]:
        """Make a message, and charge for it."""
        message = self.message(body, user, fault, f"msg_{len(self.billed) + 1:06}")
        text = next((block["text"] for block in message["content"] if block["type"] == "text"), "")
        entry = {"id": message["id"], "prompt": _prompt_hash(body, user), "text": text, "usage": message["usage"]}
        self.billed.append({**entry, "arrived": arrived, "finished": time.monotonic()})
        return message

    def write(self, params: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
        """Make the message of a request in a batch, free of charge; with its user prompt and the hash of both."""
        user = _user_prompt(params)
        self.written += 1
        message = self.message(params, user, {}, f"msg_b{self.written:06}")
        message["usage"]["service_tier"] = "batch"
        return message, user, _prompt_hash(params, user)

    def bad_request(self, body: dict[str, Any]) -> Reply | None:
        """Refuse what the API version refuses."""
        refused: Reply | None = None if self.lenient else bad_request(body, self.models)
        return refused

    def batch_fault(self, params: dict[str, Any]) -> dict[str, Any] | None:
        """Say what is wrong with the params of a request in a batch."""
        refused = bad_request(params, self.models)
        fault: dict[str, Any] | None = json.loads(refused[1]) if refused else None
        return fault

    def billed_in_batch(self, entry: dict[str, Any]) -> None:
        """Charge for a request in a batch."""
        now = time.monotonic()
        self.billed.append({**entry, "arrived": now, "finished": now})

    def message(self, body: dict[str, Any], user: str, fault: dict[str, Any], name: str) -> dict[str, Any]:
        """Make a message."""
        system = json.dumps(body.get("system", ""), ensure_ascii=False)
        text = fault.get("text") or _answer(body, user)
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        kind = (body.get("thinking") or {}).get("type", "adaptive")
        thoughts = _THOUGHT_TOKENS if kind == "adaptive" else 0
        if thoughts:
            content.insert(0, {"type": "thinking", "thinking": "", "signature": "c2ln"})
        reason = fault.get("stop_reason", "end_turn")
        return {
            "id": name,
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": fault.get("content", content),
            "stop_reason": reason,
            "stop_sequence": None,
            "stop_details": fault.get("stop_details"),
            "usage": {
                "input_tokens": _tokens(system + user),
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": _tokens(text) + thoughts,
                "service_tier": "standard",
            },
        }


def _answer(body: dict[str, Any], user: str) -> str:
    """Return the text of a prompt; where an object is wanted, one with the text and the beginning of it per column."""
    text = str(text_for(user))
    schema = (body.get("output_config") or {}).get("format", {}).get("schema")
    if not schema:
        return text
    others = [name for name in schema["properties"] if name != "text"]
    short = " ".join(text.split()[:5]).rstrip(",.") + "."
    return json.dumps({"text": text, **dict.fromkeys(others, short)}, ensure_ascii=False)


def _is_meant(fault: dict[str, Any], method: str, path: str) -> bool:
    if fault.get("method", method) != method:
        return False
    if "path" in fault:
        return path.startswith(fault["path"])
    return path.startswith("/v1/messages") and not path.startswith("/v1/messages/batches")


def _prompt_hash(body: dict[str, Any], user: str) -> str:
    return hashlib.sha256((json.dumps(body.get("system", ""), ensure_ascii=False) + user).encode()).hexdigest()


def _scripted(fault: dict[str, Any]) -> Reply | None:
    """Return the answer that a fault dictates, if it dictates one."""
    if "status" in fault:
        kind, code = fault.get("type", ""), fault.get("error_code", "")
        return error_reply(fault["status"], fault.get("message", "scripted"), kind, code, fault.get("headers"))
    if "body" in fault:
        return 200, fault["body"].encode(), {"content-type": fault.get("content_type", "text/html")}
    return None


def _client(target: str) -> tuple[str, str]:
    """Take the client's name off a path that begins with /as/NAME."""
    if not target.startswith("/as/"):
        return "", target
    name, _, rest = target.removeprefix("/as/").partition("/")
    return name, f"/{rest}"


def _sizes(files: Iterable[Path]) -> list[int]:
    return [file.stat().st_size for file in files]


def _tokens(text: str) -> int:
    return len(text) // 3 + 1


def _user_prompt(body: dict[str, Any]) -> str:
    content = (body.get("messages") or [{}])[-1].get("content", "")
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


def _headers(head: bytes | bytearray) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        said = headers.get(name.lower())
        headers[name.lower()] = value.strip() if said is None else f"{said}, {value.strip()}"
    return first, headers


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it come one after the other."""

    def __init__(self, server: Server) -> None:
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
            self.wanted = end + 4 + int(_headers(self.buffer[:end])[1].get("content-length", 0))
        if len(self.buffer) < self.wanted:
            return
        request, self.buffer, self.wanted = bytes(self.buffer[: self.wanted]), self.buffer[self.wanted :], 0
        head, _, raw = request.partition(b"\r\n\r\n")
        first, headers = _headers(head)
        method, target, _ = first.split(" ", 2)
        self.answer(method, target, headers, raw)

    def answer(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> None:
        """Decide what to send, and when."""
        server, (client, target) = self.server, _client(target)
        path = target.partition("?")[0]
        if path == "/__control":
            self.send((200, json.dumps(server.control(json.loads(raw))).encode(), {}))
            return
        arrived = time.monotonic()
        body = json.loads(raw) if raw else {}
        user = _user_prompt(body)
        entry = {
            "method": method,
            "path": path,
            "client": client,
            "journals": server.journal_sizes(),
            "headers": headers,
            "prompt": _prompt_hash(body, user),
            "arrived": arrived,
            "status": 0,
            "body": body if "requests" not in body else {"requests": len(body["requests"])},
        }
        server.log.append(entry)
        fault = server.take_fault(method, path, user)
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
            refused = server.refuse(headers) or _scripted(fault)
            return refused or server.batches.reply(method, target, body, base)
        if method == "GET" and path.startswith("/v1/models/"):
            return server.refuse(headers) or _scripted(fault) or server.model_reply(path.removeprefix("/v1/models/"))
        unknown = None if path in {"/v1/messages", "/v1/messages/count_tokens"} else error_reply(404, path)
        if refused := server.refuse(headers) or _scripted(fault) or unknown or server.bad_request(body):
            return refused
        user = _user_prompt(body)
        if path.endswith("count_tokens"):
            system = json.dumps(body.get("system", ""), ensure_ascii=False)
            return 200, json.dumps({"input_tokens": _tokens(system + user)}).encode(), {}
        return 200, json.dumps(server.bill(body, user, fault, arrived), ensure_ascii=False).encode(), {}

    def send(self, reply: Reply) -> None:
        """Write one HTTP answer."""
        self.transport.write(_as_bytes(reply))

    def dribble(self, reply: Reply, seconds: float) -> None:
        """Write one HTTP answer slowly."""
        data, loop = _as_bytes(reply), asyncio.get_running_loop()
        size = len(data) // _PIECES + 1
        for number in range(_PIECES):
            piece = data[number * size : (number + 1) * size]
            loop.call_later(seconds * number / _PIECES, self.continue_with, piece)

    def continue_with(self, piece: bytes) -> None:
        """Write a piece of an answer, if there is still somebody to read it."""
        if not self.transport.is_closing():
            self.transport.write(piece)


def _as_bytes(reply: Reply) -> bytes:
    status, payload, extra = reply
    headers = {"content-type": "application/json", "content-length": str(len(payload)), **extra}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n"
    return head.encode() + bytes(payload)


async def serve() -> None:
    """Serve until stdin closes."""
    config = json.loads(os.environ.get("SEED_TEST_MESSAGES", "{}"))
    server = Server(config.get("key", "sk-ant-test-not-a-real-key"), config.get("latency_ms", 0) / 1000)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0, backlog=512)
    port = listener.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
