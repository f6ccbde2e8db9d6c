"""Keys are told apart by their shape, offline, and never quoted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from core.jwt_maker import token

from seed_library.core.api_keys import claude_key_fault, supabase_key_fault

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CLAUDE = "https://api.anthropic.com"
PROJECT = "https://abcdefgh.supabase.co"
SECRET = "sb_secret_" + "fake" * 5 + "AB_fakefake"
PUBLISHABLE = "sb_publishable_" + "fake" * 5 + "AB_fakefake"
SERVICE = token(iss="supabase", ref="abcdefgh", role="service_role", exp=NOW.timestamp() + 1)
FROM_OWN_SERVER = token(role="service_role")


@pytest.mark.parametrize(
    ("key", "url"),
    [
        (SECRET, PROJECT),
        (SECRET, "http://127.0.0.1:54321"),
        (SERVICE, PROJECT),
        (SERVICE, "https://ABCDEFGH.supabase.co/rest/v1"),
        (SERVICE, "https://db.example.com"),
        (SERVICE, ""),
        (FROM_OWN_SERVER, PROJECT),
    ],
)
def test_privileged_keys_of_this_project_are_accepted(key: str, url: str) -> None:
    """Of either kind; a project under a domain of its own cannot be told from its URL."""
    assert supabase_key_fault(key, url, NOW) == ""


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        (PUBLISHABLE, "is a publishable key: it may only read. Use the secret key (sb_secret_...) of the same project"),
        (token(role="anon", ref="abcdefgh"), "is the anon key: it may not write"),
        (token(role="authenticated"), "is the authenticated key: it may not write"),
        (token(sub="somebody"), "is a token without the role service_role"),
        (token(role=["anon"]), "is a token without the role service_role"),
        (token(role="service_role", ref="zyxwvuts"), "belongs to the project zyxwvuts, but SUPABASE_URL names abcde"),
        (token(role="service_role", exp=NOW.timestamp()), "has expired"),
        (SECRET[:-1], "starts like a secret key but is not complete"),
        (SECRET + "x", "starts like a secret key but is not complete"),
        (SECRET[:20] + "\n" + SECRET[20:], "holds white space or control characters inside"),
        (SERVICE[:30] + "\x00" + SERVICE[30:], "holds white space or control characters inside"),
        (SERVICE.replace("e", "\u0435"), "holds characters that no key has"),
        ("„" + SECRET + "“", "holds characters that no key has"),
        ("sbp_" + "0fake" * 8, "is neither a secret key"),
        ("sk-ant-fake-fake-fake", "is neither a secret key"),
        ("a.b.c", "is neither a secret key"),
        ("fakefake.e30", "is neither a secret key"),
        ("fakefake.WzFd.fakefake", "is neither a secret key"),  # a list
        ("fakefake._w.fakefake", "is neither a secret key"),  # no text
    ],
)
def test_any_other_key_is_refused_by_name_and_not_quoted(key: str, fault: str) -> None:
    """The sentence says what the key is and what to use; no part of the key is in it."""
    said = supabase_key_fault(key, PROJECT, NOW)
    assert said.startswith(fault)
    assert _quoted_parts(key, said) == []


@pytest.mark.parametrize(
    ("key", "url", "fault"),
    [
        ("sk-ant-fake-fake-fake", CLAUDE, ""),
        ("any-key-of-a-proxy", "https://proxy.example.com", ""),
        ("any-key-of-a-server", "http://127.0.0.1:8080", ""),
        ("any-key-of-a-proxy", CLAUDE, "is not a Claude API key: those start with sk-ant-"),
        ("any-key-of-a-proxy", CLAUDE + "/", "is not a Claude API key"),
        (SECRET, CLAUDE, "is not a Claude API key"),
        ("sk-ant-fake fake", CLAUDE, "holds white space or control characters inside"),
        ("sk-ant-fake\tfake", "https://proxy.example.com", "holds white space or control characters inside"),
        ("sk-ant-fake\x7ffake", CLAUDE, "holds white space or control characters inside"),
        ("sk-ant-fäke-fake", CLAUDE, "holds characters that no key has"),
        ("sk-ant-fake…", CLAUDE, "holds characters that no key has"),
    ],
)
def test_the_shape_of_a_claude_key_is_checked_before_it_misleads_the_sdk(key: str, url: str, fault: str) -> None:
    """An ill-shaped key would look like a broken connection. The prefix is demanded of the real API only."""
    said = claude_key_fault(key, url)
    assert said.startswith(fault)
    assert bool(said) is bool(fault)
    assert _quoted_parts(key, said) == []


def _quoted_parts(key: str, said: str) -> list[str]:
    """Return every stretch of eight characters of the key that the sentence repeats, its public prefix aside."""
    key = key.removeprefix("sb_secret_").removeprefix("sb_publishable_")
    stretches = [key[start : start + 8] for start in range(max(1, len(key) - 7))]
    return [stretch for stretch in stretches if stretch and stretch in said]
