"""What the Messages API says about tokens, places and efforts, and what the program makes of it in money."""

from __future__ import annotations

import json
from typing import Any

import pytest
from processes.cards import TEASER, TITLES, Cards
from servers.processes import MessagesServer

SONNET = {"model": "claude-sonnet-5-5"}
NOTHING = {"input_tokens": 0, "output_tokens": 0}


@pytest.mark.parametrize("effort", ["xhigh", "max"])
@pytest.mark.parametrize("model", ["claude-haiku-5-5", "claude-sonnet-5-5"])
def test_an_effort_that_needs_thinking_is_refused_by_check(
    cards: Cards, messages: MessagesServer, model: str, effort: str
) -> None:
    """Thinking off with effort xhigh or max is a 400; that is known before anything is sent."""
    cards.write(TITLES[:2], {"model": model, "thinking": "off", "effort": effort})
    checked = cards.run(verb="check")
    assert checked.code == 4
    assert any(effort in check["message"] for check in checked.document["checks"] if not check["ok"])
    assert messages.log() == []


def test_a_long_schema_counts_before_the_budget_is_spent(cards: Cards, messages: MessagesServer) -> None:
    """Four columns with 3 kB of description each are most of what every request costs."""
    columns = "".join(
        TEASER.replace("teaser", f"teaser{number}").replace("One sentence", "One sentence " + "about it " * 330)
        for number in range(4)
    )
    cards.write(TITLES, {**SONNET, "max_tokens": 600}, columns)
    cost = cards.run(verb="plan").document["cost"]
    ended = cards.run("--budget", "0.05")
    assert ended.code == 7
    assert 0 < ended.document["spent_usd"] <= 0.05
    assert cost["likely_usd"] <= cost["at_most_usd"]


def test_a_text_that_says_it_cost_nothing_counts_at_its_worst(cards: Cards, messages: MessagesServer) -> None:
    """Nobody writes for nothing: a gateway that says so must not make the budget endless."""
    cards.write(TITLES[:10], SONNET)
    messages.faults({"usage": NOTHING, "times": 99})
    ended = cards.run("--budget", "0.035")  # room for three texts of 1,024 tokens at 10 dollars a million
    assert (ended.code, len(messages.log())) == (7, 3)
    assert ended.document["spent_usd"] + ended.document["maybe_spent_usd"] > 0.03


@pytest.mark.parametrize("mode", ["messages", "batch"])
def test_what_is_worked_on_in_the_us_costs_a_tenth_more(cards: Cards, messages: MessagesServer, mode: str) -> None:
    """`us` costs 1.1 x; a workspace may be bound to it, and only usage says so."""
    cards.write(TITLES[:5], SONNET)
    spent = []
    for place in ("global", "us"):
        messages.control(usage={"inference_geo": place})
        store = ("--store", f"sqlite:{place}.sqlite3")
        ended = cards.run("--mode", mode, *store, SEED_LIBRARY_BATCH_POLL_SECONDS="0.05")
        assert (ended.code, ended.document["stored"]) == (0, 5)
        spent.append(ended.document["spent_usd"])
    assert spent[1] == pytest.approx(1.1 * spent[0], rel=0.001)


def test_a_count_that_no_answer_can_have_bricks_nothing(cards: Cards, messages: MessagesServer) -> None:
    """Usage of 400 digits: the answer counts at its worst, and the library stays usable."""
    cards.write(TITLES[:2])
    odd: dict[str, Any] = {"usage": {"output_tokens": int("9" * 400)}, "skip": 1}
    messages.faults(odd)
    for ended in (cards.run(), cards.run(), cards.run(verb="status"), cards.run(verb="plan")):
        assert "Traceback" not in ended.err
        assert ended.code == 0
    assert cards.stored() == set(TITLES[:2])


ODD = {
    "400 digits read": {"input_tokens": int("9" * 400)},
    "a float": {"output_tokens": 1e300},
    "a text": {"input_tokens": "many"},
    "nothing": {"output_tokens": None},
    "less than nothing": {"output_tokens": -5},
    "nested": {"cache_creation_input_tokens": {"tokens": [1, [2, {"three": 4}]]}},
    "odd places": {"inference_geo": {"us": 1}},
}
VERBS = (
    ("run", "cards", "--json"),
    ("plan", "cards", "--json"),
    ("status",),
    ("show", "alpha", "cards"),
    ("export", "cards"),
    ("audit", "cards"),
    ("sample", "1", "cards"),
    ("report", "report.html", "cards"),
    ("cancel", "cards"),
)


def test_after_odd_usages_every_verb_reads_the_journal(cards: Cards, messages: MessagesServer) -> None:
    """The texts are stored, the canary's among them, and what they cost counts at its worst."""
    cards.write(TITLES[: len(ODD) + 1], SONNET)
    body = {"body": _body("9" * 5_000), "content_type": "application/json", "match": f": {TITLES[len(ODD)]}."}
    odd = [{"usage": usage, "match": f": {title}."} for title, usage in zip(TITLES, ODD.values(), strict=False)]
    messages.faults(*odd, body)
    ended = cards.run()
    assert (ended.code, ended.document["requests"]) == (0, len(ODD) + 1), ended.err
    assert cards.stored() == set(TITLES[: len(ODD) + 1])
    costs = [event["cost_usd"] for event in ended.documents if event["event"] == "paid"]
    assert sum(0.01 < cost < 0.02 for cost in costs) == len(ODD), costs  # but for the place, which is only dearer
    for verb in VERBS:
        after = cards.program.run(*verb)
        assert (after.code, "Traceback" in after.err) == (0, False), (verb, after.err)


@pytest.mark.parametrize("usage", [ODD["400 digits read"], NOTHING])
def test_an_odd_usage_in_a_batch_counts_at_its_worst_as_well(
    cards: Cards, messages: MessagesServer, usage: dict[str, Any]
) -> None:
    """At the price of batches: four texts of 1,024 tokens at 5 dollars a million."""
    cards.write(TITLES[:5], SONNET)
    messages.control(batch_answers={"usage": usage})
    ended = cards.run("--mode", "batch", SEED_LIBRARY_BATCH_POLL_SECONDS="0.05")
    assert (ended.code, ended.document["stored"]) == (0, 5), ended.err
    assert 0.02 < ended.document["spent_usd"] < 0.03
    for verb in VERBS:
        after = cards.program.run(*verb)
        assert (after.code, "Traceback" in after.err) == (0, False), (verb, after.err)


def _body(number: str) -> str:
    """Return a good answer whose usage has a number that no JSON library of ours writes."""
    message = {
        "id": "msg_odd",
        "type": "message",
        "role": "assistant",
        "model": SONNET["model"],
        "content": [{"type": "text", "text": "You keep the small things, and they keep you in return."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 50, "output_tokens": "NUMBER"},
    }
    return json.dumps(message).replace('"NUMBER"', number)
