"""Groups of values that are small enough to go together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Value = TypeVar("Value")


def grouped(values: Iterable[Value], size: Callable[[Value], int], most: int) -> Iterator[list[Value]]:
    """Yield the values in order, in groups of at most this size together; one that is larger stands alone."""
    group: list[Value] = []
    held = 0
    for value in values:
        own = size(value)
        if group and held + own > most:
            yield group
            group, held = [], 0
        group.append(value)
        held += own
    if group:
        yield group
