"""The page of `review` as a process: how it begins, what stands beside it, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from adapters.review_visitor import Told, Visitor
from processes.cards import Cards
from processes.program import Running, served
from servers.processes import MessagesServer

IDLE = 200


@pytest.fixture
def seeded(cards: Cards) -> Cards:
    """Two stored texts."""
    cards.write(["Alpha", "Beta"])
    assert cards.run().code == 0
    return cards


@contextmanager
def _opened(cards: Cards, *options: str) -> Iterator[tuple[Running, Visitor]]:
    running = cards.start(*options, verb="review")
    with served(running) as address:
        yield running, Visitor.at(address)


def _card(answer: Told, key: str) -> dict[str, object]:
    html = answer.body.decode()
    inside = html.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    found: dict[str, object] = next(card for card in json.loads(inside)["cards"] if card["key"] == key)
    return found


def _press(visitor: Visitor, what: str, **more: object) -> Told:
    card = _card(visitor.get(), "alpha")
    about = {name: card[name] for name in ("category", "key", "locale", "stored", "version")}
    return visitor.act(json.dumps({"what": what, **about, **more}).encode())


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP)]
)
def test_hundreds_of_silent_connections_keep_nobody_from_reading_editing_and_ending(
    seeded: Cards, number: signal.Signals, code: int
) -> None:
    """The owner is served beside them, and every signal ends the page with its own code, without a word."""
    with _opened(seeded) as (running, visitor), ExitStack() as others:
        silent = [others.enter_context(visitor.connect()) for _ in range(IDLE)]
        for connection in silent[::2]:
            connection.sendall(b"POST /api/act HTTP/1.1\r\nContent-Length: 5\r\n")
        assert visitor.ask(b"nonsense\r\n\r\n").status == 400
        assert visitor.get().status == 200
        assert _press(visitor, "edit", text="A text of my own, said beside all of them.").said["message"] == "Done."
        assert _card(visitor.get(), "alpha")["text"] == "A text of my own, said beside all of them."
        running.send(number)
        ended = running.end()
    assert (ended.code, ended.out, ended.err) == (code, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_button_finishes_it_tells_it_and_ends_the_page(
    seeded: Cards, messages: MessagesServer, number: signal.Signals
) -> None:
    """What is in flight is paid, and kept; then nobody has to ask a second time."""
    messages.faults({"hold": True, "match": "Write alpha"})
    answers: list[Told] = []
    with _opened(seeded) as (running, visitor):
        button = threading.Thread(target=lambda: answers.append(_press(visitor, "regenerate")))
        button.start()
        messages.wait_for(lambda state: state["held"] == 1)
        assert visitor.get().status == 200, "looking does not wait for it"
        running.send(number)
        messages.control(release=True)
        button.join(timeout=60)
        ended = running.end()
    assert (ended.code, ended.err) == (0, "")
    assert (answers[0].status, answers[0].said["message"].startswith("Done. The page ends.")) == (200, True)


def test_a_table_that_goes_away_is_told_on_the_page_and_comes_back(seeded: Cards) -> None:
    """503 with a sentence for a look, and nothing lost for an edit."""
    library = seeded.program.folder / "library.sqlite3"
    with _opened(seeded) as (running, visitor):
        card = _card(visitor.get(), "alpha")
        about = {name: card[name] for name in ("category", "key", "locale", "stored", "version")}
        edit = json.dumps({"what": "edit", **about, "text": "A text that has to wait for its table."}).encode()
        kept = library.read_bytes()
        library.write_bytes(b"This is no table." * 300)
        answers = [visitor.get(), visitor.act(edit)]
        assert [answer.status for answer in answers] == [503, 503]
        assert all("library.sqlite3" in answer.sentence for answer in answers)
        library.write_bytes(kept)
        assert visitor.act(edit).status == 200
        running.send(signal.SIGINT)
        assert (running.end().code, running.events[1:]) == (0, [])


ODD_EDITS: dict[str, dict[str, object]] = {
    "a NUL": {"text": "A text with a \0 in it."},
    "half of a pair": {"text": "A text with a \ud83d in it."},
    "the other half": {"text": "\udc00"},
    "nothing": {"text": ""},
    "blanks": {"text": " \n\t\N{NO-BREAK SPACE}"},
    "no text at all": {},
    "a number": {"text": 5},
    "a list": {"text": ["A text"]},
    "a stored that is a word": {"text": "A text.", "stored": "false"},
    "a version that is none": {"text": "A text.", "version": None},
    "a key that is a list": {"text": "A text.", "key": ["alpha"]},
    "a key that nobody knows": {"text": "A text.", "key": "omega\ud83d"},
    "a button that is none": {"what": "delete", "text": "A text."},
    "no button": {"what": None, "text": "A text."},
}


def test_an_edit_that_no_table_takes_is_told_in_a_sentence(seeded: Cards) -> None:
    """Nothing is stored, nothing is printed, whatever was sent."""
    before = seeded.program.run("show", "alpha", "--json", SEED_LIBRARY_CATALOG="cards").out
    with _opened(seeded) as (running, visitor):
        for kind, fields in ODD_EDITS.items():
            answer = _press(visitor, **{"what": "edit", **fields})  # type: ignore[arg-type]  # that is the point
            assert answer.status == 400, kind
            assert answer.sentence.endswith("."), kind
        running.send(signal.SIGINT)
        ended = running.end()
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert seeded.program.run("show", "alpha", "--json", SEED_LIBRARY_CATALOG="cards").out == before


def test_a_port_that_is_taken_or_ones_own_is_a_sentence(seeded: Cards) -> None:
    """Exit code 2 and what to do; a free port that is named is the one that is served."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = seeded.run("--port", str(port), verb="review")
        assert (ended.code, ended.error["code"], ended.err) == (2, "usage", "")
        assert str(port) in ended.error["message"]
    with _opened(seeded, "--port", str(port)) as (_, visitor):
        assert visitor.port == port


def test_the_token_is_on_no_line_but_the_address(seeded: Cards) -> None:
    """Not even among the debug logs of the libraries."""
    with _opened(seeded, "--verbose") as (running, visitor):
        visitor.get()
        visitor.get(f"/elsewhere?token={visitor.token}")
        visitor.ask(b"GET /?token=" + visitor.token.encode() + b" HTTP/9.9\r\n\r\n")
        _press(visitor, "edit", text="A text of my own, with the logs beside it.")
        running.send(signal.SIGINT)
        ended = running.end()
    assert ended.code == 0
    assert "DEBUG" in ended.err
    assert visitor.token not in ended.out + ended.err
    files = [file for file in seeded.program.state.rglob("*") if file.is_file()]
    assert not [file for file in files if visitor.token.encode() in file.read_bytes()]
