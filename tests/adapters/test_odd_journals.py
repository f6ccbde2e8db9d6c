"""Nothing in a journal makes a library unusable: what is not understood is copied, named once, counted, passed over."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from adapters.journal_records import begun, finished, intent, judged, paid, stored, target_folder_in, write_journal
from adapters.lock_holder import holder_named
from examples import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.adapters import journal_lines
from seed_library.adapters.journal import open_journal
from seed_library.adapters.journal_lines import encode, read_ledger, read_record
from seed_library.adapters.journal_repair import journal_check
from seed_library.adapters.lock import TargetLock, read_holder
from seed_library.adapters.state import TargetFolder
from seed_library.adapters.status import read_status
from seed_library.core.errors import ExitCode, JournalUnavailable
from seed_library.core.journal_records import VERSION
from seed_library.core.redaction import Redactor

HEAD = {"kind": "journal", "version": VERSION}
GOOD = [begun(), intent(1), paid(1), judged(1), stored(1), intent(2)]


@pytest.fixture
def folder(tmp_path: Path) -> TargetFolder:
    """An empty target folder."""
    return target_folder_in(tmp_path)


def line(body: bytes) -> bytes:
    """Return a line with a right checksum, whatever is in it."""
    return b"%08x %s\n" % (zlib.crc32(body), body)


async def _opened(folder: TargetFolder) -> tuple[str, ...]:
    """Open the journal, write a record, read it back, close; return what was said."""
    opened = open_journal(folder, Redactor())
    position = await opened.journal.write(intent(99, run="later"))
    await opened.journal.aclose()
    assert read_record(folder.journal, position) == intent(99, run="later")
    return opened.repairs


DEEP = b'{"kind":"paid","message":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
ODD: dict[str, tuple[bytes, str]] = {
    "no JSON": (line(b"{not json"), "holds no JSON object that can be read"),
    "a list": (line(b"[1, 2]"), "holds no JSON object that can be read"),
    "nothing": (line(b""), "holds no JSON object that can be read"),
    "no UTF-8": (line(b'{"kind": "\xff\xfe"}'), "holds no JSON object that can be read"),
    "NUL bytes": (line(b"\0" * 512), "holds no JSON object that can be read"),
    "nested": (line(DEEP), "holds no JSON object that can be read"),
    "no kind": (line(b'{"run":"r"}'), "its kind 'None' is unknown"),
    "unknown kind": (line(b'{"kind":"embedded","run":"r"}'), "its kind 'embedded' is unknown"),
    "kind that is none": (line(b'{"kind":{"a":[1]}}'), "is unknown"),
    "missing": (line(b'{"kind":"paid","run":"r"}'), "of the kind 'paid', but 'item' is missing"),
    "another shape": (encode({**paid(3), "item": {"category": "x"}}), "'item' is missing or of another form"),
    "half a pair": (encode({**paid(3), "item": ["a", "\ud83d", "de"]}), "'item' is missing or of another form"),
    "NaN": (encode({**paid(3), "cost": float("nan")}), "'cost' is missing or of another form"),
    "infinity": (encode({**paid(3), "cost": float("inf")}), "'cost' is missing or of another form"),
    "400 digits": (encode({**paid(3), "cost": 10**400}), "'cost' is missing or of another form"),
    "5000 digits": (line(b'{"kind":"lease","run":"r","token":' + b"9" * 5000 + b"}"), "'token' is missing or of"),
    "negative": (encode({**intent(3), "worst": -1}), "'worst' is missing or of another form"),
    "time": (encode({**begun("other"), "at": "year 1"}), "'at' is missing or of another form"),
    "twice": (encode(paid(1)), "repeats an earlier record of the attempt 'run-1-1'"),
}


@pytest.mark.parametrize(("odd", "reason"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", ["inside", "at the end"])
async def test_what_is_not_understood_is_set_aside_and_named_once(
    folder: TargetFolder, odd: bytes, reason: str, place: str
) -> None:
    """With its byte, its reason and a copy; it stays in the journal, and everything else is read as before."""
    position = write_journal(folder, HEAD, *GOOD)[-1] + len(encode(GOOD[-1]))
    after = encode(finished()) if place == "inside" else b""
    before = folder.journal.read_bytes() + odd + after
    folder.journal.write_bytes(before)
    (said,) = await _opened(folder)
    assert f"at byte {position} " in said
    assert reason in said
    assert str(folder.damaged) in said
    assert folder.journal.read_bytes() == before + encode(intent(99, run="later"))
    assert [copy.read_bytes() for copy in folder.damaged.iterdir()] == [odd]
    ledger, damage = read_ledger(folder.journal)
    assert [one.position for one in ledger.unread] == [position]
    assert damage.torn_at is None
    assert (ledger.spent, set(ledger.open_intents)) == (1_000, {"run-1-2", "later-99"})
    assert await _opened(folder) == ()


@pytest.mark.parametrize("hole", [b"\0" * 5_000, b"\n" * 5_000, b"torn in the middle ", b"x" * 3_000 + b"\n"])
async def test_what_is_torn_in_the_middle_costs_no_other_record(folder: TargetFolder, hole: bytes) -> None:
    """A hole takes at most the line that it runs into; the intent of that line stays open, and is counted."""
    write_journal(folder, HEAD, *GOOD)
    whole = folder.journal.read_bytes()
    victim = encode(intent(3))
    folder.journal.write_bytes(whole + hole + victim + encode(intent(4)))
    await _opened(folder)
    ledger, _ = read_ledger(folder.journal)
    assert (ledger.spent, "run-1-4" in ledger.open_intents) == (1_000, True)
    known = "run-1-3" in ledger.open_intents
    assert known or any((ledger.may_have_cost(one) or 0) >= 10_000 for one in ledger.unread)


async def test_a_line_that_is_too_long_is_passed_over_without_being_read(
    folder: TargetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a right checksum it is whole; its amount is made out at its beginning."""
    monkeypatch.setattr(journal_lines, "LONGEST_LINE", 2_000)
    write_journal(folder, HEAD, *GOOD)
    position = folder.journal.stat().st_size
    with folder.journal.open("ab") as file:
        file.write(encode({**paid(7, text="x" * 3_000_000), "cost": 77_000}) + encode(intent(3)))
    (said,) = await _opened(folder)
    assert f"at byte {position} that is not understood: it is longer than 2,000 bytes." in said
    assert "Up to $0.0770 may have been billed" in said
    assert "run-1-3" in read_ledger(folder.journal)[0].open_intents


