"""What people do with rows under the lock: store their own texts, take rows out, put rows back (see `works`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seed_library.core.answers import Content, answer_fault, content_of
from seed_library.core.catalog import Item, ItemId
from seed_library.core.errors import RowsRefused, UsageInvalid
from seed_library.core.plan import Plan
from seed_library.engine.context import RunContext
from seed_library.engine.judging import Draft
from seed_library.engine.replacing import note_conflicts
from seed_library.engine.storing import Storer
from seed_library.ports import Row, WholeRow

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class HumanText:
    """What a person has written or edited; columns that are not named stay as they are.

    Attributes:
        over: the version of the stored text that it was written over; empty where there was none.
    """

    item: Item
    content: Content
    over: str


@dataclass(slots=True)
class WriteByHand:
    """Store people's texts. A run never replaces them."""

    texts: Sequence[HumanText]
    done: list[ItemId] = field(default_factory=list)
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Store them, some at a time; each time the journal remembers that they are people's."""
        del plan
        storer = Storer(context)
        for start in range(0, len(self.texts), _AT_ONCE):
            part = self.texts[start : start + _AT_ONCE]
            await context.require_hold()
            drafts = [await _draft(context, one) for one in part]
            stored = await storer.store(drafts)
            record = context.record("edited", items=[list(item) for item in stored])
            context.ledger.apply(await context.ports.journal.write(record), record)
            self.done += stored


async def _draft(context: RunContext, written: HumanText) -> Draft:
    row = await _row(context, written)
    return Draft(row, row.provenance["fingerprint"], recovered=False, over=written.over)


async def _row(context: RunContext, written: HumanText) -> Row:
    provenance: dict[str, Any] = {
        "writer": "human",
        "run": context.run_id,
        "generated_at": context.ports.clock.now().isoformat(timespec="milliseconds"),
        "fingerprint": context.book.request(written.item).fingerprint,
    }
    columns = await _columns_beside(context, written)
    return Row(written.item.id, written.item.title, written.content.text, provenance, columns)


async def _columns_beside(context: RunContext, written: HumanText) -> Mapping[str, str]:
    """Return the other generated columns of a row that a person has written: the person's, else as they are stored.

    Raises:
        UsageInvalid: neither the person, nor the table, nor a draft in this machine's journal has all of them.
    """
    names, item = context.catalog.table.generated, written.item
    if all(name in written.content.columns for name in names):
        return written.content.columns
    stored = await context.ports.store.read([item.id])
    before = stored[0].generated if stored else _drafted_columns(context, item)
    return {**before, **written.content.columns}


def _drafted_columns(context: RunContext, item: Item) -> Mapping[str, str]:
    spec = context.catalog.request
    names = ", ".join(context.catalog.table.generated)
    draft = context.ledger.draft(item.id, context.book.request(item).fingerprint)
    message = context.ports.journal.read(draft.position)["message"] if draft is not None else None
    if message is None or answer_fault(message, spec):
        raise UsageInvalid(
            f"{item.id} is not stored yet, and not all of its columns are given: {names}.",
            hint="Give all of them, or run the item first; then edit it.",
        )
    return content_of(message, spec).columns


@dataclass(slots=True)
class Prune:
    """Take rows out that are not in the catalog. The caller has written them to a file before."""

    rows: Sequence[WholeRow]
    removed: list[ItemId] = field(default_factory=list)
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Remove those that are orphans still and are what was kept; count what is really gone."""
        orphans = set(plan.orphans)
        for start in range(0, len(self.rows), _AT_ONCE):
            await context.require_hold()
            await self._remove(context, [row for row in self.rows[start : start + _AT_ONCE] if row.id in orphans])

    async def _remove(self, context: RunContext, rows: Sequence[WholeRow]) -> None:
        """Remove rows: what is about to go is in the journal first, and then what has gone, however that ended."""
        items = [list(row.id) for row in rows]
        await context.ports.journal.write(context.record("pruning", items=items))
        try:
            await context.patience.call("The rows could not be removed", context.ports.store.remove, rows)
        finally:
            # Asked of the table: an answer that got lost does not say which rows are gone.
            whole = context.ports.store.whole
            there = await context.patience.call("The table could not be read", whole, [row.id for row in rows])
            self._count(context, rows, {row.id: row for row in there})

    def _count(self, context: RunContext, rows: Sequence[WholeRow], there: Mapping[ItemId, WholeRow]) -> None:
        """Note which rows are gone, and say of each other one why it is still there."""
        gone = [row.id for row in rows if row.id not in there]
        context.ports.journal.note(context.record("pruned", items=[list(item) for item in gone]))
        self.removed += gone
        changed = [row.id for row in rows if there.get(row.id, row) != row]
        note_conflicts(context, changed, "the row has changed since it was kept in the backup: it stays")
        for row in rows:
            if there.get(row.id) == row:
                context.tally.refuse_row(row.id, "the table keeps its row: a trigger or policy stands before it")


@dataclass(slots=True)
class Restore:
    """Put rows back as they were, whatever catalog they belong to; what is there stays."""

    rows: Sequence[WholeRow]
    done: list[ItemId] = field(default_factory=list)
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Insert them, some at a time; where the table refuses some, they are halved until it is known which."""
        del plan
        for start in range(0, len(self.rows), _AT_ONCE):
            await context.require_hold()
            await self._put_back(context, self.rows[start : start + _AT_ONCE])

    async def _put_back(self, context: RunContext, rows: Sequence[WholeRow]) -> None:
        try:
            there = await context.patience.call("The rows were not taken", context.ports.store.restore, rows)
        except RowsRefused as refusal:
            if len(rows) == 1:
                context.tally.refuse_row(rows[0].id, f"the table refuses its row: {refusal.message}")
                return
            middle = len(rows) // 2
            await self._put_back(context, rows[:middle])
            await self._put_back(context, rows[middle:])
            return
        context.ports.journal.note(context.record("restored", items=[list(item) for item in there]))
        context.tally.store(len(there), 0)
        self.done += there
        note_conflicts(context, [row.id for row in rows if row.id not in set(there)])
