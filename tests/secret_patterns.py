"""What a key, a token, a machine path or a registry's host looks like, also in pieces that a program joins."""

from __future__ import annotations

import re

# Test keys are obviously fake: they say so, or they are one letter over and over.
_FAKE = re.compile(r"fake|test|not-a-real|NoRealKey|example|placeholder|x{4}|0123456789|a{6}", re.IGNORECASE)
# Where people and the superuser live, apart from their slashes: this file holds no path either.
_HOMES, _SUPERUSER = "(?:home|Users)", "root"
# Hosts of package registries; a letter in brackets keeps this file from naming one.
_REGISTRIES = r"[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.(?:org|com)|[d]ebian\.org"
SECRETS = {
    "Claude key": re.compile(r"sk-ant-[A-Za-z0-9_-]{16,}"),
    "Supabase key": re.compile(r"sb_(?:secret|publishable)_[A-Za-z0-9_-]{20,}"),
    "JWT": re.compile(r"eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "token of a code host": re.compile(r"gh[pousr]_[A-Za-z0-9]{30,}"),
    "host of a registry": re.compile(rf"[\w.-]*(?:{_REGISTRIES})"),
    "path of a machine": re.compile(rf"(?<![\w.])/(?:{_HOMES}/(?!you\b|user\b)[a-z][\w.-]+/|{_SUPERUSER}/\w)"),
}
# Files that name what they look for.
SELF = {"secret_patterns.py", "test_no_secrets.py"}
_SPLIT = re.compile(r"""["']\s*(?:\+\s*)?\n?\s*["']""")


def found_in(text: str) -> list[str]:
    """Return what kinds of secrets a text holds, also when it is cut into pieces of string literals."""
    joined = _SPLIT.sub("", text)
    return [
        name
        for name, pattern in SECRETS.items()
        if any(not _FAKE.search(hit[0]) for hit in pattern.finditer(f"{text}\n{joined}"))
    ]
