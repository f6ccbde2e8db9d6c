"""The server of the page: nobody can make it hang, fall over or talk; every answer has a sentence."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from adapters.review_visitor import Told, Visitor, told

from seed_library.adapters.review import Outcome, ReviewServer, listen
from seed_library.adapters.review.server import Limits
from seed_library.core.errors import ExitCode, PreflightFailed, SeedLibraryError, StoreUnavailable, UsageInvalid

CARD = {"key": "a", "text": "A text."}
AWAY = StoreUnavailable("The table gave no answer.", hint="Look at the dashboard.")


@dataclass
class OneCard:
    """A library of one text, in front of which a test can put what it likes."""

    looked: Callable[[], Any] = lambda: None
    acted: Callable[[], Any] = lambda: Outcome("Done.")
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def look(self) -> dict[str, Any]:
        """Show the text."""
        self.looked()
        return {"catalog": "cards", "target": "a table", "cards": [CARD]}

    def act(self, said: Mapping[str, Any]) -> Outcome:
        """Do nothing, and say so."""
        self.asked.append(said)
        outcome: Outcome = self.acted()
        return outcome

    def words(self, error: SeedLibraryError) -> str:
        """Return a failure as the terminal says it."""
        return f"{error.message} {error.hint}".strip()


@dataclass
class Opened:
    """A page that is served, and somebody who visits it."""

    desk: OneCard
    visitor: Visitor
    server: ReviewServer
    thread: threading.Thread

    def end(self) -> None:
        """Close the page."""
        self.server.end()
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()


Open = Callable[..., Opened]


@pytest.fixture
def opened(capfd: pytest.CaptureFixture[str]) -> Iterator[Open]:
    """Opens pages; none of them may say anything on the terminal, whatever it meets."""
    pages: list[Opened] = []

    def make(limits: Limits | None = None, hosts: tuple[str, ...] = ("127.0.0.1",)) -> Opened:
        desk = OneCard()
        server = ReviewServer(desk, listen(0, hosts), limits)
        thread = threading.Thread(target=server.serve)
        thread.start()
        pages.append(Opened(desk, Visitor.at(server.address), server, thread))
        return pages[-1]

    yield make
    for page in pages:
        page.end()
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def _is_a_sentence(text: str) -> bool:
    return re.fullmatch(r"[A-Z].*[.]", text, re.DOTALL) is not None


def _is_kept_from_others(answer: Told) -> bool:
    policy = answer.headers["content-security-policy"]
    wanted = ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'")
    return (
        all(part in policy for part in wanted)
        and "unsafe" not in policy
        and answer.headers["cache-control"] == "no-store"
        and answer.headers["referrer-policy"] == "no-referrer"
        and answer.headers["x-content-type-options"] == "nosniff"
    )


def _whole(visitor: Visitor, *lines: str) -> bytes:
    return "\r\n".join((*lines, f"Host: {visitor.name}", "", "")).encode("latin-1")


NO_REQUESTS: dict[str, tuple[int, Callable[[Visitor], bytes]]] = {
    "half an address": (403, lambda v: _whole(v, "GET http://[::1/ HTTP/1.1")),
    "half an address with the token": (404, lambda v: _whole(v, f"GET http://[::1/?token={v.token} HTTP/1.1")),
    "an address of a proxy": (404, lambda v: _whole(v, f"GET http://elsewhere/?token={v.token} HTTP/1.1")),
    "percents that mean nothing": (403, lambda v: _whole(v, "GET /%zz%ff?token=%ff HTTP/1.1")),
    "a star": (403, lambda v: _whole(v, "OPTIONS * HTTP/1.1")),
    "another path": (404, lambda v: _whole(v, f"GET /favicon.ico?token={v.token} HTTP/1.1")),
    "a path with a slash too many": (404, lambda v: _whole(v, f"GET /api/act/?token={v.token} HTTP/1.1")),
    "another protocol": (400, lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)),
    "no words": (400, lambda _: b"\0\1\2\r\n\r\n"),
    "a head without an end": (400, lambda v: _whole(v, "GET / HTTP/1.1", "X-Long: " + "x" * 1_000_000)),
    "a header of two lines": (400, lambda v: _whole(v, "GET / HTTP/1.1", "X-Odd\n: y")),
    "no Host": (400, lambda _: b"GET / HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, lambda v: _whole(v, "GET / HTTP/1.1", f"Host: {v.name}")),
    "an old protocol without a Host": (403, lambda v: f"GET /?token={v.token} HTTP/1.0\r\n\r\n".encode()),
    "an upgrade": (403, lambda v: _whole(v, "GET / HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade")),
}


@pytest.mark.parametrize("kind", NO_REQUESTS)
def test_what_is_no_request_gets_a_sentence(opened: Open, kind: str) -> None:
    """4xx, nothing on the terminal, and the page goes on."""
    page = opened()
    status, request = NO_REQUESTS[kind]
    answer = page.visitor.ask(request(page.visitor))
    assert (answer.status, _is_a_sentence(answer.sentence)) == (status, True), answer
    assert _is_kept_from_others(answer)
    assert page.visitor.token not in answer.body.decode()
    assert page.visitor.get().status == 200


ODD_BODIES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "lists in lists": (400, b"[" * 200_000, {}),
    "objects in objects": (400, b'{"a":' * 100_000, {}),
    "a list": (400, b"[1]", {}),
    "a text": (400, b'"edit"', {}),
    "nothing": (400, b"", {}),
    "no JSON": (400, b"what=edit", {}),
    "half of it": (400, b'{"what": "ed', {}),
    "no UTF-8": (400, b'{"what": "\xff\xfe"}', {}),
    "a length that is none": (400, b"{}", {"content_length": "two"}),
    "a length below nothing": (400, b"{}", {"content_length": "-2"}),
    "a length with a sign": (400, b"{}", {"content_length": "+2"}),
    "a length of thirty digits": (400, b"{}", {"content_length": "1" * 30}),
    "two lengths": (400, b"{}", {"content_length": "2, 3"}),
    "no length": (411, b"", {"content_length": ""}),
    "in parts": (411, b"2\r\n{}\r\n0\r\n\r\n", {"content_length": "", "transfer_encoding": "chunked"}),
    "a length, and in parts": (411, b"2\r\n{}\r\n0\r\n\r\n", {"transfer_encoding": "chunked"}),
    "parts that are none": (400, b"zz\r\n", {"content_length": "", "transfer_encoding": "chunked"}),
    "too much": (413, b" " * 1_000_001, {}),
    "much too much": (413, b" " * 9_000_000, {}),
    "more than it will ever send": (413, b"{}", {"content_length": "99999999999"}),
    "as a form": (415, b"what=edit", {"content_type": "application/x-www-form-urlencoded"}),
    "as plain text, which a form can send": (415, b"{}", {"content_type": "text/plain"}),
    "as nothing": (415, b"{}", {"content_type": ""}),
}


@pytest.mark.parametrize("kind", ODD_BODIES)
def test_a_body_that_asks_for_nothing_gets_a_sentence(opened: Open, kind: str) -> None:
    """Whoever sends it hears to the end what is wrong; nothing is done."""
    page = opened()
    status, body, headers = ODD_BODIES[kind]
    answer = page.visitor.act(body, **headers)
    assert (answer.status, _is_a_sentence(answer.sentence)) == (status, True), answer
    assert _is_kept_from_others(answer)
    assert page.desk.asked == []
    assert page.visitor.get().status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST", "SPELL"])
def test_the_page_is_read_only(opened: Open, method: str) -> None:
    """Other methods are refused, and told which there are."""
    visitor = opened().visitor
    answer = visitor.ask(visitor.request(method, "/", x_review_token=visitor.token))
    assert (answer.status, _is_a_sentence(answer.sentence)) == (405, True)
    assert "GET" in answer.headers["allow"]


def test_acting_is_not_for_links(opened: Open) -> None:
    """A GET does nothing, whoever asks."""
    page = opened()
    answer = page.visitor.get(f"/api/act?token={page.visitor.token}&what=reject")
    assert (answer.status, answer.headers["allow"], page.desk.asked) == (405, "POST", [])


FOREIGN_NAMES = [
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:80",
    "localhost@evil.example",
    "[::1].evil.example",
    "127.0.0.1:",
    "127.0.0.2",
    "[::1",
    " ",
]


@pytest.mark.parametrize("name", FOREIGN_NAMES)
@pytest.mark.parametrize("acts", [False, True])
def test_another_name_does_not_lead_here(opened: Open, name: str, acts: bool) -> None:
    """A page that makes its own name lead to 127.0.0.1 gets nothing, not even with the token."""
    page = opened()
    answer = page.visitor.act(b"{}", host=name) if acts else page.visitor.get(host=name)
    assert (answer.status, _is_a_sentence(answer.sentence), page.desk.asked) == (403, True, [])
    assert "A text." not in answer.body.decode()


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST:9000", "127.0.0.1:1", "[::1]:5000"])
def test_a_forwarded_port_is_served(opened: Open, name: str) -> None:
    """`ssh -L` gives the page another port, or this machine's other names."""
    visitor = opened().visitor
    assert visitor.get(host=name).status == 200
    assert visitor.act(b"{}", host=name, origin=f"http://{name.lower()}").status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://{name}", "http://127.0.0.1:1", "file://"])
