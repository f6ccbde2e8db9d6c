"""Batches: names that say everything, the choice of the mode, and what a journal remembers of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from core.ledger_records import AT, ITEM, OTHER_PRINT, PRINT, batch, batch_intent, begun, failed, ledger_of, paid

from seed_library.core.batches import (
    BatchNote,
    Mode,
    batch_token,
    by_digest,
    chosen_mode,
    custom_id,
    expired,
    item_digest,
    message_seconds,
    parts_of,
)
from seed_library.core.catalog import ItemId
from seed_library.core.journal_records import Record

NOTE = BatchNote("b1", 1, AT, "m", 9_000)
STRANGE = [ItemId("zodiac", "甲子:year", "de"), ItemId("z" * 200, "k" * 300, "en-GB"), ItemId("a b", "ß/🙂", "de")]


@pytest.mark.parametrize("item", STRANGE, ids=str)
def test_every_item_has_a_name_that_the_provider_takes(item: ItemId) -> None:
    """Whatever its key looks like; and the name says which batch, item and request it is."""
    token = batch_token("20261125T100000-abc123", 3)
    name = custom_id(token, item, PRINT)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
    assert parts_of(name) == (token, item_digest(item), PRINT)
    assert by_digest(STRANGE)[parts_of(name)[1]] == item


def test_tokens_and_names_differ_wherever_their_makings_do() -> None:
    """By run, by number of the batch, by any part of the item, by fingerprint."""
    tokens = {batch_token(run, number) for run in ("r1", "r2") for number in (1, 2)}
    items = [ItemId("a", "b", "c"), ItemId("a", "bc", ""), ItemId("ab", "", "c"), ItemId("a", "b", "d")]
    names = {custom_id(token, item, print_) for token in tokens for item in items for print_ in (PRINT, OTHER_PRINT)}
    assert len(names) == 4 * 4 * 2


@pytest.mark.parametrize("name", ["", "request-1", "a-b-c-d", "plain"])
def test_a_name_of_somebody_else_has_no_parts(name: str) -> None:
    """Other programs of the same workspace name their requests as they like."""
    assert parts_of(name) == ("", "", "")


@pytest.mark.parametrize(
    ("wish", "texts", "concurrency", "chosen"),
    [
        ("auto", 180, 8, "messages"),
        ("auto", 4_112, 8, "messages"),
        ("auto", 4_120, 8, "batch"),
        ("auto", 600, 1, "batch"),
        ("auto", 0, 8, "messages"),
        ("batch", 1, 8, "batch"),
        ("messages", 100_000, 8, "messages"),
    ],
)
def test_a_batch_is_taken_when_it_is_wished_or_no_slower(wish: Mode, texts: int, concurrency: int, chosen: str) -> None:
    """An hour is what most batches take; a text takes seven seconds."""
    assert chosen_mode(wish, texts, concurrency) == chosen
    assert message_seconds(9, 8) == 14


def test_a_note_survives_its_way_through_the_database() -> None:
    """And what is none is refused, not guessed."""
    note = BatchNote("b1", 2, AT, "m", 9_000, "msgbatch_1", settled=True)
    assert BatchNote.from_json(note.as_json()) == note
    times = ("yesterday", "2026-11-25T10:00:00", "0001-01-01T00:00:00+00:00")
    for broken in ({}, {**note.as_json(), "count": None}, *({**note.as_json(), "intended_at": at} for at in times)):
        with pytest.raises((KeyError, TypeError, ValueError)):
            BatchNote.from_json(broken)


def test_results_are_gone_after_29_days() -> None:
    """Counted from the intent, which is a little earlier than the creation."""
    at = datetime.fromisoformat(AT)
    assert not expired(NOTE, at + timedelta(days=28, hours=23))
    assert expired(NOTE, at + timedelta(days=29, minutes=1))
    assert datetime.now(UTC).tzinfo is not None


def test_a_batch_is_open_from_its_intent_until_all_of_it_is_known() -> None:
    """Its money is bounded all the time; a result that is in the journal is not taken twice."""
    name = "b1-x-y"
    records: list[Record] = [begun(), batch_intent()]
    assert ledger_of(records).open_batches["b1"].note == NOTE
    records.append(batch("created", batch_id="msgbatch_1"))
    named = ledger_of(records)
    assert (named.open_batches["b1"].note.batch_id, named.known_batches) == ("msgbatch_1", {"b1": "msgbatch_1"})
    records.append(paid(name, batch="b1", cost=700))
    collected = ledger_of(records)
    assert collected.open_batches["b1"].has(name)
    assert not collected.open_batches["b1"].has("b1-x-z")
    assert (collected.open_batches["b1"].at_most, collected.spent) == (9_000 - 700, 700)
    records.append(batch("done"))
    done = ledger_of(records)
    assert (dict(done.open_batches), done.known_batches) == ({}, {"b1": "msgbatch_1"})


def test_a_request_that_failed_in_a_batch_counts_as_collected_and_costs_nothing() -> None:
    """Errored, expired and canceled ones are not billed."""
    ledger = ledger_of([begun(), batch_intent(), {**failed("b1-x-y"), "batch": "b1"}])
    assert ledger.open_batches["b1"].has("b1-x-y")
    assert (ledger.spent, ledger.maybe_spent) == (0, 0)


def test_an_answer_that_nobody_knows_counts_as_spent_once() -> None:
    """A result of a request that is not in the catalog any more: kept and counted, also after a restart."""
    unclaimed = {"kind": "unclaimed", "run": "r1", "at": AT, "attempt": "b1-x-y", "batch": "b1", "cost": 700}
    ledger = ledger_of([begun(), batch_intent(), unclaimed])
    assert (ledger.spent, ledger.last_run.spent) == (700, 700)
    assert ledger.open_batches["b1"].has("b1-x-y")


def test_what_another_machine_has_counted_is_not_counted_again() -> None:
    """Its text is taken over, its price was that of the other run."""
    adopted = {**batch_intent(), "kind": "batch_adopted", "settled": True, "items": []}
    ledger = ledger_of([begun(), adopted, paid("b1-x-y", batch="b1", billed_before=True)])
    assert (ledger.spent, ledger.open_batches["b1"].at_most) == (0, 0)
    draft = ledger.draft(ITEM, PRINT)
    assert draft is not None
    assert not ledger.submitted(ITEM, PRINT)


def test_who_reads_from_the_last_run_on_still_sees_its_batches() -> None:
    """`status` does not read the whole journal; a run names what was open when it began."""
    ledger = ledger_of([begun("r2", batches=[NOTE.as_json()])])
    assert list(ledger.open_batches) == ["b1"]
