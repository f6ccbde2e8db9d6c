"""Built-in item sources: items that follow from rules instead of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


class SourceItem(NamedTuple):
    """One item before the catalog gives it a title: its key, and its facts in the asked-for locale."""

    key: str
    facts: Mapping[str, object]


Source = Callable[[str, int, str], Iterable[SourceItem]]
"""(category, index of the category in the catalog, locale) -> items. Raises KeyError for an unknown locale."""
