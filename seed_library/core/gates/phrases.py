"""Words and phrases that must not occur, in all their forms.

An entry of a ban list is

    word      the word and its inflected forms           Schicksal, kosmisch, inspire
    word*     everything that begins so                  inspirier*
    "a b"     these words, inflected, with up to two words between them
    =word     exactly this                               =Gabe
    re:...    a regular expression                       re:nicht .{3,40}, sondern

In a script without blanks an entry is found wherever it stands.

In German an entry with a capital letter is a noun and only found with one: "Wunder" is not the verb "wundern".
Inflection goes by endings, which finds every regular form of 84 tried ones without a wrong hit; stem changes
(Universum, Universen) and derived words (Magie, magisch) need entries of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import regex

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.text import Text

_GERMAN_ENDING = r"(?:e[mnrs]?|n|s|er(?:e[mnrs]?)?|st(?:e[mnrs]?)?|in(?:nen)?)?"
_ENGLISH_ENDING = r"(?:s|es|'s|’s|d|ed|ing|ly)?"
_BETWEEN = r"(?:\s+[\p{L}\p{N}'’-]+){0,2}\s+"
_NOT_INSIDE_A_WORD = r"(?<![\p{L}\p{N}])", r"(?![\p{L}\p{M}\p{N}])"
_WITHOUT_BLANKS = regex.compile(r"[\p{Ideographic}\p{sc=Hira}\p{sc=Kana}\p{LB=SA}]")


class EntryFault(Exception):
    """An entry of a ban list cannot be understood; the text says why."""


@lru_cache(maxsize=4096)
def compiled(entry: str, language: str) -> regex.Pattern[str]:
    """Return the pattern of an entry.

    Raises:
        EntryFault: it is none.
    """
    if entry.startswith("re:"):
        return _compile(entry, entry[3:], regex.IGNORECASE)
    if _WITHOUT_BLANKS.search(entry):
        # Nothing shows where a word ends there, and nothing is inflected.
        return _compile(entry, regex.escape(entry.strip('="*')), 0)
    if entry.startswith("="):
        return _compile(entry, _bounded(regex.escape(entry[1:])), 0)
    if entry.startswith('"') and entry.endswith('"') and len(entry) > len('""'):
        words = [_inflected(word, language) for word in entry[1:-1].split()]
        return _compile(entry, _bounded(_BETWEEN.join(words)), regex.IGNORECASE)
    if entry.endswith("*"):
        return _compile(entry, _bounded(regex.escape(entry[:-1]) + r"[\p{L}\p{N}]*"), _case(entry, language))
    return _compile(entry, _bounded(_inflected(entry, language)), _case(entry, language))


def _compile(entry: str, pattern: str, flags: int) -> regex.Pattern[str]:
    try:
        made = regex.compile(pattern, flags)
    except regex.error as error:
        raise EntryFault(f"{entry!r}: {error}") from None
    if made.search(""):
        raise EntryFault(f"{entry!r} matches nothing at all, and so everything")
    return made


def _bounded(pattern: str) -> str:
    return f"{_NOT_INSIDE_A_WORD[0]}(?:{pattern}){_NOT_INSIDE_A_WORD[1]}"


def _case(entry: str, language: str) -> int:
    noun = language == "de" and entry[:1].isupper()
    return 0 if noun else regex.IGNORECASE


def _inflected(word: str, language: str) -> str:
    if language == "de":
        stem = word.removesuffix("e")
        return regex.escape(stem) + (_GERMAN_ENDING if stem == word else _GERMAN_ENDING.removesuffix("?"))
    if word.endswith("y"):
        return regex.escape(word[:-1]) + r"(?:y|ies|ied|ying|y's|y’s)"
    stem = word.removesuffix("e")
    if stem != word:
        return regex.escape(stem) + r"(?:e|es|ed|ing|ely|e's|e’s)"
    return regex.escape(word) + _ENGLISH_ENDING


def banned(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject every word and phrase of the ban list, one finding each."""
    for entry in rules.banned:
        if found := compiled(entry, rules.language).search(text.raw):
            yield Finding("banned", "error", f"forbidden: {entry.removeprefix('re:')}", found[0])


def flagged(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Flag words and phrases that are better avoided: worn scaffolds, advice, certainty."""
    for entry in rules.flagged:
        if found := compiled(entry, rules.language).search(text.raw):
            yield Finding("flagged", "warning", f"better without: {entry.removeprefix('re:')}", found[0])
