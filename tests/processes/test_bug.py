"""An unexpected failure: exit code 1, a traceback without secrets, and one object under --json."""

from __future__ import annotations

import signal

from processes.program import Program
from servers.processes import KEY

BREAK = """
import seed_library.bootstrap.previewing as previewing
def broken(*arguments, **named):
    raise RuntimeError("lost my way with {key}")
previewing.preview = broken
"""


def test_a_bug_shows_where_it_is_and_no_secret(program: Program) -> None:
    """The program is broken on purpose by a module that Python loads at its start."""
    program.folder.joinpath("sitecustomize.py").write_text(BREAK.format(key=KEY))
    ended = program.run("plan", "--json", PYTHONPATH=str(program.folder))
    assert ended.code == 1
    assert ended.error["code"] == "bug"
    assert "in broken" in ended.err
    assert "lost my way" in ended.err
    assert KEY not in ended.out + ended.err


def test_a_reader_that_goes_away_ends_a_verb_that_only_prints(offline: Program) -> None:
    """`plan --json | head -c 1`: no traceback, and no success that nobody has read."""
    run = offline.start("schema")
    assert run.process.stdout is not None
    run.send(signal.SIGSTOP)
    run.process.stdout.close()
    run.process.stdout = None
    run.send(signal.SIGCONT)
    ended = run.end()
    assert ended.code == 1
    assert "Traceback" not in ended.err
