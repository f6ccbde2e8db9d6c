"""Which fault hits a request, the answer that it dictates, and answers that are held (see messages_api.py).

Standard library only.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Any

from api_rules import Reply, error_reply  # type: ignore[import-not-found]  # found beside this file when it runs alone

Fault = dict[str, Any]


class Faults:
    """The faults that are scripted."""

    def __init__(self) -> None:
        self._all: list[Fault] = []
        self._dice = random.Random(1)

    def control(self, command: dict[str, Any]) -> None:
        """Obey a control command."""
        if command.get("clear"):
            self._all = []
        if "faults" in command:
            self._all = [{"times": 1, "skip": 0, **fault} for fault in command["faults"]]
            self._dice = random.Random(command.get("seed", 1))

    def take(self, method: str, path: str, user: str) -> Fault:
        """Return the fault that hits this request, or an empty one."""
        for fault in self._all:
            if not _is_meant(fault, method, path) or fault.get("match", "") not in user:
                continue
            if "probability" in fault:
                if self._dice.random() < fault["probability"]:
                    return fault
            elif fault["skip"] > 0:
                fault["skip"] -= 1
            elif fault["times"] > 0:
                fault["times"] -= 1
                return fault
        return {}


class Holds:
    """Answers that wait until they are released."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Event] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def control(self, command: dict[str, Any]) -> None:
        """Obey a control command: {"release": n} lets the oldest n go, {"release": true} all of them."""
        wanted = True if command.get("clear") else command.get("release", 0)
        count = len(self) if wanted is True else min(wanted, len(self))
        for _ in range(count):
            self._waiting.popleft().set()

    async def wait(self) -> None:
        """Wait for the release."""
        event = asyncio.Event()
        self._waiting.append(event)
        await event.wait()


def _is_meant(fault: Fault, method: str, path: str) -> bool:
    if fault.get("method", method) != method:
        return False
    if "path" in fault:
        return bool(path.startswith(fault["path"]))
    return path.startswith("/v1/messages") and not path.startswith("/v1/messages/batches")


def scripted(fault: Fault) -> Reply | None:
    """Return the answer that a fault dictates, if it dictates one."""
    if "status" in fault:
        kind, code = fault.get("type", ""), fault.get("error_code", "")
        return error_reply(fault["status"], fault.get("message", "scripted"), kind, code, fault.get("headers"))
    if "body" in fault:
        kind = {"content-type": fault.get("content_type", "text/html")}
        return 200, fault["body"].encode(), kind | fault.get("headers", {})
    return None
