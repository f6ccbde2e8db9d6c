"""This machine is told from every other one, however its name or number is written."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.hosts import address_of, is_loopback

HERE = [
    "127.0.0.1",
    "127.255.0.1",
    "[::1]",
    "0:0:0:0:0:0:0:1",
    "::1%lo",
    "LOCALHOST",
    "localhost.",
    "LocalHost.",
    "::ffff:127.0.0.1",
    "[::FFFF:7f00:1]",
    "0x7f.1",
    "0X7F.0.0.0x1",
    "0x7f000001",
    "127.1",
    "127.0.257",
    "0177.0.0.1",
    "2130706433",
    "017700000001",
    "0.0.0.0",
    "0",
    "::",
]
ELSEWHERE = [
    "127.0.0.1.example.com",
    "127.example.com",
    "127.0.0.1.",
    "10.0.0.1",
    "128.0.0.1",
    "localhost.example.com",
    "app.localhost",
    "localhost.localdomain",
    "localhost..",
    "my-localhost",
    "0x80.1",
    "0x7f.0x0.0x0.0x0.0x1",
    "127.0.0.256",
    "127.16777216",
    "2130706433.1",
    "0178.0.0.1",
    "1" * 5000,
    "::ffff:10.0.0.1",
    "fe80::1",
    "::127.0.0.1x",
    "",
]


@pytest.mark.parametrize("host", HERE)
def test_every_spelling_of_this_machine_counts_as_it(host: str) -> None:
    """Names in any case, the network 127.0.0.0/8 in every old notation, and both families of addresses."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_what_only_looks_like_this_machine_does_not(host: str) -> None:
    """A foreign host may begin or end like one, and what the DNS is asked for may be anybody."""
    assert not is_loopback(host)


_PART = st.one_of(
    st.integers(0, 300).map(str), st.integers(0, 300).map(hex), st.integers(0, 300).map(lambda value: f"0{value:o}")
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.lists(_PART, min_size=1, max_size=5).map(".".join))
def test_numbers_are_read_as_the_system_reads_them(host: str) -> None:
    """Held against inet_aton(3), which `getaddrinfo` goes by."""
    try:
        expected = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        expected = "None"
    assert str(address_of(host)) == expected
