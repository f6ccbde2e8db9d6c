"""What would make a text or a list far longer than what it is made of, told before it is made.

Most filters and methods give back about as much as they are given. Those below take a number, or a text that they
repeat; each function returns how many characters or elements that adds at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seed_library.core.templates.faults import Refusal
from seed_library.core.templates.meter import MAX_CHARACTERS, Meter

_LARGEST_EXPONENT = 300
_WIDEST_INDENT = 8
# A conversion of `%` formatting, up to its letter; what stands in parentheses is a name.
_CONVERSION = re.compile(r"%(?:\([^)]*\))?([^a-zA-Z%]*)")
_DIGITS_OF_WIDTH = 3
# Work that grows with the square of a text's length: this many characters copied are a step.
_COPIES_PER_STEP = 250_000

Named = Mapping[str, Any]


def _whole(value: object) -> int:
    """Return a number of characters or elements; what is none is left to the filter to complain about."""
    return value if isinstance(value, int) else 0


def _size(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def _center(given: Named) -> int:
    return _whole(given["width"])


def _indent(given: Named) -> int:
    width = given["width"]
    return (len(width) if isinstance(width, str) else _whole(width)) * (len(str(given["s"]).splitlines()) + 1)


def _join(given: Named) -> int:
    return len(str(given["d"])) * _size(given["value"])


def _replace(given: Named) -> int:
    return str(given["s"]).count(str(given["old"])) * len(str(given["new"]))


def _batch(given: Named) -> int:
    return _whole(given["linecount"])


def _slice(given: Named) -> int:
    return _whole(given["slices"])


def _wordwrap(given: Named) -> int:
    return _size(given["wrapstring"]) * (_size(given["s"]) + 1)


def _format(given: Named) -> int:
    return widths(str(given["value"]))


def _round(given: Named) -> int:
    return MAX_CHARACTERS + 1 if abs(_whole(given["precision"])) > _LARGEST_EXPONENT else 0


def _sum(given: Named) -> int:
    if not isinstance(given["start"], int | float):
        raise Refusal("`sum` adds numbers")
    return 0


def _tojson(given: Named) -> int:
    return MAX_CHARACTERS + 1 if _whole(given["indent"]) > _WIDEST_INDENT else 0


FILTERS: Mapping[str, Callable[[Named], int]] = {
    "batch": _batch,
    "center": _center,
    "format": _format,
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "slice": _slice,
    "sum": _sum,
    "tojson": _tojson,
    "wordwrap": _wordwrap,
}
SQUARE = frozenset({"striptags", "wordwrap"})


def charge_square(meter: Meter, value: object) -> None:
    """Count work that grows with the square of a text's length."""
    meter.charge(_size(value) ** 2 // _COPIES_PER_STEP)


def of_method(text: str, name: str, given: Sequence[Any]) -> int:
    """Return what a method of a text adds at most."""
    match name, given:
        case (("center" | "ljust" | "rjust" | "zfill"), [width, *_]):
            return _whole(width)
        case "expandtabs", [size]:
            return _whole(size) * text.count("\t")
        case "replace", [old, new, *_]:
            return text.count(str(old)) * len(str(new))
        case "join", [parts]:
            return len(text) * _size(parts)
        case _:
            return 0


def of_operator(operator: str, left: Any, right: Any) -> int:
    """Return how long the result of an operator on texts or lists is at most."""
    match operator:
        case "+":
            return _size(left) + _size(right)
        case "*":
            return max(_size(left) * _whole(right), _size(right) * _whole(left))
        case "%" if isinstance(left, str):
            return widths(left)
        case _:
            return 0


def too_high(operator: str, left: Any, right: Any) -> bool:
    """Whether a power has far too many digits to be worked out."""
    if operator != "**" or not isinstance(left, int) or not isinstance(right, int):
        return False
    return abs(right) > _LARGEST_EXPONENT and abs(left) > 1


def widths(pattern: str) -> int:
    """Return what the widths in a pattern of `%` formatting add at most.

    Raises:
        Refusal: a width is not written out, or has more than three digits.
    """
    total = 0
    for conversion in _CONVERSION.findall(pattern):
        numbers = re.findall(r"\d+", conversion)
        if "*" in conversion or any(len(number) > _DIGITS_OF_WIDTH for number in numbers):
            raise Refusal("formats with a width of more than three digits, or one that is not written out")
        total += sum(map(int, numbers))
    return total
