"""What API version 2026-10-21 refuses, and what it says of its models."""

from __future__ import annotations

import json
from typing import Any

THINKING = {
    "claude-sonnet-5-5": {"adaptive", "between_tools"},
    "claude-haiku-5-5": {"adaptive", "disabled"},
    "claude-opus-5-5": {"adaptive"},
}
_TYPES = ("adaptive", "between_tools", "disabled", "enabled")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_KINDS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
Reply = tuple[int, bytes, dict[str, str]]


def error_reply(status: int, message: str, kind: str = "", code: str = "", headers: Any = None) -> Reply:
    """Return an error answer."""
    error: dict[str, Any] = {"type": kind or _KINDS.get(status, "api_error"), "message": message}
    if code:
        error["details"] = {"error_code": code}
    return status, json.dumps({"type": "error", "error": error}).encode(), dict(headers or {})


def model_info(name: str) -> dict[str, Any]:
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
            "thinking": {"supported": True, "types": {one: {"supported": one in types} for one in _TYPES}},
            "effort": {"supported": True, **{one: {"supported": True} for one in _EFFORTS}},
        },
    }


def bad_request(body: dict[str, Any], models: dict[str, dict[str, Any]]) -> Reply | None:
    """Refuse what the API version refuses."""
    for name in ("temperature", "top_p", "top_k"):
        if name in body:
            return error_reply(400, f"{name}: this parameter is not supported")
    model = body.get("model", "")
    if model not in models or models[model].get("lifecycle") == "retired":
        return error_reply(404, f"model: {model}")
    kind = (body.get("thinking") or {}).get("type")
    if kind is not None and kind not in THINKING.get(model, {kind}):
        return error_reply(400, f"thinking.type: {kind!r} is not supported by this model")
    if not body.get("messages") or body["messages"][-1].get("role") != "user":
        return error_reply(400, "messages: the last message must be from the user")
    return None
