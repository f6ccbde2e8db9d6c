"""What the tests of the Claude writer share: a request, a writer, and errors looked at from all sides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from servers.processes import KEY

from seed_library.adapters.claude import ClaudeWriter
from seed_library.adapters.models import load_models
from seed_library.core.catalog import Item, ItemId, RequestSpec, WordRule
from seed_library.core.drafts import Prompt, Request

SONNET = "claude-sonnet-5-5"


def request_for(
    model: str = SONNET,
    *,
    system: str = "Du schreibst knapp.",
    user: str = "Schreibe über den Holz-Büffel.",
    **spec: str,
) -> Request:
    """Return a request; `spec` sets thinking or effort."""
    item = Item(ItemId("bazi_year_pillar", "yang_wood_rat", "de"), "Yang-Holz-Ratte", {})
    parameters = RequestSpec(model, **spec)  # type: ignore[arg-type]  # the literals are the test's business
    return Request(item, Prompt(system, user), parameters, "00" * 10, WordRule(80, 105, 70, 120))


@asynccontextmanager
async def claude(url: str, key: str = KEY, **times: float) -> AsyncIterator[ClaudeWriter]:
    """Yield a writer that talks to this address, and close it."""
    writer = ClaudeWriter(key, url, load_models(None), **{"answer_seconds": 30.0, **times})
    try:
        yield writer
    finally:
        await writer.aclose()


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and everything that hangs on it as a cause or context."""
    if error is not None:
        yield error
        yield from chain_of(error.__cause__)
        yield from chain_of(error.__context__)
