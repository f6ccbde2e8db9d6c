"""What the model or a gateway makes of an answer, and the limit of requests a minute."""

from __future__ import annotations

import json
import signal

import pytest
from processes.cards import TEASER, TITLES, Cards
from servers.processes import MessagesServer

OLD, NEW = TITLES[:10], tuple(f"New{number}" for number in range(10))
REFUSED = OLD[7:]
REFUSAL = {"content": [], "stop_reason": "refusal", "stop_details": {"category": None}, "times": 10**6}
_RUNS = 8


def _refusing(messages: MessagesServer) -> None:
    messages.faults(*({"match": f": {title}.", **REFUSAL} for title in REFUSED))


def test_what_the_model_always_refuses_is_given_up_after_some_tries(cards: Cards, messages: MessagesServer) -> None:
    """Over all runs: there comes a run that asks for nothing."""
    _refusing(messages)
    cards.write(OLD)
    runs = [cards.run() for _ in range(_RUNS)]
    assert cards.stored() == set(OLD) - set(REFUSED)
    assert runs[-1].document["requests"] == 0


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


def test_what_is_given_up_is_listed_everywhere_and_asked_for_on_demand_only(
    cards: Cards, messages: MessagesServer
) -> None:
    """Plan, status, the page and the run itself say why; the catalog says after how many tries."""
    cards.write(TITLES[:4], {"tries": 2})
    messages.faults({"match": ": Gamma.", **REFUSAL}, {"match": ": Delta.", "stop_reason": "max_tokens", "times": 2})
    first = cards.run()
    assert (first.code, first.document["stored"], first.document["failed"]) == (6, 2, 2)
    billed = [event["cost_usd"] for event in first.documents if event["event"] == "paid"]
    assert sorted(cost == 0 for cost in billed) == [False, False, False, True]  # the refusal is not billed
    assert cards.run().code == 6
    third = cards.run()
    assert (third.code, third.document["requests"], third.document["rejected"]) == (6, 0, 2)
    planned = cards.run(verb="plan").document
    reasons = {item["key"]: item["reason"] for item in planned["items"] if item["action"] == "rejected"}
    assert reasons.keys() == {"gamma", "delta"}
    assert "2 answers held no usable text (the model refused" in reasons["gamma"]
    assert "cut off at max_tokens" in reasons["delta"]
    assert reasons["gamma"] in cards.program.run("plan", "cards").out
    given_up = cards.program.run("status", "--json").document["given_up"]
    assert {one["key"]: one["reason"] for one in given_up} == reasons
    assert f"card/delta/en: {reasons['delta']}" in cards.program.run("status").out
    assert cards.program.run("report", "page.html", "cards").code == 0
    page = (cards.program.folder / "page.html").read_text("utf-8")
    assert "2 answers held no usable text" in page
    again = cards.run("--refresh", "rejected")
    assert (again.code, again.document["requests"], again.document["stored"]) == (6, 2, 1)
    assert cards.run().document["requests"] == 0


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


def test_the_rate_of_the_account_is_learnt(cards: Cards, messages: MessagesServer) -> None:
    """600 requests a minute and 64 at once: at most 1.1 requests a text."""
    titles = [f"Card{number}" for number in range(120)]
    cards.write(titles)
    messages.control(requests_per_minute=600, latency_ms=100)
    ended = cards.run("--concurrency", "64")
    assert (ended.code, ended.document["stored"]) == (0, len(titles))
    assert len(messages.log()) <= 1.1 * len(titles)
    (said,) = [event for event in ended.documents if event["event"] == "rate"]
    assert (said["per_minute"], said["reason"]) == (600, "that is the account's limit")


def test_an_account_that_is_raised_and_lowered_in_the_middle_is_followed(
    cards: Cards, messages: MessagesServer
) -> None:
    """From 240 a minute to 2,400, and to 480: few are refused, and each limit is said when it holds the run back."""
    titles = [f"Card{number}" for number in range(160)]
    cards.write(titles)
    messages.control(requests_per_minute=240, latency_ms=50)
    running = cards.start("--concurrency", "64")
    for per_minute, paid in ((2400, 20), (480, 80)):
        assert running.wait_for("paid", paid)
        messages.control(requests_per_minute=per_minute)
    ended = running.end()
    assert (ended.code, ended.document["stored"]) == (0, len(titles))
    assert len(messages.log()) <= 1.1 * len(titles)
    said = [event["per_minute"] for event in [*running.events, *ended.documents] if event["event"] == "rate"]
    assert (said[0], said[-1]) == (240, 480)


