"""How a key leaves this machine: to the origin of its setting only, by the variables that say so, or not at all."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
import httpx2
import pytest
from adapters.claude_requests import claude, request_for
from adapters.library_rows import row
from servers.eavesdropper import Eavesdropper
from servers.processes import KEY, MessagesServer

from seed_library.adapters.routes import client_options, faults_on_the_way, proxy_secrets
from seed_library.adapters.supabase import SupabaseStore
from seed_library.core.catalog import TableSpec
from seed_library.core.errors import RunBlocked, SettingsInvalid, WriteFailed

LIBRARIES = [httpx, httpx2]
SERVICE = "https://service.example.com"


@pytest.fixture(autouse=True)
def _no_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test says about proxies is all there is."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("url", ["http://192.0.2.7", "http://service.example.com", "http://[::ffff:192.0.2.7]:80/rest"])
def test_no_client_is_made_for_plain_http_to_another_machine(library: ModuleType, url: str) -> None:
    """Whoever made the settings, and whatever they were checked for."""
    with pytest.raises(SettingsInvalid, match=r"^SOME_URL must start with https://") as caught:
        client_options(library, url, "SOME_URL")
    assert "Nothing was sent" in caught.value.hint


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("url", ["", "service.example.com", "ftp://service.example.com", "https://", "https://☃.net"])
def test_no_client_is_made_for_what_is_no_address(library: ModuleType, url: str) -> None:
    """The libraries have their own errors for it."""
    with pytest.raises(SettingsInvalid, match="SOME_URL is not a URL"):
        client_options(library, url, "SOME_URL")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://127.0.0.1:9/",
        "http://localhost/",
        "https://other.example.com/",
        "http://service.example.com/",
        "https://service.example.com:8443/",
        "https://service.example.com.evil.example/",
    ],
)
async def test_a_request_to_another_origin_does_not_leave(library: ModuleType, elsewhere: str) -> None:
    """A client is for one address, whoever uses it and for what: a redirect, an address that an answer names."""
    async with library.AsyncClient(**client_options(library, SERVICE, "SOME_URL")) as client:
        with pytest.raises(SettingsInvalid, match="SOME_URL would have gone to another address"):
            await client.get(elsewhere, headers={"authorization": f"Bearer {KEY}"})


@pytest.mark.parametrize("url", ["http://127.1:{}", "http://localhost:{}"])
async def test_a_client_for_this_machine_goes_past_every_proxy(
    messages: MessagesServer, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Also where the setting was not put into another spelling before."""
    with Eavesdropper() as proxy:
        for name, value in proxy.variables.items():
            monkeypatch.setenv(name, value)
        async with claude(url.format(urlsplit(messages.url).port)) as writer:
            await writer.write(request_for())
        assert proxy.requests == []


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY", "https_proxy"])
async def test_another_machine_is_reached_through_the_proxy_with_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Both clients ask it for a tunnel, with name and password as they are meant, and without a key."""
    with Eavesdropper() as proxy:
        address = proxy.url.replace("http://", "http://some%40body:pass%2Fword@")
        monkeypatch.setenv(variable, address)
        async with claude(SERVICE) as writer:
            with pytest.raises(WriteFailed):
                await writer.write(request_for())
        store = SupabaseStore(SERVICE, "sb_secret_fake", TableSpec())
        with pytest.raises(RunBlocked):
            await store.upsert([row("a")])
        await store.aclose()
        assert set(proxy.requests) == {"CONNECT service.example.com:443 HTTP/1.1"}
        assert len(proxy.requests) == 2
        assert proxy.has_heard("some@body:pass/word")
        assert not proxy.has_heard(KEY)
        assert not proxy.has_heard("sb_secret_fake")
        assert {"pass/word", "pass%2Fword"} <= set(proxy_secrets())


@pytest.mark.parametrize(
    ("variables", "named", "fault"),
    [
        ({"ALL_PROXY": "socks://127.0.0.1:1/"}, "ALL_PROXY", "kind of proxy that is not supported"),
        ({"all_proxy": "socks5://127.0.0.1:1"}, "all_proxy", "pip install socksio"),
        ({"HTTPS_PROXY": "http://user:S3cret/x@proxy:1"}, "HTTPS_PROXY", "no address of a proxy"),
        ({"https_proxy": "::", "HTTPS_PROXY": "http://fine"}, "https_proxy", "no address of a proxy"),
        ({"SSL_CERT_FILE": "/nope"}, "SSL_CERT_FILE", "cannot be read (No such file or directory)"),
        ({"SSL_CERT_FILE": "/"}, "SSL_CERT_FILE", "names a file"),
        ({"SSL_CERT_FILE": "rubbish.pem"}, "SSL_CERT_FILE", "holds no certificates"),
        ({"SSL_CERT_FILE": "empty.pem"}, "SSL_CERT_FILE", "holds no certificates"),
        ({"SSL_CERT_FILE": "x" * 300}, "SSL_CERT_FILE", "cannot be read"),
        ({"SSL_CERT_DIR": "/nope"}, "SSL_CERT_DIR", "names no folder"),
        ({"SSL_CERT_DIR": "rubbish.pem:/nope"}, "SSL_CERT_DIR", "names no folder"),
    ],
    ids=str,
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_variable_that_keeps_us_from_a_service_is_named(
    library: ModuleType, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str, fault: str
) -> None:
    """With what is wrong with it, and nothing of a password; the same whether it is asked before or on the way."""
    monkeypatch.setattr("seed_library.adapters.routes.find_spec", lambda _: None)  # no package for SOCKS is there
    Path("rubbish.pem").write_bytes(b"\x00-----BEGIN CERTIFICATE-----\nrubbish\n")
    Path("empty.pem").write_bytes(b"")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (found,) = faults_on_the_way([SERVICE, SERVICE]).items()
    assert found[0] == named
    assert fault in found[1]
    with pytest.raises(SettingsInvalid, match=f"^{named} ") as caught:
        client_options(library, SERVICE, "SOME_URL")
    assert "S3cret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "variables",
    [
        {"NO_PROXY": "localhost,::1/128", "HTTPS_PROXY": "http://proxy:1"},
        {"NO_PROXY": "[::1,::::,http://x,\t,%", "HTTPS_PROXY": "http://proxy:1"},
        {"HTTP_PROXY": "socks://127.0.0.1:1/"},
        {"ALL_PROXY": "socks://127.0.0.1:1/", "NO_PROXY": "service.example.com"},
        {"ALL_PROXY": "socks://127.0.0.1:1/", "https_proxy": "http://proxy:1"},
        {"SSL_CERT_DIR": "/nope:."},
        {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "HTTPS_PROXY": ""},
        {"FTP_PROXY": "rubbish", "TRAVIS_APT_PROXY": "rubbish"},
    ],
    ids=str,
)
@pytest.mark.parametrize("library", LIBRARIES)
async def test_a_variable_that_is_not_needed_may_be_anything(
    library: ModuleType, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """Other programs understand it, or nobody; what NO_PROXY cannot mean is passed over."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert faults_on_the_way([SERVICE]) == {}
    await library.AsyncClient(**client_options(library, SERVICE, "SOME_URL")).aclose()


def test_a_fault_is_not_looked_for_where_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal needs neither proxy nor certificates."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nope")
    assert faults_on_the_way([]) == {}


@pytest.mark.parametrize("made", [httpx.AsyncClient, httpx2.AsyncClient])
def test_both_libraries_take_the_same_options(made: Any) -> None:
    """They are two copies of one library, and told the same."""
    library = {httpx.AsyncClient: httpx, httpx2.AsyncClient: httpx2}[made]
    options = client_options(library, "http://127.0.0.1:1", "SOME_URL")
    assert (options["trust_env"], options["follow_redirects"], options["proxy"]) == (False, False, None)
