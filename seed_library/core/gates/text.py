"""A draft as the gates look at it: its words and sentences, worked out once."""

from __future__ import annotations

from functools import cached_property

import regex

# A word is a run of letters and digits; a hyphen or an apostrophe inside joins its halves into one.
_WORD = regex.compile(r"[\p{L}\p{N}]+(?:[-‐‑'’][\p{L}\p{N}]+)*")
# A sentence ends at . ! ? … before a capital letter, an opening quote or the end; not after "z. B.", "3." or "Dr.".
_SENTENCE_END = regex.compile(
    r"(?<!\b\p{L})(?<!\d)(?<!\b(?:Dr|Nr|bzw|usw|Mr|Mrs|St))[.!?…]+[\"'\p{Pi}\p{Pf}\p{Pe}]*(?=\s+[\p{Lu}\p{Pi}„«\"]|\s*$)"
)


class Text:
    """A text with its words and sentences."""

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def words(self) -> list[str]:
        """The words as they stand; a hyphenated compound is one."""
        return [found[0] for found in _WORD.finditer(self.raw)]

    @cached_property
    def lower(self) -> list[str]:
        """The words in lower case, with one kind of apostrophe."""
        return [word.casefold().replace("’", "'") for word in self.words]

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences, their closing marks included."""
        found, start = [], 0
        for end in _SENTENCE_END.finditer(self.raw):
            found.append(self.raw[start : end.end()].strip())
            start = end.end()
        rest = self.raw[start:].strip()
        return [*found, rest] if rest else found

    def grams(self, size: int) -> list[tuple[str, ...]]:
        """Return all runs of so many words, in order."""
        words = self.lower
        return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]


def count_words(text: str) -> int:
    """Count words; a hyphenated compound is one word."""
    return sum(1 for _ in _WORD.finditer(text))


def first_words(text: Text, count: int) -> str:
    """Return the first words as they stand."""
    return " ".join(text.words[:count])
