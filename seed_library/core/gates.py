"""Quality gates: each a small function from a text to findings.

An `error` rejects a draft, a `warning` only flags it. The rules come from the catalog; the texts themselves are
judged as they would be stored.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

import regex

from seed_library.core.catalog import GateRules
from seed_library.core.drafts import Finding, Judgement

# A word is a run of letters and digits; a hyphen or an apostrophe inside joins its halves into one.
_WORD = regex.compile(r"[\p{L}\p{N}]+(?:[-‐‑'’][\p{L}\p{N}]+)*")
_ENDING = regex.compile(r"[.!?…][\"'\p{Pi}\p{Pf}\p{Pe}]*$")  # closing quotation marks differ by language
_FORBIDDEN_CHARACTERS = regex.compile(r"[\p{Cc}\p{Cf}\p{Co}\p{Cs}--[\n\u00AD\u200D]]", regex.V1)
_MARKDOWN = regex.compile(
    r"\*\*|__|^\s{0,3}(?:#{1,6}\s|[-*+]\s|>\s|\d+[.)]\s|```)|\[[^\]]+\]\([^)]+\)", regex.MULTILINE
)

Gate = Callable[[str, GateRules], Iterator[Finding]]


def count_words(text: str) -> int:
    """Count words; a hyphenated compound is one word."""
    return sum(1 for _ in _WORD.finditer(text))


def length(text: str, rules: GateRules) -> Iterator[Finding]:
    """Reject a text far outside the wanted length, flag one a little outside."""
    count, words = count_words(text), rules.words
    if not words.at_least <= count <= words.at_most:
        wanted = f"{words.at_least} to {words.at_most} are allowed"
        yield Finding("length", "error", f"{count} words; {wanted}")
    elif not words.low <= count <= words.high:
        yield Finding("length", "warning", f"{count} words; {words.low} to {words.high} are wanted")


def finished(text: str, rules: GateRules) -> Iterator[Finding]:  # noqa: ARG001  every gate has the same signature
    """Reject a text whose last sentence does not end."""
    if not _ENDING.search(text):
        yield Finding("finished", "error", "the last sentence does not end", text[-40:])


def plain(text: str, rules: GateRules) -> Iterator[Finding]:  # noqa: ARG001  every gate has the same signature
    """Reject control characters, unnormalised Unicode and markdown: the app shows texts as they are."""
    if not unicodedata.is_normalized("NFC", text):
        yield Finding("plain", "error", "the text is not in Unicode normal form C")
    if found := _FORBIDDEN_CHARACTERS.search(text):
        yield Finding("plain", "error", f"control or invisible character U+{ord(found[0]):04X}")
    if found := _MARKDOWN.search(text):
        yield Finding("plain", "error", "markdown", found[0].strip())


GATES: tuple[Gate, ...] = (length, finished, plain)


def judge(text: str, rules: GateRules) -> Judgement:
    """Put a text through every gate."""
    return Judgement(tuple(finding for gate in GATES for finding in gate(text, rules)))
