"""docs/reference/commands.md is what `--help` says; the runbook knows every exit code."""

from __future__ import annotations

import re
from importlib import import_module
from keyword import iskeyword
from pathlib import Path

import click

from seed_library.cli.app import VERBS, app
from seed_library.core.errors import ExitCode

DOCS = Path(__file__).resolve().parents[2] / "docs"
HEAD = """# Commands

What `--help` says after each verb, made from the program itself. [README](../../README.md) has the overview and the
exit codes, [.env.example](../../.env.example) the settings that flags override.

Completion: `eval "$(_SEED_LIBRARY_COMPLETE=bash_source seed-library)"` in bash; zsh_source and fish_source likewise.
"""


def rendered() -> str:
    """Return the page. `python -m cli.test_reference` (with `tests` on the path) writes it."""
    parts = [HEAD]
    parent = click.Context(app, info_name="seed-library", **app.context_settings)
    for verb, (module, _) in VERBS.items():
        command = getattr(import_module(module), f"{verb}_" if iskeyword(verb) else verb)
        with click.Context(command, info_name=verb, parent=parent, terminal_width=78) as context:
            parts.append(f"\n## {verb}\n\n```text\n{command.get_help(context)}\n```\n")
    return "".join(parts)


def test_the_reference_is_what_the_program_says() -> None:
    """Whoever changes an option writes the page again."""
    assert (DOCS / "reference" / "commands.md").read_text("utf-8") == rendered()


def test_the_runbook_knows_every_exit_code() -> None:
    """But 0, for which nothing is to be done."""
    codes = re.findall(r"^## (\d+):", (DOCS / "how-to" / "runbook.md").read_text("utf-8"), re.MULTILINE)
    assert {int(code) for code in codes} == set(ExitCode) - {ExitCode.DONE}


if __name__ == "__main__":
    (DOCS / "reference" / "commands.md").write_text(rendered(), "utf-8")
