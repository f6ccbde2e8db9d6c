"""What the journal says, folded. The journal is the truth for what is paid, so nothing of that may get lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from core.ledger_records import (
    ITEM,
    OTHER_PRINT,
    PRINT,
    begun,
    failed,
    finished,
    intent,
    judged,
    ledger_of,
    paid,
    stored,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.catalog import ItemId
from seed_library.core.draft_refs import DraftRef
from seed_library.core.journal_records import Record
from seed_library.core.ledger import Ledger

ELSEWHERE = ItemId("signs", "dusk", "de")


@pytest.mark.parametrize(
    ("records", "verdict", "kept"),
    [
        ([paid()], "unjudged", False),
        ([paid(), judged()], "accepted", False),
        ([paid(), judged(accepted=False)], "rejected", False),
        ([paid(), judged(accepted=False, unusable="it was cut off")], "unusable", False),
        ([paid(), judged(), stored()], "accepted", True),
    ],
    ids=["paid", "accepted", "rejected", "unusable", "stored"],
)
def test_a_paid_text_carries_its_verdict_and_its_place(records: list[Record], verdict: Any, *, kept: bool) -> None:
    """The position is that of the paid record, wherever the verdict stands."""
    draft = ledger_of([begun(), intent(), *records]).draft(ITEM, PRINT)
    known = DraftRef(position=200, verdict=verdict, stored=kept, replaces=False)
    assert draft == replace(known, refusals=int(verdict == "rejected"), unusable=int(verdict == "unusable"))


def test_refusals_are_counted_over_all_drafts_of_a_request() -> None:
    """Up to seven; a catalog cannot ask for more repairs than that."""
    refused = [
        record for number in range(9) for record in (paid(f"r1-{number}"), judged(f"r1-{number}", accepted=False))
    ]
    for count in range(1, 10):
        draft = ledger_of([begun(), *refused[: 2 * count]]).draft(ITEM, PRINT)
        assert draft is not None
        assert draft.refusals == min(count, 7)
        assert draft.repairable(count)
        assert draft.repairable(count - 1) == (count > 7)


def test_answers_without_a_usable_text_are_counted_over_all_drafts_of_a_request() -> None:
    """Up to seven; refusals by the gates count apart, and a judgement that is repeated counts once."""
    told: list[Record] = []
    for number in range(9):
        attempt = f"r1-{number}"
        told += [paid(attempt), judged(attempt, accepted=False, unusable="it was cut off")]
        draft = ledger_of([begun(), *told, {**told[-1], "fingerprint": PRINT}]).draft(ITEM, PRINT)
        assert draft is not None
        assert (draft.unusable, draft.refusals) == (min(number + 1, 7), 0)
        assert draft.given_up(number + 1) == (number < 7)
        assert not draft.given_up(min(number + 1, 7) + 1)
    later = ledger_of([begun(), *told, paid("r2-1"), judged("r2-1", accepted=False), paid("r2-2")])
    mixed = later.draft(ITEM, PRINT)
    assert mixed == DraftRef(position=2100, verdict="unjudged", stored=False, replaces=False, refusals=1, unusable=7)
    assert later.draft(ITEM, OTHER_PRINT) is None


def test_a_journal_of_a_version_that_did_not_count_them_is_counted_as_well() -> None:
    """They were written down all the time, with and without the fingerprint."""
    old = [judged(f"r1-{number}", accepted=False, unusable="empty") for number in range(2)]
    draft = ledger_of([begun(), paid("r1-0"), old[0], paid("r1-1"), old[1]]).draft(ITEM, PRINT)
    assert draft is not None
    assert draft.unusable == 2


def test_the_newest_text_of_a_request_counts_and_other_requests_have_none() -> None:
    """A second answer starts unjudged; another fingerprint and another item know nothing of it."""
    ledger = ledger_of([begun(), paid("r1-1"), judged("r1-1"), stored(), paid("r1-2")])
    assert ledger.draft(ITEM, PRINT) == DraftRef(position=400, verdict="unjudged", stored=False, replaces=True)
    assert ledger.draft(ITEM, OTHER_PRINT) is None
    assert ledger.draft(ELSEWHERE, PRINT) is None
    assert ledger.stored_fingerprint(ITEM) == PRINT
    assert ledger.stored_fingerprint(ELSEWHERE) == ""


def test_an_intent_stays_open_until_it_is_paid_or_failed() -> None:
    """Three requests left, two came to an end: one may have been billed, and its ceiling is known."""
    ledger = ledger_of(
        [begun(), intent("r1-1"), intent("r1-2"), intent("r1-3", worst=4_321), paid("r1-1"), failed("r1-2")]
    )
    assert [(one.attempt, one.item, one.worst) for one in ledger.open_intents.values()] == [("r1-3", ITEM, 4_321)]


def test_money_is_the_sum_of_costs_and_of_ceilings_that_may_have_been_billed() -> None:
    """Over all runs for the target; the tally is the last run's own."""
    ledger = ledger_of(
        [
            begun("r1"),
            paid("r1-1", cost=500),
            failed("r1-2", billed="maybe", worst=8_000),
            failed("r1-3", billed="no", worst=8_000),
            begun("r2"),
            paid("r2-1", cost=30),
            failed("r2-2", billed="maybe", worst=1_000),
        ]
    )
    assert (ledger.spent, ledger.maybe_spent) == (530, 9_000)
    assert (ledger.last_run.spent, ledger.last_run.maybe_spent, ledger.last_run.generated) == (30, 1_000, 1)


