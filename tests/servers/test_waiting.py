"""Answers of the scripted Messages API server that are late, held, or for nobody any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from servers.http_client import MESSAGES, client, params
from servers.processes import MessagesServer

TEN_MINUTES_MS = 600_000
_Task = asyncio.Task[httpx.Response]


async def _until(messages: MessagesServer, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for a state while requests are under way."""
    return await asyncio.to_thread(messages.wait_for, condition)


async def _hold(messages: MessagesServer, http: httpx.AsyncClient, count: int, **changes: Any) -> list[_Task]:
    """Send requests, one after the other, and wait until their answers are held."""
    messages.faults({"hold": True, "times": count})
    tasks: list[_Task] = []
    while len(tasks) < count:
        tasks.append(asyncio.create_task(_ask(http, f"held {len(tasks)}", **changes)))
        await _until(messages, lambda state: state["held"] == len(tasks))
    return tasks


async def _ask(http: httpx.AsyncClient, user: str, **changes: Any) -> httpx.Response:
    return await http.post(MESSAGES, json=params(user, **changes))


async def test_a_very_late_answer_keeps_nobody_else_waiting(messages: MessagesServer) -> None:
    """Answers "may take long": one of ten minutes costs the others nothing, and is no thread of the server's."""
    messages.faults({"match": "slow", "delay_ms": TEN_MINUTES_MS, "times": 200})
    async with client(messages.url) as http:
        slow = [asyncio.create_task(_ask(http, f"slow {number}")) for number in range(90)]
        await _until(messages, lambda state: len(state["log"]) == 90)
        assert [(await _ask(http, f"quick {number}")).status_code for number in range(5)] == [200] * 5
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    state = await _until(messages, lambda state: sum("gone" in entry for entry in state["log"]) == 90)
    assert len(state["billed"]) == 5


async def test_a_delay_is_waited_for(messages: MessagesServer) -> None:
    """The entry in the log has both moments, on the clock of the machine."""
    messages.faults({"delay_ms": 80})
    async with client(messages.url) as http:
        assert (await _ask(http, "late")).status_code == 200
    (entry,) = messages.log()
    assert entry["finished"] - entry["arrived"] >= 0.08


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_answer_is_held_until_it_is_released(messages: MessagesServer, stream: object) -> None:
    """So that a test decides what happens before the answer: no clock does. The oldest go first."""
    async with client(messages.url) as http:
        held = await _hold(messages, http, 3, stream=stream)
        assert not any("finished" in entry for entry in messages.log())
        assert (await _ask(http, "another")).status_code == 200
        messages.control(release=2)
        assert [(await task).status_code for task in held[:2]] == [200, 200]
        assert not held[2].done()
        messages.control(release=True)
        assert (await held[2]).status_code == 200
    assert all("finished" in entry and "gone" not in entry for entry in messages.log())


async def test_the_log_says_that_the_client_went_away(messages: MessagesServer) -> None:
    """A client's timeout is seen by nobody else; what it did not wait for is billed all the same."""
    async with client(messages.url) as http:
        (impatient,) = await _hold(messages, http, 1)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        state = await _until(messages, lambda state: "gone" in state["log"][0])
        assert (state["log"][0]["gone"] > state["log"][0]["arrived"], state["billed"]) == (True, [])
        messages.control(release=True)
        state = await _until(messages, lambda state: "finished" in state["log"][0])
        assert len(state["billed"]) == 1
        assert (await _ask(http, "patient")).status_code == 200
    assert "gone" not in messages.log()[1]


async def test_a_reset_lets_everything_go(messages: MessagesServer) -> None:
    """No test leaves an answer behind that is never sent."""
    async with client(messages.url) as http:
        (held,) = await _hold(messages, http, 1)
        messages.reset()
        assert (await held).status_code == 200
    assert messages.control(state=True) == {"log": [], "billed": messages.billed(), "held": 0}
