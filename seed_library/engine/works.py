"""What can be done under the lock besides seeding: sample, accept a text, store people's texts, take rows out.

Each goes through the same door as a run: lock, lease, journal, checks, plan; and leaves the same trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from seed_library.core.answers import answer_fault, content_of
from seed_library.core.catalog import Item, ItemId
from seed_library.core.drafts import Finding
from seed_library.core.errors import UsageInvalid
from seed_library.core.open_batches import digest_of
from seed_library.core.plan import Action, Plan, Step
from seed_library.core.versions import version_of
from seed_library.engine.context import RunContext
from seed_library.engine.drafting import Drafter
from seed_library.engine.judging import Judge, judgement_of
from seed_library.engine.preflight import require
from seed_library.engine.replacing import is_a_persons
from seed_library.engine.storing import Storer
from seed_library.ports import StoredText

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
    """Store drafts knowingly: those that the gates refuse, and those whose rows hold something else by now.

    Attributes:
        key: of the items that are meant, within the selection.
        draft: the version of the one draft that is meant, as a page has shown it; empty: whatever waits.
    """

    key: str
    draft: str = ""
    accepted: list[ItemId] = field(default_factory=list)
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Accept every such draft of the key in the selection, and store it."""
        steps = [step for step in plan.steps if step.item.id.key == self.key and _waits_for_a_word(context, step)]
        if not steps:
            raise UsageInvalid(
                f"No rejected draft of {self.key!r} is in the journal of this target.",
                hint="`seed-library plan` lists what is rejected; --category and --locale choose.",
            )
        for step in steps:
            self._require_shown(context, step)
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
        present = {text.id: text.version for text in await context.ports.store.read([one.row.id for one in drafts])}
        # A person says so now, of what is stored now.
        self.accepted = await storer.store([replace(one, over=present.get(one.row.id, "")) for one in drafts])

    def _require_shown(self, context: RunContext, step: Step) -> None:
        if self.draft and self.draft != draft_version(context, step):
            raise UsageInvalid(
                f"A newer draft of {step.item.id} waits than the one that is shown.",
                hint="Reload the page and read it.",
            )


def draft_version(context: RunContext, step: Step) -> str:
    """Return the version that the draft of a step would have in the table; empty where none holds a text."""
    spec = context.catalog.request
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    message = context.ports.journal.read(draft.position)["message"] if draft is not None else None
    if message is None or answer_fault(message, spec):
        return ""
    content = content_of(message, spec)
    return version_of(step.item.title, content.text, content.columns)


def _waits_for_a_word(context: RunContext, step: Step) -> bool:
    return _is_rejected(context, step) or (step.action is Action.PAID and step.present)


def _is_rejected(context: RunContext, step: Step) -> bool:
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    return draft is not None and draft.verdict == "rejected"


@dataclass(slots=True)
class TurnDown:
    """Take note that a person does not want a stored text; `--refresh rejected` then asks for another one."""

    item: ItemId
    over: str
    asks: bool = False

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Write it down. The row stays, so that readers do not find a hole."""
        step = _step_of(plan, self.item)
        (text,) = await _shown(context, self.item, self.over) or (None,)
        if text is None:
            raise UsageInvalid(f"Nothing is stored for {self.item}.", hint="Reload the page.")
        known = (text.provenance or {}).get("fingerprint") or context.ledger.stored_fingerprint(self.item)
        if is_a_persons(context, text) or known != step.fingerprint:
            raise UsageInvalid(
                f"{self.item} was not made with today's prompt, or not by this program: no run would replace it.",
                hint="Edit it, or ask for another one.",
            )
        record = context.record("turned_down", item=list(self.item), fingerprint=step.fingerprint)
        context.ledger.apply(await context.ports.journal.write(record), record)


@dataclass(slots=True)
class AskAgain:
    """Ask for another text of one item now, and store it if it is good, over the text that was shown."""

    item: ItemId
    over: str
    asks: bool = True

    async def do(self, context: RunContext, plan: Plan) -> None:
        """Ask, judge, store. A person's own text is left alone."""
        step = _step_of(plan, self.item)
        stored = await _shown(context, self.item, self.over)
        if context.ledger.edited(self.item) or any(is_a_persons(context, text) for text in stored):
            raise UsageInvalid(f"{self.item} holds a person's own text.", hint="Edit it instead.")
        if step.action is Action.SUBMITTED:
            raise UsageInvalid(f"{self.item} is in a batch at the provider.", hint="`seed-library run` collects it.")
        model, finding = await context.ports.writer.look_up(context.book.spec.model)
        require([finding])
        context = replace(context, model=model)
        context.seen[digest_of(*self.item)] = self.over
        draft = await Drafter(context).draft(step)
        if draft is not None:
            await Storer(context).store([draft])


async def _shown(context: RunContext, item: ItemId, version: str) -> list[StoredText]:
    """Return the stored text of an item, which must be the one that was shown; none where none was.

    Raises:
        UsageInvalid: it is another one by now.
    """
    stored = await context.ports.store.read([item])
    if [text.version for text in stored] != [version] * bool(version):
        raise UsageInvalid(
            f"The text of {item} is not the one that is shown any more.", hint="Reload it and decide anew."
        )
    return stored


def _step_of(plan: Plan, item: ItemId) -> Step:
    for step in plan.steps:
        if step.item.id == item:
            return step
    raise UsageInvalid(f"The catalog has no item {item}.", hint="Reload the page.")
