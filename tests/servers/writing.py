"""The message that answers a request. Standard library only."""

from __future__ import annotations

import json
from typing import Any

from request_text import token_count, user_prompt  # type: ignore[import-not-found]  # as in messages_api.py
from texts import text_for  # type: ignore[import-not-found]  # as in messages_api.py

_THOUGHT_TOKENS = 700
_THOUGHT = "The reader wants one scene. I look for a thing that moves somebody, and for its price."
_CHARACTERS_PER_TOKEN = 3  # as token_count has it
Body = dict[str, Any]
Fault = dict[str, Any]


def prompt_tokens(body: Body) -> int:
    """Return how many tokens a request has: system, prompt, and the schema that goes in with them."""
    system = json.dumps(body.get("system", ""), ensure_ascii=False)
    shape = (body.get("output_config") or {}).get("format")
    schema = json.dumps(shape, ensure_ascii=False) if shape else ""
    return int(token_count(system + user_prompt(body) + schema))


def message_for(body: Body, fault: Fault, name: str, usage: Body) -> Body:
    """Make a message called `name`; `usage` is laid over what it says of its tokens, and then that of the fault."""
    thoughts = _THOUGHT_TOKENS if (body.get("thinking") or {}).get("type", "adaptive") == "adaptive" else 0
    text = fault.get("text") or _answer(body, fault.get("edition", ""))
    room = body.get("max_tokens", len(text) + thoughts) - thoughts
    cut = "text" not in fault and token_count(text) > room
    if cut:
        text = text[: max(0, room - 1) * _CHARACTERS_PER_TOKEN]
    if fault.get("fence"):
        text = f"```json\n{text}\n```"
    content = [*_thinking(body, thoughts), *([{"type": "text", "text": text}] if text else [])]
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": fault.get("content", content),
        "stop_reason": fault.get("stop_reason", "max_tokens" if cut else "end_turn"),
        "stop_sequence": None,
        "stop_details": fault.get("stop_details"),
        "usage": _usage(body, text, thoughts, {"usage": usage}, fault),
    }


def _thinking(body: Body, thoughts: int) -> list[Body]:
    if not thoughts:
        return []
    shown = (body.get("thinking") or {}).get("display") == "summarized"
    return [{"type": "thinking", "thinking": _THOUGHT if shown else "", "signature": "c2ln"}]


def _usage(body: Body, text: str, thoughts: int, *changes: Fault) -> Body | None:
    """Return what a message says of its tokens; each change may set parts of it, take parts away, or make it null."""
    written = token_count(text) if text else 0
    usage: Body = {
        "input_tokens": prompt_tokens(body),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": min(written + thoughts, body.get("max_tokens", written + thoughts)),
        "output_tokens_details": {"thinking_tokens": thoughts},
        "service_tier": "standard",
        "inference_geo": body.get("inference_geo") or "global",
    }
    for change in changes:
        said = change.get("usage", {})
        if said is None:
            return None
        without = change.get("usage_without", ())
        usage = {name: value for name, value in (usage | said).items() if name not in without}
    return usage


def _answer(body: Body, edition: str) -> str:
    """Return a text of a prompt; where an object is wanted, one with the text and the beginning of it per column."""
    text = str(text_for(user_prompt(body) + edition))
    schema = (body.get("output_config") or {}).get("format", {}).get("schema")
    if not schema:
        return text
    others = [name for name in schema["properties"] if name != "text"]
    short = " ".join(text.split()[:5]).rstrip(",.") + "."
    return json.dumps({"text": text, **dict.fromkeys(others, short)}, ensure_ascii=False)
