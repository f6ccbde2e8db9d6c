"""What would be done with every item, and why. Deciding costs nothing and touches nothing.

The table is the truth for "stored", the journal is the truth for "paid".

    new       no text yet: will be generated
    paid      a paid, accepted (or not yet judged) text waits in the journal: will be stored, free of charge
    changed   stored, but the prompt, the model or a parameter has changed since: left alone without `--refresh`
    done      stored: nothing to do
    submitted in a batch at the provider: its result will be collected, and it is not asked for again meanwhile
    rejected  paid, refused by the gates and not to be repaired any more, or given up since no answer holds a usable
              text: left alone without `--refresh rejected`
    orphaned  a row of these categories and locales that is not in the catalog: never touched by a run
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

from seed_library.core.catalog import TRIES, Item, ItemId
from seed_library.core.draft_refs import DraftRef
from seed_library.core.ledger import Ledger

Refresh = Literal["", "changed", "all", "rejected"]


class Action(StrEnum):
    """What the plan has in mind for an item."""

    NEW = "new"
    PAID = "paid"
    CHANGED = "changed"
    DONE = "done"
    ORPHANED = "orphaned"
    REJECTED = "rejected"
    SUBMITTED = "submitted"


class Decision(NamedTuple):
    """What to do with an item, and why.

    Attributes:
        present: whether a row is stored for it, which a new text would replace.
    """

    action: Action
    reason: str
    present: bool = False


Verdict = tuple[Action, str]
_WAITS = "its new text waits in the journal"
_UNDECIDED = Decision(Action.NEW, "")


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


class Step(NamedTuple):
    """The decision for one item."""

    item: Item
    fingerprint: str
    action: Action
    reason: str
    present: bool = False


class Steps(Collection[Step]):
    """The steps of a plan, made when they are looked at: of a finished library most never are."""

    def __init__(self, items: Sequence[Item], fingerprints: Sequence[str], decisions: Sequence[Decision]) -> None:
        self._items = items
        self._fingerprints = fingerprints
        self._decisions = decisions

    def __iter__(self) -> Iterator[Step]:
        for item, fingerprint, decision in zip(self._items, self._fingerprints, self._decisions, strict=True):
            yield Step(item, fingerprint, *decision)

    def __len__(self) -> int:
        return len(self._decisions)

    def __contains__(self, step: object) -> bool:
        return any(step == one for one in self)


@dataclass(slots=True)
class Plan:
    """Decisions in catalog order. `stored_known` is False when the table could not be read."""

    # Python 3.11's `asyncio.run` makes the repr of what it returns, twice; of 100,000 steps that is 55 MB.
    steps: Collection[Step] = field(repr=False)
    refresh: Refresh = ""
    orphans: list[ItemId] = field(default_factory=list, repr=False)
    stored_known: bool = True

    @property
    def totals(self) -> dict[str, int]:
        """How many items each action has: all actions by name, and `submitted` while a batch is under way."""
        counts = Counter(step.action for step in self.steps)
        counts[Action.ORPHANED] = len(self.orphans)
        return {action.value: counts[action] for action in Action if counts[action] or action is not Action.SUBMITTED}

    @property
    def to_generate(self) -> list[Step]:
        """The steps that cost money, in catalog order."""
        return [step for step in self.steps if self.generates(step)]

    @property
    def to_recover(self) -> list[Step]:
        """The steps that only store what is paid."""
        return [step for step in self.steps if step.action is Action.PAID]

    @property
    def to_collect(self) -> int:
        """How many items wait in batches at the provider."""
        return sum(step.action is Action.SUBMITTED for step in self.steps)

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
        repairs: how often a refused text is asked for again.
        rehearsing: True when the writer is the offline one: its texts never count as real ones, and real ones
            are never replaced by it.
        tries: how many answers without a usable text there may be until an item is given up.
        by_name: keys were selected: texts of unknown origin are replaced by a refresh only then.
    """

    ledger: Ledger
    refresh: Refresh = ""
    rehearsing: bool = False
    repairs: int = 0
    by_name: bool = False
    tries: int = TRIES


