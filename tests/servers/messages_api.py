"""A scripted Messages API server: the rules of API version 2026-10-21, faults on demand, a record of what it bills.

Stand-alone, standard library only: `python messages_api.py`. Config as JSON in SEED_TEST_MESSAGES: key, latency_ms.
Prints one JSON line {"url": ...} when ready and ends when stdin closes.

Control, as POST /__control with JSON, answered with the whole state that was asked for:
  {"latency_ms": n}  {"faults": [...], "seed": n}  {"clear": true}
  {"state": true}        answers log, billed, and how many answers are `held`
  {"models": {id: changes}}   what GET /v1/models/ID says; effort, thinking and max_tokens are judged by it
  {"requests_per_minute": n, "burst": b}   a token bucket (see rate_limit.py) and the anthropic-ratelimit-* headers;
                         b is n / 60 where it is not given; 0 requests: no limit. It can change half way
  {"workspaces": {key: workspace id}}      more keys; batches are seen by the keys of their own workspace only
  {"varied": true}       answer the same prompt with another text each time, until that is cleared
  {"usage": {...}}       laid over the usage of every message from now on, in batches as well
  {"batch_answers": {...}}   change every message in batches from now on as faults do: text, fence, usage ...
  {"release": n}         let the n oldest of the held answers go; true: all of them
  {"ping_ms": n}         how often a stream that waits sends a ping (1000)
  {"lenient": true}      take old SDKs: keys as x-api-key, and parameters that this version refuses
  {"watch": [folders]}   note with each request how long the journals in these state folders are when it arrives
  and those of the Message Batches (see batches_api.py).
Paths may begin with /as/NAME: the record then says that the request is NAME's. An entry of the log has `status` (0: not
answered), `arrived`, `finished` (when the answer had been sent), and `gone` if its client went away before that.
A request beyond the rate limit gets its 429. Else a fault hits it if its path starts with `path` (default: messages
only, no batches), its method is `method` and its user prompt holds `match`;
`skip` lets so many pass, then `times` (default 1) are hit, or each with `probability` (seeded). What it does:
  status (+ type, error_code, message, headers)   an error answer, not billed
  drop: "before" | "after"                        cut the connection without or with billing; a stream in its middle
  body (+ content_type, headers)                  a 200 with this body, not billed
  truncate: true                                  half of a billed answer; a stream without its message_stop
  truncate: n                                     a stream that ends in order after n events
  hang: true                                      no answer, ever; a stream stops after its first events, billed
  hold: true                                      no answer before {"release": ...}
  delay_ms                                        later than usual
  dribble_ms                                      an answer in ten pieces, or the events of a stream, over so long
  error_event: type                               a stream that ends in its middle with an error of this type, billed
  text, content, stop_reason, stop_details        change the billed message
  fence: true                                     its text stands in a code fence, as some gateways have it
  usage: {...}, usage_without: [...]              set or take away parts of its usage; null: no usage at all
While a stream waits (`delay_ms`, `hold`) its first event has been sent, and pings follow. It is billed as a whole when
it begins, whatever happens to it later.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import api_rules  # type: ignore[import-not-found]  # found beside this file when it runs alone
from api_rules import THINKING, Reply, error_reply, model_info
from batches_api import Asked, Batches  # type: ignore[import-not-found]  # as above
from connection import MESSAGES, Connection  # type: ignore[import-not-found]  # as above
from faults import Faults, Holds, scripted  # type: ignore[import-not-found]  # as above
from rate_limit import RateLimit  # type: ignore[import-not-found]  # as above
from request_text import prompt_hash, user_prompt  # type: ignore[import-not-found]  # as above
from workspaces import Workspaces  # type: ignore[import-not-found]  # as above
from writing import message_for, prompt_tokens  # type: ignore[import-not-found]  # as above

_COUNT = f"{MESSAGES}/count_tokens"
_BATCHES = f"{MESSAGES}/batches"
_MODELS = "/v1/models/"
_PING_SECONDS = 1.0


@dataclass
class Server:
    """The state of the server."""

    key: str
    latency: float
    ping_seconds: float = _PING_SECONDS
    faults: Any = field(default_factory=Faults)
    holds: Any = field(default_factory=Holds)
    limit: Any = field(default_factory=RateLimit)
    log: list[dict[str, Any]] = field(default_factory=list)
    billed: list[dict[str, Any]] = field(default_factory=list)
    written: int = 0
    watched: list[Path] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    varied: bool = False
    batch_answers: dict[str, Any] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: model_info(name) for name in THINKING})
    workspaces: Any = field(init=False)
    batches: Any = field(init=False)

    def __post_init__(self) -> None:
        """Open the other halves."""
        self.workspaces = Workspaces(self.key)
        self.batches = Batches(self.write, self.batch_fault, self.billed_in_batch)

    def control(self, command: dict[str, Any]) -> dict[str, Any]:
        """Obey a control command. What is cleared is cleared first, but for the state that is asked for."""
        state = {"log": self.log, "billed": self.billed, "held": len(self.holds)} if command.get("state") else {}
        if command.get("clear"):
            self.log, self.billed, self.watched, self.usage, self.ping_seconds = [], [], [], {}, _PING_SECONDS
            self.models, self.batch_answers = {name: model_info(name) for name in THINKING}, {}
            self.varied = False
        for part in (self.faults, self.holds, self.limit, self.workspaces, self.batches):
            part.control(command)
        if "watch" in command:
            self.watched = [Path(folder) for folder in command["watch"]]
        self.latency = command.get("latency_ms", self.latency * 1000) / 1000
        self.ping_seconds = command.get("ping_ms", self.ping_seconds * 1000) / 1000
        self.usage, self.varied = command.get("usage", self.usage), command.get("varied", self.varied)
        self.batch_answers = command.get("batch_answers", self.batch_answers)
        for name, changes in command.get("models", {}).items():
            self.models[name] = {**(self.models.get(name) or {"type": "model", "id": name}), **changes}
        return state

    def journal_sizes(self) -> list[int]:
        """Return how long the watched journals are, 0 where there is none."""
        return [sum(_sizes(folder.glob("targets/*/journal.jsonl"))) for folder in self.watched]

    def headers_of(self, request: Any) -> dict[str, str]:
        """Return the headers that every answer to a request has."""
        limits = self.limit.headers() if request.path == MESSAGES else {}
        return {"request-id": request.entry["request_id"], **self.workspaces.ids(request.headers), **limits}

    def refusal(self, request: Any) -> Reply | None:
        """Refuse what the endpoint of a request refuses, or answer it as its fault dictates."""
        return self.workspaces.refuse(request.headers) or scripted(request.fault) or self._bad(request)

    def _bad(self, request: Any) -> Reply | None:
        if request.body is None:
            return error_reply(400, "the body is not a JSON object")
        if request.path not in {MESSAGES, _COUNT} or self.workspaces.lenient:
            return None
        refused: Reply | None = api_rules.bad_request(request.body, self.models, counting=request.path == _COUNT)
        return refused

    def reply(self, request: Any) -> Reply:
        """Work out status, body and further headers of an answer that is no stream."""
        if refused := self.refusal(request):
            return refused
        path = request.path
        if path.startswith(_BATCHES):
            host, workspace = request.headers.get("host", ""), self.workspaces.of(request.headers)
            asked = Asked(request.method, request.target, request.body, f"http://{host}", workspace)
            reply: Reply = self.batches.reply(asked)
            return reply
        if request.method == "GET" and path.startswith(_MODELS):
            return self.model_reply(path.removeprefix(_MODELS))
        if path == _COUNT:
            return _json({"input_tokens": prompt_tokens(request.body)})
        return _json(self.bill(request)) if path == MESSAGES else error_reply(404, path)

    def model_reply(self, name: str) -> Reply:
        """Answer GET /v1/models/ID."""
        return _json(self.models[name]) if name in self.models else error_reply(404, f"model: {name}")

    def bill(self, request: Any) -> dict[str, Any]:
        """Make a message, and charge for it."""
        body, name = request.body, f"msg_{len(self.billed) + 1:06}"
        message: dict[str, Any] = message_for(body, self._varying(name) | request.fault, name, self.usage)
        self.limit.count(message["usage"])
        text = next((block["text"] for block in message["content"] if block["type"] == "text"), "")
        entry = {"id": name, "prompt": prompt_hash(body, user_prompt(body)), "text": text, "usage": message["usage"]}
        self.billed.append({**entry, "arrived": request.entry["arrived"], "finished": time.monotonic()})
        return message

    def write(self, params: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
        """Make the message of a request in a batch, free of charge; with its user prompt and the hash of both."""
        user = user_prompt(params)
        self.written += 1
        name = f"msg_b{self.written:06}"
        faults = {**self._varying(name), **self.batch_answers}
        message = message_for(params, faults, name, {"service_tier": "batch", **self.usage})
        return message, user, prompt_hash(params, user)

    def _varying(self, name: str) -> dict[str, Any]:
        return {"edition": name} if self.varied else {}

    def batch_fault(self, params: dict[str, Any]) -> dict[str, Any] | None:
        """Say what is wrong with the params of a request in a batch."""
        refused = api_rules.bad_in_batch(params, self.models)
        fault: dict[str, Any] | None = json.loads(refused[1]) if refused else None
        return fault

    def billed_in_batch(self, entry: dict[str, Any]) -> None:
        """Charge for a request in a batch."""
        now = time.monotonic()
        self.billed.append({**entry, "arrived": now, "finished": now})


def _json(value: dict[str, Any]) -> Reply:
    return 200, json.dumps(value, ensure_ascii=False).encode(), {}


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
