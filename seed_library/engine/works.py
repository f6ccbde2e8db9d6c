"""What can be done under the lock besides seeding: sample, accept a text, store people's texts, take rows out.

Each goes through the same door as a run: lock, lease, journal, checks, plan; and leaves the same trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from seed_library.core.answers import Content, answer_fault, content_of
from seed_library.core.catalog import Item, ItemId
from seed_library.core.drafts import Finding
from seed_library.core.errors import UsageInvalid
from seed_library.core.plan import Action, Plan, Step
from seed_library.engine.context import RunContext
from seed_library.engine.drafting import Drafter
from seed_library.engine.judging import Judge, judgement_of
from seed_library.engine.preflight import require
from seed_library.engine.storing import Storer
from seed_library.ports import Row

_AT_ONCE = 50


class Work(Protocol):
    """What a run does instead of seeding."""

    @property
    def asks(self) -> bool:
        """Whether the model is asked."""

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Do it.

        Raises:
            SeedLibraryError: the run has to end.
        """


@dataclass(frozen=True, slots=True)
class Sampled:
    """A draft that is shown and not stored. Money in micro-dollars."""

    item: Item
    text: str
    findings: tuple[Finding, ...]
    cost: int


@dataclass(slots=True)
class Sample:
    """Drafts from far apart in the catalog, kept in the journal: a later run stores them without paying again."""

    count: int
    drafts: list[Sampled] = field(default_factory=list)
    asks: bool = True

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Ask for those that the journal does not hold yet, one after the other, and show all of them."""
        drafter = Drafter(context)
        for step in spread(plan, self.count):
            if step.action is Action.NEW:
                await drafter.draft(step)
            if (sampled := _drafted(context, step)) is not None:
                self.drafts.append(sampled)


def spread(plan: Plan, count: int) -> list[Step]:
    """Return so many steps that are not stored yet, evenly spread over the catalog; always the same ones.

    Every category comes before one comes twice, and inside a category the places are spread, so that four texts of 180
    are of all three pillars and far apart in the cycle.
    """
    parts: dict[tuple[str, str], list[Step]] = {}
    for step in plan.steps:
        if step.action in {Action.NEW, Action.PAID, Action.REJECTED}:
            parts.setdefault((step.item.id.category, step.item.id.locale), []).append(step)
    groups, chosen = list(parts.values()), []
    for number in range(min(count, sum(map(len, groups)))):
        group = groups[number % len(groups)]
        place = (2 * number + 1) * len(group) // (2 * count) % len(group)
        chosen.append(group.pop(place))
        groups = [group for group in groups if group]
    return chosen


def _drafted(context: RunContext, step: Step) -> Sampled | None:
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    if draft is None:
        return None
    record = context.ports.journal.read(draft.position)
    message, item = record["message"], step.item
    if fault := answer_fault(message, context.catalog.request):
        return Sampled(item, "", (Finding("answer", "error", fault),), int(record["cost"]))
    content = content_of(message, context.catalog.request)
    return Sampled(item, content.text, judgement_of(context, item, content).findings, int(record["cost"]))


@dataclass(slots=True)
class Accept:
    """Store rejected drafts knowingly."""

    key: str
    accepted: list[ItemId] = field(default_factory=list)
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Accept every rejected draft of the key in the selection, and store it."""
        steps = [step for step in plan.steps if step.item.id.key == self.key and _is_rejected(context, step)]
        if not steps:
            raise UsageInvalid(
                f"No rejected draft of {self.key!r} is in the journal of this target.",
                hint="`seed-library plan` lists what is rejected; --category and --locale choose.",
            )
        judge_, storer = Judge(context), Storer(context)
        drafts = []
        for step in steps:
            about = context.record("judged", item=list(step.item.id), attempt="", fingerprint=step.fingerprint)
            record = {**about, "accepted": True, "findings": [], "by": "human"}
            await context.ports.journal.write(record)
            context.ledger.apply(0, record)
            draft = judge_.recover(step)
            assert draft is not None, "what a person accepts is not judged"
            drafts.append(draft)
        await storer.store(drafts)
        self.accepted = [step.item.id for step in steps]


def _is_rejected(context: RunContext, step: Step) -> bool:
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    return draft is not None and draft.verdict == "rejected"


@dataclass(frozen=True, slots=True)
class HumanText:
    """What a person has written or edited; columns that are not named stay as they are."""

    item: Item
    content: Content


@dataclass(slots=True)
class WriteByHand:
    """Store people's texts. A run never replaces them."""

    texts: Sequence[HumanText]
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Store them, some at a time; each time the journal remembers that they are people's."""
        del plan
        for start in range(0, len(self.texts), _AT_ONCE):
            part = self.texts[start : start + _AT_ONCE]
            context.ports.lock.assert_held()
            context.ports.lease.assert_held()
            await context.ports.store.upsert([await _row(context, one) for one in part])
            items = [list(one.item.id) for one in part]
            record = context.record("edited", items=items)
            context.ledger.apply(await context.ports.journal.write(record), record)
            context.tally.store(len(part), 0)


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
    stored = await context.ports.store.read(item.id.key, (item.id.category,), (item.id.locale,))
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

    items: Sequence[ItemId]
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Remove those that are orphans still."""
        orphans = set(plan.orphans)
        for start in range(0, len(self.items), _AT_ONCE):
            context.ports.lock.assert_held()
            context.ports.lease.assert_held()
            part = [item for item in self.items[start : start + _AT_ONCE] if item in orphans]
            await context.ports.store.remove(part)
            items = [list(item) for item in part]
            context.ports.journal.note(context.record("pruned", items=items))


@dataclass(slots=True)
class TurnDown:
    """Take note that a person does not want a stored text; `--refresh rejected` then asks for another one."""

    item: ItemId
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Write it down. The row stays, so that readers do not find a hole."""
        step = _step_of(plan, self.item)
        record = context.record("turned_down", item=list(self.item), fingerprint=step.fingerprint)
        context.ledger.apply(await context.ports.journal.write(record), record)


@dataclass(slots=True)
class AskAgain:
    """Ask for another text of one item now, and store it if it is good."""

    item: ItemId
    asks: bool = True

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Ask, judge, store. A person's own text is left alone."""
        step = _step_of(plan, self.item)
        if context.ledger.edited(self.item):
            raise UsageInvalid(f"{self.item} holds a person's own text.", hint="Edit it instead.")
        if step.action is Action.SUBMITTED:
            raise UsageInvalid(f"{self.item} is in a batch at the provider.", hint="`seed-library run` collects it.")
        model, finding = await context.ports.writer.look_up(context.book.spec.model)
        require([finding])
        context = replace(context, model=model)
        draft = await Drafter(context).draft(step)
        if draft is not None:
            await Storer(context).store([draft])


def _step_of(plan: Plan, item: ItemId) -> Step:
    for step in plan.steps:
        if step.item.id == item:
            return step
    raise UsageInvalid(f"The catalog has no item {item}.", hint="Reload the page.")
