"""Records: what every table-like file holds, whatever its format.

A reader (`adapters.tables`) makes records of a file, and what they mean is decided on records: `core.row_files` for
rows, `adapters.catalogs` for items. So each format is one small part, and each rule about headings and keys stands
once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # no database takes these as text
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
# Scripts in which a joiner is spelling, and pictures that are joined of several.
_JOINED_BY_ALPHABET = 0x0590
_PADDING = re.compile(r"^[\s\u200b\u200e\u200f\u2060\ufeff]+|[\s\u200b\u200e\u200f\u2060\ufeff]+$")


class RecordFault(Exception):
    """A file of records cannot be read; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: a row of a sheet, or an object of JSON.

    Attributes:
        where: the place in the file, for people ("line 3").
        cells: by heading, as it is meant (`Headings`). Texts in a sheet, any JSON value in JSON.
    """

    where: str
    cells: dict[str, Any]


class Headings:
    """The headings that a file is expected to have, and what those that it has are meant to be.

    Blanks around a heading, its case and its normal form do not count where it is one that is known. Others keep their
    case: a template names a fact by it.
    """

    def __init__(self, known: Iterable[str], required: Iterable[Sequence[str]]) -> None:
        """Remember them; of each group of `required` one has to be there."""
        self._known = tuple(dict.fromkeys(known))
        self._folded = {name.casefold(): name for name in reversed(self._known)}
        self._required = tuple(tuple(dict.fromkeys(group)) for group in required)
        self._meant: dict[tuple[str, ...], tuple[str, ...]] = {}

    def meant(self, headings: Iterable[str]) -> tuple[str, ...]:
        """Return headings as they are meant.

        Raises:
            RecordFault: one stands there twice.
        """
        found = tuple(headings)
        if found not in self._meant:
            meant = tuple(map(self._one, found))
            _refuse_doubles(meant)
            self._meant[found] = meant
        return self._meant[found]

    def recognized(self, headings: Iterable[str]) -> int:
        """Return how many of these are known."""
        return sum(self._one(heading) in self._known for heading in headings)

    def lacking(self, meant: Iterable[str]) -> list[str]:
        """Return what is required and not there."""
        there = set(meant)
        return [" or ".join(map(repr, group)) for group in self._required if not there & set(group)]

    def _one(self, heading: str) -> str:
        plain = unicodedata.normalize("NFC", _PADDING.sub("", heading))
        return plain if plain in self._known else self._folded.get(plain.casefold(), plain)


def _refuse_doubles(meant: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in filter(None, meant):
        if (first := seen.get(name.casefold())) is not None:
            spelt = "" if first == name else f", once as {name!r}"
            raise RecordFault(f"{first!r} is there twice{spelt}: which of them is meant?")
        seen[name.casefold()] = name


class Keys:
    """The keys of a catalog as they come in, and what is wrong with them."""

    def __init__(self) -> None:
        self._odd: dict[str, str] = {}

    def fault_of(self, key: object) -> str:
        """Say what is wrong with a key; empty where nothing is."""
        if isinstance(key, int | float) and not isinstance(key, bool):
            return f"'key' is the number {key!r}, no text: write it in quotes"
        if not isinstance(key, str) or not key.strip() or key != key.strip():
            return "'key' is missing, empty or has blanks around it"
        if unseen := _unseen_in(key):
            return f"'key' holds {unseen}, which nobody sees: {key!r}"
        folded = folded_key(key)
        if folded != key and (other := self._odd.setdefault(folded, key)) != key:
            return _alike(key, other)
        return ""

    def doubles_among(self, keys: Iterable[str]) -> Iterator[str]:
        """Yield what is wrong with these keys beside those that came in: two that look the same."""
        for key in dict.fromkeys(keys) if self._odd else ():
            if (other := self._odd.get(key, key)) != key:
                yield _alike(other, key)


def _alike(key: str, other: str) -> str:
    return f"the keys {key!a} and {other!a} look the same: they differ in blanks or normal form only"


def folded_key(key: str) -> str:
    """Return what keys that look the same have in common: one normal form, single blanks, nothing that nobody sees."""
    if key.isascii():
        return " ".join(key.split())
    visible = "".join(one for one in key if unicodedata.category(one) != "Cf" or one in _JOINERS)
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _unseen_in(key: str) -> str:
    """Name the first character of a key that cannot be seen; empty where all can.

    Joiners are spelling in many scripts, and part of many pictures: they may stand behind such characters.
    """
    before = ""
    for one in "" if key.isprintable() else key:
        spelling = one in _JOINERS and before and ord(before) >= _JOINED_BY_ALPHABET
        if unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp"} and not spelling:
            return f"U+{ord(one):04X} {unicodedata.name(one, '')}".rstrip()
        before = one
    return ""


def is_storable(value: object) -> bool:
    """Whether a database takes every text in a value."""
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, Mapping):
        return all(is_storable(name) and is_storable(part) for name, part in value.items())
    return all(map(is_storable, value)) if isinstance(value, list | tuple) else True
