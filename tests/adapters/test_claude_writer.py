"""What the Claude writer sends, what it returns, and what it finds out about a model, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from adapters.claude_requests import SONNET, claude, request_for
from servers.processes import KEY, MessagesServer

from seed_library.core.drafts import Request, reading_fault, text_of
from seed_library.core.errors import RunBlocked

LONG_SYSTEM = "Sätze mit Umlauten. " * 100


@pytest.mark.parametrize(
    ("request_", "thinking", "max_tokens"),
    [
        (request_for("claude-sonnet-5-5"), {"type": "between_tools"}, 1024),
        (request_for("claude-haiku-5-5"), {"type": "disabled"}, 1024),
        (request_for("claude-opus-5-5"), {"type": "adaptive"}, 1024 + 4096),
        (request_for("claude-sonnet-5-5", thinking="on"), {"type": "adaptive"}, 1024 + 4096),
    ],
    ids=["sonnet off", "haiku off", "opus cannot be off", "sonnet on"],
)
@pytest.mark.parametrize("asked_before", [True, False], ids=["by the API", "by the table"])
async def test_thinking_is_turned_off_the_way_each_model_accepts(
    messages: MessagesServer, request_: Request, thinking: dict[str, str], max_tokens: int, *, asked_before: bool
) -> None:
    """There is no single value for "off"; where thinking stays on, the answer gets more room."""
    async with claude(messages.url) as writer:
        if asked_before:
            await writer.look_up(request_.spec.model)
        await writer.write(request_)
    body = _only_body(messages)
    assert body["thinking"] == thinking
    assert body["max_tokens"] == max_tokens


async def test_abilities_come_from_the_api_where_it_tells_them(messages: MessagesServer) -> None:
    """The dated table says between_tools, the server says adaptive only and a small ceiling: the server is right."""
    types = {"adaptive": {"supported": True}, "between_tools": {"supported": False}}
    changes = {"capabilities": {"thinking": {"types": types}}, "max_tokens": 2000}
    messages.control(models={SONNET: changes})
    async with claude(messages.url) as writer:
        facts, check = await writer.look_up(SONNET)
        await writer.write(request_for())
    assert check.ok
    assert (facts.thinking_types, facts.max_output_tokens, facts.source) == (("adaptive",), 2000, "the API")
    assert facts.price.output == 10
    body = _only_body(messages)
    assert (body["thinking"], body["max_tokens"]) == ({"type": "adaptive"}, 2000)


@pytest.mark.parametrize("capabilities", [None, {}, {"thinking": None}, {"thinking": {"types": "?"}}, [1]])
async def test_abilities_come_from_the_table_where_the_api_is_silent(
    messages: MessagesServer, capabilities: Any
) -> None:
    """Proxies leave the fields empty or fill them with something else."""
    messages.control(models={SONNET: {"capabilities": capabilities, "lifecycle": None, "max_tokens": None}})
    async with claude(messages.url) as writer:
        facts, check = await writer.look_up(SONNET)
    assert check.ok
    assert facts.thinking_off == "between_tools"
    assert (facts.lifecycle, facts.max_output_tokens) == ("active", 128_000)
    assert facts.source.startswith("table of ")


async def test_a_request_says_no_more_than_it_must(messages: MessagesServer) -> None:
    """No sampling parameters (the API refuses them), no tools, no stream; umlauts travel as they are."""
    async with claude(messages.url) as writer:
        await writer.write(request_for(user="Größe, Süße, 甲子"))
    assert _only_body(messages) == {
        "model": SONNET,
        "max_tokens": 1024,
        "system": [{"type": "text", "text": "Du schreibst knapp."}],
        "messages": [{"role": "user", "content": "Größe, Süße, 甲子"}],
        "thinking": {"type": "between_tools"},
    }


async def test_an_effort_is_sent_when_the_catalog_names_one(messages: MessagesServer) -> None:
    """Otherwise the model's own default holds."""
    async with claude(messages.url) as writer:
        await writer.write(request_for(effort="low"))
    assert _only_body(messages)["output_config"] == {"effort": "low"}


async def test_a_long_system_prompt_is_marked_for_the_cache(messages: MessagesServer) -> None:
    """The mark stands on the system block, never at the top, where it would pay for 180 cache writes."""
    async with claude(messages.url) as writer:
        await writer.write(request_for(system=LONG_SYSTEM))
    body = _only_body(messages)
    assert body["system"] == [{"type": "text", "text": LONG_SYSTEM, "cache_control": {"type": "ephemeral"}}]
    assert "cache_control" not in body
    assert "cache_control" not in json.dumps(body["messages"])


async def test_the_key_travels_as_a_bearer_token_only(messages: MessagesServer) -> None:
    """With the API version, and in no other header."""
    async with claude(messages.url) as writer:
        await writer.write(request_for())
    headers = messages.log()[0]["headers"]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["anthropic-version"] == "2026-10-21"
    assert [name for name, value in headers.items() if KEY in value] == ["authorization"]


async def test_the_raw_message_is_returned_as_it_was_sent(messages: MessagesServer) -> None:
    """Unknown fields, unknown blocks and umlauts included: the journal keeps what was paid for."""
    content = [{"type": "thinking", "thinking": "", "signature": "c2ln"}, {"type": "text", "text": "Süß wie Größe. 甲"}]
    messages.faults({"content": [*content, {"type": "news", "x": [1, None, 0.5]}], "stop_details": {"later": True}})
    async with claude(messages.url) as writer:
        answer = await writer.write(request_for())
    assert answer.message["content"] == [*content, {"type": "news", "x": [1, None, 0.5]}]
    assert answer.message["stop_details"] == {"later": True}
    assert answer.message["id"] == messages.billed()[0]["id"]
    assert text_of(answer.message) == "Süß wie Größe. 甲"
    assert (answer.request_id, answer.workspace) == ("req_000001", "wrkspc_test")


