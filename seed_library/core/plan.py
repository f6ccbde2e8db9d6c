"""What would be done with every item, and why. Deciding costs nothing and touches nothing.

The table is the truth for "stored", the journal is the truth for "paid".

    new       no text yet: will be generated
    paid      a paid, accepted (or not yet judged) text waits in the journal: will be stored, free of charge
    changed   stored, but the prompt, the model or a parameter has changed since: left alone without `--refresh`
    done      stored: nothing to do
    rejected  paid and refused by the gates: left alone without `--refresh rejected`
    orphaned  a row of these categories and locales that is not in the catalog: never touched by a run
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from seed_library.core.catalog import Item, ItemId
from seed_library.core.ledger import DraftRef, Ledger

Refresh = Literal["", "changed", "all", "rejected"]


class Action(StrEnum):
    """What the plan has in mind for an item."""

    NEW = "new"
    PAID = "paid"
    CHANGED = "changed"
    DONE = "done"
    ORPHANED = "orphaned"
    REJECTED = "rejected"


class Stored(Protocol):
    """What is known of a stored row."""

    @property
    def id(self) -> ItemId:
        """Its identity."""

    @property
    def fingerprint(self) -> str:
        """The fingerprint in its provenance, or empty."""

    @property
    def writer(self) -> str:
        """The writer in its provenance, or empty."""


@dataclass(frozen=True, slots=True)
class Step:
    """The decision for one item."""

    item: Item
    fingerprint: str
    action: Action
    reason: str


@dataclass(slots=True)
class Plan:
    """Decisions in catalog order. `stored_known` is False when the table could not be read."""

    steps: list[Step]
    refresh: Refresh = ""
    orphans: list[ItemId] = field(default_factory=list)
    stored_known: bool = True

    @property
    def totals(self) -> dict[str, int]:
        """How many items each action has, all actions named."""
        counts = Counter(step.action for step in self.steps)
        counts[Action.ORPHANED] = len(self.orphans)
        return {action.value: counts[action] for action in Action}

    @property
    def to_generate(self) -> list[Step]:
        """The steps that cost money, in catalog order."""
        return [step for step in self.steps if self.generates(step)]

    @property
    def to_recover(self) -> list[Step]:
        """The steps that only store what is paid."""
        return [step for step in self.steps if step.action is Action.PAID]

    def generates(self, step: Step) -> bool:
        """Whether a run would ask for a new text of this item."""
        match step.action:
            case Action.NEW:
                return True
            case Action.CHANGED:
                return self.refresh in {"changed", "all"}
            case Action.REJECTED:
                return self.refresh == "rejected"
            case _:
                return False


@dataclass(frozen=True, slots=True)
class Lookup:
    """The two truths that a decision needs, and how the user wants changes handled.

    Attributes:
        rehearsing: True when the writer is the offline one: its texts never count as real ones, and real ones
            are never replaced by it.
    """

    ledger: Ledger
    refresh: Refresh = ""
    rehearsing: bool = False


def make_plan(
    items: Sequence[Item],
    fingerprints: Sequence[str],
    stored: Iterable[Stored],
    lookup: Lookup,
    *,
    whole: bool = True,
) -> Plan:
    """Decide about every item.

    Args:
        items: the selected items.
        fingerprints: theirs, in the same order.
        stored: the rows of the selected categories and locales; consumed once.
        lookup: journal and wishes.
        whole: True when `items` is everything the catalog has in these categories and locales; only then can a
            row that is none of them be called an orphan.
    """
    index = {item.id: place for place, item in enumerate(items)}
    rows: list[Stored | None] = [None] * len(items)
    orphans: list[ItemId] = []
    for row in stored:
        place = index.get(row.id)
        if place is not None:
            rows[place] = row
        elif whole:
            orphans.append(row.id)
    steps = [
        Step(item, print_, *_decide(item.id, print_, row, lookup))
        for item, print_, row in zip(items, fingerprints, rows, strict=True)
    ]
    return Plan(steps, lookup.refresh, orphans)


def _decide(item_id: ItemId, fingerprint: str, row: Stored | None, lookup: Lookup) -> tuple[Action, str]:
    draft = lookup.ledger.draft(item_id, fingerprint)
    if row is None:
        return _decide_absent(item_id, draft, lookup)
    if row.writer == "rehearsal" and not lookup.rehearsing:
        return _waiting(draft) or (Action.NEW, "only a rehearsal text is stored")
    return _decide_present(item_id, fingerprint, row, draft, lookup)


def _decide_absent(item_id: ItemId, draft: DraftRef | None, lookup: Lookup) -> tuple[Action, str]:
    if waiting := _waiting(draft):
        return waiting
    if draft is not None and draft.verdict == "rejected":
        return Action.REJECTED, "its text was refused by the gates and is kept in the journal"
    if failure := lookup.ledger.last_failure(item_id):
        return Action.NEW, f"the last attempt gave no text: {failure}"
    return Action.NEW, "not stored"


def _waiting(draft: DraftRef | None) -> tuple[Action, str] | None:
    if draft is None or draft.verdict in {"rejected", "unusable"}:
        return None
    state = "waits in the journal" if draft.verdict == "accepted" else "waits in the journal, not yet judged"
    return Action.PAID, f"its paid text {state}"


def _decide_present(
    item_id: ItemId, fingerprint: str, row: Stored, draft: DraftRef | None, lookup: Lookup
) -> tuple[Action, str]:
    known = row.fingerprint or lookup.ledger.stored_fingerprint(item_id)
    if lookup.rehearsing and row.writer not in {"", "rehearsal"}:
        return Action.DONE, "a real text is stored; a rehearsal never replaces it"
    if lookup.refresh == "all":
        return _decide_refresh(draft, lookup)
    if not known:
        return Action.DONE, "stored by another tool or hand (no provenance)"
    if known == fingerprint:
        return _unstored_replacement(draft) or (Action.DONE, "stored")
    return _decide_changed(draft, lookup)


def _unstored_replacement(draft: DraftRef | None) -> tuple[Action, str] | None:
    """A refresh paid for a newer text of the same request and was interrupted before it could store it."""
    if draft is None or draft.stored or not draft.replaces:
        return None
    return _waiting(draft)


def _decide_changed(draft: DraftRef | None, lookup: Lookup) -> tuple[Action, str]:
    if lookup.refresh == "changed" and (waiting := _waiting(draft)):
        return waiting
    if draft is not None and draft.verdict == "rejected":
        return Action.REJECTED, "an older text is stored; the new one was refused by the gates"
    return Action.CHANGED, "stored for an older prompt, model or parameter"


def _decide_refresh(draft: DraftRef | None, lookup: Lookup) -> tuple[Action, str]:
    floor = lookup.ledger.refresh_floor
    fresh = draft if draft is not None and floor is not None and draft.position >= floor else None
    if fresh is None:
        return Action.CHANGED, "all texts are to be replaced"
    if fresh.verdict == "rejected":
        return Action.REJECTED, "its new text was refused by the gates; the older one stays"
    if fresh.verdict == "unusable":
        return Action.CHANGED, "its new text was unusable"
    if fresh.stored:
        return Action.DONE, "replaced by this refresh"
    return Action.PAID, "its new text waits in the journal"
