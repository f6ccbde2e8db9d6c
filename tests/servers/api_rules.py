"""What API version 2026-10-21 refuses, and what it says of its models. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from schema_rules import schema_fault  # type: ignore[import-not-found]  # found beside this file when it runs alone

THINKING = {
    "claude-sonnet-5-5": {"adaptive", "between_tools"},
    "claude-haiku-5-5": {"adaptive", "disabled"},
    "claude-opus-5-5": {"adaptive"},
}
EFFORTS = ("low", "medium", "high", "xhigh", "max")
_TYPES = ("adaptive", "between_tools", "disabled", "enabled")
_OFF = {"between_tools", "disabled"}
_NOT_WITHOUT_THINKING = {"xhigh", "max"}
_SAMPLING = ("temperature", "top_p", "top_k")
_PLACES = {"us", "global"}
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
Reply = tuple[int, bytes, dict[str, str]]
Body = dict[str, Any]


def error_reply(status: int, message: str, kind: str = "", code: str = "", headers: Any = None) -> Reply:
    """Return an error answer."""
    error: dict[str, Any] = {"type": kind or _KINDS.get(status, "api_error"), "message": message}
    if code:
        error["details"] = {"error_code": code}
    return status, json.dumps({"type": "error", "error": error}).encode(), dict(headers or {})


def model_info(name: str) -> Body:
    """Return what the API says of a model."""
    types = THINKING[name]
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
            "batch": {"supported": True},
            "structured_outputs": {"supported": True},
            "thinking": {"supported": True, "types": {one: {"supported": one in types} for one in _TYPES}},
            "effort": {"supported": True, **{one: {"supported": True} for one in EFFORTS}},
        },
    }


def bad_request(body: Body, models: dict[str, Body], *, counting: bool = False) -> Reply | None:
    """Refuse what the API version refuses. A request that only counts tokens has no `max_tokens`."""
    model = body.get("model", "")
    if model not in models or models[model].get("lifecycle") == "retired":
        return error_reply(404, f"model: {model}")
    info = models[model]
    faults = (
        *_sampling_faults(body),
        *_thinking_faults(body, info),
        *_output_faults(body, info),
        *_message_faults(body),
        *(() if counting else _length_faults(body, info)),
    )
    return error_reply(400, faults[0]) if faults else None


def bad_in_batch(body: Body, models: dict[str, Body]) -> Reply | None:
    """Refuse what a request in a batch may not be; the API says so only when the batch has ended."""
    for name in ("stream", "speed"):
        if body.get(name):
            return error_reply(400, f"{name}: not supported in a batch")
    return bad_request(body, models)


def _sampling_faults(body: Body) -> Iterator[str]:
    yield from (f"{name}: this parameter is not supported" for name in _SAMPLING if name in body)


def _thinking_faults(body: Body, info: Body) -> Iterator[str]:
    thinking = body.get("thinking") or {}
    kind = thinking.get("type")
    if kind is None:
        return
    if kind not in _supported(info, ("thinking", "types"), _TYPES, THINKING.get(body["model"], {kind})):
        yield f"thinking.type: {kind!r} is not supported by this model"
    if kind == "between_tools" and len(thinking) > 1:
        yield "thinking: between_tools takes no other field"


def _output_faults(body: Body, info: Body) -> Iterator[str]:
    output = body.get("output_config") or {}
    effort, shape = output.get("effort"), output.get("format")
    if effort is not None:
        if effort not in _supported(info, ("effort",), EFFORTS, set(EFFORTS)):
            yield f"output_config.effort: {effort!r} is not supported by this model"
        if effort in _NOT_WITHOUT_THINKING and (body.get("thinking") or {}).get("type") in _OFF:
            yield f"output_config.effort: {effort!r} is not supported when thinking is off"
    if shape is not None:
        if shape.get("type") != "json_schema" or not isinstance(shape.get("schema"), dict):
            yield "output_config.format: a json_schema with a schema is expected"
        elif fault := schema_fault(shape["schema"]):
            yield f"output_config.format.schema: {fault}"


def _message_faults(body: Body) -> Iterator[str]:
    if not body.get("messages") or body["messages"][-1].get("role") != "user":
        yield "messages: the last message must be from the user"
    if body.get("inference_geo") is not None and body["inference_geo"] not in _PLACES:
        yield "inference_geo: 'us' or 'global' is expected"


def _length_faults(body: Body, info: Body) -> Iterator[str]:
    asked, most = body.get("max_tokens"), info.get("max_tokens")
    if type(asked) is not int:
        yield "max_tokens: field required"
    elif asked < 1:
        yield "max_tokens: must be at least 1"
    elif isinstance(most, int) and asked > most:
        yield f"max_tokens: {asked} > {most}, the most that {body['model']} can write"


def _supported(info: Body, path: tuple[str, ...], names: tuple[str, ...], otherwise: set[str]) -> set[str]:
    """Return what a model's capabilities mark as supported; where a test has emptied them, what is said otherwise."""
    holder: Any = info.get("capabilities")
    for part in path:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        return otherwise
    return {name for name in names if isinstance(holder.get(name), dict) and holder[name].get("supported")}
