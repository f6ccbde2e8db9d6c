"""What cannot be understood may have cost something: it counts once, and never less than it can have been."""

from __future__ import annotations

from typing import Any

import pytest
from core.ledger_records import (
    AT,
    ITEM,
    PRINT,
    batch,
    batch_intent,
    begun,
    failed,
    intent,
    judged,
    ledger_of,
    paid,
    stored,
)

from seed_library.core.journal_records import Record
from seed_library.core.ledger import Ledger
from seed_library.core.unread import of_line

WRONG_ITEM = {"item": "dawn"}


def _cost(records: list[Record], place: int = -1) -> int | None:
    ledger = ledger_of(records)
    return ledger.may_have_cost(ledger.unread[place])


@pytest.mark.parametrize(
    ("record", "cost"),
    [
        ({**intent("r1-7", worst=800), **WRONG_ITEM}, 800),
        ({**intent("r1-7"), "worst": None}, 9_000),
        ({**intent("r1-7"), "worst": -5}, 9_000),
        ({**paid("r1-7", cost=70), **WRONG_ITEM}, 70),
        ({**paid("r1-7"), "cost": float("nan")}, 9_000),
        ({**paid("r1-7"), "cost": 10**400}, 9_000),
        ({**paid("r1-7"), "cost": "9" * 400}, 9_000),
        ({**failed("r1-7", worst=60), "reason": 7}, 60),
        ({**batch_intent(worst=77), "items": 7}, 77),
        ({**batch_intent(), "worst": "much"}, 9_000),
        ({**batch("failed", maybe=33), "run": None}, 33),
        ({"kind": "unclaimed", "run": "r1", "attempt": 7, "cost": 12}, 12),
        ({"kind": "embedded", "run": "r1", "cost": 45}, 45),
        ({"kind": "embedded", "run": "r1", "texts": 45}, 0),
        ({**judged("r1-7"), **WRONG_ITEM}, 0),
        ({**stored(), "items": 7}, 0),
        ({**begun(), "at": 7}, 0),
        ({"no": "kind"}, 0),
    ],
)
def test_a_record_that_is_not_understood_counts_with_what_can_be_made_out_in_it(record: Record, cost: int) -> None:
    """Else with what the dearest request of the journal could have cost; kinds that hold no money count nothing."""
    assert _cost([begun(), intent("r1-1", worst=9_000), intent("r1-2", worst=400), record]) == cost


def test_what_counts_by_itself_is_not_counted_twice() -> None:
    """An intent that is open, one that is closed, a batch that is open, and what is there twice."""
    broken = {**paid("r1-1"), **WRONG_ITEM}
    assert _cost([begun(), intent("r1-1"), broken]) == 0
    assert set(ledger_of([begun(), intent("r1-1"), broken]).open_intents) == {"r1-1"}
    assert _cost([begun(), {**intent("r1-1"), "worst": None}, paid("r1-1", cost=3)]) == 0
    assert _cost([begun(), batch_intent(), {**paid("x", batch="b1"), **WRONG_ITEM}]) == 0
    assert _cost([begun(), paid("r1-1"), paid("r1-1")]) == 0


def test_a_paid_result_of_a_batch_that_is_closed_counts() -> None:
    """Nothing else speaks of it any more."""
    records = [begun(), batch_intent(), {**paid("x", batch="b1", cost=55), **WRONG_ITEM}, batch("done")]
    assert _cost(records) == 55


def test_where_no_request_is_known_nobody_can_tell() -> None:
    """An unknown amount is not the same as nothing."""
    assert _cost([begun(), {**intent("r1-7"), "worst": None}]) is None


def _line(text: bytes, *, whole: bool = False, dearest: int = 9_000) -> tuple[int | None, str]:
    ledger: Ledger = ledger_of([begun(), intent("r1-1", worst=dearest)])
    one = of_line(100, len(text), text, "it is damaged", whole=whole)
    return ledger.may_have_cost(one), one.attempt


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        (b'00000000 {"kind":"paid","run":"r2","attempt":"r2-1","cost":12345678,"message":{}}\n', 12_345_678),
        (b'00000000 {"kind":"paid","run":"r2","attempt":"r2-1","cost":12,"message":{"x":"y"}}\n', 9_000),
        (b'00000000 {"kind":"batch_intent","run":"r2","token":"b1","worst":70000000,"items":[]}\n', 70_000_000),
        (b'00000000 {"kind":"judged","run":"r2","message":"\\"cost\\":99999999 is no figure of ours"}\n', 9_000),
        (b'00000000 {"kind":"paid","run":"r1","attempt":"r1-1","cost":12345678,"message":{}}\n', 0),
        (b"\0" * 4096, 9_000),
        (b"\n", 0),
        (b"torn \n", 0),
    ],
    ids=["paid", "low figure", "batch", "quoted", "known attempt", "zeros", "empty", "short"],
)
def test_a_damaged_line_counts_at_least_as_the_dearest_request(text: bytes, cost: int) -> None:
    """Its figures are believed only where they are higher; what is too short holds no record."""
    assert _line(text)[0] == cost


def test_what_was_counted_is_not_counted_by_the_next_run() -> None:
    """A `set_aside` says so, by place and size; the amount is part of what may have been spent."""
    broken = {**intent("r1-7", worst=800), **WRONG_ITEM}
    records: list[Record] = [begun(), broken]
    assert [one.region for one in ledger_of(records).unread_anew] == [(100, 0)]
    said: dict[str, Any] = {"kind": "set_aside", "run": "r2", "at": AT, "records": [[100, 0, 800]]}
    ledger = ledger_of([*records, said])
    assert (ledger.unread_anew, len(ledger.unread), ledger.maybe_spent) == ([], 1, 800)
    assert ledger_of([*records, said, said]).maybe_spent == 800


def test_a_batch_whose_beginning_is_lost_is_left_to_be_adopted() -> None:
    """Its id alone does not make it known: what the lease row says of it is believed then."""
    ledger = ledger_of([begun(), {**batch_intent(), "items": 7}, batch("created", batch_id="msgbatch_1")])
    assert "b1" not in ledger.known_batches
    again = ledger_of([begun(), batch_intent(), batch("created", batch_id="msgbatch_1")])
    assert again.known_batches == {"b1": "msgbatch_1"}


@pytest.mark.parametrize(
    "record",
    [
        judged("r1-1", accepted=False),
        judged("r1-1", accepted=False, unusable="empty"),
        stored(),
        paid("r1-1"),
        failed("r1-2", billed="maybe"),
        intent("r1-2"),
        batch_intent(),
        batch("failed", maybe=7),
        begun(refresh="all"),
    ],
    ids=["refused", "unusable", "stored", "paid", "failed", "intent", "batch", "lost batch", "run"],
)
def test_a_record_that_is_there_twice_counts_once(record: Record) -> None:
    """Wherever the second one stands: a copied file, or a write that was repeated."""
    before: list[Record] = [begun(), intent("r1-1"), paid("r1-1"), intent("r1-2"), record]
    later: list[Record] = [paid("r1-3"), judged("r1-3")]
    once, twice = ledger_of([*before, *later]), ledger_of([*before, *later, record])
    assert (twice.spent, twice.maybe_spent) == (once.spent, once.maybe_spent)
    assert (set(twice.open_intents), set(twice.open_batches)) == (set(once.open_intents), set(once.open_batches))
    assert twice.draft(ITEM, PRINT) == once.draft(ITEM, PRINT)
    assert twice.refresh_floor == once.refresh_floor