def test_another_page_of_the_browser_may_not_act(opened: Open, origin: str) -> None:
    """The browser names it, and it is not ours."""
    page = opened()
    answer = page.visitor.act(b"{}", origin=origin.format(name=page.visitor.name))
    assert (answer.status, _is_a_sentence(answer.sentence), page.desk.asked) == (403, True, [])


@pytest.mark.parametrize("given", ["", "wrong", "{token}x", "\xff\xfe", "x" * 10_000, "{half}"])
def test_who_does_not_know_the_token_reads_and_does_nothing(opened: Open, given: str) -> None:
    """Nor is it in the address of what acts, where it would be kept."""
    page = opened()
    token = page.visitor.token
    told = given.format(token=token, half=token[:-1])
    answers = [
        page.visitor.get("/"),
        page.visitor.get("/?token="),
        page.visitor.get("/", x_review_token=told),
        page.visitor.act(b"{}", x_review_token=told),
        page.visitor.ask(page.visitor.request("POST", f"/api/act?token={token}", content_length="0")),
    ]
    assert [answer.status for answer in answers] == [403] * 5
    assert all(_is_a_sentence(answer.sentence) for answer in answers)
    assert page.desk.asked == []


def test_the_page_is_its_own_and_nobody_elses(opened: Open) -> None:
    """Only its script and its style run, each time under another nonce; the token leaves in no Referer."""
    visitor = opened().visitor
    answers = [visitor.get(), visitor.get()]
    nonces = set()
    for answer in answers:
        assert _is_kept_from_others(answer)
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", answer.headers["content-security-policy"]))
        html = answer.body.decode()
        assert (html.count(f'<script nonce="{nonce}">'), html.count(f'<style nonce="{nonce}">')) == (1, 1)
        assert not re.search(r"\son[a-z]+=|\sstyle=|javascript:", html.partition("<script nonce")[0])
        nonces.add(nonce)
    assert len(nonces) == 2


