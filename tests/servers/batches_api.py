"""The Message Batches half of the scripted server: the rules of November 2026, and the ways to lose a batch.

- POST /v1/messages/batches             validates only shape, sizes and custom_ids; params are judged at the end
- GET  /v1/messages/batches[?after_id]  newest first, in pages
- GET  /v1/messages/batches/ID          `request_counts` besides `processing` stay 0 until the whole batch has ended
- GET  /v1/messages/batches/ID/results  JSON lines in an arbitrary order, once it has ended
- POST /v1/messages/batches/ID/cancel   every second request is done already, the others become `canceled`

A batch belongs to the workspace of the key that made it; for the keys of others it does not exist.

Control commands: `batch_polls` (default 1: how many looks find a batch unfinished), `batch_outcomes` (a list of
{"match": text in the user prompt, "type": "errored" | "expired" | "canceled", "times": 1}; those that are not used up
apply), `batch_hidden` (so many lists do not show any batch), `archive_batches` (true, or a list of ids: a month passes;
what has not ended does, then the results are gone for good), `end_batches` (true: whatever is under way ends, as it
does whether somebody looks or not), `batch_results` ({"missing": n, "repeated": n, "counts":
{...}}: the last n results are not there, the first n come twice, `request_counts` of what has ended lie). Only
succeeded results are billed, when the batch ends; their entries among the billed ones have `batch` and `custom_id`.
What half price means is the reader's business.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Reply = tuple[int, bytes, dict[str, str]]
Line = dict[str, Any]
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PATH = "/v1/messages/batches"
_KEPT = timedelta(days=29)
_MOST_REQUESTS = 100_000
_PAGE = 20
_MOST_ON_A_PAGE = 1_000


@dataclass
class Batch:
    """One batch. What each request would give is worked out at its creation, so that no prompt has to be kept."""

    id: str
    workspace: str
    created: datetime
    lines: list[Line]
    polls_left: int
    canceled: bool = False
    ended: bool = False
    archived: bool = False

    def as_json(self, base: str, wrong_counts: dict[str, int]) -> dict[str, Any]:
        """Return it as the API shows it."""
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        if self.ended:
            for line in self.lines:
                counts[line["result"]["type"]] += 1
            counts |= wrong_counts
        else:
            counts["processing"] = len(self.lines)
        status = "ended" if self.ended else "canceling" if self.canceled else "in_progress"
        stamp = _stamp(self.created)
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": counts,
            "created_at": stamp,
            "expires_at": _stamp(self.created + timedelta(hours=24)),
            "ended_at": stamp if self.ended else None,
            "archived_at": _stamp(self.created + _KEPT) if self.archived else None,
            "cancel_initiated_at": stamp if self.canceled else None,
            "results_url": f"{base}{_PATH}/{self.id}/results" if self.ended and not self.archived else None,
        }


@dataclass(frozen=True)
class Asked:
    """What one request below /v1/messages/batches asks for, and for which workspace."""

    method: str
    target: str
    body: dict[str, Any]
    base: str
    workspace: str

    @property
    def query(self) -> dict[str, str]:
        """The parameters of a list."""
        parts = self.target.partition("?")[2].split("&")
        return {name: value for name, _, value in (part.partition("=") for part in parts if part)}


@dataclass
class Batches:
    """All batches of all workspaces.

    Attributes:
        write: makes a message from params, without charging; returns it with what identifies the prompt.
        fault_of: says what is wrong with params, as an error object; None when nothing is.
        charge: takes the entry of a request that is billed.
    """

    write: Callable[[dict[str, Any]], tuple[dict[str, Any], str, str]]
    fault_of: Callable[[dict[str, Any]], dict[str, Any] | None]
    charge: Callable[[dict[str, Any]], None]
    polls: int = 1
    hidden: int = 0
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    sloppy: dict[str, Any] = field(default_factory=dict)
    all: dict[str, Batch] = field(default_factory=dict)

    def control(self, command: dict[str, Any]) -> None:
        """Obey a control command."""
        if command.get("clear"):
            self.polls, self.hidden, self.outcomes, self.all, self.sloppy = 1, 0, [], {}, {}
        self.polls = command.get("batch_polls", self.polls)
        self.hidden = command.get("batch_hidden", self.hidden)
        self.sloppy = command.get("batch_results", self.sloppy)
        if "batch_polls" in command:
            for batch in self.all.values():
                batch.polls_left = self.polls
        if "batch_outcomes" in command:
            self.outcomes = [{"times": 1, "match": "", **outcome} for outcome in command["batch_outcomes"]]
        for batch in self.all.values() if command.get("end_batches") else ():
            self._end(batch)
        wanted = command.get("archive_batches", ())
        for name in self.all if wanted is True else wanted:
            self._end(self.all[name])
            self.all[name].archived = True

    def reply(self, asked: Asked) -> Reply:
        """Answer one request below /v1/messages/batches."""
        name, _, action = asked.target.partition("?")[0].partition(_PATH)[2].strip("/").partition("/")
        if not name:
            return self._create(asked) if asked.method == "POST" else self._list(asked)
        batch = self.all.get(name)
        if batch is None or batch.workspace != asked.workspace:
            return _error(404, f"batch: {name}")
        if action == "results":
            return self._results(batch)
        if action == "cancel" and asked.method == "POST":
            batch.canceled = not batch.ended
        else:
            self._look(batch)
        return _json(self._shown(batch, asked))

    def _shown(self, batch: Batch, asked: Asked) -> dict[str, Any]:
        return batch.as_json(asked.base, self.sloppy.get("counts", {}))

    def _create(self, asked: Asked) -> Reply:
        requests = asked.body.get("requests") or []
        ids = [str(request.get("custom_id", "")) for request in requests]
        if not 1 <= len(requests) <= _MOST_REQUESTS:
            return _error(400, f"requests: between 1 and {_MOST_REQUESTS} are allowed")
        if len(set(ids)) != len(ids) or not all(_CUSTOM_ID.fullmatch(one) for one in ids):
            return _error(400, "custom_id: must be unique and match ^[a-zA-Z0-9_-]{1,64}$")
        lines = [self._line(request) for request in requests]
        lines.sort(key=lambda line: hashlib.sha256(line["custom_id"].encode()).digest())
        name = f"msgbatch_{len(self.all) + 1:06}"
        batch = self.all[name] = Batch(name, asked.workspace, datetime.now(UTC), lines, self.polls)
        return _json(self._shown(batch, asked))

    def _line(self, request: dict[str, Any]) -> Line:
        params, name = request["params"], request["custom_id"]
        if error := self.fault_of(params):
            return {"custom_id": name, "result": {"type": "errored", "error": error}}
        message, user, prompt = self.write(params)
        outcome = self._outcome(user)
        if outcome == "errored":
            error = {"type": "error", "error": {"type": "api_error", "message": "scripted"}}
            return {"custom_id": name, "result": {"type": "errored", "error": error}}
        if outcome != "succeeded":
            return {"custom_id": name, "result": {"type": outcome}}
        return {"custom_id": name, "result": {"type": "succeeded", "message": message}, "prompt": prompt}

    def _outcome(self, user: str) -> str:
        for outcome in self.outcomes:
            if outcome["times"] > 0 and outcome["match"] in user:
                outcome["times"] -= 1
                return str(outcome["type"])
        return "succeeded"

    def _list(self, asked: Asked) -> Reply:
        if self.hidden > 0:
            self.hidden -= 1
            return _json({"data": [], "has_more": False, "first_id": None, "last_id": None})
        query = asked.query
        newest = [batch for batch in reversed(self.all.values()) if batch.workspace == asked.workspace]
        ids = [batch.id for batch in newest]
        start = ids.index(query["after_id"]) + 1 if query.get("after_id") in ids else 0
        page = newest[start : start + min(_MOST_ON_A_PAGE, int(query.get("limit", _PAGE)))]
        for batch in page:
            self._look(batch)
        return _json(
            {
                "data": [self._shown(batch, asked) for batch in page],
                "has_more": start + len(page) < len(newest),
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
            }
        )

    def _results(self, batch: Batch) -> Reply:
        if not batch.ended or batch.archived:
            return _error(404, "there are no results of this batch")
        lines = batch.lines[: len(batch.lines) - self.sloppy.get("missing", 0)]
        lines = lines + lines[: self.sloppy.get("repeated", 0)]
        said = [{name: line[name] for name in ("custom_id", "result")} for line in lines]
        body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in said)
        return 200, body.encode(), {"content-type": "application/x-jsonl"}

    def _look(self, batch: Batch) -> None:
        if batch.ended:
            return
        batch.polls_left -= 1
        if batch.polls_left < 0 or batch.canceled:
            self._end(batch)

    def _end(self, batch: Batch) -> None:
        if batch.ended:
            return
        batch.ended = True
        for place, line in enumerate(batch.lines):
            if batch.canceled and place % 2:
                line["result"] = {"type": "canceled"}
            if line["result"]["type"] == "succeeded":
                message = line["result"]["message"]
                text = (message["content"] or [{}])[-1].get("text", "")
                entry = {"id": message["id"], "prompt": line["prompt"], "text": text, "usage": message["usage"]}
                self.charge({**entry, "batch": batch.id, "custom_id": line["custom_id"]})


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _json(value: dict[str, Any]) -> Reply:
    return 200, json.dumps(value).encode(), {}


def _error(status: int, message: str) -> Reply:
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    return status, json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode(), {}
