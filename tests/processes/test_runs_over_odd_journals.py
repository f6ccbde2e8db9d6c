"""A journal that holds what nobody understands, in front of every verb: said, counted, and never in the way."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from processes.cards import TITLES, Cards
from servers.processes import MessagesServer

WORST = 123_456
VERBS = (
    ("status",),
    ("plan", "cards"),
    ("check", "cards"),
    ("audit", "cards"),
    ("show", "alpha", "cards"),
    ("report", "page.html", "cards"),
    ("stop",),
)


def _line(body: str) -> bytes:
    data = body.encode("utf-8", "surrogatepass")
    return b"%08x %s\n" % (zlib.crc32(data), data)


ODD = [
    _line('{"kind":"paid","run":"r","item":7}'),
    _line('{"kind":"stored","run":"r","at":"x","items":[["card","alpha","en","zz"]]}'),
    _line('{"kind":"run","run":"r","at":"0001-01-01","parts":[]}'),
    _line('{"kind":"embedded","run":"r"}'),
    _line('{"kind":"lease","run":"r","token":' + "9" * 400 + "}"),
    _line('{"kind":"finished","run":"r","at":"\ud83d","exit_code":NaN}'),
    _line("[" * 3000 + "]" * 3000),
    b"\0" * 700 + b"\n",
    b"no line at all\n",
]


def _journal(cards: Cards) -> Path:
    (journal,) = cards.program.state.glob("targets/*/journal.jsonl")
    return journal


def _insert(cards: Cards, lines: Sequence[bytes]) -> None:
    """Put lines into the middle of the journal."""
    told = _journal(cards).read_bytes().splitlines(keepends=True)
    _journal(cards).write_bytes(b"".join([*told[:3], *lines, *told[3:]]))


def test_what_nobody_understands_stands_in_the_way_of_no_verb(cards: Cards, messages: MessagesServer) -> None:
    """Every verb works as before; a run names each record once, with a copy; status goes on counting them."""
    cards.write(TITLES[:3])
    assert cards.run("--limit", "2").code == 0
    _insert(cards, ODD)
    for verb in VERBS:
        ended = cards.program.run(*verb)
        assert ended.code in {0, 6, 8} or verb[0] == "stop", (verb, ended.err)
        assert "Traceback" not in ended.out + ended.err, verb
    ended = cards.run()
    assert (ended.code, ended.document["stored"]) == (0, 1)
    warned = [event["message"] for event in ended.documents if event["event"] == "warning"]
    assert len([one for one in warned if "is not understood" in one]) == len(ODD)
    assert str(_journal(cards).parent / "damaged") in warned[0]
    (started,) = [event for event in ended.documents if event["event"] == "run_started"]
    assert started["set_aside"] == len(ODD)
    again = cards.run()
    assert (again.code, again.document["requests"]) == (0, 0)
    assert not [event for event in again.documents if event["event"] == "warning"]
    status = cards.run(verb="status").document
    assert status["set_aside"] == {"records": len(ODD), "copies": str(_journal(cards).parent / "damaged")}
    spoken = cards.program.run("status", "cards")
    assert f"{len(ODD)} records of it not understood, and set aside; copies are in " in spoken.out
    assert len(messages.billed()) == 3


def test_what_a_record_may_have_cost_counts_in_the_run_that_finds_it(cards: Cards) -> None:
    """Said with its amount, part of `maybe_spent_usd`, held against the budget; the next run begins without it."""
    cards.write(TITLES[:3])
    assert cards.run("--limit", "1").code == 0
    body = {"kind": "intent", "run": "other", "item": {"of": "another shape"}, "attempt": "other-1", "worst": WORST}
    _insert(cards, [_line(json.dumps(body))])
    small = cards.run("--budget", "0.10")
    assert (small.code, small.document["requests"]) == (4, 0), small.out
    assert small.document["maybe_spent_usd"] == pytest.approx(WORST / 1e6, abs=1e-4)
    assert "Up to $0.1235 may have been billed for it, and count." in small.out
    after = cards.run("--budget", "0.10")
    assert (after.code, after.document["stored"], after.document["maybe_spent_usd"]) == (0, 2, 0)


def test_a_journal_of_a_newer_version_is_left_alone(cards: Cards, messages: MessagesServer) -> None:
    """Run, sample and check refuse it with 4 and name both versions; plan says so; nothing is sent, nothing is lost."""
    cards.write(TITLES[:3])
    assert cards.run("--limit", "2").code == 0
    newer = _line('{"kind":"journal","version":7}')
    _journal(cards).write_bytes(_journal(cards).read_bytes() + newer + _line('{"kind":"of the future"}'))
    before, billed = _journal(cards).read_bytes(), len(messages.billed())
    for ended in (cards.run(), cards.program.run("sample", "2", "cards", "--json")):
        assert (ended.code, ended.error["code"]) == (4, "journal"), ended.err
        assert "newer version of seed_library (journal version 7; this one writes 1)" in ended.error["message"]
        assert "Update seed_library" in ended.error["hint"]
    check = cards.run(verb="check")
    assert check.code == 4
    (found,) = [one for one in check.document["checks"] if one["name"] == "journal"]
    assert not found["ok"]
    planned = cards.run(verb="plan")
    assert (planned.code, planned.document["totals"]["done"]) == (0, 2)
    assert any("newer version" in note for note in planned.document["notes"])
    assert cards.run(verb="status").code == 0
    assert (_journal(cards).read_bytes(), len(messages.billed())) == (before, billed)


ANSWERS = [
    {"text": "half \\ud83d of a pair"},
    {"text": "\u0000 and \u001b[2J controls \u0007"},
    {"usage": {"input_tokens": 10**400, "output_tokens": -1}},
    {"content": [{"type": "text", "text": {"a": "\ud83d"}}]},
    {"content": "no list"},
    {"stop_reason": "\ud83d"},
    {"stop_reason": ["end_turn"]},
    {"text": "x" * 700_000},
]


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_no_answer_makes_the_library_unusable(
    cards: Cards, messages: MessagesServer, answer: dict[str, object]
) -> None:
    """It is paid for, judged or found without a text; every verb works afterwards, and the next run finishes."""
    cards.write(TITLES[:3])
    messages.faults({"match": ": Beta.", "times": 1, **answer})
    first = cards.run()
    assert first.code in {0, 6}, first.err
    for verb in (("status",), ("plan", "cards"), ("report", "page.html", "cards")):
        ended = cards.program.run(*verb)
        assert ended.code in {0, 6}, (verb, ended.err)
        assert "Traceback" not in ended.out + ended.err
    assert cards.run().code in {0, 6}
    assert {"Alpha", "Gamma"} <= cards.stored()
