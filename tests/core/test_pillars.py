"""The computed cycle against the checked table, field by field."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from seed_library.core.pillars import pillars

TABLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parent.parent / "data" / "sexagenary.json").read_text()
)["pillars"]
PAIRS = list(zip(pillars(), TABLE, strict=True))
IDS = [row["key"] for row in TABLE]


@pytest.mark.parametrize(("pillar", "row"), PAIRS, ids=IDS)
def test_stem_and_branch_agree_with_the_table(pillar: Any, row: dict[str, Any]) -> None:
    """Index, key, names, elements and polarity."""
    stem, branch = row["stem"], row["branch"]
    assert pillar.index == row["index"]
    assert pillar.key == row["key"]
    assert pillar.chinese == row["chinese"]
    assert pillar.pinyin == row["pinyin"]
    assert (pillar.polarity, pillar.element) == (stem["polarity"], stem["element"])
    assert branch["polarity"] == pillar.polarity
    assert pillar.branch_element == branch["element"]
    assert pillar.animal == (branch["chinese"], branch["pinyin"], branch["animal_en"], branch["animal_de"])
    assert pillar.animal.en.lower() == branch["animal_key"]


@pytest.mark.parametrize(("pillar", "row"), PAIRS, ids=IDS)
def test_the_place_of_the_branch_in_year_and_day_agrees(pillar: Any, row: dict[str, Any]) -> None:
    """Season, month, hours, directions and the branch's partners."""
    branch = row["branch"]
    assert (pillar.season, pillar.season_part) == (branch["season"], branch["season_part"])
    assert pillar.solar_month == branch["solar_month"]
    assert pillar.month_start_longitude == branch["month_start_solar_longitude"]
    assert pillar.double_hour == branch["double_hour"]
    assert (pillar.direction, pillar.direction_by_element) == (branch["direction"], branch["direction_by_element"])
    assert (pillar.clash, pillar.six_combination) == (branch["clash"], branch["six_combination"])
    assert pillar.trine_element == branch["trine_element"]


@pytest.mark.parametrize(("pillar", "row"), PAIRS, ids=IDS)
def test_what_stem_and_branch_are_to_each_other_agrees(pillar: Any, row: dict[str, Any]) -> None:
    """Relation, hidden stems with Ten Gods, root, growth stage and season state."""
    assert pillar.relation == row["relation"]["code"]
    assert [
        (one.chinese, one.pinyin, one.element, one.polarity, one.qi, one.weight, one.ten_god)
        for one in pillar.hidden_stems
    ] == [
        (
            one["chinese"],
            one["pinyin"],
            one["element"],
            one["polarity"],
            one["qi"],
            one["weight_percent"],
            one["ten_god"]["chinese"],
        )
        for one in row["hidden_stems"]
    ]
    assert pillar.rooted == row["stem_rooted_in_branch"]
    assert (pillar.growth_stage, pillar.phase) == (row["growth_stage"]["index"], row["growth_stage"]["phase"])
    assert pillar.season_state == row["season_state_of_stem"]


@pytest.mark.parametrize(("pillar", "row"), PAIRS, ids=IDS)
def test_na_yin_and_void_branches_agree(pillar: Any, row: dict[str, Any]) -> None:
    """The image of each pair of pillars, its element by the sum rule, and the void branches."""
    na_yin = row["na_yin"]
    assert pillar.na_yin == (na_yin["chinese"], na_yin["pinyin"], na_yin["en"], na_yin["de"])
    assert pillar.na_yin_element == na_yin["element"]
    assert list(pillar.void_branches) == row["void_branches"]["animal_keys"]


def test_sixty_keys_exist_and_none_mixes_polarities() -> None:
    """The cycle has 60 pillars, each relation twelve of them."""
    assert len({pillar.key for pillar in pillars()}) == 60
    assert set(Counter(pillar.relation for pillar in pillars()).values()) == {12}
