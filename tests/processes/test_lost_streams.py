"""Standard streams that are closed, broken or full: what is paid for goes on, and the exit code is the right one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from processes.program import Program
from servers.supabase import Supabase

LOST = [
    "2>&-",
    ">&-",
    ">&- 2>&-",
    "<&- >&- 2>&-",
    "2>/dev/full",
    ">/dev/full",
    ">/dev/full 2>&-",
    ">&- 2>/dev/full",
]


def _run(program: Program, redirection: str, *arguments: str, broken: tuple[int, ...] = (), **changes: str) -> int:
    """Start it by a shell with streams of these kinds; `broken` ones are pipes whose readers are gone."""
    command = shlex.join([sys.executable, "-m", "seed_library", *arguments])
    reading, writing = os.pipe()
    os.close(reading)
    program.folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            ["sh", "-c", f"exec {command} {redirection}"],
            cwd=program.folder,
            env=program.environment(**changes),
            timeout=100,
            check=False,
            stdout=writing if 1 in broken else subprocess.DEVNULL,
            stderr=writing if 2 in broken else subprocess.DEVNULL,
        )
    finally:
        os.close(writing)
    return done.returncode


@pytest.mark.parametrize("options", [["--json"], [], ["--verbose"]], ids=str)
@pytest.mark.parametrize("redirection", LOST)
def test_a_run_goes_on_without_its_streams(
    program: Program, supabase: Supabase, redirection: str, options: list[str]
) -> None:
    """No file of ours takes the place of a stream, and nobody has to listen."""
    assert _run(program, redirection, "run", *options, "--limit", "3") == 0
    assert supabase.count() == 3
    assert program.run("status", "--json").document["state"] == "finished"


@pytest.mark.parametrize(("redirection", "broken"), [("", (2,)), ("", (1, 2)), (">&-", (2,)), ("2>&-", (1,))])
@pytest.mark.parametrize("options", [["--json"], []], ids=str)
def test_a_run_goes_on_when_nobody_reads(
    program: Program, supabase: Supabase, redirection: str, broken: tuple[int, ...], options: list[str]
) -> None:
    """A pipe without a reader, beside a stream that is closed or not."""
    assert _run(program, redirection, "run", *options, "--limit", "3", broken=broken) == 0
    assert supabase.count() == 3


@pytest.mark.parametrize(("redirection", "broken"), [(one, ()) for one in LOST] + [("", (2,)), ("", (1, 2))])
def test_a_failure_has_its_code_though_nobody_can_be_told(
    program: Program, redirection: str, broken: tuple[int, ...]
) -> None:
    """Usage, settings, and what is refused: scripts go by the code."""
    wrong = {"SEED_LIBRARY_BUDGET_USD": "-1"}
    for options in ([], ["--json"]):
        assert _run(program, redirection, "run", *options, "--no-such-option", broken=broken) == 2
        assert _run(program, redirection, "run", *options, broken=broken, **wrong) == 3
    assert _run(program, redirection, "run", "--model", "claude-3-haiku-20240307", broken=broken) == 4


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize("verb", ["plan", "status", "catalogs", "schema", "export"])
def test_a_verb_that_prints_needs_no_stderr(program: Program, redirection: str, verb: str) -> None:
    """Its result is on stdout; with a warning on the way, too."""
    (program.folder / ".env").parent.mkdir(parents=True, exist_ok=True)
    (program.folder / ".env").write_text("")
    (program.folder / ".env").chmod(0o644)
    assert _run(program, redirection, verb) == 0


@pytest.mark.parametrize(
    "verb", [["plan"], ["plan", "--json"], ["catalogs"], ["schema"], ["--help"], ["plan", "--help"]]
)
def test_a_result_that_cannot_be_written_is_no_success(program: Program, verb: list[str]) -> None:
    """A disk that is full behind stdout: a sentence on stderr, and no traceback."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "seed_library", *verb],
            cwd=program.folder.parent,
            env=program.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 4
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def test_the_streams_of_others_are_not_written_to(program: Program, supabase: Supabase) -> None:
    """Where stderr is closed, what would be said there does not turn up in the data on stdout."""
    command = shlex.join([sys.executable, "-m", "seed_library", "--verbose", "run", "--limit", "1", "--json"])
    program.folder.mkdir(parents=True, exist_ok=True)
    (program.folder / ".env").write_text("")
    (program.folder / ".env").chmod(0o644)
    done = subprocess.run(
        ["sh", "-c", f"exec {command} 2>&-"],
        cwd=program.folder,
        env=program.environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=100,
        check=True,
    )
    assert [line for line in done.stdout.splitlines() if not line.startswith('{"event"')] == []
    assert supabase.count() == 1
    (journal,) = program.state.glob("targets/*/journal.jsonl")
    assert all(line[8:10] == b" {" for line in journal.read_bytes().splitlines())