async def test_a_hole_of_a_hundred_megabytes_is_one_damaged_line(folder: TargetFolder) -> None:
    """As a lost block of a disk leaves it; what follows is read."""
    write_journal(folder, HEAD, *GOOD)
    with folder.journal.open("ab") as file:
        file.truncate(file.tell() + 100_000_000)
        file.seek(0, 2)
        file.write(b"\n" + encode(intent(3)))
    ledger, damage = read_ledger(folder.journal)
    assert [one.size for one in damage.lines] == [100_000_001]
    assert {"run-1-2", "run-1-3"} == set(ledger.open_intents)


async def test_an_answer_that_is_too_long_for_a_line_is_kept_without_what_nobody_reads(
    folder: TargetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is there; a text that no row takes is left out."""
    monkeypatch.setattr("seed_library.adapters.journal.LONGEST_LINE", 900_000)
    opened = open_journal(folder, Redactor())
    stuffed = {**paid(1), "message": {**paid(1)["message"], "extra": "x" * 1_000_000, "usage": {"input_tokens": 3}}}
    first = await opened.journal.write(stuffed)
    second = await opened.journal.write(paid(2, text="x" * 1_000_000))
    with pytest.raises(JournalUnavailable, match="too long"):
        await opened.journal.write({**intent(3), "model": "x" * 1_000_000})
    await opened.journal.aclose()
    kept = read_record(folder.journal, first)
    assert kept["message"]["content"] == paid(1)["message"]["content"]
    assert (kept["cost"], kept["message"]["usage"]) == (1_000, {"input_tokens": 3})
    assert read_record(folder.journal, second)["message"]["content"] == []


async def test_a_new_journal_begins_with_its_version(folder: TargetFolder) -> None:
    """Once; one of an older program goes on without."""
    await _opened(folder)
    await _opened(folder)
    first, *others = [json.loads(line[9:]) for line in folder.journal.read_bytes().splitlines()]
    assert first == {"kind": "journal", "version": VERSION}
    assert {one["kind"] for one in others} == {"intent"}


async def test_a_journal_of_an_older_version_is_read_and_written(folder: TargetFolder) -> None:
    """Without a head, and with records that have fewer fields than those of today."""
    old = [
        {key: value for key, value in one.items() if key not in {"workspace", "request_id", "findings"}} for one in GOOD
    ]
    write_journal(folder, *old)
    assert await _opened(folder) == ()
    ledger, _ = read_ledger(folder.journal)
    assert (ledger.version, ledger.spent, ledger.unread) == (1, 1_000, [])


@pytest.mark.parametrize("place", ["first", "later"])
async def test_a_journal_of_a_newer_version_is_not_written(folder: TargetFolder, place: str) -> None:
    """Both versions are named, and what to do; not a byte of it changes. It can be looked at."""
    newer = {"kind": "journal", "version": VERSION + 6}
    write_journal(folder, *([newer, *GOOD] if place == "first" else [HEAD, *GOOD, newer]), {"kind": "from the future"})
    with folder.journal.open("ab") as file:
        file.write(b"torn")
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    with pytest.raises(JournalUnavailable) as caught:
        open_journal(folder, Redactor())
    assert f"newer version of seed_library (journal version {VERSION + 6}; this one writes {VERSION})" in str(
        caught.value
    )
    assert caught.value.exit_code == ExitCode.PREFLIGHT
    assert "Update seed_library" in caught.value.hint
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before
    ledger, _ = read_ledger(folder.journal)
    assert ledger.spent == 1_000
    check = journal_check(folder, ledger)
    assert (check.ok, check.message) == (False, caught.value.message)


def test_a_check_says_where_the_records_are_that_are_not_understood(folder: TargetFolder) -> None:
    """As long as no run has counted them, also what a run will do."""
    positions = write_journal(folder, HEAD, {"kind": "embedded"}, *GOOD, {"kind": "embedded"})
    check = journal_check(folder, read_ledger(folder.journal)[0])
    assert check.ok
    assert (
        f"2 records of {folder.journal} are not understood (at byte {positions[1]}, {positions[-1]})" in check.message
    )
    assert str(folder.damaged) in check.hint
    counted = [[place, len(encode({"kind": "embedded"})), 0] for place in (positions[1], positions[-1])]
    write_journal(folder, {"kind": "set_aside", "run": "r", "at": "", "records": counted})
    assert journal_check(folder, read_ledger(folder.journal)[0]).hint == ""


def test_a_flood_of_records_that_are_not_understood_is_counted(folder: TargetFolder) -> None:
    """Ten are named; the others are copied as well."""
    write_journal(folder, HEAD, *({"kind": f"k{number}"} for number in range(25)))
    said = open_journal(folder, Redactor()).repairs
    assert len(said) == 11
    assert said[-1] == f"15 more records of the journal are not understood; copies are in {folder.damaged}."
    assert len(list(folder.damaged.iterdir())) == 25


def _held(folder: TargetFolder, start: int) -> None:
    """Leave behind what a killed holder leaves, whose run began at a byte of the journal."""
    lock = TargetLock(folder)
    lock.acquire(holder_named("run-1"), progress=str)
    lock.begun(start)
    lock.release()


def test_status_says_how_many_records_are_not_understood(folder: TargetFolder) -> None:
    """Those that the run found when it began, and those that it has left itself."""
    start = write_journal(folder, HEAD, begun("old"), begun(set_aside=3), {"kind": "embedded"}, intent(1))[2]
    _held(folder, start)
    status = read_status(folder)
    assert (status.state, status.set_aside, status.damaged) == ("interrupted", 4, folder.damaged)
    assert status.maybe_in_flight == 10_000


@pytest.mark.parametrize(
    "holder",
    ["[]", "{", '{"pid": "x"}', '{"pid": 7}', '{"pid": -1}', "[" * 100_000, '"\\ud83d"', "{}"],
    ids=["list", "torn", "wrong type", "too little", "negative", "nested", "text", "empty"],
)
def test_a_holder_record_of_another_shape_names_nobody(folder: TargetFolder, holder: str) -> None:
    """It is a hint for people: the lock is the kernel's."""
    folder.holder.write_text(holder)
    assert read_holder(folder) is None
    assert read_status(folder).state == "idle"


@pytest.mark.parametrize("start", [-5, "many", None, 10**30, 7])
def test_a_holder_record_that_names_no_place_in_the_journal_is_of_use_still(folder: TargetFolder, start: Any) -> None:
    """Status reads what it can."""
    write_journal(folder, HEAD, *GOOD)
    _held(folder, 0)
    data = json.loads(folder.holder.read_text())
    folder.holder.write_text(json.dumps({**data, "journal_start": start}))
    assert read_status(folder).state in {"interrupted", "idle"}


FIELDS = ["kind", "run", "at", "item", "items", "attempt", "fingerprint", "cost", "worst", "message", "token", "count"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(
        [10**400, "run-1-1", ["sun", "k", "de"], "paid", "batch_intent", "0001-01-01T00:00:00+14:00", -1]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = ["run", "intent", "paid", "failed", "judged", "stored", "finished", "lease", "batch_intent", "batch_created"]
KINDS += ["batch_adopted", "batch_done", "batch_failed", "unclaimed", "edited", "turned_down", "set_aside", "journal"]
BASES = {one["kind"]: one for one in [*GOOD, finished()]}


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Draw a line of a journal: a good record with changed fields, any record, any JSON, any bytes."""
    how = draw(st.integers(0, 3))
    if how == 0:
        record = dict(draw(st.sampled_from([*GOOD, finished()])))
        record |= draw(st.dictionaries(st.sampled_from(sorted(record)), VALUES, max_size=2))
        return encode(record)
    if how == 1:
        fields = draw(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6))
        return encode({**fields, "kind": draw(st.sampled_from(KINDS))})
    if how == 2:
        return line(json.dumps(draw(VALUES)).encode("utf-8", "surrogatepass"))
    return draw(st.binary(max_size=80)) + b"\n"


@settings(max_examples=EXAMPLES, deadline=None)
@given(odd=st.lists(lines(), max_size=6), seed=st.integers(0, 2**32))
async def test_no_line_whatever_it_holds_makes_a_library_unusable(
    tmp_path_factory: pytest.TempPathFactory, odd: list[bytes], seed: int
) -> None:
    """It opens, tells where it stands, keeps what is paid, takes new records, and says nothing twice."""
    folder = target_folder_in(tmp_path_factory.mktemp("odd"))
    places = [1 + seed // 7**number % len(GOOD) for number in range(len(odd))]
    told = [encode(one) for one in [HEAD, *GOOD]]
    for place, one in zip(places, odd, strict=True):
        told.insert(place + 1, one)
    folder.journal.write_bytes(b"".join(told))
    _held(folder, len(told[0]))
    newer = read_ledger(folder.journal)[0].version > VERSION
    read_status(folder)
    if newer:
        with pytest.raises(JournalUnavailable):
            open_journal(folder, Redactor())
        return
    await _opened(folder)
    ledger, damage = read_ledger(folder.journal)
    assert damage.torn_at is None
    assert ledger.spent >= 1_000 or any(one.costly for one in ledger.unread)
    assert all((ledger.may_have_cost(one) or 0) >= 0 for one in ledger.unread)
    assert await _opened(folder) == ()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=12))
def test_whatever_bytes_change_no_money_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    """What is counted is never less than what was paid: as paid, as an open intent, or for what is not understood."""
    folder = target_folder_in(tmp_path_factory.mktemp("changed"))
    count = 8
    for number in range(count):
        write_journal(folder, intent(number), paid(number), judged(number))
    write_journal(folder, intent(99), finished())
    content = bytearray(folder.journal.read_bytes())
    end = len(content) - len(encode(finished()))  # a torn end was never acknowledged
    for place, change in changes:
        content[place % end] ^= change
    folder.journal.write_bytes(content)
    ledger, _ = read_ledger(folder.journal)
    unread = sum(ledger.may_have_cost(one) or 0 for one in ledger.unread)
    unclosed = sum(one.worst for one in ledger.open_intents.values())
    unknown = any(ledger.may_have_cost(one) is None for one in ledger.unread)
    assert unknown or ledger.spent + unread + unclosed >= count * 1_000 + 10_000
