"""The sexagenary cycle, computed from its rules.

Ten heavenly stems and twelve earthly branches advance together, so a pillar always joins a stem and a branch of
the same polarity: 60 pillars exist, not 120. Stems, branches, hidden stems, Na Yin, growth stages and void branches
follow the conventions on which the common calendar packages agree; where schools differ, the choice is named at
the rule. The tests hold every field against a table that was checked with eight such packages.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from seed_library.core.pillar_names import BRANCHES, DIRECTIONS, NA_YIN, STEMS, TEN_GODS, Named

Element = Literal["wood", "fire", "earth", "metal", "water"]
Polarity = Literal["yang", "yin"]
Relation = Literal[
    "same", "stem_produces_branch", "stem_controls_branch", "branch_controls_stem", "branch_produces_stem"
]
Season = Literal["spring", "summer", "autumn", "winter"]
Phase = Literal["rising", "peak", "waning"]

CYCLE = 60
# In the order in which each element produces the next; the one after the next is the one it controls.
ELEMENTS: tuple[Element, ...] = ("wood", "fire", "earth", "metal", "water")
_RELATIONS: tuple[Relation, ...] = (
    "same",
    "stem_produces_branch",
    "stem_controls_branch",
    "branch_controls_stem",
    "branch_produces_stem",
)
# The state of the stem's element in the season of the branch, by the same relation (earth branches count as earth).
_SEASON_STATES = ("旺", "休", "囚", "死", "相")
_SEASONS: tuple[Season, ...] = ("spring", "summer", "autumn", "winter")
_FIRST_SPRING_BRANCH = 2  # tiger: the solar year begins with its month
_EARTH_EVERY = 3  # each season ends with an earth branch
# Stems hidden in each branch, main one first. In the storage branches some schools swap the second and third.
_HIDDEN = ("癸", "己癸辛", "甲丙戊", "乙", "戊乙癸", "丙庚戊", "丁己", "己丁乙", "庚壬戊", "辛", "戊辛丁", "壬甲")
_WEIGHTS = {1: (100,), 2: (70, 30), 3: (60, 30, 10)}
_QI = ("main", "middle", "residual")
_TRINES: tuple[Element, ...] = ("water", "metal", "fire", "wood")
# The branch in which each stem's element is "born": yang stems go forward from it, yin stems backward; earth goes
# with fire. Another school lets yang and yin share one row.
_BIRTH = (11, 6, 2, 9, 2, 9, 5, 0, 8, 3)
_NA_YIN_ELEMENTS: tuple[Element, ...] = ("wood", "metal", "water", "fire", "earth")


@dataclass(frozen=True, slots=True)
class HiddenStem:
    """A stem inside a branch. `weight` is in percent; `ten_god` is relative to the pillar's own stem."""

    chinese: str
    pinyin: str
    element: Element
    polarity: Polarity
    qi: str
    weight: int
    ten_god: str


@dataclass(frozen=True, slots=True)
class Pillar:
    """One of the 60 pillars.

    Attributes:
        index: 1 (yang wood rat) to 60 (yin water pig).
        key: as the app asks for it, such as "yang_wood_rat".
        double_hour: local time, "23:00-01:00".
        direction: on the twelve-part compass; `direction_by_element` puts earth in the centre ("C").
        growth_stage: 1 (birth) to 12 (nurture).
    """

    index: int
    key: str
    chinese: str
    pinyin: str
    polarity: Polarity
    element: Element
    animal: Named
    branch_element: Element
    season: Season
    season_part: Literal["early", "mid", "late"]
    solar_month: int
    month_start_longitude: int
    double_hour: str
    direction: str
    direction_by_element: str
    clash: str
    six_combination: str
    trine_element: Element
    relation: Relation
    hidden_stems: tuple[HiddenStem, ...]
    rooted: bool
    na_yin: Named
    na_yin_element: Element
    void_branches: tuple[str, str]
    growth_stage: int
    phase: Phase
    season_state: str


@cache
def pillars() -> tuple[Pillar, ...]:
    """Return the 60 pillars in the order of the cycle."""
    return tuple(_pillar(place) for place in range(CYCLE))


