"""Every failure of the Claude API, sent over real HTTP: one request, no hidden retry, the right meaning."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any

import pytest
from adapters.claude_requests import SONNET, claude, request_for
from servers.processes import MessagesServer

from seed_library.adapters.claude_errors import ApiError, retry_after, translated
from seed_library.core.errors import ItemRefused, RunBlocked, WriteFailed, WriteRetryable

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEEP_OUT = {"x-should-retry": "false"}

BLOCKING = [
    ({"status": 400, "message": "max_tokens: too large"}, "check model, thinking and effort"),
    ({"status": 400, "message": "Your credit balance is too low to access the API"}, "Add credit"),
    ({"status": 400, "message": "You have reached your specified API usage limits."}, "A spend limit that you set"),
    ({"status": 400, "error_code": "organization_on_hold"}, "on hold"),
    ({"status": 401, "type": "authentication_error"}, "ANTHROPIC_API_KEY"),
    ({"status": 402, "type": "billing_error"}, "billing"),
    ({"status": 403, "type": "permission_error"}, "workspace and permissions"),
    ({"status": 404, "type": "not_found_error"}, "--model"),
    ({"status": 422}, "check model"),
    ({"status": 429, "error_code": "enforced_spend_limit_reached"}, "spend limit of the organization"),
    ({"status": 429, "error_code": "contract_spend_limit_reached"}, "spend limit of the organization"),
    ({"status": 301, "headers": {"location": "/v1/messages"}}, "ANTHROPIC_BASE_URL"),
    ({"status": 307, "headers": {"location": "/v1/messages"}}, "ANTHROPIC_BASE_URL"),
]
RETRYABLE = [
    ({"status": 429, "headers": {"retry-after": "7"}}, False, False, 7.0),
    ({"status": 429, "error_code": "ramp_limit_exceeded"}, False, False, None),
    ({"status": 429, "headers": {"retry-after": "3600", **KEEP_OUT}}, False, False, 3600.0),
    ({"status": 529, "type": "overloaded_error"}, False, True, None),
    ({"status": 409}, False, False, None),
    ({"status": 408}, True, False, None),
    ({"status": 500}, True, False, None),
    ({"status": 503, "headers": {"retry-after-ms": "1500"}}, True, False, 1.5),
    ({"status": 504}, True, False, None),
    ({"status": 500, "headers": {"x-should-retry": "true"}}, True, False, None),
    ({"drop": "before"}, True, False, None),
    ({"drop": "after"}, True, False, None),
    ({"truncate": True}, True, False, None),
    ({"body": "<html>Please log in</html>"}, True, False, None),
    ({"body": ""}, True, False, None),
    ({"body": "[]", "content_type": "application/json"}, True, False, None),
    ({"body": '{"type": "error"}', "content_type": "application/json"}, True, False, None),
    ({"body": '"message"', "content_type": "application/json"}, True, False, None),
]
REFUSED = [
    ({"status": 413, "type": "request_too_large"}, False),
    ({"status": 409, "headers": KEEP_OUT}, False),
    ({"status": 500, "headers": KEEP_OUT}, True),
]


@pytest.mark.parametrize(("fault", "hint"), BLOCKING, ids=str)
async def test_what_concerns_every_request_ends_the_run(
    messages: MessagesServer, fault: dict[str, Any], hint: str
) -> None:
    """The sentence names the status, the reason and the request; the hint says what to do."""
    failure = await _failure(messages, {"message": "so it is", **fault})
    assert type(failure) is RunBlocked
    assert str(fault["status"]) in failure.message
    assert fault.get("error_code", "") in failure.message
    assert hint in failure.hint
    if fault["status"] >= 400:
        assert fault.get("message", "so it is") in failure.message
        assert "req_000001" in failure.message


@pytest.mark.parametrize(("fault", "maybe_billed", "overloaded", "wait"), RETRYABLE, ids=str)
async def test_what_may_pass_can_be_tried_again(
    messages: MessagesServer, fault: dict[str, Any], wait: float | None, *, maybe_billed: bool, overloaded: bool
) -> None:
    """A 429 was not billed and is about the pace, a 529 about the provider; a lost answer may have been billed."""
    failure = await _failure(messages, fault)
    assert type(failure) is WriteRetryable
    assert (failure.limits is not None) is (fault.get("status") == 429)
    assert (failure.maybe_billed, failure.overloaded, failure.retry_after) == (maybe_billed, overloaded, wait)


@pytest.mark.parametrize(("fault", "maybe_billed"), REFUSED, ids=str)
async def test_what_concerns_one_request_fails_its_item(
    messages: MessagesServer, fault: dict[str, Any], *, maybe_billed: bool
) -> None:
    """Too large, or an error that the API itself calls final."""
    failure = await _failure(messages, fault)
    assert type(failure) is ItemRefused
    assert failure.maybe_billed is maybe_billed


async def test_an_error_page_of_a_proxy_is_an_error_like_any_other(messages: MessagesServer) -> None:
    """A 502 with HTML has no error object; status and meaning are still right."""
    messages.faults({"status": 502, "headers": {"content-type": "text/html"}, "message": "<html>"})
    async with claude(messages.url) as writer:
        with pytest.raises(WriteRetryable, match="502") as caught:
            await writer.write(request_for())
    assert caught.value.maybe_billed


async def test_nobody_listening_is_free_of_charge(unused_port: int) -> None:
    """The request never left, so it may be tried as long as there is patience."""
    async with claude(f"http://127.0.0.1:{unused_port}") as writer:
        with pytest.raises(WriteRetryable, match="cannot be reached") as caught:
            await writer.write(request_for())
        _, check = await writer.look_up(SONNET)
    assert not caught.value.maybe_billed
    assert (check.ok, check.name) == (False, "claude")
    assert "ANTHROPIC_BASE_URL" in check.hint


async def test_an_api_that_never_answers_is_left_after_a_while(messages: MessagesServer) -> None:
    """The request may have been billed, so it is not simply sent again."""
    messages.faults({"hang": True})
    async with claude(messages.url, answer_seconds=0.2) as writer:
        with pytest.raises(WriteRetryable, match="no answer") as caught:
            await writer.write(request_for())
    assert caught.value.maybe_billed


async def test_a_failure_does_not_spoil_the_next_request(messages: MessagesServer) -> None:
    """One client serves the whole run."""
    messages.faults({"drop": "after"}, {"status": 500}, {"truncate": True})
    async with claude(messages.url) as writer:
        for _ in range(3):
            with pytest.raises(WriteRetryable):
                await writer.write(request_for())
        answer = await writer.write(request_for())
    assert answer.message["type"] == "message"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 -0000"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT", "date": "Mon, 23 Nov 2026 11:59:00 GMT"}, 90.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT", "date": "yesterday"}, 30.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"retry-after": "in a while"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e300"}, None),
        ({"retry-after": "3600"}, 3600.0),
        ({"retry-after-ms": "nan", "retry-after": "9"}, 9.0),
        ({"retry-after": "7, 7"}, None),
    ],
    ids=str,
)
def test_the_wait_is_read_in_every_notation(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds, or a date; nonsense counts as nothing said."""
    assert retry_after(headers, NOW) == seconds


def test_every_error_status_means_something() -> None:
    """No status falls through: whatever comes is one of the three meanings, and never certain success."""
    for status in range(300, 600):
        failure = translated(ApiError(status), NOW)
        assert isinstance(failure, RunBlocked | WriteFailed), status
        assert str(status) in str(failure)


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def _failure(messages: MessagesServer, fault: dict[str, Any]) -> Any:
    """Return what a write raises, having made sure that exactly one request was sent for it."""
    messages.faults({**fault, "times": 5})
    async with claude(messages.url) as writer:
        with pytest.raises((RunBlocked, WriteFailed)) as caught:
            await writer.write(request_for())
    assert len(messages.log()) == 1
    return caught.value
