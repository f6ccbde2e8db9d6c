"""Plain HTTP to the scripted server, as the tests of the server itself speak it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from servers.processes import KEY

SONNET, HAIKU, OPUS = "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5"
MESSAGES, COUNT, BATCHES = "/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"
_SECONDS = 60.0
OFF = {SONNET: {"type": "between_tools"}, HAIKU: {"type": "disabled"}}


def headers(key: str = KEY) -> dict[str, str]:
    """Return what every request has to say."""
    return {"authorization": f"Bearer {key}", "anthropic-version": "2026-10-21"}


def params(user: str = "Write about a lamp.", **changes: Any) -> dict[str, Any]:
    """Return a request as the server takes it, changed; None takes a part away."""
    whole = {
        "model": SONNET,
        "max_tokens": 1024,
        "thinking": OFF[SONNET],
        "messages": [{"role": "user", "content": user}],
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def ask(url: str, path: str = MESSAGES, key: str = KEY, **body: Any) -> httpx.Response:
    """Send one POST; one without a body is a message as `params` makes it."""
    return httpx.post(f"{url}{path}", json=body or params(), headers=headers(key), timeout=_SECONDS)


def get(url: str, path: str, key: str = KEY) -> httpx.Response:
    """Send one GET."""
    return httpx.get(f"{url}{path}", headers=headers(key), timeout=_SECONDS)


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Return status, type and message of an error answer."""
    error = answer.json()["error"]
    return answer.status_code, error["type"], error["message"]


@contextmanager
def streamed(url: str, **changes: Any) -> Iterator[httpx.Response]:
    """Ask for a stream, and give the response before its events."""
    body = params(stream=True, **changes)
    with httpx.stream("POST", f"{url}{MESSAGES}", json=body, headers=headers(), timeout=_SECONDS) as response:
        yield response


@asynccontextmanager
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that sends several requests at once."""
    async with httpx.AsyncClient(base_url=url, headers=headers(), timeout=_SECONDS) as one:
        yield one
