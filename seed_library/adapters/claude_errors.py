"""What the Claude API answers, translated: try again, this item, or the whole run.

Decided by status, `error.type` and `error_code`, never by texts, with one exception: a spent credit and a reached
spend limit arrive as plain 400s, and either way a 400 ends the run, so the text only chooses the hint.

| answer                                   | means                     | may be billed |
|------------------------------------------|---------------------------|---------------|
| 3xx (redirects are not followed)         | the whole run             | no            |
| 400, 401, 402, 403, 404, 422, others 4xx | the whole run             | no            |
| 413                                      | this item                 | no            |
| 409, 529                                 | try again                 | no            |
| 429                                      | try again, more slowly    | no            |
| 429 with a spend limit's code            | the whole run             | no            |
| 408, 5xx                                 | try again                 | perhaps       |
| no connection                            | try again                 | no            |
| none is possible: a certificate, a proxy | the whole run             | no            |
| no answer, a broken answer               | try again                 | perhaps       |
| an error in the middle of a stream       | try again                 | perhaps       |
| `x-should-retry: false` on 408, 409, 5xx | this item                 | as above      |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from seed_library.adapters.claude_limits import limits_in
from seed_library.adapters.obstacles import Obstacle
from seed_library.core.errors import ItemRefused, RunBlocked, ServiceUnreachable, WriteRetryable

_SPEND_LIMITS = {"enforced_spend_limit_reached", "contract_spend_limit_reached"}
_TOO_MANY_REQUESTS = 429
_OVERLOADED = 529
_TOO_LARGE = 413
_CONFLICT = 409
_TIMEOUT = 408
_SERVER_ERRORS = 500
_CLIENT_ERRORS = 400
_ELSEWHERE = "It is no answer of the Claude API: check ANTHROPIC_BASE_URL, and what stands before it."
_NOT_THE_API = {400, 403, 404, 405}  # what other servers and gateways say, without the API's error object
_OVERLOADED_KIND = "overloaded_error"
_LONGEST_WAIT = 31 * 24 * 3600  # seconds: a spend limit lasts until the next month, nothing lasts longer


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error answer of the API. `said` is its message."""

    status: int
    kind: str = ""
    code: str = ""
    said: str = ""
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def translated(error: ApiError, now: datetime) -> Exception:
    """Return the failure that an error answer means for the engine."""
    sentence = _sentence(error)
    if error.code in _SPEND_LIMITS:
        return RunBlocked(sentence, hint="The spend limit of the organization is reached. It is raised in the console.")
    if error.status in {_TOO_MANY_REQUESTS, _OVERLOADED}:
        return WriteRetryable(
            sentence,
            maybe_billed=False,
            retry_after=retry_after(error.headers, now),
            overloaded=error.status == _OVERLOADED,
            limits=limits_in(error.headers) if error.status == _TOO_MANY_REQUESTS else None,
        )
    if error.status in {_CONFLICT, _TIMEOUT} or error.status >= _SERVER_ERRORS:
        return _passing(error, sentence, now)
    if error.status == _TOO_LARGE:
        return ItemRefused(sentence, maybe_billed=False)
    return RunBlocked(sentence, hint=_hint(error))


def _passing(error: ApiError, sentence: str, now: datetime) -> Exception:
    maybe_billed = error.status != _CONFLICT
    if error.headers.get("x-should-retry") == "false":
        return ItemRefused(sentence, maybe_billed=maybe_billed)
    return WriteRetryable(sentence, maybe_billed=maybe_billed, retry_after=retry_after(error.headers, now))


def no_connection(found: Obstacle) -> WriteRetryable | ServiceUnreachable:
    """Return the failure of a request that never left."""
    said = f"The Claude API cannot be reached: {found.reason}."
    if found.lasting:
        return ServiceUnreachable(said, hint=found.hint)
    return WriteRetryable(said, maybe_billed=False, hint=found.hint)


def no_answer(kind: str, hint: str = "") -> WriteRetryable:
    """Return the failure of a request that left and got no answer."""
    return WriteRetryable(
        f"The Claude API gave no answer ({kind}); the request may have been billed.", maybe_billed=True, hint=hint
    )


def unreadable(reason: str, request_id: str) -> WriteRetryable:
    """Return the failure of a 200 that holds no message."""
    return WriteRetryable(
        f"The answer is not a message: {reason}{_of(request_id)}; it may have been billed.", maybe_billed=True
    )


def failed_midway(kind: str, request_id: str) -> WriteRetryable:
    """Return the failure of a stream that says, after its 200, that something has failed."""
    said = f"The answer broke off with an error ({kind or 'of an unknown kind'}){_of(request_id)}"
    return WriteRetryable(f"{said}; it may have been billed.", maybe_billed=True, overloaded=kind == _OVERLOADED_KIND)


def cut_off(request_id: str) -> WriteRetryable:
    """Return the failure of a stream that ended without the end of its message."""
    return WriteRetryable(
        f"The answer broke off before its end{_of(request_id)}; it may have been billed.", maybe_billed=True
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that the provider asks to wait; None where it does not say, or says what cannot be meant.

    A date is compared with that of the answer itself, where it has one: our own clock may be wrong.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            seconds = float(value) * unit
        except ValueError:
            seconds = _seconds_until(value, headers.get("date", ""), now)
        if seconds <= _LONGEST_WAIT:  # not a number is not less
            return max(0.0, seconds)
    return None


def _seconds_until(value: str, said_at: str, now: datetime) -> float:
    """Return the seconds until a date; not a number where it is none."""
    try:
        with suppress(ValueError):
            now = parsedate_to_datetime(said_at)
        return (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return math.nan


def _sentence(error: ApiError) -> str:
    name = error.code or error.kind
    kind = f"{error.status} {name}" if name else str(error.status)
    return f"The Claude API answers {kind}: {error.said or 'no reason given'}{_of(error.request_id)}"


def _of(request_id: str) -> str:
    return f" (request {request_id})" if request_id else ""


def _hint(error: ApiError) -> str:
    by_status = {
        401: "Check ANTHROPIC_API_KEY: it is unknown, revoked, or of another environment.",
        402: "Check the billing page of the Claude console.",
        403: "This key may not do that. Check its workspace and permissions.",
        404: "The model does not exist or is retired. Choose another one with --model.",
    }
    if not error.kind:
        by_status |= dict.fromkeys(_NOT_THE_API, _ELSEWHERE)
    if error.status in by_status:
        return by_status[error.status]
    if error.status < _CLIENT_ERRORS:
        return "The address leads elsewhere. Set ANTHROPIC_BASE_URL to where the API really is."
    if error.code == "organization_on_hold":
        return "The organization is on hold. See the Claude console."
    if "credit balance" in error.said:
        return "The credit is used up. Add credit in the Claude console, then run again."
    if "usage limits" in error.said:
        return "A spend limit that you set is reached. Raise it in the Claude console, then run again."
    return "The request itself is refused, as every other one would be: check model, thinking and effort."
