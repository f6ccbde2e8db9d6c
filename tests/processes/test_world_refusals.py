"""What the model or a gateway makes of an answer, and the limit of requests a minute."""

from __future__ import annotations

import json

import pytest
from processes.cards import TEASER, TITLES, Cards
from servers.processes import MessagesServer

OLD, NEW = TITLES[:10], tuple(f"New{number}" for number in range(10))
REFUSED = OLD[7:]
REFUSAL = {"content": [], "stop_reason": "refusal", "stop_details": {"category": None}, "times": 10**6}
_RUNS = 8


def _refusing(messages: MessagesServer) -> None:
    messages.faults(*({"match": f": {title}.", **REFUSAL} for title in REFUSED))


@pytest.mark.xfail(strict=True, reason="F4: what the model always refuses is paid for at every start")
def test_what_the_model_always_refuses_is_given_up_after_some_tries(cards: Cards, messages: MessagesServer) -> None:
    """Over all runs: there comes a run that asks for nothing."""
    _refusing(messages)
    cards.write(OLD)
    runs = [cards.run() for _ in range(_RUNS)]
    assert cards.stored() == set(OLD) - set(REFUSED)
    assert runs[-1].document["requests"] == 0


@pytest.mark.xfail(strict=True, reason="F4: the new ones behind three that are always refused are never reached")
def test_what_the_model_always_refuses_blocks_nothing_else(cards: Cards, messages: MessagesServer) -> None:
    """The canary goes on to the next item; ten new ones behind the three are written."""
    _refusing(messages)
    cards.write(REFUSED)
    cards.run()
    cards.write((*REFUSED, *NEW))
    assert cards.run().code in {0, 6}
    assert cards.stored() == set(NEW)


def test_an_object_in_a_code_fence_is_read(cards: Cards, messages: MessagesServer) -> None:
    """Some gateways wrap the JSON: it is the object that was asked for all the same."""
    cards.write(TITLES[:3], more=TEASER)
    messages.faults({"fence": True, "times": 99})
    ended = cards.run()
    assert (ended.code, ended.document["requests"]) == (0, 3)
    assert cards.stored() == set(TITLES[:3])


@pytest.mark.parametrize("text", ["fenced", "with a word before it"])
def test_an_object_in_a_code_fence_is_read_in_a_batch_as_well(
    cards: Cards, messages: MessagesServer, text: str
) -> None:
    """What is paid for there is as dear."""
    cards.write(TITLES[:4], more=TEASER)
    said = json.dumps({"text": "You keep the small things, and they keep you.", "teaser": "Who keeps whom?"})
    wrapped = {"fenced": {"fence": True}, "with a word before it": {"text": f"Sure:\r\n```JSON\r\n{said}\r\n```"}}[text]
    messages.control(batch_answers=wrapped)
    ended = cards.run("--mode", "batch", SEED_LIBRARY_BATCH_POLL_SECONDS="0.05")
    assert (ended.code, ended.document["stored"], ended.document["requests"]) == (0, 4, 4)


def test_a_fence_around_a_plain_text_is_no_object(cards: Cards, messages: MessagesServer) -> None:
    """Without generated columns it is markdown, which the gates refuse."""
    cards.write(TITLES[:1])
    messages.faults({"fence": True})
    ended = cards.run()
    assert (ended.code, ended.document["rejected"], cards.stored()) == (6, 1, set())


@pytest.mark.xfail(strict=True, reason="F6: the rate is not learnt, neither from refusals nor from headers")
def test_the_rate_of_the_account_is_learnt(cards: Cards, messages: MessagesServer) -> None:
    """600 requests a minute and 64 at once: at most 1.1 requests a text."""
    titles = [f"Card{number}" for number in range(120)]
    cards.write(titles)
    messages.control(requests_per_minute=600, latency_ms=100)
    ended = cards.run("--concurrency", "64")
    assert (ended.code, ended.document["stored"]) == (0, len(titles))
    assert len(messages.log()) <= 1.1 * len(titles)
