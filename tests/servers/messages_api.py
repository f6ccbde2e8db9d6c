"""A scripted Messages API server: the rules of API version 2026-10-21, faults on demand, a record of what it bills.

Stand-alone, standard library only: `python messages_api.py`. Config as JSON in SEED_TEST_MESSAGES: key, latency_ms.
Prints one JSON line {"url": ...} when ready and ends when stdin closes.

Control, as POST /__control with JSON, answered with the whole state that was asked for:
  {"latency_ms": n}  {"faults": [...]}  {"models": {id: changes}}  {"clear": true}  {"state": true}
A fault hits requests whose path starts with `path` (default /v1/messages) and whose user prompt holds `match`;
`skip` lets so many pass, then `times` (default 1) are hit, or each with `probability` (seeded). What it does:
  status (+ type, error_code, message, headers)   an error answer, not billed
  drop: "before" | "after"                        cut the connection without or with billing
  body                                            a 200 with this body, not billed
  truncate: true                                  half of a billed answer
  hang: true                                      no answer, ever
  delay_ms                                        later than usual
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from texts import text_for  # type: ignore[import-not-found]  # found beside this file when it runs alone

_THINKING = {
    "claude-sonnet-5-5": {"adaptive", "between_tools"},
    "claude-haiku-5-5": {"adaptive", "disabled"},
    "claude-opus-5-5": {"adaptive"},
}
_TYPES = ("adaptive", "between_tools", "disabled", "enabled")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THOUGHT_TOKENS = 700
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
Reply = tuple[int, bytes, dict[str, str]]


def _error(status: int, message: str, kind: str = "", code: str = "", headers: Any = None) -> Reply:
    error: dict[str, Any] = {"type": kind or _KINDS.get(status, "api_error"), "message": message}
    if code:
        error["details"] = {"error_code": code}
    return status, json.dumps({"type": "error", "error": error}).encode(), dict(headers or {})


def _model_info(name: str) -> dict[str, Any]:
    types = _THINKING[name]
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "2026-09-28T00:00:00Z",
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
        "capabilities": {
            "thinking": {"supported": True, "types": {one: {"supported": one in types} for one in _TYPES}},
            "effort": {"supported": True, **{one: {"supported": True} for one in _EFFORTS}},
        },
    }


@dataclass
class Server:
    """The state of the server."""

    key: str
    latency: float
    faults: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    billed: list[dict[str, Any]] = field(default_factory=list)
    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: _model_info(name) for name in _THINKING})
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def control(self, command: dict[str, Any]) -> dict[str, Any]:
        """Obey a control command."""
        if "latency_ms" in command:
            self.latency = command["latency_ms"] / 1000
        if "faults" in command:
            self.faults = [{"times": 1, "skip": 0, **fault} for fault in command["faults"]]
            self.dice = random.Random(1)
        for name, changes in command.get("models", {}).items():
            self.models[name] = {**(self.models.get(name) or {"type": "model", "id": name}), **changes}
        answer = {"log": self.log, "billed": self.billed} if command.get("state") else {}
        if command.get("clear"):
            self.log, self.billed, self.faults = [], [], []
            self.models = {name: _model_info(name) for name in _THINKING}
        return answer

    def take_fault(self, path: str, user: str) -> dict[str, Any]:
        """Return the fault that hits this request, or an empty one."""
        for fault in self.faults:
            if not path.startswith(fault.get("path", "/v1/messages")) or fault.get("match", "") not in user:
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

    def refuse(self, headers: dict[str, str]) -> Reply | None:
        """Refuse what every endpoint refuses."""
        if headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "invalid bearer token")
        if "anthropic-version" not in headers:
            return _error(400, "anthropic-version: header is required")
        return None

    def model_reply(self, name: str) -> Reply:
        """Answer GET /v1/models/ID."""
        if name not in self.models:
            return _error(404, f"model: {name}")
        return 200, json.dumps(self.models[name]).encode(), {}

    def bad_request(self, body: dict[str, Any]) -> Reply | None:
        """Refuse what the API version refuses."""
        for name in ("temperature", "top_p", "top_k"):
            if name in body:
                return _error(400, f"{name}: this parameter is not supported")
        model = body.get("model", "")
        if model not in self.models or self.models[model].get("lifecycle") == "retired":
            return _error(404, f"model: {model}")
        kind = (body.get("thinking") or {}).get("type")
        if kind is not None and kind not in _THINKING.get(model, {kind}):
            return _error(400, f"thinking.type: {kind!r} is not supported by this model")
        if not body.get("messages") or body["messages"][-1].get("role") != "user":
            return _error(400, "messages: the last message must be from the user")
        return None

    def bill(self, body: dict[str, Any], user: str, fault: dict[str, Any], arrived: float) -> dict[str, Any]:
        """Make a message, and charge for it."""
        system = json.dumps(body.get("system", ""), ensure_ascii=False)
        text = fault.get("text") or text_for(user)
        content: list[dict[str, Any]] = [{"type": "text", "text": text}]
        kind = (body.get("thinking") or {}).get("type", "adaptive")
        thoughts = _THOUGHT_TOKENS if kind == "adaptive" else 0
        if thoughts:
            content.insert(0, {"type": "thinking", "thinking": "", "signature": "c2ln"})
        reason = fault.get("stop_reason", "end_turn")
        number = len(self.billed) + 1
        message = {
            "id": f"msg_{number:06}",
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
        prompt = hashlib.sha256((system + user).encode()).hexdigest()
        self.billed.append(
            {"id": message["id"], "prompt": prompt, "text": text, "arrived": arrived, "finished": time.monotonic()}
        )
        return message


def _scripted(fault: dict[str, Any]) -> Reply | None:
    """Return the answer that a fault dictates, if it dictates one."""
    if "status" in fault:
        kind, code = fault.get("type", ""), fault.get("error_code", "")
        return _error(fault["status"], fault.get("message", "scripted"), kind, code, fault.get("headers"))
    if "body" in fault:
        return 200, fault["body"].encode(), {"content-type": fault.get("content_type", "text/html")}
    return None


def _tokens(text: str) -> int:
    return len(text) // 3 + 1


def _user_prompt(body: dict[str, Any]) -> str:
    content = (body.get("messages") or [{}])[-1].get("content", "")
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)


class Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it come one after the other."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect one whole request, then answer it."""
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(":") for line in lines):
            said = headers.get(name.lower())
            headers[name.lower()] = value.strip() if said is None else f"{said}, {value.strip()}"
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        method, target, _ = first.split(" ", 2)
        self.answer(method, target.partition("?")[0], headers, rest[:length])

    def answer(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> None:
        """Decide what to send, and when."""
        server = self.server
        if path == "/__control":
            self.send((200, json.dumps(server.control(json.loads(raw))).encode(), {}))
            return
        arrived = time.monotonic()
        body = json.loads(raw) if raw else {}
        user = _user_prompt(body)
        prompt = hashlib.sha256((json.dumps(body.get("system", ""), ensure_ascii=False) + user).encode()).hexdigest()
        entry = {
            "method": method,
            "path": path,
            "headers": headers,
            "prompt": prompt,
            "arrived": arrived,
            "status": 0,
            "body": body,
        }
        server.log.append(entry)
        fault = server.take_fault(path, user)
        delay = fault.get("delay_ms", 0) / 1000 + (server.latency if path == "/v1/messages" else 0)
        asyncio.get_running_loop().call_later(delay, self.reply, method, path, headers, body, fault, entry)

    def reply(
        self,
        method: str,
        path: str,
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
        status, payload, extra = self.reply_to(method, path, headers, body, fault, entry["arrived"])
        entry["status"], entry["finished"] = status, time.monotonic()
        if fault.get("drop") == "after":
            self.transport.abort()
            return
        if fault.get("truncate"):
            payload = payload[: len(payload) // 2]
        number = len(server.log)
        extra = {"request-id": f"req_{number:06}", "anthropic-workspace-id": "wrkspc_test", **extra}
        self.send((status, payload, extra))

    def reply_to(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: dict[str, Any],
        fault: dict[str, Any],
        arrived: float,
    ) -> Reply:
        """Work out status, body and headers."""
        server = self.server
        if method == "GET" and path.startswith("/v1/models/"):
            return server.refuse(headers) or _scripted(fault) or server.model_reply(path.removeprefix("/v1/models/"))
        unknown = None if path in {"/v1/messages", "/v1/messages/count_tokens"} else _error(404, path)
        if refused := server.refuse(headers) or _scripted(fault) or unknown or server.bad_request(body):
            return refused
        user = _user_prompt(body)
        if path.endswith("count_tokens"):
            system = json.dumps(body.get("system", ""), ensure_ascii=False)
            return 200, json.dumps({"input_tokens": _tokens(system + user)}).encode(), {}
        return 200, json.dumps(server.bill(body, user, fault, arrived), ensure_ascii=False).encode(), {}

    def send(self, reply: Reply) -> None:
        """Write one HTTP answer."""
        status, payload, extra = reply
        headers = {"content-type": "application/json", "content-length": str(len(payload)), **extra}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode() + payload)


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
