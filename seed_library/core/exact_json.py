"""JSON whose numbers keep every digit: a numeric column is no float, and a backup has to give back what it took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

_MOST_DIGITS = 4000  # of an int, which Python reads and writes up to 4,300
_SHOWN = 30  # characters


def loads(text: str | bytes) -> Any:
    """Read JSON; numbers with a fraction or an exponent become Decimal, and so do the longest whole ones.

    Raises:
        ValueError: it is none.
    """
    return json.loads(text, parse_float=fraction, parse_int=whole)


def fraction(digits: str) -> Decimal:
    """Return a number that is not whole.

    Raises:
        ValueError: its exponent is beyond any column's.
    """
    try:
        return Decimal(digits)
    except ArithmeticError:
        raise ValueError(f"the exponent of {digits[:_SHOWN]} is too large") from None


def whole(digits: str) -> int | Decimal:
    """Return a whole number; one of more digits than Python makes an int of is a Decimal."""
    return int(digits) if len(digits) <= _MOST_DIGITS else Decimal(digits)


def dumps(value: Any) -> str:
    """Write JSON; a Decimal is a number with all its digits.

    Raises:
        TypeError: a value has no form in JSON.
    """
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        return json.dumps(str(value))  # as databases write it
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(name), ensure_ascii=False)}: {dumps(value[name])}" for name in value)
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