def test_the_last_run_is_told_with_its_counts_and_its_end() -> None:
    """What `status` shows: counts per part, the last error, the exit code; records of older runs do not count."""
    ledger = ledger_of(
        [
            begun("r1"),
            begun("r2", catalog="small", model="m", to_do=5),
            intent("r2-1"),
            paid("r2-1"),
            judged("r2-1", accepted=False),
            intent("r2-2", item=ELSEWHERE),
            paid("r2-2", item=ELSEWHERE),
            judged("r2-2", item=ELSEWHERE),
            stored("r2", item=ELSEWHERE, recovered=1),
            stored("r1", item=ITEM),
            failed("r2-3"),
            finished("r2", exit_code=6, failed=2, error=""),
        ]
    )
    run = ledger.last_run
    assert (run.run_id, run.catalog, run.model, run.to_do) == ("r2", "small", "m", 5)
    assert (run.requests, run.generated, run.stored, run.recovered, run.rejected, run.failed) == (2, 2, 1, 1, 1, 2)
    assert dict(run.stored_per_part) == {"signs/de": 1}
    assert (run.exit_code, run.last_error) == (6, "the API is overloaded")


def test_why_an_item_has_no_text_is_remembered_until_it_has_one() -> None:
    """A failure, then an unusable answer, then a text."""
    records = [begun(), failed("r1-1"), paid("r1-2"), judged("r1-2", accepted=False, unusable="it was cut off")]
    assert ledger_of(records[:2]).last_failure(ITEM) == "the API is overloaded"
    assert ledger_of(records).last_failure(ITEM) == "it was cut off"
    assert ledger_of([*records, paid("r1-3")]).last_failure(ITEM) == ""


@pytest.mark.parametrize(
    ("records", "floor"),
    [
        ([begun("r1")], None),
        ([begun("r1", refresh="all")], 0),
        ([begun("r1", refresh="all"), finished("r1", exit_code=8), begun("r2", refresh="all")], 0),
        ([begun("r1", refresh="all"), begun("r2", refresh="all")], 0),
        ([begun("r1", refresh="all"), finished("r1", exit_code=0), begun("r2", refresh="all")], 200),
        ([begun("r1", refresh="all"), finished("r1", exit_code=6), begun("r2", refresh="all")], 200),
        ([begun("r1", refresh="all"), begun("r2"), finished("r2", exit_code=0), begun("r3", refresh="all")], 0),
        ([begun("r1", refresh="all"), begun("r2", refresh="changed")], 0),
    ],
    ids=["plain", "first", "stopped", "killed", "done", "some failed", "plain run between", "other refresh"],
)
def test_a_refresh_of_all_is_one_round_until_everything_was_tried(records: list[Record], floor: int | None) -> None:
    """A stopped or killed round goes on where it was, other runs in between or not; a finished one ends it."""
    assert ledger_of(records).refresh_floor == floor


def test_records_of_unknown_kinds_are_named_and_change_nothing() -> None:
    """A newer version may have written them; an unknown judgement of an unknown attempt harms nothing either."""
    strange: list[Record] = [{"kind": "embedded", "run": "r1"}, {"no": "kind"}, judged("r0-9")]
    ledger = ledger_of([begun(), *strange, paid(), *strange])
    assert ledger.draft(ITEM, PRINT) == DraftRef(position=400, verdict="unjudged", stored=False, replaces=False)
    assert [one.position for one in ledger.unread] == [100, 200, 500, 600]
    assert ledger.unread[0].reason == "its kind 'embedded' is unknown"


