"""Which proxy stands before an address: never one before this machine, and what the variables say before any other."""

from __future__ import annotations

import pytest
from core.test_hosts import HERE

from seed_library.core.proxies import is_excepted, password_in, proxy_fault, proxy_for

PROJECT = "https://abcdefgh.supabase.co"
EVERY = {"http": "http://one:1", "https": "http://two:2", "all": "http://three:3"}


@pytest.mark.parametrize("host", HERE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_proxy_stands_before_this_machine(scheme: str, host: str) -> None:
    """Whatever the variables say, and however this machine is spelled."""
    named = f"[{host}]" if ":" in host and not host.startswith("[") else host
    assert proxy_for(f"{scheme}://{named}:8000/v1", EVERY) == ("", "")


@pytest.mark.parametrize(
    ("proxies", "chosen"),
    [
        (EVERY, ("https", "http://two:2")),
        ({"http": "http://one:1", "all": "http://three:3"}, ("all", "http://three:3")),
        ({"http": "http://one:1"}, ("", "")),
        ({"https": "two:2"}, ("https", "http://two:2")),
        ({"https": " ", "all": "three:3"}, ("all", "http://three:3")),
        ({}, ("", "")),
        ({**EVERY, "no": "*"}, ("", "")),
        ({**EVERY, "no": "localhost, .supabase.co"}, ("", "")),
        ({**EVERY, "no": "localhost,::1/128"}, ("https", "http://two:2")),
    ],
)
def test_the_variable_of_the_scheme_wins(proxies: dict[str, str], chosen: tuple[str, str]) -> None:
    """Then ALL_PROXY; a proxy for http says nothing about https."""
    assert proxy_for(PROJECT, proxies) == chosen


@pytest.mark.parametrize(
    ("host", "exceptions"),
    [
        ("db.example.com", "example.com"),
        ("db.example.com", "one.org, .example.com"),
        ("db.example.com", "*.example.com"),
        ("DB.Example.com.", "EXAMPLE.COM"),
        ("example.com", ".example.com"),
        ("db.example.com", "example.com:443"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3:443"),
        ("0xa.0x1.0x203", "10.0.0.0/8"),
        ("2001:db8::7", "2001:db8::/32"),
        ("2001:db8::7", "[2001:db8::7]"),
        ("anything.example", "one.org *"),
    ],
)
def test_exceptions_are_names_addresses_and_networks(host: str, exceptions: str) -> None:
    """In the notations that people write."""
    assert is_excepted(host, 443, exceptions)


@pytest.mark.parametrize(
    "exceptions",
    ["", ",", ".", "*.", "xample.com", "example.com:80", "10.0.0.0/8", "http://example.com", "[", "::1/999"],
)
def test_what_cannot_be_meant_makes_no_exception(exceptions: str) -> None:
    """It is passed over, as by other programs."""
    assert not is_excepted("db.example.com", 443, exceptions)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("socks://127.0.0.1:1/", "names a kind of proxy that is not supported (socks://)"),
        ("socks4://proxy:1080", "names a kind of proxy that is not supported (socks4://)"),
        ("ftp://proxy", "is no address of a proxy"),
        ("S3cret://proxy", "is no address of a proxy"),
        ("http://", "is no address of a proxy"),
        ("http://:3128", "is no address of a proxy"),
        ("http://user:S3cretPass/x@proxy:3128", "is no address of a proxy"),
        ("http://user:S3cret#x@proxy:3128", "is no address of a proxy"),
        ("http://proxy:99999", "is no address of a proxy"),
        ("http://[::1", "is no address of a proxy"),
        ("http://proxy host:1", "is no address of a proxy"),
        ("http://proxy\udcff:1", "is no address of a proxy"),
        ("http://proxy\x00:1", "is no address of a proxy"),
        ("socks5://proxy:1080", "names a SOCKS proxy, which needs one more package: pip install socksio"),
        ("socks5h://proxy", "names a SOCKS proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_without_its_password(address: str, fault: str) -> None:
    """Nothing of the address is quoted but a kind that is known."""
    said = proxy_fault(address, with_socks=False)
    assert said.startswith(fault)
    assert "S3cret" not in said


@pytest.mark.parametrize(
    "address",
    [
        "http://proxy",
        "https://proxy:3128/",
        "http://user:pass%2Fword@proxy:3128",
        "http://[::1]:3128",
        "socks5://proxy",
    ],
)
def test_a_proxy_that_can_be_used_has_no_fault(address: str) -> None:
    """SOCKS proxies among them, once the package is there."""
    assert proxy_fault(address, with_socks=True) == ""


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("http://user:S3cretPass@proxy:3128", "S3cretPass"),
        ("http://user:S3cretPass/x@proxy:3128", "S3cretPass"),
        ("http://user:S3cret@Pass@proxy:3128", "S3cret@Pass"),
        ("user:S3cretPass@proxy", "S3cretPass"),
        ("http://S3cretToken@proxy", "S3cretToken"),
        ("http://user:S3cret%2FPass@proxy", "S3cret/Pass"),
    ],
)
def test_the_password_of_a_proxy_is_a_secret_however_the_address_is_written(address: str, secret: str) -> None:
    """Also where the address cannot be read, and percent-encoded or not."""
    assert secret in password_in(address)
    assert password_in("http://proxy:3128") == ()