def test_nothing_says_what_the_server_is_made_of(opened: Open) -> None:
    """No name, no version."""
    assert not {"server", "x-powered-by"} & opened().visitor.get().headers.keys()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x", b"G"], ids=["nothing", "half a head", "a letter"])
def test_who_says_nothing_is_not_waited_for(opened: Open, said: bytes) -> None:
    """What has begun is told that it took too long."""
    visitor = opened(Limits(patience=1.0)).visitor
    with visitor.connect() as connection:
        connection.sendall(said)
        if said:
            answer = told(connection)
            assert (answer.status, _is_a_sentence(answer.sentence), _is_kept_from_others(answer)) == (408, True, True)
        else:
            assert connection.recv(1) == b""


def _drip(connection: socket.socket, said: bytes) -> bytes:
    """Send a byte now and then until the other side has had enough; return what it says."""
    connection.settimeout(0.02)
    for place in range(len(said)):
        try:
            connection.sendall(said[place : place + 1])
            if found := connection.recv(65536):
                return found
        except TimeoutError:
            continue
    return b""


@pytest.mark.parametrize("what", ["head", "body", "second head"])
def test_a_byte_now_and_then_buys_no_time(opened: Open, what: str) -> None:
    """The whole has to arrive, not only something of it."""
    page = opened(Limits(patience=1.0))
    visitor = page.visitor
    with visitor.connect() as connection:
        drops = visitor.request("GET", f"/?token={visitor.token}", connection="", x_long="x" * 3000)
        if what == "second head":
            connection.sendall(visitor.request("HEAD", f"/?token={visitor.token}", connection=""))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        elif what == "body":
            fields = {"content_type": "application/json", "content_length": "3000", "x_review_token": visitor.token}
            connection.sendall(visitor.request("POST", "/api/act", connection="", **fields))
            drops = b" " * 3000
        answer = _drip(connection, drops)
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert page.desk.asked == []


