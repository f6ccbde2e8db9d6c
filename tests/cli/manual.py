"""The pages that are made from the program itself: `python -m cli.manual`, with `tests` on the path, writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from seed_library import __version__
from seed_library.cli.app import VERBS, app

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ROOT / "docs" / "reference" / "commands.md"
MAN_PAGE = ROOT / "docs" / "man" / "seed-library.1"
_HEAD = """# Commands

What `--help` says after each verb, made from the program itself. [README](../../README.md) has the overview and the
exit codes, [.env.example](../../.env.example) the settings that flags override. `man seed-library` shows them, too.

Completion: `eval "$(_SEED_LIBRARY_COMPLETE=bash_source seed-library)"` in bash; zsh_source and fish_source likewise.
"""


def _helps() -> Iterator[tuple[str, str]]:
    """Yield each verb with what `--help` says after it."""
    parent = click.Context(app, info_name="seed-library", **app.context_settings)
    for verb, (module, _) in VERBS.items():
        command = getattr(import_module(module), f"{verb}_" if iskeyword(verb) else verb)
        with click.Context(command, info_name=verb, parent=parent, terminal_width=78) as context:
            yield verb, command.get_help(context)


def commands_page() -> str:
    """Return the page of the reference."""
    return _HEAD + "".join(f"\n## {verb}\n\n```text\n{text}\n```\n" for verb, text in _helps())


def man_page() -> str:
    """Return the page for `man`: roff, with what the README says of exit codes and settings."""
    parts = [
        f'.TH SEED-LIBRARY 1 "" "seed-library {__version__}"',
        *_section("NAME", r"seed-library \- fill a content library in Supabase with texts written by Claude"),
        *_section("SYNOPSIS", r".B seed-library", _escaped("VERB [OPTIONS] [ARGUMENTS]")),
        *_section("DESCRIPTION", _escaped(str(app.help))),
        *_section("VERBS"),
        *(line for verb, text in _helps() for line in _verb(verb, text)),
        *_section("EXIT STATUS", *_table(r"^\| (\d+) \| ([^|]+) \|")),
        *_section("ENVIRONMENT", *_table(r"^\| `([A-Z_]+)`[^|]*\|[^|]*\| ([^|]*)\|", default="see .env.example")),
        *_section("FILES", *_entry(".env", "settings; the environment wins over it"), *_entry("prompts/", "catalogs")),
    ]
    return "\n".join(parts) + "\n"


def _section(title: str, *lines: str) -> list[str]:
    return [f".SH {title}", *lines]


def _verb(verb: str, text: str) -> list[str]:
    return [f".SS {verb}", ".nf", _escaped(text), ".fi"]


def _entry(name: str, text: str) -> list[str]:
    return [".TP", rf"\fB{_escaped(name)}\fP", _escaped(text)]


def _table(row: str, default: str = "") -> Iterator[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, text in re.findall(row, readme, re.MULTILINE):
        yield from _entry(name, text.replace("`", "").strip() or default)


def _escaped(text: str) -> str:
    """Keep roff from reading a dash as a hyphen, a backslash as its own, or a line as a request."""
    return re.sub(r"^([.'])", r"\\&\1", text.replace("\\", r"\e").replace("-", r"\-"), flags=re.MULTILINE)


if __name__ == "__main__":
    COMMANDS.write_text(commands_page(), "utf-8")
    MAN_PAGE.write_text(man_page(), "utf-8")
