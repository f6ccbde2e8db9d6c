"""Telling this machine from every other one by a host's name, in every spelling that a system takes for it.

What counts as this machine gets keys over plain http and is reached without a proxy, so no other machine may pass for
it: a name that merely ends in `localhost` is looked up in the DNS by many systems, and does not count.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_MOST_PARTS = 4
_NUMBER = re.compile(r"0x[0-9a-f]+|[0-9]+")
_BITS_OF_A_PART = 8


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine; the addresses 0.0.0.0 and :: lead to it, too."""
    host = host.strip("[]").lower()
    address = address_of(host)
    if address is None:
        return host.removesuffix(".") == "localhost"
    return address.is_loopback or address.is_unspecified


def plain_host(host: str) -> str:
    """Return a host as it stands in an address: in small letters, numbers in the notation of today."""
    address = address_of(host)
    if address is None:
        return "localhost" if is_loopback(host) else host.lower()
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """Read a numeric address as `getaddrinfo` does; None where the host is a name. What IPv6 only wraps is unwrapped.

    The old forms of inet_aton(3) count: one to four parts, decimal, octal (`0177.1`) or hexadecimal (`0x7f.1`), of
    which the last one fills the rest.
    """
    try:
        address = ip_address(host.partition("%")[0]) if ":" in host else _number(host)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _number(host: str) -> IPv4Address | None:
    parts = host.lower().split(".")
    if len(parts) > _MOST_PARTS or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    *heads, last = [_value(part) for part in parts]
    room = _BITS_OF_A_PART * (_MOST_PARTS - len(heads))
    if last >> room or any(head >> _BITS_OF_A_PART for head in heads):
        raise ValueError("a part is too large")
    for place, head in enumerate(heads):
        last += head << (_BITS_OF_A_PART * (_MOST_PARTS - 1 - place))
    return IPv4Address(last)


def _value(part: str) -> int:
    if part.startswith("0x"):
        return int(part, 16)
    return int(part, 8) if part.startswith("0") else int(part)
