"""No key, token, machine path or registry is in any file of the project, not even in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from secret_patterns import SELF, found_in

ROOT = Path(__file__).resolve().parents[1]
_LEFT_OUT = {".git", ".site", ".venv", ".nox", "node_modules", "__pycache__", ".hypothesis", "dist"}
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
    ".svg",
    ".1",
    ".yml",
    ".yaml",
    ".service",
    ".timer",
}


def _files() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if _LEFT_OUT.intersection(parts) or any(_CACHES.match(part) for part in parts):
            continue
        if path.name in SELF:
            continue
        if path.is_file() and (path.suffix in _KINDS or path.name in {".env.example", "run", "crontab", "Dockerfile"}):
            yield path


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
        "fetched from files.pythonhosted" + chr(46) + "org",
    ],
    ids=["whole", "added", "continued", "jwt", "path", "registry"],
)
def test_a_secret_would_be_found(text: str) -> None:
    """Whole, in pieces, over two lines."""
    assert found_in(text)
