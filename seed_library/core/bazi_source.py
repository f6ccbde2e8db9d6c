"""The built-in item source of the Bazi pillars: keys, and facts in the locale of the text.

Every item gets an angle: how its text opens, where its scene plays, how it closes. The rotation replaces the
sampling temperature that current models refuse. With i the pillar's place (0 to 59) and c the category's (0, 1, 2),

    opening = (i%10 + 7*(i//10) + c) mod 10
    scene   = (2*(i%10) + i//10 + 4*c) mod 12
    closing = (i%10 + 5*(i//10) + c) mod 6

each is balanced over the 180 texts of a locale, and no two texts that a reader might compare (same stem, same
branch, same image, or the same pillar in two categories) share any of the three values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from seed_library.core.bazi_names import WORDS, Words
from seed_library.core.pillar_names import ELEMENT_NAMES
from seed_library.core.pillars import Element, Pillar, pillars
from seed_library.core.sources import Source, SourceItem


class Angle(NamedTuple):
    """Places in the lists of opening types, scene domains and closing types."""

    opening: int
    scene: int
    closing: int


def angle(place: int, category: int) -> Angle:
    """Return the angle of the pillar at a place (0 to 59) in a category (0, 1, ...)."""
    row, column = divmod(place, 10)
    return Angle(
        opening=(column + 7 * row + category) % 10,
        scene=(2 * column + row + 4 * category) % 12,
        closing=(column + 5 * row + category) % 6,
    )


def bazi_pillars(category: str, category_index: int, locale: str) -> Iterator[SourceItem]:
    """Yield the 60 pillars in the order of the cycle.

    Raises:
        KeyError: there are no facts in this locale.
    """
    del category  # the facts of a pillar are the same in each; only its angle moves
    words = WORDS[locale]
    for pillar in pillars():
        yield SourceItem(pillar.key, _facts(pillar, angle(pillar.index - 1, category_index), words, locale))


def bazi_day_masters(category: str, category_index: int, locale: str) -> Iterator[SourceItem]:
    """Yield the 60 pillars as day masters: the same facts, with angles that those of year, month and hour do not have.

    Raises:
        KeyError: there are no facts in this locale.
    """
    yield from bazi_pillars(category, category_index + _PILLAR_CATEGORIES, locale)


_PILLAR_CATEGORIES = 3
BUILT_IN: Mapping[str, Source] = {"bazi-pillars": bazi_pillars, "bazi-day-masters": bazi_day_masters}


def _facts(pillar: Pillar, turn: Angle, words: Words, locale: str) -> dict[str, object]:
    german = locale == "de"
    return {
        "pillar": pillar.index,
        "polarity": words.polarity[pillar.polarity],
        "element": _element(pillar.element, locale),
        "animal": pillar.animal.de if german else pillar.animal.en,
        "branch_element": _element(pillar.branch_element, locale),
        "season": f"{words.season_part[pillar.season_part]} {words.season[pillar.season]}",
        "part_of_day": words.hours[(pillar.index - 1) % 12],
        "direction": words.direction[pillar.direction],
        "relation": words.relation[pillar.relation],
        "image": pillar.na_yin.de if german else pillar.na_yin.en,
        "image_element": _element(pillar.na_yin_element, locale),
        "undertones": ", ".join(
            f"{_element(stem.element, locale)} ({words.strength[stem.qi]})" for stem in pillar.hidden_stems
        ),
        "phase": words.phase[pillar.phase],
        "opening": words.openings[turn.opening],
        "scene": words.scenes[turn.scene],
        "closing": words.closings[turn.closing],
    }


def _element(element: Element, locale: str) -> str:
    english, german = ELEMENT_NAMES[element]
    return german if locale == "de" else english
