"""A SQLite library that has two names: one lock, one journal, and each text is paid for once."""

from __future__ import annotations

from pathlib import Path

import pytest
from processes.cards import TITLES, Cards
from servers.processes import MessagesServer

OTHER = {"SEED_LIBRARY_STORE": "sqlite:other.sqlite3"}


@pytest.fixture(params=["a hard link", "a hard link in another folder", "a symbolic link"])
def named(cards: Cards, request: pytest.FixtureRequest) -> dict[str, str]:
    """Fill a library with two texts, and give it another name, by which it is found with these settings."""
    cards.write(TITLES[:6])
    assert cards.run("--limit", "2").code == 0
    library, other = cards.program.folder / "library.sqlite3", cards.program.folder / "elsewhere" / "other.sqlite3"
    other.parent.mkdir()
    if request.param == "a hard link":
        other = library.with_name("other.sqlite3")
    (other.symlink_to if request.param == "a symbolic link" else other.hardlink_to)(library)
    return {"SEED_LIBRARY_STORE": f"sqlite:{other}"}


def test_a_library_with_two_names_has_one_lock(cards: Cards, named: dict[str, str], messages: MessagesServer) -> None:
    """While a run by one name works, one by the other is refused, and names the first; nothing is paid twice."""
    before = len(messages.billed())
    messages.faults({"hold": True, "skip": 1, "times": 3})
    first = cards.start()
    messages.wait_for(lambda state: len(state["billed"]) > before)
    second = cards.run(**named)
    assert (second.code, second.error["code"]) == (5, "locked"), second.out
    assert cards.run(verb="status", **named).document["state"] == "running"
    messages.control(release=True)
    assert first.end().code == 0
    assert len(messages.billed()) == 6
    assert cards.run(**named).document["requests"] == 0


def test_what_is_paid_by_one_name_is_known_by_the_other(
    cards: Cards, named: dict[str, str], messages: MessagesServer
) -> None:
    """Drafts are in the one journal; only one folder of state was made."""
    sampled = cards.program.run("sample", "3", "cards", "--json", **named)
    assert sampled.code == 0
    finished = cards.run()
    assert (finished.code, finished.document["stored"], finished.document["recovered"]) == (0, 4, 3)
    assert len(messages.billed()) == 6
    assert len(list((cards.program.folder / "state" / "targets").iterdir())) == 1


def test_a_name_that_leads_elsewhere_by_now_is_not_followed(cards: Cards, messages: MessagesServer) -> None:
    """The first name was given to a new library: both go their own ways."""
    cards.write(TITLES[:2])
    assert cards.run().code == 0
    library, other = cards.program.folder / "library.sqlite3", cards.program.folder / "other.sqlite3"
    library.rename(other)
    assert cards.run().code == 0
    assert cards.run(**OTHER).document["requests"] == 0
    assert len(messages.billed()) == 2
    folders = {Path(path).name for path in (cards.program.folder / "state" / "targets").iterdir()}
    assert len(folders) == 2


def test_the_file_of_names_is_private(cards: Cards) -> None:
    """Whatever the umask says, and with the first thing that is written."""
    cards.write(TITLES[:1])
    assert cards.run().code == 0
    files = cards.program.folder / "state" / "files"
    assert [path.stat().st_mode & 0o077 for path in (files.parent, files)] == [0, 0]
