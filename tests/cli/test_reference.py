"""The reference and the man page are what `--help` says; the runbook knows every exit code."""

from __future__ import annotations

import re

from cli.manual import COMMANDS, MAN_PAGE, ROOT, commands_page, man_page

from seed_library.core.errors import ExitCode


def test_the_reference_is_what_the_program_says() -> None:
    """Whoever changes an option writes the page again."""
    assert COMMANDS.read_text("utf-8") == commands_page()


def test_the_man_page_is_what_the_program_says() -> None:
    """It is installed where `man` finds it."""
    assert MAN_PAGE.read_text("utf-8") == man_page()
    assert {int(code) for code in re.findall(r"^\.TP\n\\fB(\d+)\\fP$", man_page(), re.MULTILINE)} == set(ExitCode)


def test_the_runbook_knows_every_exit_code() -> None:
    """But 0, for which nothing is to be done."""
    runbook = ROOT / "docs" / "how-to" / "runbook.md"
    codes = re.findall(r"^## (\d+):", runbook.read_text("utf-8"), re.MULTILINE)
    assert {int(code) for code in codes} == set(ExitCode) - {ExitCode.DONE}