def _pillar(place: int) -> Pillar:
    stem, branch = place % 10, place % 12
    element, branch_element = _stem_element(stem), _branch_element(branch)
    relation = (ELEMENTS.index(branch_element) - ELEMENTS.index(element)) % 5
    since_spring = (branch - _FIRST_SPRING_BRANCH) % 12
    stage = _growth_stage(stem, branch)
    hidden = _hidden_stems(stem, branch)
    return Pillar(
        index=place + 1,
        key=f"{_polarity(stem)}_{element}_{_animal(branch)}",
        chinese=STEMS[stem][0] + BRANCHES[branch].chinese,
        pinyin=f"{STEMS[stem][1]} {BRANCHES[branch].pinyin}",
        polarity=_polarity(stem),
        element=element,
        animal=BRANCHES[branch],
        branch_element=branch_element,
        season=_SEASONS[since_spring // 3],
        season_part=("early", "mid", "late")[since_spring % 3],
        solar_month=since_spring + 1,
        month_start_longitude=(315 + 30 * since_spring) % 360,
        double_hour=_double_hour(branch),
        direction=DIRECTIONS[branch],
        direction_by_element={"wood": "E", "fire": "S", "earth": "C", "metal": "W", "water": "N"}[branch_element],
        clash=_animal(branch + 6),
        six_combination=_animal(13 - branch),
        trine_element=_TRINES[branch % 4],
        relation=_RELATIONS[relation],
        hidden_stems=hidden,
        rooted=any(one.element == element for one in hidden),
        na_yin=NA_YIN[place // 2],
        na_yin_element=_na_yin_element(stem, branch),
        void_branches=_void_branches(place),
        growth_stage=stage,
        phase=_phase(stage),
        season_state=_SEASON_STATES[relation],
    )


def _animal(branch: int) -> str:
    return BRANCHES[branch % 12].en.lower()


def _polarity(place: int) -> Polarity:
    """Odd places of the cycle (counted from one) are yang, for stems and for branches."""
    return "yin" if place % 2 else "yang"


def _stem_element(stem: int) -> Element:
    return ELEMENTS[stem // 2]


def _branch_element(branch: int) -> Element:
    since_spring = (branch - _FIRST_SPRING_BRANCH) % 12
    if since_spring % _EARTH_EVERY == _EARTH_EVERY - 1:
        return "earth"
    elements: tuple[Element, ...] = ("wood", "fire", "metal", "water")
    return elements[since_spring // 3]


def _double_hour(branch: int) -> str:
    """Each branch rules two hours; the rat's begin at 23:00."""
    start = (2 * branch - 1) % 24
    return f"{start:02}:00-{(start + 2) % 24:02}:00"


def _hidden_stems(stem: int, branch: int) -> tuple[HiddenStem, ...]:
    characters = _HIDDEN[branch]
    weights = _WEIGHTS[len(characters)]
    return tuple(
        _hidden_stem(stem, character, qi, weight)
        for character, qi, weight in zip(characters, _QI, weights, strict=False)
    )


def _hidden_stem(stem: int, character: str, qi: str, weight: int) -> HiddenStem:
    place = next(number for number, (chinese, _) in enumerate(STEMS) if chinese == character)
    relation = (place // 2 - stem // 2) % 5
    other_polarity = _polarity(place) != _polarity(stem)
    return HiddenStem(
        chinese=character,
        pinyin=STEMS[place][1],
        element=_stem_element(place),
        polarity=_polarity(place),
        qi=qi,
        weight=weight,
        ten_god=TEN_GODS[relation][other_polarity],
    )


def _na_yin_element(stem: int, branch: int) -> Element:
    """The classical sum: stems count 1 to 5 in pairs, branches 1 to 3 in pairs, five is dropped from a larger sum."""
    total = (stem // 2 + 1) + (branch // 2 % 3 + 1)
    return _NA_YIN_ELEMENTS[(total - 1) % 5]


def _void_branches(place: int) -> tuple[str, str]:
    """The two branches that a row of ten pillars does not reach."""
    row_start = place // 10 * 10
    return _animal(row_start + 10), _animal(row_start + 11)


def _growth_stage(stem: int, branch: int) -> int:
    direction = 1 if _polarity(stem) == "yang" else -1
    return direction * (branch - _BIRTH[stem]) % 12 + 1


def _phase(stage: int) -> Phase:
    """Conception and nurture rise again; taking office and peak are the height."""
    if stage in {4, 5}:
        return "peak"
    return "waning" if 6 <= stage <= 10 else "rising"  # noqa: PLR2004  decline, illness, death, storage, severance
