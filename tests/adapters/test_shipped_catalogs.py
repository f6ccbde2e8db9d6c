"""The catalogs that come with the package: complete, correct, and free of what they forbid."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from seed_library.adapters.catalog_folders import list_catalogs
from seed_library.adapters.catalogs import load_catalog
from seed_library.core.catalog import Catalog
from seed_library.core.gates.phrases import compiled
from seed_library.core.prompts import PromptBook

PROMPTS = Path(__file__).resolve().parents[2] / "prompts"
ROWS = {"bazi_pillars": 180, "bazi_day_masters": 60, "zodiac_signs": 36, "numerology": 158}
NUMBERS = {
    **dict.fromkeys(
        (
            *("life_path_number", "soul_urge_number", "expression_number", "personality_number"),
            *("attitude_number", "maturity_number", "display_name_number", "challenge_number"),
        ),
        12,
    ),
    "birthday_number": 31,
    "personal_year": 9,
    "karmic_debt": 4,
    "karmic_lesson": 9,
    "bridge_number": 9,
}
every_catalog = pytest.mark.parametrize("name", ROWS)


def _catalog(name: str) -> Catalog:
    return load_catalog(PROMPTS, name)


def test_the_original_library_is_complete() -> None:
    """434 rows per locale, in four catalogs, each listed without a fault."""
    assert {listing.name: listing.fault for listing in list_catalogs(PROMPTS)} == dict.fromkeys(ROWS, "")
    for name, rows in ROWS.items():
        assert Counter(item.id.locale for item in _catalog(name).items) == {"de": rows, "en": rows}
    assert sum(ROWS.values()) == 434


def test_the_keys_are_those_that_the_app_asks_for() -> None:
    """Day masters as the pillars, signs by their English names, numbers as numbers."""
    pillars = {item.id.key for item in _catalog("bazi_pillars").items}
    assert {item.id.key for item in _catalog("bazi_day_masters").items} == pillars
    signs = Counter(item.id.key for item in _catalog("zodiac_signs").items)
    assert set(signs.values()) == {6}
    assert {"aries", "cancer", "scorpio", "pisces"} <= set(signs)
    per_category = Counter(item.id.category for item in _catalog("numerology").items if item.id.locale == "de")
    assert per_category == NUMBERS
    assert {item.id.key for item in _catalog("numerology").items if item.id.category == "karmic_debt"} == {
        "13",
        "14",
        "16",
        "19",
    }


@every_catalog
def test_every_item_renders_and_no_two_prompts_are_the_same(name: str) -> None:
    """In both locales, with room for the facts of each."""
    catalog = _catalog(name)
    book = PromptBook(catalog)
    prints = book.fingerprints(list(catalog.items))
    assert len(set(prints)) == len(catalog.items)
    for item in catalog.items:
        request = book.request(item)
        assert item.title in request.prompt.user
        assert 200 < len(request.prompt.user) < 2_000


@every_catalog
def test_no_fact_and_no_instruction_of_an_item_holds_a_forbidden_word(name: str) -> None:
    """What stands in a prompt as material is copied, so it must be free of what its own gates refuse."""
    catalog = _catalog(name)
    for item in catalog.items:
        rules = catalog.rules_of(item.id)
        material = " ".join(str(value) for fact, value in item.facts.items() if fact not in {"polarity", "relation"})
        hits = [entry for entry in rules.banned if compiled(entry, rules.language).search(material)]
        assert hits == [], (item.id, hits)


@every_catalog
def test_texts_that_a_reader_may_compare_begin_and_end_differently(name: str) -> None:
    """The same key in two categories, and neighbours in one, have other angles."""
    catalog = _catalog(name)
    by_key: dict[tuple[str, str], list[tuple[object, object]]] = {}
    for item in catalog.items:
        angle = (item.facts["opening"], item.facts["scene"])
        by_key.setdefault((item.id.key, item.id.locale), []).append(angle)
    assert all(len(set(angles)) == len(angles) for angles in by_key.values())
    neighbours = zip(catalog.items, catalog.items[1:], strict=False)
    for one, other in neighbours:
        if one.id[::2] == other.id[::2]:
            assert one.facts["opening"] != other.facts["opening"]


@every_catalog
def test_locales_have_prompts_of_their_own(name: str) -> None:
    """German facts in German prompts, English ones in English ones; both ban what their readers are tired of."""
    catalog = _catalog(name)
    for (_, locale), rules in catalog.rules.items():
        assert rules.language == locale
        assert rules.address == {"de": "du", "en": "you"}[locale]
        assert len(rules.banned) > 30
    for source in catalog.sources.values():
        german = "Schreib" in source.user
        assert german is ("„du“" in source.system)
