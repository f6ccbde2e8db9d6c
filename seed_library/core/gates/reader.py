"""Whom a text speaks to, and whether it takes the reader for a woman or a man."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.text import Text

_FAMILIAR = frozenset(("du", "dich", "dir", "dein", "deine", "deinen", "deinem", "deiner", "deines", "deins"))
_YOU = frozenset(("you", "your", "yours", "yourself", "you're", "you've", "you'll", "you'd"))
_LEAST_OFTEN = 2
_FORMAL_INSIDE = regex.compile(r"(?<=[\p{Ll},;–-]\s)(?:Sie|Ihnen|Ihre?[nmrs]?)\b")
_FORMAL_AT_START = regex.compile(r"(?:^|(?<=[.!?…]\s))(?:Sie (?:sind|haben|werden|können|dürfen)|Ihnen|Ihre?[nmrs]?)\b")
_GENDERED = {
    "de": regex.compile(
        r"\b[Dd]u bist (?:ein|eine|der|die) \p{Lu}\p{Ll}+in\b"
        r"|\b(?:Leser|Nutzer|Krieger|Kämpfer|Träumer|Macher|Denker)in\b"
        r"|\beine Frau, die\b|\bein Mann, der\b|\bals (?:Frau|Mann)\b|\bjemand, der\b"
    ),
    "en": regex.compile(
        r"\b(?:as a (?:woman|man)|you are (?:a|the) (?:woman|man|girl|boy|lady|guy))\b", regex.IGNORECASE
    ),
}


def address(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text that does not speak to the reader as the catalog wants it: "du" or "you"."""
    wanted = {"du": _FAMILIAR, "you": _YOU}.get(rules.address)
    if wanted is None:
        return
    if sum(word in wanted for word in text.lower) < _LEAST_OFTEN:
        yield Finding("address", "error", f"the reader is hardly addressed as “{rules.address}”")
    if rules.address != "du":
        return
    if found := _FORMAL_INSIDE.search(text.raw):
        yield Finding("address", "error", "the reader is addressed formally", found[0])
    elif found := _FORMAL_AT_START.search(text.raw):
        yield Finding("address", "warning", "this may address the reader formally", found[0])


def gender(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Flag a text that takes the reader for a woman or a man, where the catalog wants it neutral."""
    pattern = _GENDERED.get(rules.language)
    if rules.neutral and pattern is not None and (found := pattern.search(text.raw)):
        yield Finding("gender", "warning", "this takes the reader for a woman or a man", found[0])