def test_a_connection_is_used_again_and_closed_when_it_is_not(opened: Open) -> None:
    """Two requests on one; then silence ends it."""
    visitor = opened(Limits(patience=1.0)).visitor
    request = visitor.request("HEAD", f"/?token={visitor.token}", connection="")
    with visitor.connect() as connection:
        for _ in range(2):
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert connection.recv(1) == b""


def test_requests_in_a_row_are_answered_in_a_row(opened: Open) -> None:
    """The second is here before the first is answered, and the half of a third is not waited for."""
    visitor = opened(Limits(patience=1.0)).visitor
    request = visitor.request("HEAD", f"/?token={visitor.token}", connection="")
    with visitor.connect() as connection:
        connection.sendall(request + request + request[:20])
        everything = b""
        while part := connection.recv(65536):
            everything += part
    assert re.findall(rb"HTTP/1.1 (\d+)", everything) == [b"200", b"200", b"408"]


def test_who_refuses_to_go_makes_room(opened: Open) -> None:
    """However many connections somebody opens, the one that asks is served, and the oldest silent one goes."""
    page = opened(Limits(patience=600, connections=20))
    with ExitStack() as all_of_them:
        silent = [all_of_them.enter_context(page.visitor.connect()) for _ in range(60)]
        for _ in range(3):
            assert page.visitor.get().status == 200
        assert silent[0].recv(1) == b""


def test_who_has_said_all_is_answered_also_with_half_a_connection(opened: Open) -> None:
    """`printf ... | nc -N` closes its half as soon as it has sent."""
    visitor = opened().visitor
    for request, status in (
        (visitor.request("GET", f"/?token={visitor.token}", connection=""), 200),
        (_whole(visitor, "GET http://[::1/ HTTP/1.1"), 403),
        (b"nonsense\r\n\r\n", 400),
    ):
        with visitor.connect() as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            assert told(connection).status == status


def test_looking_waits_for_no_button(opened: Open) -> None:
    """A text is being asked for; a second tab reads meanwhile; a second button comes after the first."""
    page = opened()
    goes_on = threading.Event()
    page.desk.acted = lambda: Outcome("Done." if goes_on.wait(60) else "Never.")
    answers: list[Told] = []
    buttons = [
        threading.Thread(target=lambda n=number: answers.append(page.visitor.act(f'{{"n": {n}}}'.encode())))
        for number in range(2)
    ]
    for button in buttons:
        button.start()
    assert page.visitor.get().status == 200
    assert len(page.desk.asked) < 2
    goes_on.set()
    for button in buttons:
        button.join(timeout=60)
    assert [(answer.status, answer.said["message"]) for answer in answers] == [(200, "Done.")] * 2
    assert len(page.desk.asked) == 2


def _away() -> None:
    raise AWAY


def test_a_store_that_is_away_is_a_sentence(opened: Open) -> None:
    """503 for the page and for a button; it comes back by itself."""
    page = opened()
    page.desk.looked = _away
    answer = page.visitor.get()
    assert (answer.status, answer.sentence) == (503, "The table gave no answer. Look at the dashboard.")
    page.desk.acted = lambda: Outcome(AWAY.message, ExitCode.PREFLIGHT)
    assert (page.visitor.act(b"{}").status, page.visitor.act(b"{}").sentence) == (503, AWAY.message)
    page.desk.looked = lambda: None
    assert page.visitor.get().status == 200


def test_what_is_done_is_done_also_where_it_cannot_be_seen(opened: Open) -> None:
    """The table went away between the write and the look: no failure of the write."""
    page = opened()
    page.desk.looked = _away
    answer = page.visitor.act(b"{}")
    assert (answer.status, set(answer.said)) == (200, {"message"})
    assert answer.said["message"].startswith("Done. ")
    assert AWAY.message in answer.said["message"]


