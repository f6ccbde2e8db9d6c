"""The tutorial is what the program does: its files are written and its commands are run, in the order of the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.processes import MessagesServer
from servers.supabase import Supabase

PAGE = Path(__file__).resolve().parent.parent / "docs" / "tutorial" / "first-library.md"
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GAP = "..."


def blocks() -> Iterator[tuple[str, str, str]]:
    """Yield kind, file name and content of each block of the page."""
    for found in _BLOCK.finditer(PAGE.read_text("utf-8")):
        yield found[1], found[2], found[3]


def typed_and_shown(block: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a console block, each with the answer that the page shows."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


def shows(answer: str) -> re.Pattern[str]:
    """Return what an answer on the page stands for: `...` is anything, over lines where it stands alone."""
    lines = [line if line != _GAP else "\0" for line in answer.splitlines()]
    text = "\n".join(lines).replace("\0\n", "\0").replace("\n\0", "\0")
    pieces = [re.escape(piece).replace(re.escape(_GAP), ".*") for piece in text.split("\0")]
    return re.compile("(?s:.*)".join(pieces))


@pytest.fixture
def settings(messages: MessagesServer, supabase: Supabase) -> dict[str, str]:
    """What stands in the reader's .env, for the servers of the tests."""
    return {**messages.environment, **supabase.environment}


def test_the_tutorial_runs(settings: dict[str, str], supabase: Supabase, tmp_path: Path) -> None:
    """Every file is written, every command ends with 0 and says what the page shows."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    programs = Path(sys.executable).parent
    environment = {**kept, "PATH": f"{programs}:/usr/bin:/bin", "SEED_LIBRARY_STATE_DIR": str(tmp_path / "state")}
    place, ran = tmp_path, 0
    for kind, name, content in blocks():
        if name == ".env":
            (place / name).write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
            (place / name).chmod(0o600)
        elif name:
            (place / name).write_text(content)
        for command, answer in typed_and_shown(content) if kind == "console" else ():
            if command.startswith("cd "):
                place /= command.removeprefix("cd ")
                continue
            done = subprocess.run(
                ["bash", "-c", command], cwd=place, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            assert shows(answer).search(done.stdout), (command, answer, done.stdout)
            ran += 1
    assert ran > 10
    assert supabase.sql("select count(*)::int as n from public.content_library where category = 'tea_cards_text'") == [
        {"n": 3}
    ]
