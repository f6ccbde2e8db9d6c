"""The log of a run: private, one per run, followed to its end, the oldest pushed out."""

from __future__ import annotations

from pathlib import Path

import pytest

from seed_library.adapters.run_log import RunLog, follow, lines, run_logs
from seed_library.adapters.state import TargetFolder


@pytest.fixture
def folder(tmp_path: Path) -> TargetFolder:
    """A target's folder."""
    made = TargetFolder(tmp_path / "target")
    made.create()
    return made


def test_a_log_is_made_by_its_first_line_and_is_private(folder: TargetFolder) -> None:
    """A start that is refused leaves none."""
    log = RunLog(folder, "r1")
    assert run_logs(folder) == []
    log.write("größer\ud800")
    log.write("two")
    log.close()
    (path,) = run_logs(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert lines(path) == ["größer?", "two"]
    assert lines(path, 1) == ["two"]
    assert lines(path, 0) == []
    assert lines(path, 99) == ["größer?", "two"]


def test_only_the_newest_twenty_logs_are_kept(folder: TargetFolder) -> None:
    """The new one counts."""
    for number in range(25):
        log = RunLog(folder, f"run-{number:02}")
        log.write("x")
        log.close()
    assert [path.stem for path in run_logs(folder)] == [f"run-{number:02}" for number in range(5, 25)]


def test_following_shows_what_comes_and_ends_with_the_run(folder: TargetFolder) -> None:
    """Half a line waits for its rest; the last words are read; a line without an end is not lost."""
    path = folder.log("r")
    path.write_text("one\ntw")
    later = ["o\nthree\n", "last words"]
    asked: list[float] = []

    def sleep(seconds: float) -> None:
        asked.append(seconds)
        with path.open("a") as file:
            file.write(later.pop(0))

    assert list(follow(path, lambda: bool(later), sleep)) == ["one", "two", "three", "last words"]
    assert len(asked) == 2


def test_a_log_that_is_a_symbolic_link_is_not_followed(folder: TargetFolder, tmp_path: Path) -> None:
    """Nobody can point a log at a file of somebody else."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder.log("r").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        RunLog(folder, "r").write("x")
    assert victim.read_text() == "precious"
