"""The state folder is private, is ours, or is refused with a sentence."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from seed_library.adapters.state import BALLAST_BYTES, TargetFolder, space_check, target_folder
from seed_library.core.errors import ExitCode, JournalUnavailable
from seed_library.core.targets import SqliteAddress, Target


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
def test_every_level_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """Parents too: `mkdir -p` would leave them open to everyone."""
    folder = TargetFolder(tmp_path / "a" / "b" / "c")
    folder.create()
    folder.create()
    made = [tmp_path / "a", tmp_path / "a" / "b", folder.path, folder.log("run").parent]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700] * 4


def test_a_folder_that_exists_keeps_its_mode_and_content(tmp_path: Path) -> None:
    """A state directory that the user chose is the user's."""
    tmp_path.chmod(0o755)
    (tmp_path / "mine").write_text("x")
    TargetFolder(tmp_path / "targets" / "t").create()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert (tmp_path / "mine").read_text() == "x"


@pytest.mark.parametrize("place", ["/dev/null/state", "/proc/seed-library"])
def test_a_place_that_cannot_hold_state_is_refused(place: str) -> None:
    """For every user: below a file, and in a file system that takes no folders."""
    with pytest.raises(JournalUnavailable, match=f"The state folder {place} cannot be written") as caught:
        TargetFolder(Path(place)).create()
    assert "SEED_LIBRARY_STATE_DIR" in caught.value.hint
    assert caught.value.exit_code == ExitCode.PREFLIGHT


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else could read the texts, or take the lock away."""
    folder = TargetFolder(tmp_path / "t")
    folder.create()
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(JournalUnavailable, match="belongs to another user") as caught:
        folder.create()
    assert "SEED_LIBRARY_STATE_DIR" in caught.value.hint


def test_a_target_has_one_readable_folder(tmp_path: Path) -> None:
    """Below the state directory, named by store and table, whatever the working directory."""
    target = Target(SqliteAddress("/data/library.sqlite3"), "public", "content_library")
    folder = target_folder(tmp_path, target)
    assert folder.path.parent == tmp_path / "targets"
    assert "library.sqlite3_public.content_library-" in folder.path.name
    assert folder == target_folder(tmp_path, target)
    files = {folder.lock, folder.holder, folder.journal, folder.ballast, folder.log("run")}
    assert len(files) == 5
    assert all(file.is_relative_to(folder.path) for file in files)


def test_room_for_the_journal_is_checked_before_anything_is_paid(tmp_path: Path) -> None:
    """The folder need not exist for that, and is not made."""
    folder = TargetFolder(tmp_path / "not" / "yet")
    enough, too_little = space_check(folder, 1), space_check(folder, 10**12)
    assert enough.ok
    assert not too_little.ok
    assert f"{(10**12 * 20_000 + BALLAST_BYTES) / 1024 / 1024:,.0f} MiB" in too_little.message
    assert "--limit" in too_little.hint
    assert not (tmp_path / "not").exists()
