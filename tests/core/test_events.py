"""Events are the lines of `run --json`; their fields are an interface."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from core.ledger_records import ITEM

from seed_library.core import events
from seed_library.core.drafts import Finding
from seed_library.core.events import Event

FINDING = Finding("length", "error", "9 words", "…")
FINISHED = events.RunFinished(
    run_id="r1",
    exit_code=6,
    stored=1,
    generated=2,
    recovered=0,
    rejected=1,
    failed=0,
    conflicts=0,
    left=3,
    requests=2,
    spent_usd=0.01,
    maybe_spent_usd=0.0,
    estimated_usd=0.02,
    seconds=1.5,
    troubles=(events.Trouble(ITEM, "9 words"),),
)
SAMPLES: list[Event] = [
    events.WaitingForLock("pid 7 holds the target", 3.5),
    events.Warned("a warning"),
    events.RunStarted("r1", "small", "target", "m", {"new": 1}, 1, 0, 0, 0.1, 0.2, 5.0),
    events.RequestSent(ITEM, 1),
    events.TextPaid(ITEM, 0.01, 0.02),
    events.RetryScheduled(ITEM, 1, 2.5, "overloaded"),
    events.PaceChanged(4, "overloaded"),
    events.RateLearned(600, "the account's limit"),
    events.ItemRejected(ITEM, (FINDING,)),
    events.ItemConflicted(ITEM, "changed meanwhile"),
    events.ItemRepaired(ITEM, (FINDING,)),
    events.ItemFailed(ITEM, "refused"),
    events.RowsStored((ITEM, ITEM), 1),
    events.CanaryPassed(ITEM),
    events.BatchSubmitted("msgbatch_1", 2),
    events.BatchWaiting("msgbatch_1", "in_progress", 2, 30),
    events.BatchCollected("msgbatch_1", {"succeeded": 2}, 0.01),
    events.BatchLeft("msgbatch_1", 2),
    events.StopRequested("SIGTERM"),
    events.RunFailed({"code": "blocked", "message": "no credit", "hint": "add some"}),
    FINISHED,
]
IDENTITY = {"category": "signs", "key": "dawn", "locale": "de"}


def test_there_is_a_sample_of_every_event_and_each_has_a_name_of_its_own() -> None:
    """A new event has to appear here."""
    kinds = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)}
    assert {type(sample) for sample in SAMPLES} == kinds - {Event}
    assert len({sample.name for sample in SAMPLES} | {Event.name}) == len(SAMPLES) + 1


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.name)
def test_every_event_is_a_json_object_that_begins_with_its_name(event: Event) -> None:
    """All fields follow as they stand, and survive the way through JSON."""
    document = event.as_json()
    assert list(document) == ["event", *(field.name for field in fields(event))]
    assert document["event"] == event.name
    assert json.loads(json.dumps(document)) == document


def test_items_findings_and_troubles_become_plain_objects() -> None:
    """Scripts read names, not positions."""
    assert events.ItemRejected(ITEM, (FINDING,)).as_json() == {
        "event": "rejected",
        "item": IDENTITY,
        "findings": [{"gate": "length", "severity": "error", "message": "9 words", "span": "…"}],
    }
    assert events.RowsStored((ITEM,), 0).as_json()["items"] == [IDENTITY]
    assert FINISHED.as_json()["troubles"] == [{"item": IDENTITY, "reason": "9 words"}]


def test_the_last_event_has_every_field_that_scripts_rely_on() -> None:
    """As promised in the description of the command line."""
    counts = {"stored", "generated", "recovered", "rejected", "failed", "requests"}
    promised = counts | {"event", "run_id", "exit_code", "spent_usd", "maybe_spent_usd"}
    assert FINISHED.as_json()["event"] == "run_finished"
    assert promised <= set(FINISHED.as_json())
