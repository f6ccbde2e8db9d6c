"""Texts that speak of somebody else: another item's animal, an element that does not belong here, years and ages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.phrases import compiled
from seed_library.core.gates.text import Text

_YEAR = regex.compile(r"(?<![\p{L&}\p{N}])(?:1[5-9]|20|21)\d\d(?![\p{L&}\p{N}])")  # 2019年 is one
_AGE = regex.compile(
    r"(?<!\d)\d{1,3}(?:\.|-jährig\p{Ll}*|[ -]?(?:Jahre?n?|years?)(?:[ -]old)?)(?=\s|[.,;!?]|$)(?!\s*(?:Minute|minute))",
    regex.IGNORECASE,
)
_CONTRAST = {
    "de": regex.compile(
        r"\b(?:aber|doch|nur|bloß|trotzdem|dennoch|obwohl|kostet|Preis|statt|zu (?:viel|lange|oft|spät))\b", regex.I
    ),
    "en": regex.compile(
        r"\b(?:but|yet|only|though|although|still|costs?|price|instead|too (?:much|long|often|late))\b", regex.I
    ),
}


def own(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:
    """Reject a text that names another item's value of a fact which is `own`: the tiger in the text of the rat."""
    for fact, foreign in _foreign(rules, item, rules.own):
        for name in foreign:
            if (found := _named(name, rules, text)) and not _in_an_idiom(found, text, rules):
                yield Finding("own", "error", f"{name!r} is not this text's {fact}", found[0])


def related(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:
    """Flag a text that names a value of a `related` fact which none of the item's own facts holds."""
    mine = " ".join(str(value) for value in item.facts.values())
    for fact, foreign in _foreign(rules, item, rules.related):
        for name in foreign:
            if name not in mine and (found := _named(name, rules, text)):
                yield Finding("related", "warning", f"{name!r} is no {fact} of this item", found[0])


def years(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject calendar years and ages in digits, where the catalog wants a text that does not age."""
    if not rules.timeless:
        return
    if found := _YEAR.search(text.raw):
        yield Finding("years", "error", "a calendar year", found[0])
    elif found := _AGE.search(text.raw):
        yield Finding("years", "error", "an age or a number of years in digits", found[0])


def shadow(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Flag a text without any contrast: it is probably nothing but praise."""
    pattern = _CONTRAST.get(rules.language)
    if rules.shadow and pattern is not None and not pattern.search(text.raw):
        yield Finding("shadow", "warning", "no contrast in it: is there a price, or only praise?")


def _foreign(rules: GateRules, item: Item, facts: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for fact in facts:
        mine = item.facts.get(fact)
        yield fact, [name for name in rules.values.get(fact, ()) if name != mine]


def _named(name: str, rules: GateRules, text: Text) -> regex.Match[str] | None:
    for form in (name, *rules.forms.get(name, ())):
        if found := compiled(form, rules.language).search(text.raw):
            return found
    return None


def _in_an_idiom(found: regex.Match[str], text: Text, rules: GateRules) -> bool:
    for idiom in rules.idioms:
        for hit in compiled(idiom, rules.language).finditer(text.raw):
            if hit.start() <= found.start() < hit.end():
                return True
    return False
