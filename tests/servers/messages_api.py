"""A scripted Messages API server: the rules of API version 2026-10-21, faults on demand, a record of what it bills.

Stand-alone, standard library only: `python messages_api.py`. Config as JSON in SEED_TEST_MESSAGES: key, latency_ms.
Prints one JSON line {"url": ...} when ready and ends when stdin closes.

Control, as POST /__control with JSON, answered with the whole state that was asked for:
  {"latency_ms": n}  {"faults": [...], "seed": n}  {"models": {id: changes}}  {"clear": true}  {"state": true}
  {"per_second": n}      answer so many messages a second, and the others with 429; 0: all of them
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
import json
import os
import random
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from api_rules import THINKING, Reply, bad_request, error_reply, model_info  # type: ignore[import-not-found]  # as below
from batches_api import Batches  # type: ignore[import-not-found]  # found beside this file when it runs alone
from connection import Connection  # type: ignore[import-not-found]  # as below
from faults import is_meant  # type: ignore[import-not-found]  # as below
from request_text import prompt_hash, token_count, user_prompt  # type: ignore[import-not-found]  # as below
from texts import text_for  # type: ignore[import-not-found]  # found beside this file when it runs alone

_THOUGHT_TOKENS = 700


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
    per_second: int = 0
    answered: deque[float] = field(default_factory=deque)
    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: model_info(name) for name in THINKING})
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    batches: Any = field(init=False)

    def __post_init__(self) -> None:
        """Open the other half."""
        self.batches = Batches(self.write, self.batch_fault, self.billed_in_batch)

    def control(self, command: dict[str, Any]) -> dict[str, Any]:
        """Obey a control command."""
        self.lenient = command.get("lenient", self.lenient)
        self.per_second = command.get("per_second", self.per_second)
        if "watch" in command:
            self.watched = [Path(folder) for folder in command["watch"]]
        if "latency_ms" in command:
            self.latency = command["latency_ms"] / 1000
        if "faults" in command:
            self.faults = [{"times": 1, "skip": 0, **fault} for fault in command["faults"]]
            self.dice = random.Random(command.get("seed", 1))
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
            if not is_meant(fault, method, path) or fault.get("match", "") not in user:
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

    def over_limit(self) -> dict[str, Any]:
        """Return the fault of a message beyond the rate limit, and count one that is within."""
        now = time.monotonic()
        while self.answered and self.answered[0] < now - 1:
            self.answered.popleft()
        if self.per_second and len(self.answered) >= self.per_second:
            return {"status": 429, "type": "rate_limit_error", "headers": {"retry-after": "1"}}
        self.answered.append(now)
        return {}

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
        entry = {"id": message["id"], "prompt": prompt_hash(body, user), "text": text, "usage": message["usage"]}
        self.billed.append({**entry, "arrived": arrived, "finished": time.monotonic()})
        return message

    def write(self, params: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
        """Make the message of a request in a batch, free of charge; with its user prompt and the hash of both."""
        user = user_prompt(params)
        self.written += 1
        message = self.message(params, user, {}, f"msg_b{self.written:06}")
        message["usage"]["service_tier"] = "batch"
        return message, user, prompt_hash(params, user)

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
                "input_tokens": token_count(system + user),
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": token_count(text) + thoughts,
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


def _sizes(files: Iterable[Path]) -> list[int]:
    return [file.stat().st_size for file in files]


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
