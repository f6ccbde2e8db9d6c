"""The document: one HTML file that needs nothing else.

Nothing in it is redacted: it is content, and what an editor sees is what is stored again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

_HALF_PAIRS = re.compile("[\ud800-\udfff]")


def document(data: Mapping[str, Any], nonce: str) -> str:
    """Return the page.

    Args:
        data: `catalog`, `target`, `cards`, and the `token` to act with; empty where nothing can be done.
        nonce: lets the page's own script and style through its content security policy, and nothing else.
    """
    template = files("seed_library.data").joinpath("review.html").read_text("utf-8")
    # Inside a script element nothing but its end tag matters to HTML; as JSON it may be written so.
    said = as_json(data).replace("<", "\\u003c")
    return template.replace("{{NONCE}}", nonce).replace("/*DATA*/", said)


def as_json(value: Mapping[str, Any]) -> str:
    """Return JSON that can be sent as UTF-8 whatever a text holds: half of a surrogate pair is written out."""
    said = json.dumps(value, ensure_ascii=False)
    return _HALF_PAIRS.sub(lambda half: f"\\u{ord(half[0]):04x}", said)
