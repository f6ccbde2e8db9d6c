"""The yardstick: nothing but asyncio and the SDK. No journal, no table, no budget, no gates.

python bare_loop.py BODIES CONCURRENCY: sends the first request of the file (a JSON array of parameters) alone,
then all the others, each tried again after a random, growing pause when it got 429 or 529.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from pathlib import Path
from typing import Any

from anthropic import APIStatusError, AsyncAnthropic

_TRIES = 8
_PASSING = {429, 529}


async def _ask(client: AsyncAnthropic, slots: asyncio.Semaphore, parameters: dict[str, Any]) -> str:
    for number in range(_TRIES):
        async with slots:
            try:
                message = await client.messages.create(**parameters)
                return "".join(block.text for block in message.content if block.type == "text")
            except APIStatusError as error:
                if error.status_code not in _PASSING:
                    raise
        await asyncio.sleep(random.uniform(0.1, 0.5 * 2**number))
    raise RuntimeError("no answer")


async def _all(bodies: list[dict[str, Any]], concurrency: int) -> None:
    async with AsyncAnthropic(max_retries=0) as client:
        slots = asyncio.Semaphore(concurrency)
        first, *rest = bodies
        texts = [await _ask(client, slots, first)]
        texts += await asyncio.gather(*(_ask(client, slots, body) for body in rest))
    print(sum(map(bool, texts)))


if __name__ == "__main__":
    asyncio.run(_all(json.loads(Path(sys.argv[1]).read_text()), int(sys.argv[2])))
