"""The language of a text, whom it speaks to, and whether it takes the reader for a woman or a man.

The shares of function words are measured: the weakest of 67 German paragraphs had 23 % German ones, no paragraph had
more than 6 % of the other language; a mixed one has over 12 % of both.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.text import Text


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FUNCTION_WORDS = {
    "de": _set(
        "der die das den dem des ein eine einen einem einer eines und oder aber doch denn nicht kein keine du dich dir "
        "dein deine deinen deinem deiner er sie es wir ihr sich ist sind bist hast hat wird war mit von zu zum zur auf "
        "für bei nach aus wenn weil dass als wie noch nur schon auch so im am vom ins"
    ),
    "en": _set(
        "the a an and or but not no you your yours he she it its we they is are was were be been have has had do does "
        "did will would can could of to in on at for with from by as that this these those when because if than then "
        "there what which who how so just still only into up out about"
    ),
}
_NAMES = {"de": "German", "en": "English"}
_MOST_OF_THE_OTHER = 0.12
_ENOUGH_WORDS = 20
_FAMILIAR = _set("du dich dir dein deine deinen deinem deiner deines deins")
_YOU = _set("you your yours yourself you're you've you'll you'd")
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


def language(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text in another language, or one that slips into it."""
    if rules.language not in FUNCTION_WORDS or len(text.words) < _ENOUGH_WORDS:
        return
    shares = {
        name: sum(word in known for word in text.lower) / len(text.lower) for name, known in FUNCTION_WORDS.items()
    }
    own = shares.pop(rules.language)
    for name, share in shares.items():
        if share > own or share > _MOST_OF_THE_OTHER:
            wanted = _NAMES[rules.language]
            yield Finding("language", "error", f"{wanted} is wanted, and {share:.0%} of the words are {_NAMES[name]}")


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
