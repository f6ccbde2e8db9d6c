"""What a target is, and its one name.

The name decides which processes exclude each other, so every spelling of the same target must give the same name
and no two targets may share one. It is derived from store address, schema and table, never from the working
directory and never from a key (two kinds of key would give two names).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from unicodedata import normalize
from urllib.parse import urlsplit, urlunsplit

from seed_library.core.hosts import is_loopback, plain_host

_HOSTED = (".supabase.co", ".supabase.in", ".supabase.net")
_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_LONGEST_HOST = 253  # characters (RFC 1035)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SLUG_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A SQLite file, by its absolute path."""

    path: str


@dataclass(frozen=True, slots=True)
class SupabaseAddress:
    """A Supabase project, by its URL."""

    url: str


StoreAddress = SqliteAddress | SupabaseAddress


@dataclass(frozen=True, slots=True)
class Target:
    """The store, schema and table that is seeded."""

    address: StoreAddress
    schema: str
    table: str

    @property
    def label(self) -> str:
        """How the target is called in front of people; holds no secret."""
        return f"{_canonical(self.address)} {self.schema}.{self.table}"

    @property
    def folder_name(self) -> str:
        """The name of the target's folder in the state directory: a readable slug and a hash."""
        canonical = f"{_canonical(self.address)}\n{self.schema}.{self.table}"
        slug = re.sub(r"[^A-Za-z0-9.]+", "_", self.label).strip("_")[-_SLUG_CHARACTERS:].strip("_")
        return f"{slug}-{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"


def sqlite_path(store: str) -> str:
    """Return the path in `sqlite:PATH`, or an empty string for anything else."""
    return store.removeprefix("sqlite:") if store.startswith("sqlite:") else ""


def url_fault(url: str) -> str:
    """Say what is wrong with a service URL; empty when it can be used.

    Keys travel to this address, so plain http is accepted for this machine only.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        plain = host.encode("idna").decode()
    except ValueError:
        return "is not a URL"
    is_url = parts.scheme in {"http", "https"} and host
    has_odd = not url.isprintable() or "\\" in url or not _is_host(host, plain)
    in_clear = parts.scheme == "http" and not is_loopback(host)
    faults = (
        (not is_url, "must be a URL such as https://PROJECT.supabase.co"),
        ("@" in parts.netloc, "must not contain a user name or password"),
        (any(map(str.isspace, url)), "contains white space"),
        (has_odd, "contains characters that no URL has"),
        (parts.query or parts.fragment, "must end before the ? or #"),
        (in_clear, f"must start with https:// (http is accepted for this machine only, not for {host})"),
    )
    return next((fault for is_so, fault in faults if is_so), "")


def service_url(url: str) -> str:
    """Return a URL that `url_fault` has nothing against in the one spelling that every library and server understands.

    The vendors' clients know `http` in small letters only, few systems find `localhost.`, and servers compare the host
    that they are called by.
    """
    parts = urlsplit(url)
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit((parts.scheme, plain_host(parts.hostname or "") + port, parts.path.rstrip("/"), "", ""))


def _is_host(host: str, plain: str) -> bool:
    """Whether a host is a name or an address; `plain` is its spelling in ASCII."""
    if ":" in host:
        return re.fullmatch(r"[0-9a-f:.]+", host) is not None
    is_normal = normalize("NFKC", host) == host  # of others the HTTP libraries make no host
    return is_normal and len(plain) <= _LONGEST_HOST and _HOST_NAME.fullmatch(host) is not None


def _canonical(address: StoreAddress) -> str:
    if isinstance(address, SqliteAddress):
        return f"sqlite:{address.path}"
    parts = urlsplit(address.url)
    host = (parts.hostname or "").rstrip(".").lower()
    host = host.encode("idna").decode() if not host.isascii() else host
    for suffix in _HOSTED:
        if host.endswith(suffix):
            return "supabase:" + host.removesuffix(suffix)
    host = "localhost" if is_loopback(host) else host
    path = parts.path.rstrip("/").removesuffix("/rest/v1")
    shown_port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"supabase:{host}{shown_port}{path}"
