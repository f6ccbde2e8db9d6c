"""JSON that somebody else wrote, read so that it can be kept and read again, whatever numbers it holds.

A figure of thousands of digits, an infinite one, or none at all would make arithmetic, our own JSON or that of others
fail later. No count, price or time needs them: they are kept as text. The same holds for what is nested so deeply that
no reader with a stack follows.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

_LONGEST_NUMBER = 30  # characters
_DEEPEST = 60  # levels; an answer has about six


def loads(text: str | bytes) -> Any:
    """Read JSON.

    Raises:
        ValueError: it is none.
    """
    try:
        return _shallow(json.loads(text, parse_int=_whole, parse_float=_fraction, parse_constant=str), _DEEPEST)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _fraction(digits: str) -> float | str:
    value = float(digits)
    return value if isfinite(value) else digits


def _shallow(value: Any, levels: int) -> Any:
    if not levels and isinstance(value, dict | list):
        return "..."
    if isinstance(value, dict):
        return {name: _shallow(part, levels - 1) for name, part in value.items()}
    if isinstance(value, list):
        return [_shallow(part, levels - 1) for part in value]
    return value
