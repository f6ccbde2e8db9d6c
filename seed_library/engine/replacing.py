"""Writing over rows: only over what that was decided on, and with what goes away in the journal first.

Invariant. A row is replaced only while it holds the version that was read when somebody decided to replace it, and its
text is durable in the journal (`replaced`) before the write leaves. Whatever was changed, or has appeared, since then
stays; the new text stays in the journal, and the item is reported as a conflict.

Crash points. Before `replaced` is durable: nothing has happened. After it: the record names a text that may still be
there; the next run reads the row again and goes on. After the write: the row holds the new text, which is no conflict
with itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from seed_library.core.catalog import ItemId
from seed_library.core.groups import grouped
from seed_library.core.open_batches import digest_of
from seed_library.core.plan import Step
from seed_library.engine.context import RunContext
from seed_library.ports import Row, StoredText

_READ_AT_ONCE = 500
_CHARACTERS_TOGETHER = 1_000_000  # what a record of the journal can hold
CHANGED_SINCE = (
    "something else is stored there than when it was decided to write: that stays, the text is in the journal"
)
A_PERSONS = "somebody has changed the stored text since this program stored it: it stays, and nothing was asked for"


@dataclass(frozen=True, slots=True)
class Decided:
    """A row that is to be written.

    Attributes:
        over: the version of the stored text that it was decided to replace; empty: there was none; None: nobody
            noted it, and only a text of this program's own may be replaced.
    """

    row: Row
    over: str | None = ""


async def read_originals(context: RunContext, steps: Sequence[Step]) -> list[Step]:
    """Read what these steps would write over, before anything is asked for; return the steps that may be taken.

    The others, whose rows somebody has changed since this program stored them, are reported as conflicts.

    Raises:
        SeedLibraryError: the target cannot be read.
    """
    present = [step.item.id for step in steps if step.present]
    barred: set[ItemId] = set()
    for start in range(0, len(present), _READ_AT_ONCE):
        part = present[start : start + _READ_AT_ONCE]
        for text in await context.patience.call("The table could not be read", context.ports.store.read, part):
            if is_a_persons(context, text):
                barred.add(text.id)
            else:
                context.seen[digest_of(*text.id)] = text.version
    note_conflicts(context, sorted(barred), A_PERSONS)
    return [step for step in steps if step.item.id not in barred]


def is_a_persons(context: RunContext, text: StoredText) -> bool:
    """Whether a stored text is a person's: by its provenance, or since it is not what this program has stored."""
    if text.writer == "human" or text.touched:
        return True
    if (text.provenance or {}).get("version"):
        return False
    noted = context.ledger.stored_version(text.id)
    return bool(noted) and noted != text.version


class Replacer:
    """Makes rows ready to be written, and keeps what they replace."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._kept: set[tuple[ItemId, str]] = set()

    async def settle(self, decided: Sequence[Decided]) -> tuple[list[Row], list[ItemId]]:
        """Return the rows as they may be written, and the items that something else is stored for by now.

        Raises:
            SeedLibraryError: the target cannot be read, or the journal takes nothing.
        """
        ids = [one.row.id for one in decided if one.over != ""]
        stored = {text.id: text for text in await self._context.ports.store.read(ids)} if ids else {}
        rows, conflicts, replaced = [], [], []
        for one in decided:
            now = stored.get(one.row.id)
            if now is None:
                rows.append(one.row)
            elif self._may_replace(one, now):
                rows.append(replace(one.row, over=now))
                replaced.append(now)
            else:
                conflicts.append(one.row.id)
        await self._keep([now for now in replaced if (now.id, now.version) not in self._kept])
        return rows, conflicts

    def _may_replace(self, one: Decided, now: StoredText) -> bool:
        if now.version == one.row.version:
            return True
        return now.version == one.over if one.over is not None else not is_a_persons(self._context, now)

    async def _keep(self, texts: Sequence[StoredText]) -> None:
        journal = self._context.ports.journal
        records = [
            self._context.record("replaced", texts=[_as_json(text) for text in part])
            for part in grouped(texts, _characters, _CHARACTERS_TOGETHER)
        ]
        await asyncio.gather(*map(journal.write, records))
        self._kept |= {(text.id, text.version) for text in texts}


def note_conflicts(context: RunContext, items: Sequence[ItemId], reason: str = CHANGED_SINCE) -> None:
    """Report items whose rows hold something else by now, and write it down."""
    if items:
        context.ports.journal.note(context.record("conflict", items=[list(item) for item in items], reason=reason))
    for item in items:
        context.tally.conflict(item, reason)


def _characters(text: StoredText) -> int:
    return len(text.text) + sum(map(len, text.generated.values()))


def _as_json(text: StoredText) -> dict[str, Any]:
    return {
        "item": list(text.id),
        "title": text.title,
        "text": text.text,
        "generated": dict(text.generated),
        "provenance": text.provenance,
        "updated_at": text.updated_at,
    }
