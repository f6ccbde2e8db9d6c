"""What an answer says of its tokens: believed where an answer can have them, and else counted at its worst."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.drafts import is_unbilled, says_usage, usage_of
from seed_library.core.pricing import FREE, ModelFacts, Price, at_batch_rate, billed

PRICE = Price(Decimal(2), Decimal(10), Decimal("2.5"), Decimal(4), Decimal("0.1"))
SONNET = ModelFacts("sonnet", "active", ("adaptive",), (), 128_000, PRICE)
WORST = 12_345
HUGE = int("9" * 400)
TEXT = [{"type": "text", "text": "A calm and steady sign."}]
THOUGHT = [{"type": "thinking", "thinking": "", "signature": "c2ln"}]


def _message(usage: Any, content: Any = None, **fields: Any) -> dict[str, Any]:
    message = {"stop_reason": "end_turn", "content": TEXT if content is None else content, "usage": usage}
    return message | fields


def _usage(**changes: Any) -> dict[str, Any]:
    return {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 0, **changes}


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (_usage(), 400),
        (_usage(inference_geo=None), 400),
        (_usage(inference_geo="us"), 440),
        (_usage(inference_geo=" US "), 440),
        (_usage(inference_geo=["us"]), 440),
        (_usage(cache_creation_input_tokens=None, cache_creation=None), 400),
        (_usage(input_tokens=0, cache_read_input_tokens=1_000), 300),
        (_usage(cache_creation_input_tokens=100, cache_creation={"ephemeral_1h_input_tokens": 100}), 800),
        (_usage(service_tier="standard", server_tool_use=None), 400),
    ],
)
def test_a_usage_that_an_answer_can_have_is_what_it_cost(usage: Any, cost: int) -> None:
    """Whatever stands beside the tokens; null is what the API says where there is nothing."""
    assert billed(_message(usage), SONNET, WORST) == cost
    assert billed(_message(usage), at_batch_rate(SONNET), WORST) == cost / 2


ODD = {
    "none": None,
    "a list": [100, 20],
    "a word": "free",
    "empty": {},
    "no output": {"input_tokens": 100},
    "no input": {"output_tokens": 20},
    "nothing for a text": _usage(input_tokens=0, output_tokens=0),
    "nothing written": _usage(output_tokens=0),
    "nothing read": _usage(input_tokens=0),
    "a float": _usage(output_tokens=20.0),
    "a string": _usage(output_tokens="20"),
    "null": _usage(output_tokens=None),
    "true": _usage(output_tokens=True),
    "negative": _usage(input_tokens=-100),
    "nested": _usage(output_tokens={"tokens": 20}),
    "400 digits": _usage(output_tokens=HUGE),
    "400 digits read": _usage(input_tokens=HUGE),
    "400 digits cached": _usage(cache_read_input_tokens=HUGE),
    "a cached float": _usage(cache_read_input_tokens=1.5),
    "a negative cache": _usage(cache_creation_input_tokens=-1),
    "an odd detail": _usage(cache_creation=[5]),
    "odd figures in it": _usage(cache_creation={"ephemeral_1h_input_tokens": "many"}),
    "more than the model can write": _usage(output_tokens=128_001),
    "not a number": _usage(output_tokens=float("nan")),
    "infinite": _usage(input_tokens=float("inf")),
}


@pytest.mark.parametrize("usage", ODD.values(), ids=ODD)
def test_an_odd_usage_counts_at_its_worst(usage: Any) -> None:
    """Nobody writes for nothing: what cannot be believed must not make a budget endless, nor brick a journal."""
    assert billed(_message(usage), SONNET, WORST) == WORST


@pytest.mark.parametrize(
    ("characters", "tokens", "believed"), [(32, 1, True), (33, 1, False), (640, 20, True), (5_000, 20, False)]
)
def test_a_text_has_at_least_as_many_tokens_as_its_length_makes(characters: int, tokens: int, believed: bool) -> None:
    """A token of more than 32 characters does not occur in prose."""
    message = _message(_usage(output_tokens=tokens), [{"type": "text", "text": "x" * characters}])
    assert says_usage(message) == believed


@pytest.mark.parametrize(("content", "believed"), [([], True), (None, False), (THOUGHT, False), (TEXT, False)])
def test_hidden_thoughts_are_written_as_well(content: Any, believed: bool) -> None:
    """A block without a word of its own has cost tokens; an answer without any block need not have."""
    assert says_usage(_message(_usage(output_tokens=0), content)) == believed


@pytest.mark.parametrize(
    ("fields", "unbilled"),
    [
        ({"stop_reason": "refusal", "content": []}, True),
        ({"stop_reason": "refusal", "content": None}, True),
        ({"stop_reason": "refusal", "content": TEXT}, False),
        ({"stop_reason": "refusal", "content": THOUGHT}, False),
        ({"stop_reason": "end_turn", "content": []}, False),
        ({"stop_reason": "max_tokens", "content": []}, False),
    ],
)
def test_a_refusal_before_any_output_is_not_billed(fields: dict[str, Any], unbilled: bool) -> None:
    """Though its usage shows tokens; one in the middle of an answer is, and so is everything else."""
    message = _message(_usage()) | fields
    assert is_unbilled(message) == unbilled
    assert (billed(message, SONNET, WORST) == 0) == unbilled
    assert (billed(message | {"usage": None}, SONNET, WORST) == 0) == unbilled


def test_figures_that_no_answer_can_have_are_not_passed_on() -> None:
    """The provenance of a row says nothing rather than 400 digits."""
    usage = usage_of(_message(_usage(input_tokens=HUGE, output_tokens=HUGE, cache_read_input_tokens=-1)))
    assert (usage.prompt_tokens, usage.output_tokens) == (0, 0)


def test_where_no_price_is_known_an_answer_counts_at_its_worst() -> None:
    """The model of a batch may have left the table meanwhile."""
    assert billed(_message(_usage()), ModelFacts("gone", "unknown", (), (), 0, FREE), WORST) == WORST


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(HUGE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "inference_geo",
)


@settings(max_examples=300, deadline=None, database=None)
@given(usage=JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)), content=JSON)
def test_no_usage_of_any_shape_breaks_the_books(usage: Any, content: Any) -> None:
    """Some whole number comes out that fits into JSON, and figures for the provenance that do as well."""
    message = {"stop_reason": "end_turn", "content": content, "usage": usage}
    cost = billed(message, SONNET, WORST)
    assert 0 <= cost < 10**12
    assert 0 <= usage_of(message).prompt_tokens < 10**8 > usage_of(message).output_tokens >= 0
    assert json.dumps(cost)
