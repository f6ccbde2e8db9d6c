"""Money is whole micro-dollars, rounded up; the worst case bounds every bill."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from core.small_catalog import RULES, SPEC, item
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.catalog import GeneratedColumn, RequestSpec
from seed_library.core.drafts import Prompt, Request, Usage
from seed_library.core.pricing import (
    DEAREST_PLACE,
    ENVELOPE_TOKENS,
    STRUCTURE_TOKENS,
    LongPromptPrice,
    ModelFacts,
    Price,
    estimated_tokens,
    likely_cost,
    likely_words,
    max_tokens,
    usage_cost,
    usd,
    worst_cost,
)

COLUMNS = (
    GeneratedColumn("teaser", "Eine Zeile, die neugierig macht. " * 20, 5, 15),
    GeneratedColumn("hook", "ü", 1, 3),
)


def _request(prompt: Prompt, spec: RequestSpec = SPEC) -> Request:
    return Request(item(), prompt, spec, "ab" * 16, RULES.expected_words)


def _price(*usd_per_million: str) -> Price:
    return Price(*map(Decimal, usd_per_million))


SONNET = ModelFacts(
    "sonnet", "active", ("adaptive", "between_tools"), (), 128_000, _price("2", "10", "2.50", "4", "0.10")
)
HAIKU = ModelFacts(
    "haiku",
    "active",
    ("adaptive", "disabled"),
    (),
    128_000,
    _price("0.10", "0.50", "0.125", "0.20", "0.01"),
    LongPromptPrice(100_000, _price("0.50", "2.50", "0.625", "1.00", "0.05")),
)
OPUS = replace(SONNET, id="opus", thinking_types=("adaptive",), price=_price("4", "20", "5", "8", "0.20"))


@pytest.mark.parametrize(
    ("usage", "model", "micro"),
    [
        (Usage(700, 280), SONNET, 700 * 2 + 280 * 10),
        (Usage(0, 0), SONNET, 0),
        (Usage(1, 0), HAIKU, 1),  # a tenth of a micro-dollar
        (Usage(11, 0), HAIKU, 2),  # 1.1
        (Usage(10, 2), HAIKU, 2),  # exactly 2
        (Usage(cache_write_5m_tokens=1_000), SONNET, 2_500),
        (Usage(cache_write_1h_tokens=1_000), SONNET, 4_000),
        (Usage(cache_read_tokens=1_000), SONNET, 100),
        (Usage(3, 1, 1, 1, 1), SONNET, 23),  # 6 + 10 + 2.5 + 4 + 0.1 = 22.6
        (Usage(700, 280, geography="global"), SONNET, 4_200),
        (Usage(700, 280, geography="us"), SONNET, 4_620),
        (Usage(3, 1, 1, 1, 1, "us"), SONNET, 25),  # 24.86: everything is dearer, the cache as well
        (Usage(700, 280, geography="mars"), SONNET, 4_620),  # unknown places are taken for the dearest
        (Usage(700, 280, geography="not_available"), SONNET, 4_200),
    ],
)
def test_an_answer_costs_what_its_tokens_cost_rounded_up(usage: Usage, model: ModelFacts, micro: int) -> None:
    """USD per million tokens are micro-dollars per token; each kind of token has its own price."""
    assert usage_cost(usage, model) == micro


@pytest.mark.parametrize(
    ("usage", "micro"),
    [
        (Usage(100_000, 1_000), 10_500),
        (Usage(100_001, 1_000), 52_501),  # 50,000.5 + 2,500: the answer is dearer too
        (Usage(1, 0, 0, 0, 100_000), 5_001),  # cached tokens are part of the prompt
        (Usage(50_000, 0, 25_000, 0, 25_000), 5_000 + 3_125 + 250),
    ],
)
def test_a_long_prompt_makes_the_whole_request_dearer(usage: Usage, micro: int) -> None:
    """Above 100,000 tokens, counted with the cached ones; at exactly 100,000 not yet."""
    assert usage_cost(usage, HAIKU) == micro


@pytest.mark.parametrize(
    ("spec", "model", "expected"),
    [
        (SPEC, SONNET, 1_024),
        (SPEC, HAIKU, 1_024),
        (SPEC, OPUS, 1_024 + 4_096),
        (replace(SPEC, thinking="on"), SONNET, 1_024 + 4_096),
        (replace(SPEC, max_tokens=200_000), SONNET, 128_000),
        (replace(SPEC, thinking_tokens=200_000), OPUS, 128_000),
    ],
)
def test_thinking_that_cannot_be_turned_off_gets_room(spec: RequestSpec, model: ModelFacts, expected: int) -> None:
    """Thinking counts against `max_tokens`, and no model takes more than its own limit."""
    assert max_tokens(spec, model) == expected


@pytest.mark.parametrize(
    ("accepted", "off"),
    [
        (("adaptive", "between_tools"), "between_tools"),
        (("adaptive", "disabled"), "disabled"),
        (("disabled", "between_tools"), "between_tools"),
        (("adaptive", "enabled"), None),
        ((), None),
    ],
)
def test_each_family_has_its_own_word_for_no_thinking(accepted: tuple[str, ...], off: str | None) -> None:
    """There is no single value that turns thinking off."""
    assert replace(SONNET, thinking_types=accepted).thinking_off == off


TEXTS = st.text(max_size=200)


@settings(max_examples=300, deadline=None, database=None)
@given(
    prompt=st.builds(Prompt, TEXTS, TEXTS | st.integers(99_000, 101_000).map("x".__mul__)),
    model=st.sampled_from([SONNET, HAIKU, OPUS]),
    spec=st.builds(RequestSpec, st.just("m"), st.integers(1, 300_000), st.sampled_from(["off", "on"])),
    data=st.data(),
)
def test_no_answer_can_cost_more_than_the_worst_case(
    prompt: Prompt, model: ModelFacts, spec: RequestSpec, data: st.DataObject
) -> None:
    """However the prompt's tokens are counted and cached (for five minutes) and however long the answer gets.

    A token holds at least a byte, so the prompt has at most as many tokens as bytes, and a few for its envelope.
    """
    most = len(prompt.system.encode()) + len(prompt.user.encode()) + ENVELOPE_TOKENS
    tokens = data.draw(st.integers(0, most))
    written = data.draw(st.integers(0, tokens))
    read = data.draw(st.integers(0, tokens - written))
    output = data.draw(st.integers(0, max_tokens(spec, model)))
    usage = Usage(tokens - written - read, output, written, 0, read, data.draw(st.sampled_from(["", "global", "us"])))
    assert usage_cost(usage, model) <= worst_cost(_request(prompt, spec), model)


def test_the_worst_case_is_prompt_bytes_at_the_price_of_a_cache_write_and_a_full_answer() -> None:
    """One figure by hand: an umlaut has two bytes, and the request may be worked on where it is dearest."""
    cost = (4 + ENVELOPE_TOKENS) * Decimal("2.5") + 1_024 * 10
    assert worst_cost(_request(Prompt("ü", "ab")), SONNET) == -(-cost * DEAREST_PLACE // 1)


@pytest.mark.parametrize("columns", [COLUMNS[:1], COLUMNS])
def test_the_schema_of_an_answer_counts_like_the_prompts(columns: tuple[GeneratedColumn, ...]) -> None:
    """It is sent with every request, and so is what the provider says about it; in estimates as well."""
    plain, prompt = _request(Prompt("ü", "ab")), Prompt("ü", "ab")
    shaped = _request(prompt, replace(SPEC, generated=columns))
    abouts = sum(len(one.about.encode()) for one in columns)
    dearer = worst_cost(shaped, SONNET) - worst_cost(plain, SONNET)
    assert dearer > (abouts + STRUCTURE_TOKENS) * Decimal("2.5") * DEAREST_PLACE
    assert estimated_tokens(shaped) > estimated_tokens(plain) + sum(len(one.about) for one in columns) // 3
    assert likely_words(shaped) > likely_words(plain) + sum(one.at_least for one in columns)


@pytest.mark.parametrize(
    ("model", "spec", "micro"),
    [
        (SONNET, SPEC, 1_000 * 2 + 2_950),  # 100 words at 2.95 tokens
        (OPUS, SPEC, 1_000 * 4 + 5_900 + 4_096 * 4),  # a fifth of 4,096 at 20, rounded up
        (SONNET, replace(SPEC, thinking="on"), 1_000 * 2 + 2_950 + 8_192),
    ],
)
def test_the_likely_cost_counts_words_and_some_thinking_where_it_happens(
    model: ModelFacts, spec: RequestSpec, micro: int
) -> None:
    """A prompt of 1,000 tokens and a text of 100 words."""
    assert likely_cost(1_000, 100, spec, model) == micro


@pytest.mark.parametrize(("words", "most"), [(90, 265.5), (900, 1_024), (10**6, 1_024)])
def test_no_likely_answer_is_longer_than_an_answer_can_be(words: int, most: float) -> None:
    """A catalog may want more words than its `max_tokens` have room for."""
    assert likely_cost(0, words, SPEC, SONNET) == most * 10


def test_an_estimate_grows_with_the_prompt_and_stays_below_the_bound() -> None:
    """Tokens estimated from characters never exceed what the worst case assumes."""
    short, long = Prompt("Du schreibst.", "Über den Büffel."), Prompt("Du schreibst. " * 50, "Über den Büffel.")
    assert 0 < estimated_tokens(_request(short)) < estimated_tokens(_request(long))
    assert estimated_tokens(_request(long)) < len(long.system + long.user) + ENVELOPE_TOKENS


def test_dollars_are_for_people_only() -> None:
    """One dollar is a million micro-dollars."""
    assert usd(1_234_567) == 1.234567
