"""What a target is, and its one name.

The name decides which processes exclude each other, so every spelling of the same target must give the same name
and no two targets may share one. It is derived from store address, schema and table, never from the working
directory and never from a key (two kinds of key would give two names).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from seed_library.core.hosts import is_loopback

_HOSTED = (".supabase.co", ".supabase.in", ".supabase.net")
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
        return f"{slug}-{hashlib.sha256(canonical.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"


def sqlite_path(store: str) -> str:
    """Return the path in `sqlite:PATH`, or an empty string for anything else."""
    return store.removeprefix("sqlite:") if store.startswith("sqlite:") else ""


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
