"""No key, token or machine path is in any file of the project, not even in pieces that are joined when it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_LEFT_OUT = {".git", ".venv", ".nox", "node_modules", "__pycache__", ".hypothesis", "dist"}
_CACHES = re.compile(r"^\.\w+_cache$")
_KINDS = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".sql",
    ".json",
    ".csv",
    ".mjs",
    ".html",
    ".yml",
    ".yaml",
    ".service",
    ".timer",
}
# Test keys are obviously fake: they say so, or they are one letter over and over.
_FAKE = re.compile(r"fake|test|not-a-real|NoRealKey|example|placeholder|x{4}|0123456789|a{6}", re.IGNORECASE)
# Where people and the superuser live, apart from their slashes: this file holds no path either.
_HOMES, _SUPERUSER = "(?:home|Users)", "root"
SECRETS = {
    "Claude key": re.compile(r"sk-ant-[A-Za-z0-9_-]{16,}"),
    "Supabase key": re.compile(r"sb_(?:secret|publishable)_[A-Za-z0-9_-]{20,}"),
    "JWT": re.compile(r"eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "token of a code host": re.compile(r"gh[pousr]_[A-Za-z0-9]{30,}"),
    "path of a machine": re.compile(rf"(?<![\w.])/(?:{_HOMES}/(?!you\b|user\b)[a-z][\w.-]+/|{_SUPERUSER}/\w)"),
}
_SPLIT = re.compile(r"""["']\s*(?:\+\s*)?\n?\s*["']""")


def _files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if _LEFT_OUT.intersection(parts) or any(_CACHES.match(part) for part in parts):
            continue
        if path == Path(__file__):
            continue
        if path.is_file() and (path.suffix in _KINDS or path.name in {".env.example", "run", "crontab", "Dockerfile"}):
            yield path


def found_in(text: str) -> list[str]:
    """Return what kinds of secrets a text holds, also when it is cut into pieces of string literals."""
    joined = _SPLIT.sub("", text)
    return [
        name
        for name, pattern in SECRETS.items()
        for hit in pattern.finditer(f"{text}\n{joined}")
        if not _FAKE.search(hit[0])
    ]


def test_no_file_of_the_project_holds_a_secret() -> None:
    """Code, tests, documents, migrations, catalogs and tool files."""
    files = list(_files())
    assert len(files) > 200, "the search has looked at the project"
    found = {str(path.relative_to(ROOT)): kinds for path in files if (kinds := found_in(path.read_text("utf-8")))}
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "key = 'sk-ant-api03-" + "Qw7" * 8 + "'",
        "'sk-ant-' + 'api03-" + "Qw7" * 8 + "'",
        "'sb_secret_'\n    '" + "Zk4" * 9 + "'",
        "eyJ" + "hbGci" * 5 + ".eyJ" + "zdWIi" * 5 + "." + "Sig9" * 8,
        "see /home/" + "somebody/project",
    ],
    ids=["whole", "added", "continued", "jwt", "path"],
)
def test_a_secret_would_be_found(text: str) -> None:
    """Whole, in pieces, over two lines."""
    assert found_in(text)