class Planner:
    """Decides while the rows pass by and keeps none of them: a library of 100,000 rows is planned in little memory.

    The arguments are those of `make_plan`.
    """

    def __init__(self, items: Sequence[Item], fingerprints: Sequence[str], lookup: Lookup, *, whole: bool) -> None:
        self._items = items
        self._fingerprints = fingerprints
        self._lookup = lookup
        self._whole = whole
        self._places = {item.id: place for place, item in enumerate(items)}
        self._decisions = [_UNDECIDED] * len(items)
        self._known: dict[Decision, Decision] = {}
        self._orphans: list[ItemId] = []

    def see(self, row: Stored) -> None:
        """Decide about the item of a stored row. Each row comes once."""
        place = self._places.get(row.id)
        if place is not None:
            self._decisions[place] = self._decide(place, row)
        elif self._whole:
            self._orphans.append(row.id)

    def plan(self) -> Plan:
        """Return the plan, once all rows have been seen: what has no row is decided now."""
        for place, decision in enumerate(self._decisions):
            if decision is _UNDECIDED:
                self._decisions[place] = self._decide(place, None)
        return Plan(Steps(self._items, self._fingerprints, self._decisions), self._lookup.refresh, self._orphans)

    def _decide(self, place: int, row: Stored | None) -> Decision:
        decision = _decide(self._items[place].id, self._fingerprints[place], row, self._lookup)
        return self._known.setdefault(decision, decision)  # a few different ones stand for all items


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
    planner = Planner(items, fingerprints, lookup, whole=whole)
    for row in stored:
        planner.see(row)
    return planner.plan()


def _decide(item_id: ItemId, fingerprint: str, row: Stored | None, lookup: Lookup) -> Decision:
    action, reason = _decide_apart_from_batches(item_id, fingerprint, row, lookup)
    if action is not Action.DONE and lookup.ledger.submitted(item_id, fingerprint):
        action, reason = Action.SUBMITTED, "in a batch at the provider; its result will be collected"
    return Decision(action, reason, row is not None)


def _decide_apart_from_batches(item_id: ItemId, fingerprint: str, row: Stored | None, lookup: Lookup) -> Verdict:
    draft = lookup.ledger.draft(item_id, fingerprint)
    if row is None:
        return _decide_absent(item_id, draft, lookup, "not stored")
    writer = row.writer or ("rehearsal" if lookup.ledger.rehearsed(item_id) else "")
    if writer == "rehearsal" and not lookup.rehearsing:
        return _decide_absent(item_id, draft, lookup, "only a rehearsal text is stored")
    return _decide_present(item_id, fingerprint, row, draft, lookup)


def _decide_absent(item_id: ItemId, draft: DraftRef | None, lookup: Lookup, reason: str) -> Verdict:
    if waiting := _waiting(draft):
        return waiting
    if draft is not None and draft.repairable(lookup.repairs):
        return Action.NEW, f"its text was refused by the gates; repair {draft.refusals} of {lookup.repairs}"
    if draft is not None and draft.verdict == "rejected":
        return Action.REJECTED, "its text was refused by the gates and is kept in the journal"
    if draft is not None and draft.given_up(lookup.tries):
        return Action.REJECTED, given_up(item_id, draft, lookup.ledger)
    if failure := lookup.ledger.last_failure(item_id):
        return Action.NEW, f"the last attempt gave no text: {failure}"
    return Action.NEW, reason


def given_up(item_id: ItemId, draft: DraftRef, ledger: Ledger) -> str:
    """Say why an item is not asked for any more, and how it is all the same."""
    count = "the only answer" if draft.unusable == 1 else f"{draft.unusable} answers"
    last = ledger.last_failure(item_id) or "none holds a text"
    return f"given up: {count} held no usable text ({last}); `--refresh rejected` asks once more"


