"""The offline writer: the whole path without a key, a network or a bill.

Its texts are deterministic, in the item's locale, made from the item's title and facts, and inside the catalog's
length rules. Their provenance says "rehearsal", and a real run replaces them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from seed_library.adapters.rehearsal_phrases import Phrases, phrases_for
from seed_library.core.answer_schema import TEXT
from seed_library.core.batches import BatchResult, BatchState
from seed_library.core.catalog import Item, WordRule
from seed_library.core.drafts import Answer, Request
from seed_library.core.errors import RunBlocked
from seed_library.core.gates import count_words
from seed_library.core.pricing import FREE, ModelFacts
from seed_library.ports import Check

MODEL = "rehearsal"
_FACTS_NAMED = 4
_LONGEST_FACT = 40  # characters
_MAX_TOKENS = 100_000


class OfflineWriter:
    """Implements the `Writer` port without any outside world."""

    async def look_up(self, model: str) -> tuple[ModelFacts, Check]:
        """Answer for any model: it costs nothing and is never asked."""
        facts = ModelFacts(MODEL, "active", ("disabled",), (), _MAX_TOKENS, FREE, source="offline writer")
        return facts, Check("model", ok=True, message=f"rehearsal; {model} is not asked")

    async def count_tokens(self, request: Request) -> int | None:
        """Count nothing: nothing is billed."""
        del request
        return 0

    async def write(self, request: Request) -> Answer:
        """Return the text of this request, the same one every time."""
        return Answer(
            {
                "id": f"msg_rehearsal_{request.fingerprint}",
                "type": "message",
                "role": "assistant",
                "model": MODEL,
                "content": [{"type": "text", "text": _said(request)}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 0, "output_tokens": 0},
            }
        )

    async def aclose(self) -> None:
        """Nothing is open."""


def _said(request: Request) -> str:
    """Return the text, or the object of all columns that the catalog has the model fill."""
    text = rehearsal_text(request)
    if not request.spec.generated:
        return text
    columns = {one.name: " ".join(text.split()[: one.at_most]).rstrip(",;") for one in request.spec.generated}
    return json.dumps({TEXT: text, **columns}, ensure_ascii=False)


class NoBatches:
    """Implements the `BatchWriter` port for rehearsals, which have none."""

    workspace = ""

    async def create(self, requests: Sequence[tuple[str, Request]]) -> BatchState:
        """Refuse."""
        raise RunBlocked(f"A rehearsal has no batches, so {len(requests)} requests stay where they are.")

    async def find(self, since: datetime) -> list[BatchState]:
        """Find none."""
        del since
        return []

    async def look(self, batch_id: str) -> BatchState | None:
        """Know none."""
        del batch_id
        return None

    async def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        """Yield none."""
        del batch_id
        none: tuple[BatchResult, ...] = ()
        for result in none:
            yield result

    async def cancel(self, batch_id: str) -> BatchState:
        """Refuse."""
        raise RunBlocked(f"A rehearsal has no batches; {batch_id} is not one of them.")


def rehearsal_text(request: Request) -> str:
    """Put a text together whose length lies inside `words.low`..`words.high`."""
    words, item = request.words, request.item
    phrases = phrases_for(item.id.locale)
    order = _Order(f"{item.id}\n{request.fingerprint}")
    head = [order.pick(phrases.openings).format(title=item.title)]
    if facts := _named_facts(item):
        head.append(phrases.facts.format(facts=facts))
    for opening in (head, head[:1], []):
        taken = sum(count_words(sentence) for sentence in opening)
        rest = _fill(order.shuffled(phrases.sentences), words.low - taken, words.high - taken)
        if rest is not None and (opening or rest):
            return " ".join([*opening, *rest])
    return _last_resort(phrases, words)


def _named_facts(item: Item) -> str:
    texts = [value for name, value in item.facts.items() if name != "title" and isinstance(value, str)]
    return ", ".join([text for text in texts if 0 < len(text) <= _LONGEST_FACT and "\n" not in text][:_FACTS_NAMED])


def _fill(sentences: Sequence[str], low: int, high: int) -> list[str] | None:
    """Choose sentences, in this order, whose words sum to low..high, near the middle; None if none do.

    Each reachable sum remembers the first choice that reached it, so the result is deterministic.
    """
    if high < 0:
        return None
    repeated = list(sentences) * (high // max(1, sum(map(count_words, sentences))) + 1)
    reached: dict[int, list[str]] = {0: []}
    for sentence in repeated:
        length = count_words(sentence)
        for total, chosen in list(reached.items()):
            if total + length <= high and total + length not in reached:
                reached[total + length] = [*chosen, sentence]
    middle = (low + high) // 2
    fitting = [total for total in reached if low <= total]
    return reached[min(fitting, key=lambda total: (abs(total - middle), total))] if fitting else None


def _last_resort(phrases: Phrases, words: WordRule) -> str:
    """For limits too tight for any sentence: so many words, and a full stop."""
    return " ".join([phrases.last_resort] * words.low) + "."


class _Order:
    """Choices that depend on the seed alone."""

    def __init__(self, seed: str) -> None:
        self._digest = hashlib.sha256(seed.encode()).digest()

    def pick(self, choices: Sequence[str]) -> str:
        return choices[self._digest[0] % len(choices)]

    def shuffled(self, choices: Sequence[str]) -> list[str]:
        return sorted(choices, key=lambda choice: hashlib.sha256(self._digest + choice.encode()).digest())
