"""Whatever is typed or set gets a sentence and a documented code: never exit code 1, no traceback, and nothing is lost.

Every option, argument, setting and key of catalog.toml is fed with values that nobody can mean: empty, far too long,
NUL, half a character, numbers without end, another type. SEED_TEST_EXAMPLES says how many are tried.

What is written goes below the test's own folder, which lies deep enough for every `..` among the values.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click
import pytest
from cli.in_process import run_inside
from examples import EXAMPLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes.program import Ended

from seed_library.cli.app import VERBS
from seed_library.cli.options import global_options
from seed_library.settings import Settings

CODES = {0, 2, 3, 4, 5, 6, 7, 8}
HUGE = "1" + "0" * 400
VALUES = [
    "",
    " ",
    "\n",
    "nan",
    "-inf",
    "1e400",
    HUGE,
    "9" * 5000,
    "-1",
    "0",
    "0x10",
    "true",
    "None",
    "[]",
    "{}",
    "x" * 300,
    "x/" * 3000,
    "y" * 100_000,
    "\x00",
    "a\x00b",
    "\udcff",
    "\ud800",
    "a\x1b[31mb",
    "\u202eevil",
    "..",
    "../../up",
    "/dev/null/x",
    "/dev/null",
    "~nouser/x",
    "~",
    "$(id)",
    "%s%n",
    "'; drop table x; --",
    "*",
    "[",
    "[!",
    "**/" * 50,
    "-",
    "--",
    "@file",
    "sqlite:",
    "sqlite:.",
    "sqlite:~nouser/x",
    "sqlite:" + "x" * 300,
    "sqlite:a\x00b",
    "sqlite:\udcff.db",
    "supabase",
    "http://[::1",
    "https://x:99999999",
    "https://\udcff",
    "https://user:pass@host",
    "socks://127.0.0.1:1",
    "{{ 7 * 7 }}",
    "{% include 'x' %}",
    "ß" * 50,
    "\N{MATHEMATICAL DOUBLE-STRUCK DIGIT ONE}",
    "1\u00a0000",
]
# What would wait for somebody, or for a signal.
_NOT_TRIED = {"review", "stop"}
_WAITING = {"--follow", "--watch", "--detach", "--wait-lock", "--timeout", "--help", "--version"}


def _verbs() -> Iterator[tuple[list[str], click.Command]]:
    for verb, (module, _) in VERBS.items():
        command = getattr(import_module(module), f"{verb}_" if iskeyword(verb) else verb)
        if isinstance(command, click.Group):
            yield from (([verb, name], inner) for name, inner in command.commands.items())
        elif verb not in _NOT_TRIED:
            yield [verb], command


@click.command()
@global_options
def _everywhere() -> None:
    """Take the global options only."""


def _typed() -> Iterator[tuple[list[str], click.Parameter]]:
    """Yield every parameter that takes a value, with the verb that it stands after."""
    for verb, command in _verbs():
        for parameter in command.params:
            takes = not (isinstance(parameter, click.Option) and parameter.is_flag)
            if takes and not _WAITING.intersection(parameter.opts):
                yield verb, parameter


TYPED = list(_typed())
SETTINGS = sorted(name.upper() for name in Settings.model_fields)
FURTHER = [
    "HOME",
    "XDG_STATE_HOME",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TZ",
    "COLUMNS",
]
FURTHER += [
    "ANTHROPIC_LOG",
    "ANTHROPIC_CUSTOM_HEADERS",
    "NO_COLOR",
    "LANG",
    "SEED_LIBRARY_BUDGET",
    "PYTHONASYNCIODEBUG",
]
LOOKING = [["plan", "--json"], ["check"], ["status"], ["rehearse", "--limit", "1"], ["export"], ["logs"], ["catalogs"]]
LOOKING += [["run", "--limit", "1"], ["unlock"], ["schema", "cards"], ["show", "a"], ["report", "page.html"]]

_TOML = """version = 1
name = "cards"
description = "cards"
items = "items.csv"
categories = ["card"]
locales = ["en"]
[titles]
en = "{{ key }}"
[table]
schema = "public"
name = "lib"
[table.columns]
category = "category"
key = "key"
locale = "locale"
title = "title"
text = "description"
provenance = "provenance"
updated_at = "updated_at"
[table.constants]
meta = "x"
[request]
model = "claude-haiku-5-5"
max_tokens = 1000
thinking = "off"
thinking_tokens = 2000
effort = ""
repairs = 0
tries = 2
[[generated]]
column = "teaser"
about = "One sentence."
at_least = 1
at_most = 90
[gates]
address = "you"
neutral = false
timeless = false
shadow = false
banned = ["cosmic"]
flagged = ["inspire"]
own = []
related = []
idioms = []
allowed = []
[gates.words]
low = 5
high = 200
at_least = 3
at_most = 300
[gates.forms]
du = ["dich"]
[gates.severity]
language = "off"
"""
_NASTY_TOML = [
    '""',
    '" "',
    '"\\u0000"',
    '"a\\u0000b"',
    '"../../x"',
    f'"{"x" * 300}"',
    f'"{"y" * 100_000}"',
    "nan",
    "-inf",
    "1e400",
    HUGE,
    "-1",
    "0",
    "3.5",
    "true",
    "[]",
    "[1, 'a', []]",
    '[""]',
    "[[]]",
    "{}",
    "{ a = { b = [1] } }",
    "1979-05-27T07:32:00Z",
    '"{{ 7 * 7 }}"',
    '"{% for"',
    '"\\u202e"',
    '"re:("',
    '["re:(", "re:(a+)+$"]',
    '"supabase"',
    '"C:\\\\x"',
]


def _keys(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in table.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from _keys(value, (*path, name))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from _keys(value[0], (*path, name))


KEYS = list(_keys(tomllib.loads(_TOML)))


def _with(path: tuple[str, ...], value: str) -> str:
    """Return catalog.toml with another value at a place; a table gives way to it as a whole."""
    *tables, name = path
    wanted = ".".join(tables)
    lines, inside, gone = [], "", False
    for line in _TOML.splitlines():
        if line.startswith("["):
            inside = line.strip("[]")
            gone = f"{inside}.".startswith(".".join(path) + ".")
        replaced = inside == wanted and line.startswith(f"{name} = ")
        if not gone:
            lines.append(f"{name} = {value}" if replaced else line)
    if not any(line == f"{name} = {value}" for line in lines):
        place = next((number for number, line in enumerate(lines) if line.strip("[]") == wanted), None)
        lines.insert(0 if place is None else place + 1, f"{name} = {value}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small catalog and a library with two texts, rehearsed once."""
    folder = tmp_path_factory.mktemp("nasty") / "of" / "several" / "floors"
    (folder / "home").mkdir(parents=True)
    catalog = folder / "prompts" / "cards"
    catalog.mkdir(parents=True)
    _write(folder)
    answered = run_inside(folder, ["rehearse", "--store", "sqlite:library.sqlite3"], _environment(folder))
    assert answered.code == 0, answered
    assert len(_rows(folder)) == 2
    return folder


