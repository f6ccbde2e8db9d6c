"""A writer that answers by script, counts what it is asked, and holds answers back until the test lets them go."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Answer, Request
from seed_library.core.pricing import ModelFacts, Price
from seed_library.ports import Check

MODEL = "fable-1"
PRICE = Price(Decimal(3), Decimal(15), Decimal("3.75"), Decimal(6), Decimal("0.3"))
FACTS = ModelFacts(MODEL, "active", ("disabled",), (), 8_000, PRICE)

Script = Answer | Exception
ANSWER_COST = 100 * 3 + 20 * 15  # micro-dollars; what `answer` bills by default


def answer(text: str = "A calm and steady sign.", **fields: Any) -> Answer:
    """Return an answer; `fields` replace those of the message."""
    message = {
        "id": "msg_1",
        "type": "message",
        "model": MODEL,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 100, "output_tokens": 20},
    }
    return Answer(message | fields, request_id="req_1", workspace="wrk_1")


class ScriptedWriter:
    """Implements the `Writer` port.

    An item's own script comes first, then the common one; when both are used up, every answer is good.

    Attributes:
        script: answers and failures for whoever asks next.
        scripts: the same per item.
        calls: the items that were asked for, in order.
        in_flight: how many requests are unanswered; `most_in_flight` is its highest value.
        gate: while it is cleared, requests stay in flight.
        free: how many more requests pass a closed gate.
        on_call: is told of every request, before it is answered.
        facts, check: what `look_up` returns.
        tokens: what `count_tokens` returns.
    """

    def __init__(self, *script: Script) -> None:
        self.script: list[Script] = list(script)
        self.scripts: defaultdict[ItemId, list[Script]] = defaultdict(list)
        self.calls: list[ItemId] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.free = 0
        self.on_call: Callable[[Request], None] = lambda request: None
        self.facts = FACTS
        self.check = Check("model", ok=True, message="active")
        self.looked_up = 0
        self.counted = 0
        self.tokens: int | None = 100
        self._held = 0
        self._arrived = asyncio.Condition()

    async def look_up(self, model: str) -> tuple[ModelFacts, Check]:
        """Return what the test has set."""
        self.looked_up += 1
        return self.facts, self.check

    async def count_tokens(self, request: Request) -> int | None:
        """Return what the test has set."""
        self.counted += 1
        return self.tokens

    async def write(self, request: Request) -> Answer:
        """Answer by script, once the gate is open."""
        self.calls.append(request.item.id)
        self.on_call(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._wait()
        finally:
            self.in_flight -= 1
        queue = self.scripts[request.item.id] or self.script
        said = queue.pop(0) if queue else answer()
        if isinstance(said, Exception):
            raise said
        return said

    async def aclose(self) -> None:
        """Nothing is open."""

    async def until_held(self, requests: int) -> None:
        """Wait until so many requests stand before the closed gate."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self._held >= requests)

    async def _wait(self) -> None:
        await asyncio.sleep(0)
        if self.free and not self.gate.is_set():
            self.free -= 1
            return
        async with self._arrived:
            self._held += 1
            self._arrived.notify_all()
        try:
            await self.gate.wait()
        finally:
            self._held -= 1
