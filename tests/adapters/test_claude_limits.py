"""The headers that tell of rate limits, as the documentation has them and as gateways may make them up."""

from __future__ import annotations

import pytest
from adapters.claude_requests import claude, request_for
from servers.http_client import params
from servers.processes import MessagesServer

from seed_library.adapters.claude_limits import limits_in
from seed_library.core.errors import WriteRetryable
from seed_library.core.rate_limits import Limit

NAME = "anthropic-ratelimit-requests"
DATE = {"date": "Thu, 26 Nov 2026 17:00:00 GMT"}


async def test_an_answer_tells_of_the_limits_of_the_account(messages: MessagesServer) -> None:
    """Requests, and tokens of input and output; the scripted server tells what the documentation says."""
    messages.control(requests_per_minute=600, burst=10)
    async with claude(messages.url) as writer:
        told = (await writer.write(request_for())).limits.told
    assert set(told) == {"requests", "input_tokens", "output_tokens"}
    assert (told["requests"].per_minute, told["requests"].remaining) in {(600, 9), (600, 10)}
    assert told["output_tokens"].per_minute == 400_000


async def test_so_does_a_stream(messages: MessagesServer) -> None:
    """Its headers come with its first event."""
    messages.control(requests_per_minute=600, burst=10)
    async with claude(messages.url) as writer:
        answer = await writer.connection.stream(params(), within=60)
    assert answer.message is not None
    assert answer.raw.limits.requests is not None


async def test_so_does_a_refusal(messages: MessagesServer) -> None:
    """And it is about the pace, not about the request."""
    messages.control(requests_per_minute=1, burst=1)
    async with claude(messages.url) as writer:
        await writer.write(request_for())
        with pytest.raises(WriteRetryable) as caught:
            await writer.write(request_for())
    assert caught.value.limits is not None
    assert caught.value.limits.requests == Limit(1, 0)
    assert caught.value.retry_after is not None


async def test_an_overloaded_provider_tells_of_no_limit(messages: MessagesServer) -> None:
    """529 is no rate limit, whatever headers it has."""
    messages.control(requests_per_minute=600)
    messages.faults({"status": 529, "type": "overloaded_error"})
    async with claude(messages.url) as writer:
        with pytest.raises(WriteRetryable) as caught:
            await writer.write(request_for())
    assert (caught.value.overloaded, caught.value.limits) == (True, None)


async def test_an_account_without_limits_tells_of_none(messages: MessagesServer) -> None:
    """Nothing is made up."""
    async with claude(messages.url) as writer:
        assert not (await writer.write(request_for())).limits.told


@pytest.mark.parametrize(
    ("limit", "remaining", "told"),
    [
        ("600", "12", Limit(600, 12)),
        ("600", "0", Limit(600, 0)),
        ("600", None, Limit(600)),
        ("600.0", "1e1", Limit(600, 10)),
        ("600", "601", Limit(600)),
        ("600", "-1", Limit(600)),
        ("600", "many", Limit(600)),
        ("600", "nan", Limit(600)),
        (None, "12", None),
        ("0", "0", None),
        ("-600", "3", None),
        ("", "3", None),
        ("600/min", "3", None),
        ("600, 600", "3", None),
        ("nan", "3", None),
        ("inf", "3", None),
        ("1e30", "3", None),
        ("9" * 4000, "3", None),
        ("٦٠٠", "3", Limit(600, 3)),
        ("unlimited", "unlimited", None),
    ],
)
def test_a_figure_that_cannot_be_meant_says_nothing(
    limit: str | None, remaining: str | None, told: Limit | None
) -> None:
    """Missing, negative, huge, with a unit, twice, or no figure at all: the others still count."""
    headers = {f"{NAME}-limit": limit, f"{NAME}-remaining": remaining, "anthropic-ratelimit-tokens-limit": "5"}
    found = limits_in({name: value for name, value in headers.items() if value is not None})
    assert found.requests == told
    assert set(found.told) == ({"requests"} if told else set())


@pytest.mark.parametrize(
    ("reset", "date", "seconds"),
    [
        ("2026-11-26T17:00:05Z", DATE, 5.0),
        ("2026-11-26T18:00:05+01:00", DATE, 5.0),
        ("2026-11-26T17:00:05.250Z", DATE, 5.25),
        ("2026-11-26T17:00:05Z", {}, None),
        ("2026-11-26T17:00:05Z", {"date": "today"}, None),
        ("2026-11-26T17:00:05", DATE, None),
        ("2026-11-26T16:59:59Z", DATE, None),
        ("2026-11-27T17:00:00Z", DATE, None),
        ("1795712405", DATE, None),
        ("5", DATE, None),
        ("5s", DATE, None),
        ("", DATE, None),
    ],
)
def test_the_time_of_a_full_bucket_is_read_by_the_clock_of_the_answer(
    reset: str, date: dict[str, str], seconds: float | None
) -> None:
    """RFC 3339; in the past, of another unit, or without a clock to compare it with, it says nothing."""
    told = limits_in({f"{NAME}-limit": "600", f"{NAME}-reset": reset, **date}).requests
    assert told == Limit(600, None, seconds)
