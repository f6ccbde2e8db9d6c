"""A service that cannot be reached: why, in words, and what to do about it; the same for both services."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from adapters.claude_requests import SONNET, chain_of, claude, request_for
from adapters.library_rows import row
from servers.eavesdropper import Eavesdropper

from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import ServiceUnreachable, StoreUnavailable, WriteRetryable

KEY = "sk-ant-fake-fake-fake"
ELSEWHERE = "https://service.example.com"
LONG_AGO, THEN, LATER, LATEST = (datetime(year, 1, 1, tzinfo=UTC) for year in (2001, 2002, 2099, 2100))
EMPTY = "HTTP/1.1 {}\r\ncontent-length: 0\r\n\r\n"


class Told(NamedTuple):
    """What was said of a failure, and whether it ends the run."""

    message: str
    hint: str
    lasting: bool


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Somebody who gives out certificates."""
    return trustme.CA()


@pytest.fixture
def dead_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


async def _asked_of_claude(url: str) -> Told:
    """Ask for a text and about the model; both have to say the same."""
    async with claude(url, KEY) as writer:
        with pytest.raises((WriteRetryable, ServiceUnreachable)) as caught:
            await writer.write(request_for())
        _, check = await writer.look_up(SONNET)
    failure: Any = caught.value
    assert [type(error) for error in chain_of(failure)] == [type(failure)]
    assert (check.name, check.ok, check.message, check.hint) == ("claude", False, failure.message, failure.hint)
    assert not getattr(failure, "maybe_billed", False)
    return Told(failure.message, failure.hint, isinstance(failure, ServiceUnreachable))


async def _asked_of_supabase(url: str) -> Told:
    store = SupabaseStore(url, "sb_secret_fake", TableSpec())
    try:
        with pytest.raises((StoreUnavailable, ServiceUnreachable)) as caught:
            await store.upsert([row("a")])
        checks = await store.check(row("a"))
    finally:
        await store.aclose()
    failure: Any = caught.value
    assert failure.message in checks[0].message
    assert not checks[0].ok
    return Told(failure.message, failure.hint, isinstance(failure, ServiceUnreachable))


async def _both(url: str) -> list[tuple[str, Told]]:
    return [("ANTHROPIC_BASE_URL", await _asked_of_claude(url)), ("SUPABASE_URL", await _asked_of_supabase(url))]


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _trust(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path("authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(Path("authority.pem").resolve()))


CERTIFICATES: dict[str, tuple[Callable[[trustme.CA], trustme.LeafCert], str, str]] = {
    "expired": (
        lambda by: by.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=THEN),
        "its certificate has expired",
        "clock of this machine",
    ),
    "not valid yet": (
        lambda by: by.issue_cert("127.0.0.1", not_before=LATER, not_after=LATEST),
        "its certificate is not valid yet",
        "clock of this machine",
    ),
    "another name": (
        lambda by: by.issue_cert("other.example.com"),
        "its certificate is for another name",
        "Check the host in {}",
    ),
    "another address": (
        lambda by: by.issue_cert("127.0.0.2"),
        "its certificate is for another name",
        "Check the host in {}",
    ),
    "another issuer": (
        lambda _: trustme.CA().issue_cert("127.0.0.1"),
        "is self-signed, or from an issuer whom nobody here knows",
        "not among what SSL_CERT_FILE names",
    ),
}


@pytest.mark.parametrize("kind", CERTIFICATES)
async def test_a_certificate_that_is_not_accepted_says_why(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It ends the run at once: waiting makes no certificate better."""
    make, reason, hint = CERTIFICATES[kind]
    _trust(authority, monkeypatch)
    with Eavesdropper(tls=_context(make(authority))) as service:
        for setting, told in await _both(service.url):
            assert reason in told.message
            assert hint.format(setting) in told.hint
            assert told.lasting


async def test_a_self_signed_certificate_is_accepted_once_it_is_named(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy that is told is one: by the file, or by a folder of such files."""
    with Eavesdropper(EMPTY.format("404 Not Found").encode(), _context(authority.issue_cert("127.0.0.1"))) as service:
        for _, told in await _both(service.url):
            assert "name the file with its certificate in SSL_CERT_FILE" in told.hint
            assert told.lasting
        _trust(authority, monkeypatch)
        async with claude(service.url, KEY) as writer:
            _, check = await writer.look_up("claude-unheard-of-1")
        assert "does not know" in check.message  # the service has been reached
        assert service.has_heard(KEY)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 20])
