"""The offline writer's texts are good enough to pass every gate, and recognisably not Claude's."""

from __future__ import annotations

from pathlib import Path

import pytest

from seed_library.adapters.catalogs import load_catalog
from seed_library.adapters.rehearsal import OfflineWriter, rehearsal_text
from seed_library.adapters.rehearsal_phrases import phrases_for
from seed_library.core.catalog import GateRules, Item, ItemId, RequestSpec, WordRule
from seed_library.core.drafts import Prompt, Request, text_of
from seed_library.core.gates import count_words, judge
from seed_library.core.prompts import PromptBook

PROMPTS = Path(__file__).resolve().parents[2] / "prompts"


def test_every_pillar_text_passes_the_gates_without_a_finding_and_differs_from_all_others() -> None:
    """All 360 texts: inside the wanted length, finished, plain, distinct."""
    catalog = load_catalog(PROMPTS, "bazi_pillars")
    book = PromptBook(catalog)
    texts = {}
    for item in catalog.items:
        texts[item.id] = rehearsal_text(book.request(item))
        assert judge(texts[item.id], GateRules(catalog.rules_of(item.id).words), item).findings == ()
        assert item.title in texts[item.id]
        assert any(sentence in texts[item.id] for sentence in phrases_for(item.id.locale).sentences)
    assert len(set(texts.values())) == 360


@pytest.mark.parametrize("rule", [WordRule(30, 50, 20, 60), WordRule(150, 200, 100, 250), WordRule(400, 420, 1, 999)])
@pytest.mark.parametrize("locale", ["de", "en", "fr"])
def test_any_length_rule_is_met(rule: WordRule, locale: str) -> None:
    """Short, long and very long texts, also in a locale without sentences of its own."""
    for number in range(20):
        request = _request(f"key_{number}", locale, rule)
        judgement = judge(rehearsal_text(request), GateRules(rule), request.item)
        assert {finding.gate for finding in judgement.findings} <= {"sentences", "self_repetition"}
        assert judgement.accepted


def test_limits_too_tight_for_a_sentence_are_met_word_by_word() -> None:
    """A three-word text still has three words."""
    assert count_words(rehearsal_text(_request("key", "de", WordRule(3, 4, 3, 4)))) == 3


async def test_the_same_request_gets_the_same_answer_marked_as_rehearsal() -> None:
    """Deterministic, free, and named so in the raw message."""
    writer, request = OfflineWriter(), _request("key", "de", WordRule(80, 105, 70, 120))
    first, second = await writer.write(request), await writer.write(request)
    assert first == second
    assert first.message["model"] == "rehearsal"
    assert text_of(first.message) == rehearsal_text(request)
    facts, check = await writer.look_up("claude-sonnet-5-5")
    assert check.ok
    assert facts.price.output == 0


def _request(key: str, locale: str, rule: WordRule) -> Request:
    item = Item(ItemId("signs", key, locale), f"Title {key}", {"color": "green", "planet": "Mars"})
    return Request(item, Prompt("s", f"u {key}"), RequestSpec("m"), f"{key}0", rule)
