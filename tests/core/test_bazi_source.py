"""The items of the Bazi catalog and the rotation of their angles."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from seed_library.core.bazi_source import angle, bazi_pillars
from seed_library.core.pillars import pillars

CATEGORIES = range(3)


@pytest.mark.parametrize(("locale", "parts"), [("de", ("Yang", "Holz", "Ratte")), ("en", ("Yang", "Wood", "Rat"))])
def test_items_come_in_the_order_of_the_cycle_with_facts_in_their_locale(
    locale: str, parts: tuple[str, str, str]
) -> None:
    """The first item is the yang wood rat, in words of the locale."""
    items = list(bazi_pillars("bazi_year_pillar", 0, locale))
    assert [item.key for item in items] == [pillar.key for pillar in pillars()]
    first = items[0].facts
    assert (first["polarity"], first["element"], first["animal"]) == parts
    assert all(isinstance(value, str | int) and value for item in items for value in item.facts.values())


def test_a_locale_without_words_is_an_error() -> None:
    """No item is invented in a language that has no vocabulary."""
    with pytest.raises(KeyError):
        list(bazi_pillars("bazi_year_pillar", 0, "fr"))


@pytest.mark.parametrize(("name", "share"), [("opening", 18), ("scene", 15), ("closing", 30)])
def test_every_angle_is_used_equally_often(name: str, share: int) -> None:
    """The rotation is exactly balanced over the 180 texts."""
    counts = Counter(getattr(angle(place, category), name) for place in range(60) for category in CATEGORIES)
    assert set(counts.values()) == {share}


@pytest.mark.parametrize("name", ["opening", "scene", "closing"])
def test_texts_that_readers_compare_never_share_an_angle(name: str) -> None:
    """Same stem, branch or image, or one pillar in two categories: opening, scene and closing all differ."""
    for category in CATEGORIES:
        for one, other in combinations(range(60), 2):
            related = one % 10 == other % 10 or one % 12 == other % 12 or one // 2 == other // 2
            if related:
                assert getattr(angle(one, category), name) != getattr(angle(other, category), name), (one, other)
    for place in range(60):
        assert len({getattr(angle(place, category), name) for category in CATEGORIES}) == len(CATEGORIES)
