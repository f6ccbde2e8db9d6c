"""The Message Batches of the scripted server. Each docstring quotes the fact."""

from __future__ import annotations

import json
from typing import Any

import pytest

from servers.http_client import BATCHES, HAIKU, SONNET, ask, get, params
from servers.processes import MessagesServer


def _create(url: str, *wanted: dict[str, Any]) -> str:
    requests = [{"custom_id": f"r{number}", "params": one} for number, one in enumerate(wanted)]
    name: str = ask(url, BATCHES, requests=requests).json()["id"]
    return name


def _results(url: str, name: str) -> dict[str, dict[str, Any]]:
    """Return the results of a batch by their custom_ids."""
    lines = [json.loads(line) for line in get(url, f"{BATCHES}/{name}/results").text.splitlines()]
    return {line["custom_id"]: line["result"] for line in lines}


def test_an_archived_batch_is_still_there_but_its_results_are_gone(messages: MessagesServer) -> None:
    """Documented: "A batch's results become unavailable some day: `archived_at` set, `results_url` null"."""
    messages.control(batch_polls=0)
    name, later = _create(messages.url, params()), _create(messages.url, params())
    assert get(messages.url, f"{BATCHES}/{name}").json()["results_url"]
    messages.control(archive_batches=[name])
    for one in (get(messages.url, f"{BATCHES}/{name}").json(), get(messages.url, BATCHES).json()["data"][1]):
        assert (one["id"], one["processing_status"], one["results_url"]) == (name, "ended", None)
        assert one["archived_at"] > one["created_at"]
        assert one["request_counts"]["succeeded"] == 1
    assert get(messages.url, f"{BATCHES}/{name}/results").status_code == 404
    assert get(messages.url, f"{BATCHES}/{later}").json()["archived_at"] is None
    assert get(messages.url, f"{BATCHES}/{later}/results").status_code == 200


def test_a_batch_that_is_archived_has_ended_and_is_billed(messages: MessagesServer) -> None:
    """Batches are "at most 24 h" under way, "Results kept 29 days from created_at": what is archived has ended."""
    messages.control(batch_polls=10**9)
    name = _create(messages.url, params(), params("Another."))
    messages.control(archive_batches=True)
    assert get(messages.url, f"{BATCHES}/{name}").json()["processing_status"] == "ended"
    assert {entry["batch"] for entry in messages.billed()} == {name}
    assert len(messages.billed()) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stream": True}, "stream"),
        ({"speed": "fast"}, "speed"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"thinking": {"type": "disabled"}}, "thinking.type"),
        ({"output_config": {"effort": "xhigh"}}, "thinking is off"),
        ({"model": HAIKU, "thinking": {"type": "disabled"}, "output_config": {"effort": "max"}}, "thinking is off"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}, "additionalProperties"),
        ({"temperature": 1}, "temperature"),
        ({"inference_geo": "eu"}, "inference_geo"),
        ({"model": "claude-sonnet-4-20250514"}, "model"),
    ],
    ids=str,
)
def test_params_are_judged_when_the_batch_has_ended(
    messages: MessagesServer, change: dict[str, Any], said: str
) -> None:
    """Params are "accepted by create and come back as N x `errored` only when the whole batch has ended".

    Not allowed inside at all: "`stream:true`, `speed`, `max_tokens:0`".
    """
    messages.control(batch_polls=0)
    name = _create(messages.url, params(), params(**change))
    assert get(messages.url, f"{BATCHES}/{name}").json()["request_counts"]["errored"] == 1
    results = _results(messages.url, name)
    assert (results["r0"]["type"], results["r1"]["type"]) == ("succeeded", "errored")
    assert said in results["r1"]["error"]["error"]["message"]
    assert [entry["custom_id"] for entry in messages.billed()] == ["r0"]


def test_counts_stay_zero_until_the_whole_batch_has_ended(messages: MessagesServer) -> None:
    """Documented: the counts of the four outcomes "stay 0 until the entire batch ends (only `processing` is live)"."""
    messages.control(batch_polls=1)
    name = _create(messages.url, params(), params(stream=True))
    states = [get(messages.url, f"{BATCHES}/{name}").json() for _ in range(2)]
    assert [state["processing_status"] for state in states] == ["in_progress", "ended"]
    counts = [{kind: number for kind, number in state["request_counts"].items() if number} for state in states]
    assert counts == [{"processing": 2}, {"succeeded": 1, "errored": 1}]


def test_results_may_be_incomplete_while_the_counts_lie(messages: MessagesServer) -> None:
    """Reported: "a batch that has ended with counts 0 and no results; a duplicate that hides a missing one"."""
    messages.control(batch_polls=0)
    name = _create(messages.url, *(params(f"Number {number}.") for number in range(4)))
    get(messages.url, f"{BATCHES}/{name}")
    whole = get(messages.url, f"{BATCHES}/{name}/results").text.splitlines()
    messages.control(batch_results={"missing": 1, "repeated": 1})
    assert get(messages.url, f"{BATCHES}/{name}/results").text.splitlines() == [*whole[:3], whole[0]]
    messages.control(batch_results={"missing": 4, "counts": {"succeeded": 0}})
    assert get(messages.url, f"{BATCHES}/{name}/results").text == ""
    state = get(messages.url, f"{BATCHES}/{name}").json()
    assert (state["processing_status"], set(state["request_counts"].values())) == ("ended", {0})
    messages.control(batch_results={})
    assert get(messages.url, f"{BATCHES}/{name}/results").text.splitlines() == whole


def test_usage_in_a_batch_is_of_its_tier_and_place(messages: MessagesServer) -> None:
    """Usage has "service_tier (standard/priority/batch), inference_geo"; a control may lay its own over both."""
    messages.control(batch_polls=0)
    asked = _create(messages.url, params(inference_geo="us"))
    messages.control(usage={"inference_geo": "us"})
    ruled = _create(messages.url, params(model=SONNET))
    for name in (asked, ruled):
        get(messages.url, f"{BATCHES}/{name}")
        usage = _results(messages.url, name)["r0"]["message"]["usage"]
        assert (usage["service_tier"], usage["inference_geo"]) == ("batch", "us")
