"""JSON that every reader takes: one line to whatever splits lines, nothing that drives a terminal or that UTF-8 lacks.

JSON allows any character to be written as its number, so no text is changed by it. What it allows to stand as it is, is
not always wise: Python's `splitlines` ends a line at U+2028, a terminal takes U+009B for the begin of a command, and
half of a surrogate pair cannot be encoded.
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNWISE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def dumps(value: Any) -> str:
    """Write JSON.

    Raises:
        TypeError: a value has no form in JSON.
    """
    return _UNWISE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
