"""docs/reference/gates.md describes every gate; its examples are judged as it says, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from core.small_catalog import item

from seed_library.adapters.languages import InstalledLinguist
from seed_library.core.catalog import GateRules, Item, ItemId, WordRule
from seed_library.core.gates import CORPUS_GATES, GATE_NAMES, judge
from seed_library.core.gates.corpus import Corpus

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "gates.md"
_EXAMPLE = re.compile(r"^    (bad|good) (de|en): (.*)$", re.MULTILINE)
LINGUIST = InstalledLinguist()
KNOWN = {
    "de": "Du gehst noch einmal zurück, weil das Licht im Flur brennt, und zählst die Stufen bis zur Tür.",
    "en": "You go back once more because the light in the hall is on, and count the steps to the door.",
}
BANNED = {
    "de": ("Schicksal", "kosmisch", "inspirier*", '"sanfte Stärke"', "Wunder"),
    "en": ("cosmic", "destiny", "inspire", '"gentle strength"'),
}
FLAGGED = {"de": (r"re:\bdu (?:solltest|musst)\b",), "en": (r"re:\bnot [^.;]{2,40}, but\b",)}
ANIMALS = {"de": ("Ratte", "Tiger", "Hahn", "Schwein"), "en": ("Rat", "Tiger", "Horse")}
ELEMENTS = {"de": ("Holz", "Metall"), "en": ("Wood", "Metal")}


def _sections() -> dict[str, str]:
    parts = re.split(r"^## (\w+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _examples() -> Iterator[tuple[str, str, str, str]]:
    for gate, section in _sections().items():
        for kind, locale, text in _EXAMPLE.findall(section):
            yield gate, kind, locale, text


def _rules(gate: str, locale: str) -> GateRules:
    words = WordRule(3, 8, 2, 10) if gate == "length" else WordRule(1, 200, 1, 300)
    return GateRules(
        words,
        WordRule(20, 40, 10, 50) if gate == "characters" else None,
        locale=locale,
        linguist=LINGUIST,
        language=locale,
        address="du" if locale == "de" else "you",
        neutral=True,
        timeless=True,
        shadow=True,
        banned=BANNED[locale],
        flagged=FLAGGED[locale],
        own=("animal",),
        related=("element",),
        values={"animal": ANIMALS[locale], "element": ELEMENTS[locale]},
        forms={"Hahn": ("Hähne",)},
        idioms=("re:schwein gehabt", "re:dark horse"),
    )


def _item(locale: str) -> Item:
    facts = {"animal": ANIMALS[locale][0], "element": ELEMENTS[locale][0]}
    return Item(ItemId("signs", "new", locale), "Yang-Holz-Ratte", facts)


def test_every_gate_has_a_section_with_examples_in_both_languages() -> None:
    """In the order in which they are applied; each is shown refusing and letting pass."""
    assert tuple(_sections()) == GATE_NAMES
    shown = {(gate, kind, locale) for gate, kind, locale, _ in _examples()}
    assert shown == {(gate, kind, loc) for gate in GATE_NAMES for kind in ("bad", "good") for loc in ("de", "en")}


@pytest.mark.parametrize(("gate", "kind", "locale", "text"), list(_examples()))
def test_the_example_is_judged_as_the_page_says(gate: str, kind: str, locale: str, text: str) -> None:
    """By its own gate; others may have more against it."""
    findings = judge(text, _rules(gate, locale), _item(locale)).findings
    if gate in CORPUS_GATES:
        corpus = Corpus()
        corpus.add(ItemId("signs", "known", locale), KNOWN[locale])
        findings = tuple(corpus.findings(ItemId("signs", "new", locale), text))
    found = [finding for finding in findings if finding.gate == gate]
    assert bool(found) is (kind == "bad"), findings
    for finding in found:
        assert finding.span.casefold() in text.casefold() or gate in CORPUS_GATES


def test_a_severity_of_the_catalog_replaces_that_of_the_gate() -> None:
    """Stricter, milder, or off."""
    text = "Du gehst 🌙 zurück."
    for severity, accepted, findings in (("warning", True, 1), ("off", True, 0), ("error", False, 1)):
        rules = GateRules(WordRule(1, 9, 1, 9), severity={"symbols": severity})  # type: ignore[dict-item]  # a literal
        judgement = judge(text, rules, item())
        assert (judgement.accepted, len(judgement.findings)) == (accepted, findings)
