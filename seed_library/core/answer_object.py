"""Finding the JSON object in an answer that was asked for as one.

Some gateways wrap it in a code fence, with or without a language, with blanks around it, or with a sentence before or
after. It is the object that was asked for all the same, as long as there is no doubt about which one is meant.
"""

from __future__ import annotations

import json
import re
from typing import Any

# A fence, its language, and white space up to the object; the closing one need not stand on a line of its own.
_OPENING = re.compile(r"(`{3,}|~{3,})[ \t]*[\w+.-]*\s*(?=\{)")
_DOUBTFUL = re.compile(r"[{}]|`{3}|~{3}")
_BYTE_ORDER_MARK = "\ufeff"


def object_in(text: str) -> dict[str, Any] | None:
    """Return the one JSON object that a text holds, alone or in a code fence; None where there is none, or a doubt."""
    text = text.strip().removeprefix(_BYTE_ORDER_MARK).strip()
    whole = _decoded(text)
    if whole is None:
        return _fenced(text)
    said, end = whole
    return said if end == len(text) else None


def _fenced(text: str) -> dict[str, Any] | None:
    opening = _OPENING.search(text)
    if opening is None or _DOUBTFUL.search(text[: opening.start()]):
        return None
    inside = text[opening.end() :]
    found = _decoded(inside)
    if found is None:
        return None
    said, end = found
    rest = inside[end:].lstrip()
    closed = rest.removeprefix(opening[1])
    # The object is whole: a closing fence that is missing hides nothing, if nothing follows.
    return said if not rest or (closed != rest and not _DOUBTFUL.search(closed)) else None


def _decoded(text: str) -> tuple[dict[str, Any], int] | None:
    """Return the object at the beginning of a text, and where it ends."""
    try:
        said, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return (said, end) if isinstance(said, dict) else None
