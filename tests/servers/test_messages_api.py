"""The scripted Messages API server refuses and answers what the real one does. Each docstring quotes the fact."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from servers.http_client import COUNT, HAIKU, MESSAGES, OFF, OPUS, SONNET, ask, get, headers, params, refusal
from servers.processes import MessagesServer

ENDPOINTS = pytest.mark.parametrize("path", [MESSAGES, COUNT], ids=["messages", "count_tokens"])
EFFORTS = ("low", "medium", "high", "xhigh", "max")


def _refused(answer: httpx.Response, said: str) -> None:
    status, kind, message = refusal(answer)
    assert (status, kind) == (400, "invalid_request_error")
    assert said in message


def _schema(**inner: Any) -> dict[str, Any]:
    """Return an `output_config` whose schema is right but for `inner`."""
    text = {"type": "string"} | {name: value for name, value in inner.items() if name != "additionalProperties"}
    schema = {"type": "object", "properties": {"text": text}, "required": ["text"], "additionalProperties": False}
    if "additionalProperties" in inner:
        schema["additionalProperties"] = inner["additionalProperties"]
    return {"format": {"type": "json_schema", "schema": schema}}


@ENDPOINTS
@pytest.mark.parametrize("model", [SONNET, HAIKU])
@pytest.mark.parametrize("effort", EFFORTS)
def test_thinking_off_goes_with_the_lower_efforts_only(
    messages: MessagesServer, path: str, model: str, effort: str
) -> None:
    """Sonnet: `between_tools` "(= off; effort low/medium/high only)"; haiku: `disabled` with the same words."""
    body = params(model=model, thinking=OFF[model], output_config={"effort": effort})
    answer = ask(messages.url, path, **body)
    if effort in {"xhigh", "max"}:
        _refused(answer, f"'{effort}' is not supported when thinking is off")
    else:
        assert answer.status_code == 200
    assert ask(messages.url, path, **{**body, "thinking": {"type": "adaptive"}}).status_code == 200


@ENDPOINTS
@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (SONNET, {"type": "disabled"}),
        (SONNET, {"type": "enabled", "budget_tokens": 1024}),
        (SONNET, {"type": "between_tools", "display": "omitted"}),
        (HAIKU, {"type": "between_tools"}),
        (OPUS, {"type": "disabled"}),
    ],
    ids=str,
)
def test_each_model_takes_its_own_thinking_types(
    messages: MessagesServer, path: str, model: str, thinking: dict[str, Any]
) -> None:
    """The table of what is accepted and what is a 400.

    Sonnet: "`disabled`, `enabled`+budget" are 400, `between_tools` "takes no other field"; haiku: "between_tools
    (sonnet-5-5 only)"; opus: "adaptive, always ON".
    """
    _refused(ask(messages.url, path, **params(model=model, thinking=thinking)), "thinking")


@ENDPOINTS
@pytest.mark.parametrize("effort", ["extreme", "", 3])
def test_an_unknown_effort_is_refused(messages: MessagesServer, path: str, effort: object) -> None:
    """`output_config={"effort": "low|medium|high|xhigh|max"}`."""
    _refused(ask(messages.url, path, **params(output_config={"effort": effort})), "output_config.effort")


def test_efforts_and_thinking_are_what_the_model_says_of_itself(messages: MessagesServer) -> None:
    """Read `models.retrieve(id).capabilities.thinking.types.{...}.supported`; "same for `.effort.{low,...}`"."""
    capabilities = {"effort": {"low": {"supported": True}, "high": {"supported": False}}}
    capabilities["thinking"] = {"types": {"adaptive": {"supported": True}}}  # type: ignore[dict-item]  # JSON
    messages.control(models={SONNET: {"capabilities": capabilities}})
    assert get(messages.url, f"/v1/models/{SONNET}").json()["capabilities"] == capabilities
    low, high = ({"effort": effort} for effort in ("low", "high"))
    on = {"type": "adaptive"}
    assert ask(messages.url, **params(thinking=on, output_config=low)).status_code == 200
    _refused(ask(messages.url, **params(thinking=on, output_config=high)), "'high' is not supported")
    _refused(ask(messages.url, **params(output_config=low)), "thinking.type")


def test_a_model_says_what_it_can_do(messages: MessagesServer) -> None:
    """ModelInfo has "capabilities {batch, structured_outputs, effort, thinking, ...}.supported"."""
    said = get(messages.url, f"/v1/models/{HAIKU}").json()["capabilities"]
    assert [said[name]["supported"] for name in ("batch", "structured_outputs", "effort", "thinking")] == [True] * 4
    assert [name for name in EFFORTS if said["effort"][name]["supported"]] == list(EFFORTS)


@ENDPOINTS
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"minLength": 3}, "minLength"),
        ({"maxLength": 300}, "maxLength"),
        ({"minimum": 1}, "minimum"),
        ({"maximum": 9}, "maximum"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, "minItems"),
        ({"type": "array", "items": {"type": "string", "maxLength": 3}}, "maxLength"),
        ({"additionalProperties": True}, "additionalProperties"),
        ({"additionalProperties": None}, "additionalProperties"),
        ({"type": "object", "properties": {}}, "additionalProperties"),
    ],
    ids=str,
)
def test_a_schema_that_structured_outputs_do_not_take(
    messages: MessagesServer, path: str, change: dict[str, Any], said: str
) -> None:
    """Structured outputs: "Unsupported keyword -> 400".

    "objects need `additionalProperties:false`; no minLength/maxLength, minimum/maximum ...; minItems only 0/1".
    """
    _refused(ask(messages.url, path, **params(output_config=_schema(**change))), said)


def test_a_property_may_be_called_like_a_keyword(messages: MessagesServer) -> None:
    """What is refused are keywords, not names: a column may be called `minimum`."""
    output = _schema()
    output["format"]["schema"]["properties"]["minimum"] = {"type": "string"}
    output["format"]["schema"]["required"].append("minimum")
    answer = ask(messages.url, **params(output_config=output))
    assert answer.status_code == 200
    assert '"minimum": ' in answer.json()["content"][0]["text"]


@pytest.mark.parametrize(("optional", "status"), [(24, 200), (25, 400)])
def test_a_schema_has_24_optional_parameters_at_most(messages: MessagesServer, optional: int, status: int) -> None:
    """Structured outputs: "<= 24 optional params, <= 16 unions"."""
    output = _schema()
    output["format"]["schema"]["properties"] |= {f"p{number}": {"type": "string"} for number in range(optional)}
    assert ask(messages.url, **params(output_config=output)).status_code == status


@pytest.mark.parametrize("max_tokens", [None, 0, -1, "1024", 128_001])
def test_max_tokens_is_needed_and_has_bounds(messages: MessagesServer, max_tokens: object) -> None:
    """Every model of the table has its "max out" (128k); the parameter is required."""
    _refused(ask(messages.url, **params(max_tokens=max_tokens)), "max_tokens")
    assert ask(messages.url, **params(max_tokens=128_000)).status_code == 200


def test_tokens_are_counted_without_max_tokens(messages: MessagesServer) -> None:
    """count_tokens has "No `max_tokens` argument", and counts the "few extra input tokens" of structured outputs."""
    plain = params(max_tokens=None)
    shaped = {**plain, "output_config": _schema()}
    counted = [ask(messages.url, COUNT, **body).json()["input_tokens"] for body in (plain, shaped)]
    used = [ask(messages.url, **body, max_tokens=1024).json()["usage"]["input_tokens"] for body in (plain, shaped)]
    assert counted == used
    assert counted[1] > counted[0] + 30


@ENDPOINTS
@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_parameters_are_gone(messages: MessagesServer, path: str, name: str) -> None:
    """API 2026-10-21: sampling parameters "-> 400 even at the default value and on every model"."""
    _refused(ask(messages.url, path, **{**params(), name: 1}), name)


@ENDPOINTS
def test_an_answer_cannot_be_begun_for_the_model(messages: MessagesServer, path: str) -> None:
    """Prefill "(ending with an assistant turn) -> 400"."""
    turns = [{"role": "user", "content": "Go."}, {"role": "assistant", "content": "{"}]
    _refused(ask(messages.url, path, **params(messages=turns)), "messages")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(messages: MessagesServer, body: bytes) -> None:
    """A proxy that damages a request gets a 400, and the server lives on."""
    _refused(httpx.post(f"{messages.url}{MESSAGES}", content=body, headers=headers()), "JSON")
    assert ask(messages.url).status_code == 200


@pytest.mark.parametrize("place", ["us", "global"])
def test_usage_says_where_a_request_was_worked_on(messages: MessagesServer, place: str) -> None:
    """Documented: "Usage says where a request was worked on (`inference_geo`)"."""
    assert ask(messages.url, **params(inference_geo=place)).json()["usage"]["inference_geo"] == place
    assert ask(messages.url).json()["usage"]["inference_geo"] == "global"


@ENDPOINTS
@pytest.mark.parametrize("place", ["eu", "US", 1])
def test_there_are_two_places_only(messages: MessagesServer, path: str, place: object) -> None:
    """Of the places, `us` is the dear one ("1.1x on everything"); the other is `global`."""
    _refused(ask(messages.url, path, **params(inference_geo=place)), "inference_geo")


def test_a_control_says_what_every_usage_says(messages: MessagesServer) -> None:
    """A workspace may have a place of its own, whatever the request asks for."""
    messages.control(usage={"inference_geo": "us"})
    assert [ask(messages.url).json()["usage"]["inference_geo"] for _ in range(2)] == ["us", "us"]
    messages.reset()
    assert ask(messages.url).json()["usage"]["inference_geo"] == "global"


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 0, "output_tokens": 0},
        {"input_tokens": None, "output_tokens": "many"},
        {"output_tokens": int("9" * 400)},
        {"output_tokens": 1.5, "cache_creation": [1]},
    ],
    ids=["0/0", "odd", "400 digits", "fraction"],
)
def test_a_fault_changes_what_usage_says(messages: MessagesServer, usage: dict[str, Any]) -> None:
    """A gateway may answer a text with usage 0/0 or anything else; what is billed is recorded as it was said."""
    messages.faults({"usage": usage})
    changed, normal = ask(messages.url).json(), ask(messages.url).json()
    assert changed["usage"] == {**normal["usage"], **usage}
    assert changed["content"] == normal["content"]
    assert messages.billed()[0]["usage"] == changed["usage"]


def test_a_fault_takes_usage_away(messages: MessagesServer) -> None:
    """Parts of it, or all: proxies leave fields out."""
    messages.faults({"usage_without": ["output_tokens", "service_tier"]}, {"usage": None})
    parts, nothing, normal = (ask(messages.url).json()["usage"] for _ in range(3))
    assert set(normal) - set(parts) == {"output_tokens", "service_tier"}
    assert nothing is None


def test_thinking_uses_up_max_tokens(messages: MessagesServer) -> None:
    """Thinking tokens "count against `max_tokens`".

    "a small max_tokens can end with stop_reason `max_tokens` after a thinking block with no text at all"
    """
    answer = ask(messages.url, **params(thinking=None, max_tokens=300)).json()
    assert ([block["type"] for block in answer["content"]], answer["stop_reason"]) == (["thinking"], "max_tokens")
    assert answer["usage"]["output_tokens"] == 300
    whole = ask(messages.url, **params(thinking=None, max_tokens=4096)).json()
    assert ([block["type"] for block in whole["content"]], whole["stop_reason"]) == (["thinking", "text"], "end_turn")
    assert 0 < whole["usage"]["output_tokens_details"]["thinking_tokens"] < whole["usage"]["output_tokens"]


def test_a_text_ends_where_max_tokens_end(messages: MessagesServer) -> None:
    """Structured outputs: "Guarantee is void on `max_tokens`": the text is cut, and stop_reason says so."""
    whole, cut = (ask(messages.url, **params(max_tokens=most)).json() for most in (1024, 50))
    assert (cut["stop_reason"], cut["usage"]["output_tokens"]) == ("max_tokens", 50)
    assert whole["content"][0]["text"].startswith(cut["content"][0]["text"])
    assert len(cut["content"][0]["text"]) < len(whole["content"][0]["text"])


def test_a_gateway_may_put_the_text_into_a_code_fence(messages: MessagesServer) -> None:
    """Reported of gateways: they wrap the JSON in a code fence."""
    messages.faults({"fence": True})
    fenced, plain = (ask(messages.url).json()["content"][0]["text"] for _ in range(2))
    assert fenced == f"```json\n{plain}\n```"


def test_the_same_prompt_gets_another_text_each_time_where_that_is_asked_for(messages: MessagesServer) -> None:
    """As a real model does it; without that a prompt has always the same one."""
    same = {_text_of(ask(messages.url, **params())) for _ in range(3)}
    messages.control(varied=True)
    others = {_text_of(ask(messages.url, **params())) for _ in range(3)}
    assert (len(same), len(same | others)) == (1, 4)
    messages.reset()
    assert _text_of(ask(messages.url, **params())) in same


def _text_of(answer: httpx.Response) -> str:
    return "".join(block["text"] for block in answer.json()["content"] if block["type"] == "text")