@pytest.mark.parametrize(
    ("why", "status"), [(ExitCode.USAGE, 400), (ExitCode.ITEMS_FAILED, 400), (ExitCode.LOCKED, 409)]
)
def test_a_refused_button_shows_what_is_stored(opened: Open, why: ExitCode, status: int) -> None:
    """So that whoever was too late sees both texts."""
    page = opened()
    page.desk.acted = lambda: Outcome("Somebody was faster.", why)
    answer = page.visitor.act(b"{}")
    assert (answer.status, answer.said) == (status, {"error": "Somebody was faster.", "cards": [CARD]})


def _broken() -> None:
    raise RuntimeError("lost my way")


@pytest.mark.parametrize("where", ["looked", "acted"])
def test_a_bug_is_told_and_not_shown(opened: Open, where: str) -> None:
    """500 with a sentence, and the page goes on."""
    page = opened()
    before = getattr(page.desk, where)
    setattr(page.desk, where, _broken)
    answer = page.visitor.get() if where == "looked" else page.visitor.act(b"{}")
    assert (answer.status, _is_a_sentence(answer.sentence), "lost my way" in answer.sentence) == (500, True, False)
    setattr(page.desk, where, before)
    assert page.visitor.act(b"{}").status == 200


def test_half_a_character_breaks_no_page(opened: Open) -> None:
    """It comes back as it was, in the page and in an answer."""
    page = opened()
    odd = {"key": "a", "text": "\ud83d \udc00</script><!--\u2028"}
    page.desk.look = lambda: {"catalog": "cards", "target": "", "cards": [odd]}  # type: ignore[method-assign]
    html = page.visitor.get().body.decode()
    inside = html.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    assert json.loads(inside)["cards"] == page.visitor.act(b"{}").said["cards"] == [odd]


def test_the_page_closes_with_connections_open(opened: Open) -> None:
    """Silent ones, a button under way, and one that has to wait for it: each is told, none is waited for."""
    page = opened()
    began, goes_on = threading.Event(), threading.Event()

    def ends() -> Outcome:
        began.set()
        goes_on.wait(60)
        return Outcome("Stopped on request.", ExitCode.STOPPED, ends=True)

    page.desk.acted = ends
    answers: dict[str, Told] = {}

    def press(name: str) -> None:
        answers[name] = page.visitor.act(b"{}")

    first, second = (threading.Thread(target=press, args=(name,)) for name in ("first", "second"))
    with page.visitor.connect() as silent, page.visitor.connect() as half:
        half.sendall(b"GET / HTTP/1.1\r\n")
        first.start()
        assert began.wait(60)
        second.start()
        goes_on.set()
        page.thread.join(timeout=60)
        assert not page.thread.is_alive()
        assert (silent.recv(1), half.recv(1)) == (b"", b"")
    first.join(timeout=60)
    second.join(timeout=60)
    assert (answers["first"].status, answers["first"].said) == (503, {"error": "Stopped on request."})
    assert (answers["second"].status, _is_a_sentence(answers["second"].sentence)) == (503, True)


def test_a_page_that_closes_waits_for_no_table(opened: Open) -> None:
    """Whoever waits for it is told; the table may take a minute."""
    page = opened()
    began, never = threading.Event(), threading.Event()

    def hangs() -> None:
        began.set()
        never.wait(60)

    page.desk.looked = hangs
    answers: list[Told] = []
    visit = threading.Thread(target=lambda: answers.append(page.visitor.get()))
    visit.start()
    assert began.wait(60)
    page.end()
    visit.join(timeout=60)
    assert (answers[0].status, answers[0].sentence, never.is_set()) == (503, "The page is closing.", False)
    never.set()


def test_a_port_that_is_taken_is_named() -> None:
    """With what to do."""
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageInvalid) as refused:
            listen(port)
    assert str(port) in refused.value.message
    assert "--port" in refused.value.hint


NOT_OURS = "192.0.2.1"  # for documentation only (RFC 5737): no machine has it


def test_a_machine_without_one_loopback_serves_on_the_other(opened: Open) -> None:
    """IPv6 alone, and the address says so."""
    page = opened(hosts=(NOT_OURS, "::1"))
    assert page.server.address.startswith("http://[::1]:")
    answer = page.visitor.get()
    assert answer.status == 200
    assert page.visitor.act(b"{}", origin=f"http://{page.visitor.name}").status == 200


def test_a_machine_without_any_is_told_what_else_there_is() -> None:
    """No page, but a report."""
    with pytest.raises(PreflightFailed) as refused:
        listen(0, (NOT_OURS,))
    assert "report" in refused.value.hint