@pytest.mark.parametrize("reason", ["refusal", "max_tokens", "pause_turn"])
async def test_an_answer_without_a_usable_text_is_still_returned(messages: MessagesServer, reason: str) -> None:
    """It was paid for, so it is kept; reading it is the next step's business."""
    messages.faults({"stop_reason": reason, "content": []})
    async with claude(messages.url) as writer:
        answer = await writer.write(request_for())
    assert answer.message["stop_reason"] == reason
    assert reading_fault(answer.message)


async def test_tokens_are_counted_for_the_same_prompt_and_for_nothing(messages: MessagesServer) -> None:
    """The free endpoint gets the request without `max_tokens`, which it does not know."""
    request = request_for(system=LONG_SYSTEM, effort="low")
    async with claude(messages.url) as writer:
        tokens = await writer.count_tokens(request)
        answer = await writer.write(request)
    assert tokens == answer.message["usage"]["input_tokens"]
    counted = messages.log("/v1/messages/count_tokens")[0]["body"]
    assert {**counted, "max_tokens": 1024} == _only_body(messages)


@pytest.mark.parametrize(
    "fault",
    [{"status": 404}, {"status": 529}, {"drop": "before"}, {"body": "<html>"}, {"body": "[]"}, {"body": "{}"}],
)
async def test_an_api_that_cannot_count_says_nothing(messages: MessagesServer, fault: dict[str, Any]) -> None:
    """An estimate takes its place; a plan never fails for it."""
    messages.faults({"path": "/v1/messages/count_tokens", **fault})
    async with claude(messages.url) as writer:
        assert await writer.count_tokens(request_for()) is None


@pytest.mark.parametrize(
    ("lifecycle", "ok", "said"),
    [("active", True, "is active"), ("deprecated", True, "deprecated"), ("retired", False, "retired since 2026-12-24")],
)
async def test_the_lifecycle_is_what_the_api_says(
    messages: MessagesServer, lifecycle: str, said: str, *, ok: bool
) -> None:
    """A retired model is refused before anything is paid, a deprecated one only mentioned."""
    messages.control(models={SONNET: {"lifecycle": lifecycle, "retires_at": "2026-12-24T00:00:00Z"}})
    async with claude(messages.url) as writer:
        facts, check = await writer.look_up(SONNET)
    assert check.ok is ok
    assert said in check.message
    assert (facts.lifecycle, facts.retires) == (lifecycle, "2026-12-24")
    assert bool(check.hint) is (lifecycle != "active")


async def test_a_model_known_to_be_retired_is_refused_without_asking(messages: MessagesServer) -> None:
    """The model of the original script died in June 2026."""
    async with claude(messages.url) as writer:
        _, check = await writer.look_up("claude-sonnet-4-20250514")
    assert not check.ok
    assert "retired since 2026-06-15" in check.message
    assert messages.control(state=True)["log"] == []


async def test_an_unknown_model_is_refused(messages: MessagesServer) -> None:
    """A typing error in --model is no reason to pay for 404s."""
    async with claude(messages.url) as writer:
        _, check = await writer.look_up("claude-sonett-5-5")
        assert not check.ok
        assert "'claude-sonett-5-5'" in check.message
        assert "--model" in check.hint
        with pytest.raises(RunBlocked, match="Nothing is known"):
            await writer.write(request_for("claude-sonett-5-5"))
    assert messages.billed() == []


async def test_a_known_model_that_a_proxy_does_not_list_passes(messages: MessagesServer) -> None:
    """The canary will tell; the sentence says what the facts rest on."""
    messages.faults({"path": "/v1/models/", "status": 404})
    async with claude(messages.url) as writer:
        facts, check = await writer.look_up(SONNET)
    assert check.ok
    assert "not listed by this API" in check.message
    assert facts.source in check.message


async def test_a_model_without_a_known_price_is_refused(messages: MessagesServer) -> None:
    """Without a price no budget can hold."""
    messages.control(models={"claude-sonnet-6": {"lifecycle": "active"}})
    async with claude(messages.url) as writer:
        _, check = await writer.look_up("claude-sonnet-6")
    assert not check.ok
    assert "price" in check.message
    assert "SEED_LIBRARY_MODELS_FILE" in check.hint


@pytest.mark.parametrize(
    ("fault", "name", "said"),
    [
        ({"status": 403, "message": "no access"}, "claude key", "no access"),
        ({"status": 529, "type": "overloaded_error"}, "claude", "529"),
        ({"status": 307, "headers": {"location": "https://elsewhere.example/"}}, "claude", "307"),
        ({"drop": "before"}, "claude", "no answer"),
        ({"body": "<html>Please log in</html>"}, "claude", "no JSON object"),
        ({"body": "[]"}, "claude", "no JSON object"),
    ],
    ids=["forbidden", "overloaded", "redirect", "dropped", "HTML", "a list"],
)
async def test_trouble_while_looking_up_is_a_finding_with_a_hint(
    messages: MessagesServer, fault: dict[str, Any], name: str, said: str
) -> None:
    """It is returned, not raised, so that all findings can be reported together."""
    messages.faults({"path": "/v1/models/", **fault})
    async with claude(messages.url) as writer:
        facts, check = await writer.look_up(SONNET)
    assert (check.ok, check.name) == (False, name)
    assert said in check.message
    assert check.hint
    assert facts.price.output == 10


def _only_body(messages: MessagesServer) -> dict[str, Any]:
    (entry,) = messages.log()
    body: dict[str, Any] = entry["body"]
    return body
