"""`--help` answers from a file, so that it does not have to wait for click."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from seed_library.cli.app import app


def _say(option: str) -> str:
    command = [sys.executable, "-m", "seed_library", option]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_help_page_is_the_one_of_the_command_line(option: str) -> None:
    """The file seed_library/data/help.txt says what click makes of the verbs and options in 80 columns."""
    with click.Context(app, info_name="seed-library", terminal_width=78, **app.context_settings) as context:
        assert _say(option) == app.get_help(context) + "\n"