async def test_https_to_a_port_of_something_else_says_so(answer: bytes) -> None:
    """Scheme and port are what is wrong."""
    with Eavesdropper(answer) as service:
        for setting, told in await _both(f"https://127.0.0.1:{service.port}"):
            assert "does not speak TLS" in told.message
            assert f"Check scheme and port of {setting}" in told.hint
            assert told.lasting


async def test_a_port_that_nobody_listens_at_says_so(dead_port: int) -> None:
    """It may be started any moment, so it is tried again."""
    for setting, told in await _both(f"http://127.0.0.1:{dead_port}"):
        assert "127.0.0.1 is there, but nobody listens at that port" in told.message
        assert f"Check host and port in {setting}" in told.hint
        assert not told.lasting


@pytest.mark.parametrize(
    ("number", "reason"),
    [(socket.EAI_NONAME, "is a name that nobody knows"), (socket.EAI_AGAIN, "no name server answers")],
)
async def test_a_name_that_does_not_resolve_says_so(monkeypatch: pytest.MonkeyPatch, number: int, reason: str) -> None:
    """Among the reasons of a project is that it is paused."""

    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "of the system")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    for setting, told in await _both("https://abcdefghijklmnopqrst.example.com"):
        assert f"abcdefghijklmnopqrst.example.com {reason}" in told.message or "cannot be looked up" in told.message
        assert f"the host in {setting}" in told.hint
        assert ("paused" in told.hint) is (setting == "SUPABASE_URL")
        assert not told.lasting


PROXIES: dict[str, tuple[str, str, str, bool]] = {
    "wants a password": ("407 sk-ant-secret", "wants a name and a password, or others (407)", "NAME:PASSWORD", True),
    "refuses": ("403 sk-ant-secret", "refuses the way there (403)", "set HTTPS_PROXY to another", True),
    "has no network": ("502 sk-ant-secret", "answers 502 instead of opening a way", "Check HTTPS_PROXY", False),
    "is busy": ("503 sk-ant-secret", "answers 503 instead of opening a way", "Check HTTPS_PROXY", False),
}


@pytest.mark.parametrize("kind", PROXIES)
async def test_a_proxy_that_opens_no_way_says_why(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """By the number that it answers; its words are foreign."""
    status, reason, hint, lasting = PROXIES[kind]
    with Eavesdropper(EMPTY.format(status).encode()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        for _, told in await _both(ELSEWHERE):
            assert f"the proxy that HTTPS_PROXY names {reason}" in told.message
            assert hint in told.hint
            assert told.lasting is lasting
            assert "secret" not in told.message + told.hint


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
async def test_a_dead_proxy_is_what_is_named(monkeypatch: pytest.MonkeyPatch, scheme: str, dead_port: int) -> None:
    """Not the service, to which no way led."""
    monkeypatch.setenv("all_proxy", f"{scheme}://me:S3cret@127.0.0.1:{dead_port}")
    for _, told in await _both(ELSEWHERE):
        assert "the proxy that all_proxy names is there, but nobody listens at that port" in told.message
        assert "Check all_proxy" in told.hint
        assert "S3cret" not in told.message + told.hint


@pytest.mark.parametrize("scheme", ["https", "socks5"])
async def test_a_proxy_of_another_kind_is_told(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """A plain one that is called an encrypted one, or a SOCKS proxy that is none: libraries fail in odd ways."""
    with Eavesdropper(b"HTTP/1.1 400 Bad Request\r\n\r\n") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{proxy.port}")
        for _, told in await _both(ELSEWHERE):
            assert "cannot be reached: " in told.message
            assert "proxy" in told.hint


async def test_plain_http_to_a_port_of_tls_is_a_hint(authority: trustme.CA) -> None:
    """Nothing can be read of what comes back; the address may want an s."""
    with Eavesdropper(tls=_context(authority.issue_cert("127.0.0.1"))) as service:
        url = f"http://127.0.0.1:{service.port}"
        async with claude(url, KEY) as writer:
            _, check = await writer.look_up(SONNET)
        store = SupabaseStore(url, "sb_secret_fake", TableSpec())
        (found,) = await store.check(row("a"))
        await store.aclose()
    for setting, said in (("ANTHROPIC_BASE_URL", check), ("SUPABASE_URL", found)):
        assert not said.ok
        assert f"{setting}: if TLS is spoken at that port, the address begins with https://" in said.hint
