"""Filters of the REST API, spelt so that no value and no name of a column is read as anything else.

Names stand in quotation marks: a column may be called `order` or `select`, as parameters are. A value after `eq.` goes
to the end as it is; in a list each one is quoted, since blanks after a comma are skipped there and the vendor's client
quotes only what it thinks it must: `in.( k)` means `k`. A list of one empty text matches nothing, so one value is
never a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from seed_library.core.groups import grouped

_MOST_BYTES = 4_000  # of the keys in one address; hosted gateways refuse addresses from about 8,000 bytes on


def quoted(name: str) -> str:
    """Return the name of a column for a filter, an order, a selection or a conflict target."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def where(query: Any, column: str, condition: str) -> Any:
    """Add a condition on a column to a request that the vendor's builder has made."""
    query.request.params = query.request.params.add(quoted(column), condition)
    return query


def equals(value: str) -> str:
    """Return the condition that a column has exactly this value."""
    return f"eq.{value}"


def one_of(values: Sequence[str]) -> str:
    """Return the condition that a column has one of these values."""
    if len(values) == 1:
        return equals(values[0])
    return f"in.({','.join(map(quoted, values))})"


def bounded(values: Sequence[str]) -> Iterator[list[str]]:
    """Yield the values in groups whose addresses are short enough."""
    return grouped(values, size_in_address, _MOST_BYTES)


def size_in_address(value: str) -> int:
    """Return how many bytes a quoted value takes in an address."""
    return len(quote(value, safe="")) + len("%22%22%2C")
