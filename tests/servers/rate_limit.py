"""Rate limits as token buckets, and the headers that tell of them. Standard library only.

A bucket holds `burst` requests at most and is refilled continuously, by a minute's limit a minute. By default the burst
is what the limit allows in a second (at least one): the documentation of the API says that a limit "may be enforced per
second", 60 a minute as one a second, and that is the strictest reading. A request that finds less than one whole token
is answered with 429 and takes nothing. Tokens of input and output are counted against the limits of the tier Start,
and told, but never enforced.
"""

from __future__ import annotations

import math
import time
from typing import Any

INPUT_TOKENS_PER_MINUTE = 2_000_000
OUTPUT_TOKENS_PER_MINUTE = 400_000
_ROUNDED_TO = 1_000
Fault = dict[str, Any]


class Bucket:
    """What is left of one limit."""

    def __init__(self, per_minute: int, most: float) -> None:
        self.per_minute = per_minute
        self._most = most
        self._level = most
        self._at = time.monotonic()

    def level(self) -> float:
        """Return what the bucket holds now."""
        now = time.monotonic()
        self._level = min(self._most, self._level + (now - self._at) * self.per_minute / 60)
        self._at = now
        return self._level

    def take(self, amount: float) -> None:
        """Take something out; a bucket cannot owe anything."""
        self._level = max(0.0, self.level() - amount)

    def seconds_until(self, wanted: float) -> float:
        """Return how long it takes until the bucket holds so much."""
        return max(0.0, wanted - self.level()) * 60 / self.per_minute

    def headers(self, name: str, rounded_to: int) -> dict[str, str]:
        """Return limit, what remains, and when the bucket will be full again (RFC 3339, in whole seconds)."""
        remaining = int(self.level())
        full = math.ceil(time.time() + self.seconds_until(self._most))
        return {
            f"anthropic-ratelimit-{name}-limit": str(self.per_minute),
            f"anthropic-ratelimit-{name}-remaining": str(round(remaining / rounded_to) * rounded_to),
            f"anthropic-ratelimit-{name}-reset": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(full)),
        }


class RateLimit:
    """The limits of the organization; none until a control command sets one."""

    def __init__(self) -> None:
        self._requests: Bucket | None = None
        self._input = self._output = self._tokens = _full(0)

    def control(self, command: dict[str, Any]) -> None:
        """Obey a control command: a new limit begins with a full bucket."""
        if command.get("clear"):
            self._requests = None
        if "requests_per_minute" in command:
            limit = command["requests_per_minute"]
            burst = command.get("burst", max(1.0, limit / 60))
            self._requests = Bucket(limit, burst) if limit else None
            self._input, self._output = _full(INPUT_TOKENS_PER_MINUTE), _full(OUTPUT_TOKENS_PER_MINUTE)
            self._tokens = _full(INPUT_TOKENS_PER_MINUTE + OUTPUT_TOKENS_PER_MINUTE)

    def refusal(self) -> Fault:
        """Count a request; where it is one too many, return the fault that answers it."""
        bucket = self._requests
        if bucket is None:
            return {}
        if bucket.level() >= 1:
            bucket.take(1)
            return {}
        wait = max(1, math.ceil(bucket.seconds_until(1)))
        said = f"This request would exceed your organization's rate limit of {bucket.per_minute} requests per minute."
        return {"status": 429, "type": "rate_limit_error", "message": said, "headers": {"retry-after": str(wait)}}

    def count(self, usage: object) -> None:
        """Count the tokens of an answer."""
        read, written = _tokens(usage, "input_tokens"), _tokens(usage, "output_tokens")
        self._input.take(read)
        self._output.take(written)
        self._tokens.take(read + written)

    def headers(self) -> dict[str, str]:
        """Return what every answer of the messages endpoint says, a 429 as well."""
        if self._requests is None:
            return {}
        return {
            **self._requests.headers("requests", 1),
            **self._tokens.headers("tokens", _ROUNDED_TO),
            **self._input.headers("input-tokens", _ROUNDED_TO),
            **self._output.headers("output-tokens", _ROUNDED_TO),
        }


def _full(per_minute: int) -> Bucket:
    return Bucket(per_minute, per_minute)


def _tokens(usage: object, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return min(value, INPUT_TOKENS_PER_MINUTE) if type(value) is int and value > 0 else 0
