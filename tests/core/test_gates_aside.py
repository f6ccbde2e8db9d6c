"""A gate that cannot know says nothing of a text, and that it will not is said beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from seed_library.core.catalog import GateRules, WordRule
from seed_library.core.gates import GATE_NAMES
from seed_library.core.gates.aside import standing_aside, summed_up
from seed_library.core.linguist import UNAIDED, Linguist

WORDS = WordRule(1, 9, 1, 9)
WORD_GATES = ["length", "self_repetition", "opening", "ending", "shared_phrase", "near_duplicate"]


@dataclass
class Scholar:
    """Implements `Linguist`: knows words, and the languages that it is told to know."""

    segments: bool = True
    identifies: bool = True
    known: Sequence[str] = ("de", "ja", "th")

    def knows(self, language: str) -> bool:
        """Know what it was told to know."""
        return language in self.known

    def words(self, text: str, locale: str) -> Sequence[str]:
        """Cut at blanks."""
        return text.split()

    def languages(self, text: str) -> Mapping[str, float]:
        """Recognise nothing."""
        return {}


@pytest.mark.parametrize(
    ("locale", "linguist", "expected"),
    [
        ("de", Scholar(), []),
        ("de", UNAIDED, ["language"]),
        ("ja", Scholar(), []),
        ("ja", UNAIDED, ["length", "language", *WORD_GATES[1:]]),
        ("ja", Scholar(segments=False), WORD_GATES),
        ("zh-Hant", Scholar(), ["language"]),
        ("th", Scholar(), ["sentences"]),
        ("lo", UNAIDED, ["length", "sentences", "language", *WORD_GATES[1:]]),
        ("xx", Scholar(), ["language"]),
        ("", UNAIDED, []),
    ],
)
def test_the_gates_that_say_nothing_are_known(locale: str, linguist: Linguist, expected: list[str]) -> None:
    """By what the locale needs and what is installed."""
    rules = GateRules(WORDS, locale=locale, linguist=linguist)
    found = [one.gate for one in standing_aside(rules)]
    assert found == expected
    assert set(found) <= set(GATE_NAMES)


def test_what_the_catalog_does_not_want_does_not_stand_aside() -> None:
    """A gate that is off, a length in words that is not given, phrases that nobody asked for."""
    off = GateRules(None, WORDS, locale="ja", severity=dict.fromkeys(WORD_GATES[1:], "off"), linguist=UNAIDED)
    assert [one.gate for one in standing_aside(off)] == ["language"]
    wanted = GateRules(WORDS, locale="fr", neutral=True, shadow=True, linguist=Scholar(known=["fr"]))
    assert [one.gate for one in standing_aside(wanted)] == ["gender", "shadow"]
    assert [*standing_aside(GateRules(WORDS, locale="fr", linguist=Scholar(known=["fr"])))] == []


def test_each_reason_is_one_line_with_all_that_it_holds_for() -> None:
    """A catalog of twenty locales is not twenty times the same sentence; the remedy is in it."""
    places = [(locale, GateRules(None, WORDS, locale=locale, linguist=UNAIDED)) for locale in ("ja", "th", "de", "ja")]
    lines = summed_up(places)
    assert [line.split(":")[0] for line in lines] == [
        "language in ja, th, de",
        "self_repetition, opening, ending, shared_phrase, near_duplicate in ja, th",
        "sentences in th",
    ]
    assert all("pip install 'seed-library[languages]'" in line for line in lines[:2])
