"""What the headers of the Claude API tell of the account's rate limits (platform documentation, "Rate limits").

    anthropic-ratelimit-requests-limit      600                     a minute
    anthropic-ratelimit-requests-remaining  412
    anthropic-ratelimit-requests-reset      2026-11-26T17:00:05Z    when all of it is there again (RFC 3339)

and the same of input-tokens and output-tokens. A gateway may leave some out, or write its own. What cannot be meant
says nothing: a limit that is no positive number, a rest that is none or more than the limit, a time that is not within
the two minutes from now in which every limit of a minute is full again, by the clock of the answer itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from seed_library.core.rate_limits import Kind, Limit, RateLimits

_PREFIX = "anthropic-ratelimit-"
_NAMES: dict[Kind, str] = {
    "requests": "requests",
    "input_tokens": "input-tokens",
    "output_tokens": "output-tokens",
}
_MOST = 1e12  # a minute
_LONGEST_FIGURE = 20  # characters
_FULL_WITHIN = 120.0  # seconds


def limits_in(headers: Mapping[str, str]) -> RateLimits:
    """Return what the headers of an answer tell."""
    told = {kind: limit for kind, name in _NAMES.items() if (limit := _limit(headers, f"{_PREFIX}{name}")) is not None}
    return RateLimits(told)


def _limit(headers: Mapping[str, str], name: str) -> Limit | None:
    per_minute = _figure(headers.get(f"{name}-limit"))
    if not per_minute or per_minute > _MOST:
        return None
    remaining = _figure(headers.get(f"{name}-remaining"))
    if remaining is not None and remaining > per_minute:
        remaining = None
    return Limit(per_minute, remaining, _full_in(headers.get(f"{name}-reset"), headers.get("date")))


def _figure(text: str | None) -> float | None:
    """Read a figure that is not negative; None where there is none."""
    if text is None or len(text) > _LONGEST_FIGURE:
        return None
    try:
        figure = float(text)
    except ValueError:
        return None
    return figure if math.isfinite(figure) and figure >= 0 else None


def _full_in(reset: str | None, date: str | None) -> float | None:
    """Return the seconds between the time of an answer and a reset. Our own clock may be minutes off."""
    if reset is None or date is None:
        return None
    try:
        seconds = (datetime.fromisoformat(reset) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if 0 <= seconds <= _FULL_WITHIN else None
