"""Ordinary paragraphs are no offence: of 200 in each language hardly one is refused, by the rules of every catalog."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from data.ordinary_sentences import ENGLISH, GERMAN, paragraphs

from seed_library.adapters.catalogs import load_catalog
from seed_library.core.gates import judge

PROMPTS = Path(__file__).resolve().parents[2] / "prompts"
MOST = 4  # of 200: two percent


@pytest.mark.parametrize("locale", ["de", "en"])
@pytest.mark.parametrize("name", ["bazi_pillars", "bazi_day_masters", "zodiac_signs", "numerology"])
def test_at_most_two_percent_of_ordinary_paragraphs_are_refused(name: str, locale: str) -> None:
    """Each as the text of another item, so that all animals, signs and numbers are tried."""
    catalog = load_catalog(PROMPTS, name)
    items = [item for item in catalog.items if item.id.locale == locale]
    refused: Counter[str] = Counter()
    texts = paragraphs(GERMAN if locale == "de" else ENGLISH, 200)
    bad = 0
    for number, text in enumerate(texts):
        item = items[number * 7 % len(items)]
        judgement = judge(text, catalog.rules_of(item.id), item)
        errors = [finding for finding in judgement.findings if finding.severity == "error"]
        refused.update(f"{finding.gate}: {finding.message} {finding.span}" for finding in errors)
        bad += bool(errors)
    assert bad <= MOST, refused
