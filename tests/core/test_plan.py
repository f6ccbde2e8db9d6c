"""Every decision of a plan with its reason: catalog - table - journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from core.ledger_records import (
    ITEM,
    OTHER_PRINT,
    PRINT,
    batch,
    batch_intent,
    begun,
    failed,
    finished,
    intent,
    judged,
    ledger_of,
    paid,
    stored,
)
from core.small_catalog import item

from seed_library.core.batches import custom_id
from seed_library.core.catalog import ItemId
from seed_library.core.journal_records import Record
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Action, Lookup, Plan, Refresh, make_plan
from seed_library.ports import StoredRow

REAL = StoredRow(ITEM, PRINT, "claude")
OLDER = StoredRow(ITEM, OTHER_PRINT, "claude")
BARE = StoredRow(ITEM)
REHEARSED = StoredRow(ITEM, OTHER_PRINT, "rehearsal")
ACCEPTED = (paid(), judged())
REJECTED = (paid(), judged(accepted=False))
UNUSABLE = (paid(), judged(accepted=False, unusable="the answer was cut off"))


@dataclass(frozen=True)
class Case:
    """One item: what journal and table say, and what is to be done. `costs`: a run would ask for a new text."""

    action: Action
    reason: str
    journal: Sequence[Record] = ()
    row: StoredRow | None = None
    refresh: Refresh = ""
    rehearsing: bool = False
    repairs: int = 0
    by_name: bool = False
    tries: int = 3
    costs: bool = False


NOT_STORED = {
    "nothing is known": Case(Action.NEW, "not stored", costs=True),
    "the attempt failed": Case(
        Action.NEW, "the last attempt gave no text: the API is overloaded", [failed()], costs=True
    ),
    "the answer was unusable": Case(
        Action.NEW, "the last attempt gave no text: the answer was cut off", UNUSABLE, costs=True
    ),
    "a request is open": Case(Action.NEW, "not stored", [intent()], costs=True),
    "another prompt was paid": Case(Action.NEW, "not stored", [paid(fingerprint=OTHER_PRINT)], costs=True),
    "paid": Case(Action.PAID, "its paid text waits in the journal, not yet judged", [paid()]),
    "paid and accepted": Case(Action.PAID, "its paid text waits in the journal", ACCEPTED),
    "the row was deleted": Case(Action.PAID, "its paid text waits in the journal", [*ACCEPTED, stored()]),
    "paid despite a refresh": Case(Action.PAID, "its paid text waits in the journal", ACCEPTED, refresh="all"),
    "refused by the gates": Case(
        Action.REJECTED, "its text was refused by the gates and is kept in the journal", REJECTED
    ),
    "refused, to be tried again": Case(
        Action.REJECTED,
        "its text was refused by the gates and is kept in the journal",
        REJECTED,
        refresh="rejected",
        costs=True,
    ),
    "refused, then accepted": Case(
        Action.PAID, "its paid text waits in the journal", [*REJECTED, paid("r1-2"), judged("r1-2")]
    ),
}
REFUSED = {
    "once of three": Case(
        Action.NEW, "its text was refused by the gates; repair 1 of 2", REJECTED, repairs=2, costs=True
    ),
    "twice of three": Case(
        Action.NEW,
        "its text was refused by the gates; repair 2 of 2",
        [*REJECTED, paid("r1-2"), judged("r1-2", accepted=False)],
        repairs=2,
        costs=True,
    ),
    "as often as it may be": Case(
        Action.REJECTED,
        "its text was refused by the gates and is kept in the journal",
        [*REJECTED, paid("r1-2"), judged("r1-2", accepted=False)],
        repairs=1,
    ),
    "while an older text is stored": Case(
        Action.CHANGED,
        "stored for an older prompt, model or parameter",
        REJECTED,
        OLDER,
        "changed",
        repairs=2,
        costs=True,
    ),
    "and nothing is to be replaced": Case(
        Action.REJECTED, "an older text is stored; the new one was refused by the gates", REJECTED, OLDER, repairs=2
    ),
    "in a round that replaces all": Case(
        Action.CHANGED,
        "its new text was refused by the gates; repair 1 of 2",
        [*ACCEPTED, stored(), begun("r2", refresh="all"), paid("r2-1"), judged("r2-1", accepted=False)],
        REAL,
        "all",
        repairs=2,
        costs=True,
    ),
}
STORED = {
    "as it should be": Case(Action.DONE, "stored", [*ACCEPTED, stored()], REAL),
    "by another machine": Case(Action.DONE, "stored", [], REAL),
    "without provenance": Case(Action.DONE, "stored by another tool or hand (no provenance)", [], BARE),
    "without provenance, paid meanwhile": Case(
        Action.DONE, "stored by another tool or hand (no provenance)", ACCEPTED, BARE
    ),
    "without provenance, known here": Case(Action.DONE, "stored", [*ACCEPTED, stored()], BARE),
    "without provenance, for an older prompt": Case(
        Action.CHANGED, "stored for an older prompt, model or parameter", [stored(fingerprint=OTHER_PRINT)], BARE
    ),
    "for an older prompt": Case(Action.CHANGED, "stored for an older prompt, model or parameter", [], OLDER),
    "for an older prompt, the new one paid": Case(
        Action.CHANGED, "stored for an older prompt, model or parameter", ACCEPTED, OLDER
    ),
    "for an older prompt, the new one refused": Case(
        Action.REJECTED, "an older text is stored; the new one was refused by the gates", REJECTED, OLDER
    ),
    "before the crash that lost the note of it": Case(Action.DONE, "stored", ACCEPTED, REAL),
    "and a newer text of a refresh waits": Case(
        Action.PAID,
        "its paid text waits in the journal",
        [*ACCEPTED, stored(), begun("r2", refresh="all"), paid("r2-1"), judged("r2-1")],
        REAL,
    ),
}
CHANGED = {
    "older prompt": Case(
        Action.CHANGED, "stored for an older prompt, model or parameter", [], OLDER, "changed", costs=True
    ),
    "older prompt, the new one paid": Case(
        Action.PAID, "its paid text waits in the journal", ACCEPTED, OLDER, "changed"
    ),
    "older prompt, the new one refused": Case(
        Action.REJECTED, "an older text is stored; the new one was refused by the gates", REJECTED, OLDER, "changed"
    ),
    "nothing has changed": Case(Action.DONE, "stored", [], REAL, "changed"),
    "no provenance": Case(Action.DONE, "stored by another tool or hand (no provenance)", [], BARE, "changed"),
    "only rejected ones are meant": Case(
        Action.CHANGED, "stored for an older prompt, model or parameter", [], OLDER, "rejected"
    ),
    "the rejected one is meant": Case(
        Action.REJECTED,
        "an older text is stored; the new one was refused by the gates",
        REJECTED,
        OLDER,
        "rejected",
        costs=True,
    ),
}
ROUND = begun("r2", refresh="all")
BEFORE = (*ACCEPTED, stored())
AGAIN = (*BEFORE, ROUND, paid("r2-1"))
ALL = {
    "not yet asked for": Case(Action.CHANGED, "all texts are to be replaced", [*BEFORE, ROUND], REAL, costs=True),
    "no round has begun": Case(Action.CHANGED, "all texts are to be replaced", BEFORE, REAL, costs=True),
    "no provenance": Case(
        Action.DONE,
        "stored by another tool or hand (no provenance); name it with --key to replace it",
        [],
        BARE,
    ),
    "no provenance, asked for by name": Case(
        Action.CHANGED, "all texts are to be replaced", [], BARE, by_name=True, costs=True
    ),
    "no provenance, a rehearsal's": Case(
        Action.NEW, "only a rehearsal text is stored", [begun(writer="rehearsal"), stored()], BARE, costs=True
    ),
    "paid in this round": Case(Action.PAID, "its new text waits in the journal", AGAIN, REAL),
    "refused in this round": Case(
        Action.REJECTED,
        "its new text was refused by the gates; the older one stays",
        [*AGAIN, judged("r2-1", accepted=False)],
        REAL,
    ),
    "unusable in this round": Case(
        Action.CHANGED,
        "its new text was unusable",
        [*AGAIN, judged("r2-1", accepted=False, unusable="empty")],
        REAL,
        costs=True,
    ),
    "replaced in this round": Case(
        Action.DONE, "replaced by this refresh", [*AGAIN, judged("r2-1"), stored("r2")], REAL
    ),
    "replaced, then stopped": Case(
        Action.DONE,
        "replaced by this refresh",
        [*AGAIN, judged("r2-1"), stored("r2"), finished("r2", exit_code=8), begun("r3", refresh="all")],
        REAL,
    ),
    "paid before, stored in this round, then killed": Case(
        Action.DONE,
        "stored by this refresh",
        [*ACCEPTED, ROUND, stored("r2"), begun("r3", refresh="all")],
        REAL,
    ),
    "paid before, stored in a finished round": Case(
        Action.CHANGED,
        "all texts are to be replaced",
        [*ACCEPTED, ROUND, stored("r2"), finished("r2"), begun("r3", refresh="all")],
        REAL,
        costs=True,
    ),
    "replaced in a finished round": Case(
        Action.CHANGED,
        "all texts are to be replaced",
        [*AGAIN, judged("r2-1"), stored("r2"), finished("r2"), begun("r3", refresh="all")],
        REAL,
        costs=True,
    ),
}
ALL = {name: replace(case, refresh="all") for name, case in ALL.items()}
REHEARSALS = {
    "a rehearsal text is nothing": Case(
        Action.NEW, "only a rehearsal text is stored", [stored(fingerprint=OTHER_PRINT)], REHEARSED, costs=True
    ),
    "a rehearsal text gives way to a paid one": Case(
        Action.PAID, "its paid text waits in the journal", ACCEPTED, REHEARSED
    ),
    "a refused text is not asked for again over a rehearsal": Case(
        Action.REJECTED, "its text was refused by the gates and is kept in the journal", REJECTED, REHEARSED
    ),
    "a rehearsal is done over its own text": Case(
        Action.DONE, "stored", [], StoredRow(ITEM, PRINT, "rehearsal"), rehearsing=True
    ),
    "a rehearsal sees its own changes": Case(
        Action.CHANGED, "stored for an older prompt, model or parameter", [], REHEARSED, rehearsing=True
    ),
    "a rehearsal leaves real texts alone": Case(
        Action.DONE, "a real text is stored; a rehearsal never replaces it", [], OLDER, "changed", rehearsing=True
    ),
    "even when it replaces all": Case(
        Action.DONE, "a real text is stored; a rehearsal never replaces it", [], REAL, "all", rehearsing=True
    ),
}
COLLECTED = (batch_intent(), batch("created", batch_id="msgbatch_1"), paid(batch="b1"), batch("done"))
OWN = custom_id("b1", ITEM, PRINT)
IN_A_BATCH = "in a batch at the provider; its result will be collected"
BATCHES = {
    "whether it was created is not known": Case(Action.SUBMITTED, IN_A_BATCH, [batch_intent()]),
    "it was created": Case(
        Action.SUBMITTED, IN_A_BATCH, [batch_intent(), batch("created", batch_id="msgbatch_1")], OLDER, "changed"
    ),
    "another result of it is there": Case(Action.SUBMITTED, IN_A_BATCH, [batch_intent(), paid("b1-x-y", batch="b1")]),
    "its result is there, others are not": Case(
        Action.PAID, "its paid text waits in the journal, not yet judged", [batch_intent(), paid(OWN, batch="b1")]
    ),
    "it is collected": Case(Action.PAID, "its paid text waits in the journal, not yet judged", COLLECTED),
    "it was stored by another machine meanwhile": Case(Action.DONE, "stored", [batch_intent()], REAL),
    "it never arrived": Case(Action.NEW, "not stored", [batch_intent(), batch("failed", reason="lost")], costs=True),
    "another prompt is in it": Case(Action.NEW, "not stored", [batch_intent(items=[[*ITEM, OTHER_PRINT]])], costs=True),
}
EMPTY = [
    record
    for number in range(1, 4)
    for record in (paid(f"r1-{number}"), judged(f"r1-{number}", accepted=False, unusable="it was cut off"))
]
GIVEN_UP = "given up: 3 answers held no usable text (it was cut off); `--refresh rejected` asks once more"
UNUSABLE_THRICE = {
    "absent": Case(Action.REJECTED, GIVEN_UP, EMPTY),
    "twice of three": Case(Action.NEW, "the last attempt gave no text: it was cut off", EMPTY[:4], costs=True),
    "a catalog that is more patient": Case(
        Action.NEW, "the last attempt gave no text: it was cut off", EMPTY, costs=True, tries=4
    ),
    "a catalog without patience": Case(
        Action.REJECTED,
        "given up: the only answer held no usable text (it was cut off); `--refresh rejected` asks once more",
        EMPTY[:2],
        tries=1,
    ),
    "on demand": Case(Action.REJECTED, GIVEN_UP, EMPTY, refresh="rejected", costs=True),
    "by another refresh": Case(Action.REJECTED, GIVEN_UP, EMPTY, refresh="all"),
    "then one that is not judged": Case(
        Action.PAID, "its paid text waits in the journal, not yet judged", [*EMPTY, paid("r2-1")]
    ),
    "then a good one": Case(Action.PAID, "its paid text waits in the journal", [*EMPTY, paid("r2-1"), judged("r2-1")]),
    "another prompt": Case(
        Action.NEW,
        "the last attempt gave no text: it was cut off",
        [{**one, "fingerprint": OTHER_PRINT} for one in EMPTY],
        costs=True,
    ),
    "over a rehearsal": Case(Action.REJECTED, GIVEN_UP, EMPTY, REHEARSED),
    "while an older text is stored": Case(
        Action.REJECTED, f"an older text is stored; the new one is {GIVEN_UP}", EMPTY, OLDER, refresh="changed"
    ),
    "in a round that replaces all": Case(
        Action.REJECTED,
        f"the older text stays; the new one is {GIVEN_UP}",
        [begun("r2", refresh="all"), *EMPTY],
        REAL,
        refresh="all",
    ),
    "before that round": Case(
        Action.CHANGED, "all texts are to be replaced", [*EMPTY, begun("r2", refresh="all")], REAL, "all", costs=True
    ),
}
CASES = {
    f"{group}: {name}": case
    for group, cases in {
        "not stored": NOT_STORED,
        "refused": REFUSED,
        "stored": STORED,
        "refresh changed": CHANGED,
        "refresh all": ALL,
        "rehearsal": REHEARSALS,
        "batch": BATCHES,
        "unusable": UNUSABLE_THRICE,
    }.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_item_gets_its_action_and_the_reason_for_it(case: Case) -> None:
    """The reason is what `plan` prints; whether it costs money is what the estimate adds up."""
    lookup = Lookup(
        ledger_of([begun(), *case.journal]),
        case.refresh,
        rehearsing=case.rehearsing,
        repairs=case.repairs,
        by_name=case.by_name,
        tries=case.tries,
    )
    plan = make_plan([item()], [PRINT], [case.row] if case.row else [], lookup)
    (step,) = plan.steps
    assert (step.action, step.reason, step.fingerprint) == (case.action, case.reason, PRINT)
    assert plan.to_generate == ([step] if case.costs else [])
    assert plan.to_recover == ([step] if case.action is Action.PAID else [])
    assert plan.to_collect == plan.totals.get("submitted", 0) == (case.action is Action.SUBMITTED)


def test_every_action_but_the_orphan_is_among_the_cases() -> None:
    """A new action needs cases of its own."""
    assert {case.action for case in CASES.values()} == set(Action) - {Action.ORPHANED}


def _plan_of_three(*, whole: bool) -> Plan:
    items = [item(key=key) for key in ("dawn", "dusk", "noon")]
    strangers = [StoredRow(ItemId("signs", key, "de"), PRINT, "claude") for key in ("wu2", "sheep")]
    rows = (row for row in [strangers[0], StoredRow(items[1].id, "b" * 32, "claude"), strangers[1]])
    return make_plan(items, ["a" * 32, "b" * 32, "c" * 32], rows, Lookup(Ledger()), whole=whole)


def test_steps_keep_the_order_of_the_catalog_and_totals_name_every_action() -> None:
    """The order of rows in the table does not matter; an action that does not occur counts zero."""
    plan = _plan_of_three(whole=True)
    assert [step.item.id.key for step in plan.steps] == ["dawn", "dusk", "noon"]
    assert [step.fingerprint[0] for step in plan.to_generate] == ["a", "c"]
    assert plan.totals == {"new": 2, "paid": 0, "changed": 0, "done": 1, "orphaned": 2, "rejected": 0}


def test_rows_outside_the_catalog_are_orphans_only_when_the_whole_was_looked_at() -> None:
    """With `--key` or `--limit` a row may well belong to an item that was left out."""
    assert [orphan.key for orphan in _plan_of_three(whole=True).orphans] == ["wu2", "sheep"]
    assert _plan_of_three(whole=False).orphans == []