@dataclass
class _Story:
    """A valid stream under construction: what runs wrote for one item after the other."""

    records: list[Record]
    run: str = ""
    attempts: int = 0

    def begin(self, refresh: str) -> None:
        self.run = f"r{len(self.records)}"
        self.records.append(begun(self.run, refresh=refresh))

    def tell(self, what: str, item: ItemId, fingerprint: str, money: int) -> None:
        self.attempts += 1
        attempt = f"{self.run}-{self.attempts}"
        self.records.append(intent(attempt, item=item, fingerprint=fingerprint, worst=money))
        if what.startswith("failed"):
            self.records.append(failed(attempt, item=item, billed=what.removeprefix("failed "), worst=money))
        elif what != "killed":
            self.records.append(paid(attempt, item=item, fingerprint=fingerprint, cost=money))
            self._judge(what, attempt, item)
            if what == "stored":
                self.records.append(stored(self.run, item=item, fingerprint=fingerprint))

    def _judge(self, what: str, attempt: str, item: ItemId) -> None:
        if what in {"accepted", "stored"}:
            self.records.append(judged(attempt, item=item))
        elif what in {"rejected", "unusable"}:
            reason = {"unusable": "empty"} if what == "unusable" else {}
            self.records.append(judged(attempt, item=item, accepted=False, **reason))


_OUTCOMES = ("killed", "failed no", "failed maybe", "paid", "accepted", "rejected", "unusable", "stored")
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(_OUTCOMES),
        st.sampled_from([ITEM, ELSEWHERE]),
        st.sampled_from([PRINT, OTHER_PRINT]),
        st.integers(0, 10_000),
    ),
    max_size=6,
)


@st.composite
def streams(draw: st.DrawFn) -> list[Record]:
    """Draw what one to three runs leave in a journal."""
    story = _Story([])
    for refresh in draw(st.lists(st.sampled_from(["", "changed", "all"]), min_size=1, max_size=3)):
        story.begin(refresh)
        for step in draw(_STEPS):
            story.tell(*step)
        if draw(st.booleans()):
            story.records.append(finished(story.run, exit_code=draw(st.sampled_from([0, 6, 7, 8]))))
    return story.records


def _requests(records: list[Record], kind: str) -> set[tuple[ItemId, str]]:
    return {(ItemId(*one["item"]), one["fingerprint"]) for one in records if one["kind"] == kind}


def _stored_items(ledger: Ledger) -> dict[ItemId, str]:
    return {item: print_ for item in (ITEM, ELSEWHERE) if (print_ := ledger.stored_fingerprint(item))}


@settings(max_examples=60, deadline=None, database=None)
@given(streams())
def test_every_prefix_of_a_journal_keeps_all_that_is_paid_and_all_that_is_stored(records: list[Record]) -> None:
    """A crash may cut a journal anywhere: no draft vanishes, no row is un-stored, and the money adds up."""
    were_stored: set[ItemId] = set()
    for length in range(len(records) + 1):
        prefix = records[:length]
        ledger = ledger_of(prefix)
        assert all(ledger.draft(*request) is not None for request in _requests(prefix, "paid"))
        assert were_stored <= set(_stored_items(ledger))
        were_stored = set(_stored_items(ledger))
        assert ledger.spent == sum(one["cost"] for one in prefix if one["kind"] == "paid")
        closed = {one["attempt"] for one in prefix if one["kind"] in {"paid", "failed"}}
        asked = {one["attempt"] for one in prefix if one["kind"] == "intent"}
        assert set(ledger.open_intents) == asked - closed


@settings(max_examples=150, deadline=None, database=None)
@given(streams(), st.data())
def test_a_repeated_tail_changes_neither_verdicts_nor_what_is_stored(
    records: list[Record], data: st.DataObject
) -> None:
    """Lines that stand in the journal twice (a copied file, a repeated write) lose nothing, and cost once."""
    tail = records[data.draw(st.integers(0, len(records))) :]
    once, twice = ledger_of(records), ledger_of([*records, *tail])
    assert _stored_items(twice) == _stored_items(once)
    for request in _requests(records, "paid"):
        before, after = once.draft(*request), twice.draft(*request)
        assert before is not None
        assert after is not None
        assert (after.verdict, after.stored) == (before.verdict, before.stored)
        assert (after.refusals, after.unusable, after.position) == (before.refusals, before.unusable, before.position)
    assert (twice.spent, twice.maybe_spent) == (once.spent, once.maybe_spent)
    assert set(twice.open_intents) == set(once.open_intents)
    assert not any(map(twice.may_have_cost, twice.unread))
