"""Telling keys apart offline, by their shape alone. A key never appears in what is said about it.

Kinds of Supabase keys (2026): `sb_secret_...` and the legacy JWT with role service_role may write; the publishable
and the anon key may only read what policies allow, which on a library's table looks like an empty table.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

_CLAUDE_HOST = "api.anthropic.com"
_HOSTED = (".supabase.co", ".supabase.in", ".supabase.net")
_SECRET = re.compile(r"sb_secret_[A-Za-z0-9_-]{22}_[A-Za-z0-9_-]{8}")
_JWT_PARTS = 3
_WEAK_ROLES = ("anon", "authenticated")


def claude_key_fault(key: str, base_url: str) -> str:
    """Say what is wrong with the shape of a Claude API key; empty when nothing is.

    An ill-shaped key would reach the SDK as a "connection error". The prefix is demanded of the real API only:
    proxies and test servers have keys of their own.
    """
    if fault := _shape_fault(key):
        return fault
    if urlsplit(base_url).hostname == _CLAUDE_HOST and not key.startswith("sk-ant-"):
        return "is not a Claude API key: those start with sk-ant-"
    return ""


def supabase_key_fault(key: str, url: str, now: datetime) -> str:
    """Say why a Supabase key cannot be the privileged key of this project; empty when it can.

    Args:
        key: the key, stripped.
        url: the project's URL.
        now: the time, to tell whether a legacy key has expired.
    """
    if fault := _shape_fault(key):
        return fault
    if key.startswith("sb_publishable_"):
        return "is a publishable key: it may only read. Use the secret key (sb_secret_...) of the same project"
    if key.startswith("sb_secret_"):
        return "" if _SECRET.fullmatch(key) else "starts like a secret key but is not complete; copy it again"
    claims = _claims(key)
    if claims is None:
        return "is neither a secret key (sb_secret_...) nor a service role key (a JWT)"
    return _claims_fault(claims, url, now)


def _shape_fault(key: str) -> str:
    if not key.isascii():
        return "holds characters that no key has (was it copied from formatted text?)"
    if any(character.isspace() or not character.isprintable() for character in key):
        return "holds white space or control characters inside; copy it again, in one piece"
    return ""


def _claims(key: str) -> dict[str, Any] | None:
    """Read the payload of a JWT without verifying it; None when it is none."""
    parts = key.split(".")
    if len(parts) != _JWT_PARTS:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def _claims_fault(claims: dict[str, Any], url: str, now: datetime) -> str:
    role = claims.get("role")
    if role != "service_role":
        kind = f"the {role} key" if role in _WEAK_ROLES else "a token without the role service_role"
        return (
            f"is {kind}: it may not write, and a read with it would show an empty table. "
            "Use the service_role key of the same project"
        )
    project = _project_of(url)
    if project and isinstance(claims.get("ref"), str) and claims["ref"] != project:
        return f"belongs to the project {claims['ref']}, but SUPABASE_URL names {project}"
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= now.timestamp():
        return "has expired; create a new one in the project's settings"
    return ""


def _project_of(url: str) -> str:
    host = (urlsplit(url).hostname or "").lower()
    return host.split(".")[0] if host.endswith(_HOSTED) else ""
