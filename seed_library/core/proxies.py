"""Which proxy stands before an address, by the variables that say so.

One rule of ours comes before all others: no proxy ever stands before this machine. What goes there is plain http, so a
proxy would see the key. The rest is what curl, Go and most tools do: the variable of the scheme wins over ALL_PROXY;
NO_PROXY lists names (with everything below them), addresses, networks (`10.0.0.0/8`) and ports, or is `*`. What it
holds besides cannot be meant, and is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import unquote, urlsplit

from seed_library.core.hosts import address_of, is_loopback

SCHEMES = ("http", "https", "socks5", "socks5h")
_OTHER_KINDS = ("socks", "socks4", "socks4a", "pac")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str, proxies: Mapping[str, str]) -> tuple[str, str]:
    """Return the key in `proxies` of the proxy that stands before a URL, and its address; both empty where none does.

    Args:
        url: a URL that can be used.
        proxies: addresses by scheme, also for "all"; "no" lists the exceptions (`urllib.request.getproxies`).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or is_excepted(host, parts.port or _DEFAULT_PORTS.get(parts.scheme, 0), proxies.get("no", "")):
        return "", ""
    for name in (parts.scheme, "all"):
        if address := proxies.get(name, "").strip():
            return name, address if "://" in address else f"http://{address}"
    return "", ""


def is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Whether NO_PROXY, in which commas or blanks stand between the entries, names a host."""
    return any(
        _matches(entry.lower(), host.lower().removesuffix("."), port) for entry in re.split(r"[\s,]+", exceptions)
    )


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if with_port := re.fullmatch(r"(\[.*\]|[^:]*):(\d{1,5})", entry):
        entry = with_port[1]
        if int(with_port[2]) != port:
            return False
    network, address = _network(entry), address_of(host)
    if address is not None:
        return network is not None and address in network
    name = entry.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    """Read an address or a network; None where the entry is none."""
    try:
        return ip_network(re.sub(r"^\[(.*)\]", r"\1", entry), strict=False)
    except ValueError:
        return None


def proxy_fault(address: str, *, with_socks: bool) -> str:
    """Say why a proxy cannot be used; empty where it can. Nothing of the address is quoted: it may hold a password.

    Args:
        address: the proxy's URL.
        with_socks: whether the package is there that SOCKS proxies need.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme in _OTHER_KINDS:
        return f"names a kind of proxy that is not supported ({parts.scheme}://); use http:// or socks5://"
    if parts.scheme not in SCHEMES or not host or not address.isprintable() or any(map(str.isspace, address)):
        return "is no address of a proxy, such as http://proxy.example.com:3128 (a password in it is percent-encoded)"
    if parts.scheme.startswith("socks") and not with_socks:
        return "names a SOCKS proxy, which needs one more package: pip install socksio"
    return ""


def password_in(address: str) -> tuple[str, ...]:
    """Return what must be kept secret of a proxy's address, in the spellings in which it could be told."""
    _, _, rest = address.rpartition("://")
    user_info, at, _ = rest.rpartition("@")
    if not at:
        return ()
    user, _, password = user_info.partition(":")
    secret = password or user
    return tuple(dict.fromkeys((secret, unquote(secret), *re.split(r"[/?#]", secret))))