def _waiting(draft: DraftRef | None) -> Verdict | None:
    if draft is None or draft.verdict in {"rejected", "unusable"}:
        return None
    state = "waits in the journal" if draft.verdict == "accepted" else "waits in the journal, not yet judged"
    return Action.PAID, f"its paid text {state}"


def _decide_present(item_id: ItemId, fingerprint: str, row: Stored, draft: DraftRef | None, lookup: Lookup) -> Verdict:
    if row.writer == "human" or lookup.ledger.edited(item_id):
        return Action.DONE, "a person's own text is stored; a run never replaces it"
    known = row.fingerprint or lookup.ledger.stored_fingerprint(item_id)
    if lookup.rehearsing and row.writer not in {"", "rehearsal"}:
        return Action.DONE, "a real text is stored; a rehearsal never replaces it"
    if lookup.refresh == "all" and (known or lookup.by_name):
        return _decide_refresh(item_id, draft, lookup)
    return _decide_known(item_id, known, fingerprint, draft, lookup)


def _decide_known(item_id: ItemId, known: str, fingerprint: str, draft: DraftRef | None, lookup: Lookup) -> Verdict:
    """Decide about a stored text by the fingerprint that it was made for, empty where nobody knows it."""
    if not known:
        reason = "stored by another tool or hand (no provenance)"
        return Action.DONE, reason + ("; name it with --key to replace it" if lookup.refresh == "all" else "")
    if known != fingerprint:
        return _decide_changed(item_id, draft, lookup)
    if lookup.ledger.turned_down(item_id, fingerprint):
        return Action.REJECTED, "a person does not want its text, which stays until a better one replaces it"
    return _unstored_replacement(draft) or (Action.DONE, "stored")


def _unstored_replacement(draft: DraftRef | None) -> Verdict | None:
    """A refresh paid for a newer text of the same request and was interrupted before it could store it."""
    if draft is None or draft.stored or not draft.replaces:
        return None
    return _waiting(draft)


def _decide_changed(item_id: ItemId, draft: DraftRef | None, lookup: Lookup) -> Verdict:
    if lookup.refresh == "changed" and (waiting := _waiting(draft)):
        return waiting
    if draft is not None and draft.given_up(lookup.tries):
        return Action.REJECTED, f"an older text is stored; the new one is {given_up(item_id, draft, lookup.ledger)}"
    if (
        draft is not None
        and draft.verdict == "rejected"
        and not (lookup.refresh == "changed" and draft.repairable(lookup.repairs))
    ):
        return Action.REJECTED, "an older text is stored; the new one was refused by the gates"
    return Action.CHANGED, "stored for an older prompt, model or parameter"


def _decide_refresh(item_id: ItemId, draft: DraftRef | None, lookup: Lookup) -> Verdict:
    floor = lookup.ledger.refresh_floor
    fresh = draft if draft is not None and floor is not None and draft.position >= floor else None
    if fresh is None and lookup.ledger.stored_in_round(item_id):
        # Its text had been paid for before, had no row yet, and was stored first: an uninterrupted run asks no more.
        return Action.DONE, "stored by this refresh"
    if fresh is None:
        return Action.CHANGED, "all texts are to be replaced"
    if fresh.verdict == "rejected":
        return _decide_refused(fresh, lookup)
    if fresh.given_up(lookup.tries):
        return Action.REJECTED, f"the older text stays; the new one is {given_up(item_id, fresh, lookup.ledger)}"
    if fresh.verdict == "unusable":
        return Action.CHANGED, "its new text was unusable"
    return (Action.DONE, "replaced by this refresh") if fresh.stored else (Action.PAID, _WAITS)


def _decide_refused(fresh: DraftRef, lookup: Lookup) -> Verdict:
    if fresh.repairable(lookup.repairs):
        return Action.CHANGED, f"its new text was refused by the gates; repair {fresh.refusals} of {lookup.repairs}"
    return Action.REJECTED, "its new text was refused by the gates; the older one stays"
