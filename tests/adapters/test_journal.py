"""The journal keeps what it acknowledged, at the position it named, whatever happens to the process or the disk."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from adapters.journal_records import begun, failed, intent, judged, paid, target_folder_in, write_journal
from adapters.starting import hear, started
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.adapters.journal import JournalFile, open_journal
from seed_library.adapters.journal_lines import decode, encode, read_ledger, read_record
from seed_library.adapters.state import BALLAST_BYTES, TargetFolder
from seed_library.core.errors import JournalUnavailable
from seed_library.core.redaction import Redactor
from seed_library.ports import Journal

SECRET = "sb_secret_obviously_fake_0123456789"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=12,
)
Opening = Callable[[], AbstractAsyncContextManager[Journal]]


@pytest.fixture
def folder(tmp_path: Path) -> TargetFolder:
    """An empty target folder."""
    return target_folder_in(tmp_path)


@pytest.fixture(params=["file"])
def opening(request: pytest.FixtureRequest, folder: TargetFolder) -> Opening:
    """How to open a journal. Every kind that is named here keeps the same promises."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Journal]:
        journal = JournalFile(folder, Redactor())
        yield journal
        await journal.aclose()

    return opened


async def test_a_record_is_found_at_the_position_that_was_returned(opening: Opening) -> None:
    """One after the other; positions grow."""
    async with opening() as journal:
        positions = [await journal.write(paid(number)) for number in range(5)]
        assert [journal.read(position) for position in positions] == [paid(number) for number in range(5)]
    assert positions == sorted(set(positions))


async def test_records_of_many_tasks_get_positions_of_their_own(opening: Opening) -> None:
    """They share one write and one sync, and are still told apart."""
    records = [paid(number, text="ü" * number) for number in range(300)]
    async with opening() as journal:
        positions = await asyncio.gather(*map(journal.write, records))
        assert list(map(journal.read, positions)) == records


async def test_a_note_disturbs_no_position(opening: Opening) -> None:
    """Nobody waits for it, and it takes its place between the records around it."""
    async with opening() as journal:
        first = await journal.write(intent(1))
        journal.note(failed(1))
        second = await journal.write(intent(2))
        assert (journal.read(first), journal.read(second)) == (intent(1), intent(2))


async def test_a_position_that_was_never_given_is_refused(opening: Opening) -> None:
    """Nothing is made up."""
    async with opening() as journal:
        await journal.write(paid(1))
        with pytest.raises(JournalUnavailable):
            journal.read(10_000)


async def test_what_was_only_noted_is_durable_after_closing(folder: TargetFolder) -> None:
    """A run that ends in order leaves nothing open."""
    journal = JournalFile(folder, Redactor())
    await journal.write(intent(1))
    journal.note(failed(1, billed="no"))
    await journal.aclose()
    assert read_record(folder.journal, len(encode(intent(1)))) == failed(1, billed="no")
    assert read_ledger(folder.journal)[0].open_intents == {}


async def test_a_cancelled_task_does_not_take_its_record_along(folder: TargetFolder) -> None:
    """A paid answer reaches the disk although nobody waits for it any more."""
    journal = JournalFile(folder, Redactor())
    task = asyncio.create_task(journal.write(paid(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await journal.aclose()
    assert read_record(folder.journal, 0) == paid(1)


async def test_a_later_process_goes_on_where_the_last_one_ended(folder: TargetFolder) -> None:
    """The fold of what was there comes with the opened journal; positions continue."""
    earlier = write_journal(folder, begun(), intent(1), paid(1), judged(1))
    opened = open_journal(folder, Redactor())
    later = await opened.journal.write(paid(2))
    await opened.journal.aclose()
    assert opened.repairs == ()
    assert opened.ledger.spent == 1_000
    assert later > earlier[-1]
    assert [read_record(folder.journal, position)["kind"] for position in [*earlier, later]] == [
        "run",
        "intent",
        "paid",
        "judged",
        "paid",
    ]


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters()), JSON_VALUES, max_size=5))
def test_any_record_survives_the_round_trip(record: dict[str, Any]) -> None:
    """Also halves of surrogate pairs, which a model's answer may hold and UTF-8 does not know."""
    line = encode(record)
    assert decode(line) == record
    assert line.count(b"\n") == 1


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON_VALUES, max_size=3), st.integers(0), st.integers(1, 255))
def test_a_changed_byte_is_always_noticed(record: dict[str, Any], place: int, change: int) -> None:
    """In the checksum, the blank, the JSON or the newline."""
    line = bytearray(encode(record))
    line[place % len(line)] ^= change
    assert decode(bytes(line)) is None


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"00000000 \n", b"\x00" * 64 + b"\n", b"f3d1cd35 [1]\n", b"{}\n"], ids=ascii
)
def test_a_line_that_is_no_record_is_none(line: bytes) -> None:
    """An empty body has a right checksum too, and is no record."""
    assert decode(line) is None


