"""The rate limit of the scripted Messages API server. Each docstring quotes the fact."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime

import httpx
import pytest

from servers import rate_limit
from servers.http_client import COUNT, ask, get, params, refusal, streamed
from servers.processes import MessagesServer
from servers.rate_limit import Bucket, RateLimit

KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class _Clock:
    """Stands in the place of the module `time`, and stands still until it is told to go on."""

    strftime, gmtime = staticmethod(time.strftime), staticmethod(time.gmtime)

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """The clock of the buckets."""
    clock = _Clock()
    monkeypatch.setattr(rate_limit, "time", clock)
    return clock


def _limits(answer: httpx.Response) -> dict[str, str]:
    prefix = "anthropic-ratelimit-"
    return {name.removeprefix(prefix): value for name, value in answer.headers.items() if name.startswith(prefix)}


def _until_refused(ask_once: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask until the answer is a 429; how soon that is depends on the machine."""
    for _ in range(10_000):
        if (answer := ask_once()).status_code == 429:
            return answer
    raise AssertionError("never refused")


def test_every_answer_tells_of_the_limits(messages: MessagesServer) -> None:
    """Headers: "`anthropic-ratelimit-{...}-{limit,remaining,reset}` (reset RFC 3339, tokens rounded to 1000)"."""
    messages.control(requests_per_minute=1, burst=3)
    answers = [ask(messages.url), ask(messages.url, **params(max_tokens=0)), ask(messages.url), ask(messages.url)]
    assert [answer.status_code for answer in answers] == [200, 400, 200, 429]
    for answer, remaining in zip(answers, ("2", "1", "0", "0"), strict=True):
        said = _limits(answer)
        assert set(said) == {f"{kind}-{part}" for kind in KINDS for part in ("limit", "remaining", "reset")}
        assert all(RFC_3339.fullmatch(said[f"{kind}-reset"]) for kind in KINDS)
        assert (said["requests-limit"], said["requests-remaining"]) == ("1", remaining)
        assert (said["input-tokens-limit"], said["output-tokens-limit"]) == ("2000000", "400000")
        assert all(int(said[f"{kind}-remaining"]) % 1000 == 0 for kind in KINDS[1:])


def test_a_stream_tells_of_them_as_well(messages: MessagesServer) -> None:
    """The headers are those of every answer of the endpoint."""
    messages.control(requests_per_minute=1, burst=2)
    with streamed(messages.url) as response:
        response.read()
    assert (_limits(response)["requests-limit"], _limits(response)["requests-remaining"]) == ("1", "1")


def test_a_refusal_says_how_long_to_wait(messages: MessagesServer) -> None:
    """Documented of a "429 with retry-after": "wait, then retry". It comes in whole seconds, and is not billed."""
    messages.control(requests_per_minute=2)
    assert ask(messages.url).status_code == 200
    refused = ask(messages.url)
    assert refusal(refused)[:2] == (429, "rate_limit_error")
    assert "2 requests per minute" in refusal(refused)[2]
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert len(messages.billed()) == 1


def test_the_wait_is_rounded_up(messages: MessagesServer) -> None:
    """A tenth of a second is one second in the header: it has no fractions."""
    messages.control(requests_per_minute=600, burst=1)
    assert _until_refused(lambda: ask(messages.url)).headers["retry-after"] == "1"


def test_only_messages_are_limited(messages: MessagesServer) -> None:
    """count_tokens has its "own limit ... independent of Messages"; batches do "not touch Messages RPM/TPM"."""
    messages.control(requests_per_minute=1)
    assert [ask(messages.url).status_code for _ in range(2)] == [200, 429]
    for answer in (ask(messages.url, COUNT), get(messages.url, "/v1/messages/batches")):
        assert (answer.status_code, _limits(answer)) == (200, {})


def test_the_limit_changes_half_way(messages: MessagesServer) -> None:
    """An organization is moved to another tier; 0 is no limit, which is not told."""
    messages.control(requests_per_minute=1)
    assert [ask(messages.url).status_code for _ in range(2)] == [200, 429]
    messages.control(requests_per_minute=120, burst=2)
    wider = ask(messages.url)
    assert (wider.status_code, _limits(wider)["requests-limit"]) == (200, "120")
    messages.control(requests_per_minute=0)
    assert _limits(ask(messages.url)) == {}


def test_a_refused_request_leaves_the_faults_alone(messages: MessagesServer) -> None:
    """The limit stands before everything else: what it refuses never reaches a model."""
    messages.faults({"skip": 1, "status": 529, "type": "overloaded_error"})
    messages.control(requests_per_minute=1, burst=1)
    assert [ask(messages.url).status_code for _ in range(2)] == [200, 429]
    messages.control(requests_per_minute=0)
    assert ask(messages.url).status_code == 529


def test_a_bucket_is_refilled_all_the_time(clock: _Clock) -> None:
    """Documented: "Limits are token buckets": no minute ends, after which everything is allowed again."""
    bucket = Bucket(600, 10)
    bucket.take(10)
    assert bucket.seconds_until(1) == pytest.approx(0.1)
    clock.pass_by(0.25)
    assert bucket.level() == pytest.approx(2.5)
    clock.pass_by(60)
    assert bucket.level() == 10


@pytest.mark.parametrize(("limit", "at_once"), [(600, 10), (4000, 66), (60, 1), (5, 1)])
def test_by_default_a_second_s_share_is_what_goes_at_once(clock: _Clock, limit: int, at_once: int) -> None:
    """Limits "may be enforced per second"."""
    limits = RateLimit()
    limits.control({"requests_per_minute": limit})
    allowed = [not limits.refusal() for _ in range(limit)]
    assert allowed == [True] * at_once + [False] * (limit - at_once)
    clock.pass_by(60.1 / limit)
    assert [not limits.refusal() for _ in range(2)] == [True, False]


def test_tokens_are_counted_and_rounded(clock: _Clock) -> None:
    """`remaining` of tokens is rounded to thousands, `reset` says when all of them are there again."""
    limits = RateLimit()
    limits.control({"requests_per_minute": 60})
    limits.count({"input_tokens": 1_400, "output_tokens": 100_700})
    said = limits.headers()
    names = ("input-tokens", "output-tokens", "tokens")
    assert [said[f"anthropic-ratelimit-{name}-remaining"] for name in names] == ["1999000", "299000", "2298000"]
    reset = datetime.fromisoformat(said["anthropic-ratelimit-output-tokens-reset"])
    assert reset.timestamp() == clock.seconds + 16  # 100,700 of 400,000 tokens a minute take 15.1 s
    limits.count(None)
    limits.count({"input_tokens": None, "output_tokens": 10**400})
    assert limits.headers()["anthropic-ratelimit-output-tokens-remaining"] == "0"
