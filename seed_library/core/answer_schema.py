"""The shape that an answer of several columns is asked for in: a JSON schema, which is sent with every request."""

from __future__ import annotations

import json
from typing import Any

from seed_library.core.catalog import RequestSpec, WordRule
from seed_library.core.drafts import Request

TEXT = "text"


def schema_of(spec: RequestSpec, words: WordRule, characters: WordRule | None = None) -> dict[str, Any]:
    """Return the JSON schema of an answer. Lengths stand in descriptions: the API takes no bounds for strings."""
    wanted, unit = (words, "words") if characters is None else (characters, "characters")
    properties = {TEXT: f"The text, {wanted.low} to {wanted.high} {unit}."}
    properties |= {one.name: f"{one.about} ({one.at_least} to {one.at_most} words)" for one in spec.generated}
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": about} for name, about in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def schema_text(request: Request) -> str:
    """Return the schema as it is sent with a request; empty where the answer is plain text."""
    if not request.spec.generated:
        return ""
    return json.dumps(schema_of(request.spec, request.words, request.characters), ensure_ascii=False)
