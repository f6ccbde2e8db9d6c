"""Which gates stand aside in a category and locale although the catalog wants them, and why.

A gate that cannot know whether a text is good says nothing of it. It must be known beforehand that it will not: `check`
says it, and so does whoever lists gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from seed_library.core.catalog import GateRules
from seed_library.core.gates.form import WITHOUT_END_MARK
from seed_library.core.gates.tongues import named
from seed_library.core.locales import Locale, read_locale

EXTRA = "seed-library[languages]"
_NO_WORDS = f"words are not set apart by blanks, and ICU is not installed (pip install '{EXTRA}')"
_WORD_GATES = ("length", "self_repetition", "opening", "ending", "shared_phrase", "near_duplicate")


class Aside(NamedTuple):
    """A gate that stands aside, and why."""

    gate: str
    reason: str


def standing_aside(rules: GateRules) -> Iterator[Aside]:
    """Yield every gate that these rules want and that will say nothing, in the order of `GATES`."""
    if not rules.locale:
        return
    locale = read_locale(rules.locale)
    for gate, reason_of in _REASONS.items():
        if rules.severity.get(gate) != "off" and (reason := reason_of(rules, locale)):
            yield Aside(gate, reason)


def _words(rules: GateRules, locale: Locale) -> str:
    return "" if locale.blanks or rules.linguist.segments else _NO_WORDS


def _length(rules: GateRules, locale: Locale) -> str:
    return _words(rules, locale) if rules.words is not None else ""


def _sentences(rules: GateRules, locale: Locale) -> str:
    del rules
    return "sentences end without a mark" if locale.script in WITHOUT_END_MARK else ""


def _language(rules: GateRules, locale: Locale) -> str:
    if rules.linguist.knows(locale.language):
        return ""
    if rules.linguist.identifies:
        return f"{named(locale.language)} is not known; other scripts are still seen"
    return f"no library that knows languages is installed (pip install '{EXTRA}'); other scripts are still seen"


def _phrases(wanted: Callable[[GateRules], bool]) -> Callable[[GateRules, Locale], str]:
    def reason(rules: GateRules, locale: Locale) -> str:
        return f"its phrases are not known in {named(locale.language)}" if wanted(rules) and not rules.language else ""

    return reason


_REASONS: dict[str, Callable[[GateRules, Locale], str]] = {
    "length": _length,
    "sentences": _sentences,
    "language": _language,
    "gender": _phrases(lambda rules: rules.neutral),
    "shadow": _phrases(lambda rules: rules.shadow),
    **dict.fromkeys(_WORD_GATES[1:], _words),
}


def summed_up(places: Iterable[tuple[str, GateRules]]) -> list[str]:
    """Return one line for each reason: the gates and locales that it holds for. `places` are locales with rules."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for locale, rules in places:
        for gate, reason in standing_aside(rules):
            gates, locales = found.setdefault(reason, ({}, {}))
            gates[gate] = locales[locale] = None
    return [f"{', '.join(gates)} in {', '.join(locales)}: {reason}" for reason, (gates, locales) in found.items()]
