"""The document: one HTML file that needs nothing else.

Nothing in it is redacted: it is content, and what an editor sees is what is stored again.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from seed_library.core import plain_json


def document(data: Mapping[str, Any], nonce: str) -> str:
    """Return the page.

    Args:
        data: `catalog`, `target`, `cards`, and the `token` to act with; empty where nothing can be done.
        nonce: lets the page's own script and style through its content security policy, and nothing else.
    """
    template = files("seed_library.data").joinpath("review.html").read_text("utf-8")
    # Inside a script element nothing but its end tag matters to HTML; as JSON it may be written so.
    said = plain_json.dumps(data).replace("<", "\\u003c")
    return template.replace("{{NONCE}}", nonce).replace("/*DATA*/", said)
