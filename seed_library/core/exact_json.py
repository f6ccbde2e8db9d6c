"""JSON whose numbers keep every digit: a numeric column is no float, and a backup has to give back what it took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def loads(text: str | bytes) -> Any:
    """Read JSON; numbers with a fraction or an exponent become Decimal.

    Raises:
        ValueError: it is none.
    """
    return json.loads(text, parse_float=Decimal)


def dumps(value: Any) -> str:
    """Write JSON; a Decimal is a number with all its digits.

    Raises:
        TypeError: a value has no form in JSON.
    """
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(name), ensure_ascii=False)}: {dumps(value[name])}" for name in value)
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