def test_several_runs_with_one_key_share_the_rate(cards: Cards, messages: MessagesServer) -> None:
    """Four libraries at once, which know nothing of each other: together at most 1.1 requests a text."""
    titles = [f"Card{number}" for number in range(40)]
    messages.control(requests_per_minute=600, latency_ms=100)
    runs = []
    for name in "abcd":
        beside = cards.beside(name)
        beside.write(titles)
        runs.append(beside.start("--concurrency", "16"))
    for running in runs:
        ended = running.end()
        assert (ended.code, ended.document["stored"]) == (0, len(titles)), ended.err
    assert len(messages.log()) <= 1.1 * 4 * len(titles)


def test_a_wait_of_an_hour_is_said_and_a_stop_ends_it(cards: Cards, messages: MessagesServer) -> None:
    """All are refused: the user reads for how long; what is paid is stored, and the run ends when it is asked to."""
    cards.write([f"Card{number}" for number in range(60)])
    messages.faults({"skip": 3, "status": 429, "times": 10**6, "headers": {"retry-after": "3600"}})
    running = cards.start("--concurrency", "16")
    warned = running.wait_for("warning")
    assert warned is not None
    assert "asks to wait 3,600 s" in warned["message"]
    asked = len(messages.log())
    running.send(signal.SIGINT)
    ended = running.end()
    assert (ended.code, ended.document["stored"], ended.document["maybe_spent_usd"]) == (8, 3, 0)
    assert len(messages.log()) <= asked + 16
    (retry, *_) = [event for event in running.events if event["event"] == "retry"]
    assert retry["wait_seconds"] <= 63
    assert "asks to wait 3,600 s" in retry["reason"]


ODD_LIMITS: list[dict[str, str]] = [
    {"anthropic-ratelimit-requests-limit": "1", "anthropic-ratelimit-requests-remaining": "0"},
    {"anthropic-ratelimit-requests-limit": "-600", "anthropic-ratelimit-requests-remaining": "-1"},
    {"anthropic-ratelimit-requests-limit": "1e400", "anthropic-ratelimit-requests-reset": "soon"},
    {"anthropic-ratelimit-requests-limit": "10;w=1", "anthropic-ratelimit-requests-reset": "1970-01-01T00:00:00Z"},
    {"anthropic-ratelimit-output-tokens-limit": "3", "anthropic-ratelimit-output-tokens-remaining": "0"},
    {"anthropic-ratelimit-requests-reset": "9999-12-31T23:59:59Z", "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"retry-after": "-5"},
    {"retry-after": "a moment"},
    {"retry-after-ms": "1", "retry-after": "86400"},
]


@pytest.mark.parametrize("per_minute", [0, 6000])
def test_headers_that_cannot_be_meant_break_and_stall_nothing(
    cards: Cards, messages: MessagesServer, per_minute: int
) -> None:
    """Refusals with all kinds of them, one after the other, whether answers tell of a limit or not."""
    titles = [f"Card{number}" for number in range(40)]
    cards.write(titles)
    messages.control(requests_per_minute=per_minute)
    messages.faults(*({"skip": 2, "status": 429, "headers": headers} for headers in ODD_LIMITS))
    ended = cards.run("--concurrency", "4")
    assert (ended.code, ended.document["stored"]) == (0, len(titles)), ended.err
    assert len(messages.log()) == len(titles) + len(ODD_LIMITS)


def test_a_date_to_wait_until_is_kept(cards: Cards, messages: MessagesServer) -> None:
    """As HTTP writes it, by the clock of the answer: the one text waits two seconds, the others do not."""
    cards.write(TITLES[:6])
    headers = {"retry-after": "Thu, 26 Nov 2026 17:00:02 GMT", "date": "Thu, 26 Nov 2026 17:00:00 GMT"}
    messages.faults({"skip": 2, "status": 429, "headers": headers})
    ended = cards.run("--concurrency", "2")
    assert (ended.code, ended.document["stored"]) == (0, 6)
    (retry,) = [event for event in ended.documents if event["event"] == "retry"]
    assert 2 <= retry["wait_seconds"] <= 2.2
    refused = next(entry for entry in messages.log() if entry["status"] == 429)
    others = [entry for entry in messages.log() if entry["prompt"] != refused["prompt"]]
    again = [entry for entry in messages.log() if entry["prompt"] == refused["prompt"]][-1]
    assert max(entry["arrived"] for entry in others) < again["arrived"]
