"""Which JSON schemas structured outputs take. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_UNSUPPORTED = (
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)
_MOST_OPTIONAL, _MOST_UNIONS = 24, 16


def schema_fault(schema: dict[str, Any]) -> str:
    """Say what the API has against a schema; empty when nothing."""
    parts = list(_parts(schema))
    for part in parts:
        if fault := _part_fault(part):
            return fault
    if sum(_optional(part) for part in parts) > _MOST_OPTIONAL:
        return f"more than {_MOST_OPTIONAL} optional parameters"
    if sum("anyOf" in part or isinstance(part.get("type"), list) for part in parts) > _MOST_UNIONS:
        return f"more than {_MOST_UNIONS} unions"
    return ""


def _part_fault(part: dict[str, Any]) -> str:
    for name in _UNSUPPORTED:
        if name in part:
            return f"{name} is not supported"
    if part.get("minItems", 0) not in {0, 1}:
        return "minItems: 0 or 1 is expected"
    if part.get("type") == "object" and part.get("additionalProperties") is not False:
        return "additionalProperties: false is required for an object"
    return ""


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a schema and all schemas in it. The names of properties are no keywords, whatever they are."""
    yield schema
    inner = [*(schema.get("properties") or {}).values(), *(schema.get("$defs") or {}).values()]
    inner += schema.get("anyOf") or []
    inner.append(schema.get("items"))
    for part in inner:
        if isinstance(part, dict):
            yield from _parts(part)


def _optional(part: dict[str, Any]) -> int:
    return len(set(part.get("properties") or {}) - set(part.get("required") or []))