def _write(folder: Path, toml: str = _TOML) -> None:
    catalog = folder / "prompts" / "cards"
    texts = {"items.csv": "key,title\na,Alpha\nb,Beta\n", "system.en.md": "Write.\n", "card.en.md": "Of {{ key }}.\n"}
    for name, text in {**texts, "catalog.toml": toml}.items():
        (catalog / name).write_text(text, "utf-8")


def _environment(folder: Path, **more: str) -> dict[str, str]:
    """Return settings with which nothing leaves: nobody listens at port 1 of this machine."""
    settled = {
        "HOME": str(folder / "home"),
        "PATH": os.defpath,
        "ANTHROPIC_API_KEY": "sk-ant-fake-fake-fake",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:1",
        "SUPABASE_URL": "http://127.0.0.1:1",
        "SUPABASE_SERVICE_ROLE_KEY": f"sb_secret_{'fake' * 5}AB_fakefake",
        "SEED_LIBRARY_STORE": "sqlite:library.sqlite3",
        "SEED_LIBRARY_CATALOG": "cards",
        "SEED_LIBRARY_STATE_DIR": str(folder / "state"),
    }
    return settled | more


def _rows(folder: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "library.sqlite3")) as database:
        return database.execute("select category, key, locale, title, description from lib order by key").fetchall()


