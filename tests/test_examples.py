"""The commands in the documents are commands that the program understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from seed_library.cli.app import app
from seed_library.cli.options import Invocation
from seed_library.core.errors import ExitCode

ROOT = Path(__file__).resolve().parent.parent
_PAGES = sorted(page for page in (ROOT / "docs").rglob("*.*") if page.suffix not in {".1", ".svg", ".py", ".pyc"})
DOCUMENTS = [ROOT / "README.md", *_PAGES, ROOT / "docs" / "examples" / "crontab"]
_COMMAND = re.compile(r"(?:^[ $|-]*(?:run: )?|`|&& |=(?:/[a-z]+)*/)(seed-library(?: [^`\n>&|]+)?)", re.MULTILINE)


def _commands() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for found in _COMMAND.finditer(document.read_text("utf-8")):
            yield document.name, found[1].split("    ")[0].strip()


COMMANDS = sorted(set(_commands()))


def test_there_are_commands_to_look_at() -> None:
    """The pattern above finds what people would copy."""
    assert len(COMMANDS) > 15
    assert {name for name, _ in COMMANDS} >= {"README.md", "unattended.md", "crontab", "seed-library.service"}


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_a_command_in_the_documents_is_understood(document: str, command: str) -> None:
    """Verb, options and arguments are parsed; nothing is run."""
    _, *arguments = shlex.split(command)
    if not arguments or arguments == ["--help"]:
        return
    with app.make_context("seed-library", arguments, obj=Invocation()) as context:
        verb, command_object, rest = app.resolve_command(context, [*context._protected_args, *context.args])
        assert verb is not None
        assert isinstance(command_object, click.Command)
        with command_object.make_context(verb, rest, parent=context) as parsed:
            assert parsed.params is not None


def test_the_unit_treats_as_success_what_the_next_start_mends() -> None:
    """The codes in the unit are those of the documents."""
    text = (ROOT / "docs" / "examples" / "seed-library.service").read_text("utf-8")
    (success,) = re.findall(r"^SuccessExitStatus=(.+)$", text, re.MULTILINE)
    codes = {int(code) for code in success.split()}
    assert codes == {ExitCode.LOCKED, ExitCode.BUDGET, ExitCode.STOPPED}
    assert "KillSignal=SIGTERM" in text


def test_the_workflow_uses_settings_that_exist() -> None:
    """No setting is misspelt in the examples."""
    known = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    for document in DOCUMENTS:
        used = set(re.findall(r"\b(?:SEED_LIBRARY|SUPABASE|ANTHROPIC)_[A-Z_]+[A-Z]\b", document.read_text("utf-8")))
        assert used <= known, document.name