@pytest.mark.parametrize("tasks", [1, 8])
def test_every_acknowledged_record_survives_a_kill(folder: TargetFolder, tasks: int) -> None:
    """A process writes, says what was acknowledged, and is killed in the middle of it."""
    with started("journal_writer", folder.path, str(tasks)) as process:
        acknowledged = [hear(process) for _ in range(150)]
        process.kill()
        assert process.stdout is not None
        acknowledged += process.stdout.read().splitlines(keepends=False)
    for line in acknowledged:
        position, number = map(int, line.split())
        assert read_record(folder.journal, position)["attempt"] == f"run-1-{number}"
    ledger, damage = read_ledger(folder.journal)
    assert damage.lines == []
    assert ledger.spent >= 1_000 * len(acknowledged)


def test_a_full_disk_still_takes_the_answers_in_flight(folder: TargetFolder) -> None:
    """The ballast makes room for them; from then on nothing new may be sent."""
    outcome = _on_a_full_disk(folder, "700", "gives")
    for number, position in enumerate(outcome["in_flight"]):
        assert read_record(folder.journal, position) == paid(number)
    assert read_record(folder.journal, outcome["late"]) == paid(9)
    assert "No space left" in outcome["intent"]
    assert "what the journal holds is not paid for again" in outcome["intent"]
    assert not outcome["ballast"]
    assert "closing" not in outcome


async def test_a_journal_works_again_when_there_is_space_again(folder: TargetFolder) -> None:
    """No damage stays behind, the ballast is laid anew, intents are accepted."""
    _on_a_full_disk(folder, "700", "gives")
    opened = open_journal(folder, Redactor())
    await opened.journal.write(intent(10))
    await opened.journal.aclose()
    assert opened.repairs == ()
    assert opened.ledger.spent == 9_000
    assert folder.ballast.stat().st_size == BALLAST_BYTES


def test_a_disk_without_any_room_refuses_without_leaving_half_a_line(folder: TargetFolder) -> None:
    """Where even the ballast does not help, every write says so, and so does closing."""
    positions = write_journal(folder, intent(20), paid(20))
    whole = folder.journal.read_bytes()
    outcome = _on_a_full_disk(folder, "100")
    said = [*outcome["in_flight"], outcome["intent"], outcome["late"]]
    assert all("cannot be written: File too large" in str(one) for one in said)
    assert "cannot be written" in outcome["closing"]
    assert folder.journal.read_bytes() == whole
    assert read_record(folder.journal, positions[1]) == paid(20)


async def test_a_failing_sync_is_final(folder: TargetFolder) -> None:
    """A pipe takes what is written and cannot be synced: nothing is acknowledged, then or later."""
    os.mkfifo(folder.journal)
    journal = JournalFile(folder, Redactor())
    for number in range(2):
        with pytest.raises(JournalUnavailable, match="cannot be written"):
            await journal.write(paid(number))
    with pytest.raises(JournalUnavailable):
        await journal.aclose()


async def test_secrets_in_foreign_sentences_do_not_reach_the_disk(folder: TargetFolder) -> None:
    """Errors of other programs may quote a key; texts and facts are kept as they are."""
    journal = JournalFile(folder, Redactor([SECRET]))
    position = await journal.write(failed(1, reason=f"refused: {SECRET} and sk-ant-api03-fake"))
    await journal.write({**judged(2), "unusable": f"no text, {SECRET}"})
    await journal.write({"kind": "finished", "run": "run-1", "at": "", "exit_code": 4, "error": f"bad {SECRET}"})
    await journal.aclose()
    assert journal.read(position) == failed(1, reason="refused: [redacted] and [redacted]")
    assert SECRET not in folder.journal.read_text()
    assert "sk-ant" not in folder.journal.read_text()


def _on_a_full_disk(folder: TargetFolder, room: str, *gives: str) -> dict[str, Any]:
    with started("full_disk", folder.path, room, *gives) as process:
        outcome: dict[str, Any] = json.loads(hear(process))
    return outcome