def _assert_polite(answered: Ended, folder: Path, rows: list[tuple[Any, ...]]) -> None:
    """A documented code and a sentence; the library and the journal as they were."""
    assert answered.code in CODES, answered.err[-3000:]
    assert "Traceback" not in answered.out + answered.err
    assert "This is a bug" not in answered.out + answered.err
    if answered.code:
        assert answered.out.strip() or answered.err.strip(), "an exit code without a word"
    assert _rows(folder) == rows
    assert len(list((folder / "state").glob("targets/*/journal.jsonl"))) >= 1


_many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def _tidy(library: Path) -> Iterator[None]:
    yield
    for stray in library.iterdir():
        if stray.name not in {"prompts", "home", "state", "library.sqlite3"}:
            shutil.rmtree(stray, ignore_errors=True) if stray.is_dir() else stray.unlink()


@_many
@given(st.sampled_from(TYPED), st.sampled_from(VALUES), st.booleans())
def test_whatever_is_typed_gets_a_sentence(
    library: Path, typed: tuple[list[str], click.Parameter], value: str, as_json: bool
) -> None:
    """Every option and argument of every verb."""
    verb, parameter = typed
    rows = _rows(library)
    options = [f"{parameter.opts[0]}={value}"] if isinstance(parameter, click.Option) else ["--", value]
    answered = run_inside(library, [*verb, *(["--json"] if as_json else []), *options], _environment(library))
    _assert_polite(answered, library, rows)


@_many
@given(st.sampled_from([*SETTINGS, *FURTHER]), st.sampled_from(VALUES), st.sampled_from(LOOKING))
def test_whatever_is_set_gets_a_sentence(library: Path, name: str, value: str, verb: list[str]) -> None:
    """Every setting, and the variables of the system that matter; a NUL cannot be in any of them."""
    rows = _rows(library)
    answered = run_inside(library, verb, _environment(library, **{name: _settable(value)}))
    _assert_polite(answered, library, rows)


@_many
@given(st.sampled_from(SETTINGS), st.sampled_from(VALUES), st.sampled_from(LOOKING))
def test_whatever_an_env_file_holds_gets_a_sentence(library: Path, name: str, value: str, verb: list[str]) -> None:
    """In a file, everything can stand: NUL, half characters, quotes that are never closed."""
    rows = _rows(library)
    environment = _environment(library)
    environment.pop(name, None)
    (library / ".env").write_bytes(f"{name}={value}\n".encode("utf-8", "surrogatepass"))
    try:
        answered = run_inside(library, verb, environment)
    finally:
        (library / ".env").unlink()
    _assert_polite(answered, library, rows)


@_many
@given(st.sampled_from(KEYS), st.sampled_from(_NASTY_TOML), st.sampled_from(LOOKING[:4]))
def test_whatever_a_catalog_holds_gets_a_sentence(
    library: Path, key: tuple[str, ...], value: str, verb: list[str]
) -> None:
    """Every key of catalog.toml, with a value of another kind or out of all bounds."""
    rows = _rows(library)
    _write(library, _with(key, value))
    try:
        answered = run_inside(library, verb, _environment(library))
    finally:
        _write(library)
    _assert_polite(answered, library, rows)


def _settable(value: str) -> str:
    """What the system takes as the value of a variable."""
    text = value.replace("\x00", "?").replace("\ud800", "\udcd8")
    return text[:100_000]
