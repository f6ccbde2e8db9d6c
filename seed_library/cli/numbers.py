"""Numbers on the command line: finite, within bounds that can be meant, and refused with what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

_A_YEAR = 31_536_000
_MANY = 1_000_000_000
LARGEST_TOKEN = 2**63 - 1  # of a bigint in the database
_QUOTED = 20  # characters
Number = TypeVar("Number", int, float)


def seconds(least: float) -> Callable[[str], float]:
    """Return what reads a time of at least so long, and at most a year."""
    return _within("number of seconds", float, least, _A_YEAR)


def whole(least: int, most: int = _MANY) -> Callable[[str], int]:
    """Return what reads a whole number."""
    return _within("whole number", int, least, most)


def _within(name: str, read: Callable[[str], Number], least: Number, most: Number) -> Callable[[str], Number]:
    def number(typed: str) -> Number:
        try:
            value = read(typed)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:  # nan is in no range
            shown = ascii(typed) if len(typed) <= _QUOTED else f"{typed[:_QUOTED]!a}..."
            raise click.BadParameter(f"{shown} is no {name} from {least:,} to {most:,}.")
        return value

    return number
