"""Results land where people want them, and what stood there is whole or replaced as a whole."""

from __future__ import annotations

import os
import resource
import signal
import socket
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seed_library.adapters.destinations import is_stdout, write_new, write_result
from seed_library.core.errors import UsageInvalid

LINES = ["one\n", "zwei → ✓\n"]
WHOLE = "".join(LINES)
_NOBODY = 65534


def _refusal(path: Path, lines: Iterable[str] = LINES) -> str:
    with pytest.raises(UsageInvalid) as caught:
        write_result(path, lines)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value.message


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def _unprivileged(folder: Path) -> Iterator[None]:
    """Be somebody whom permissions mean, in this folder."""
    os.chdir(folder)
    before = os.geteuid()
    if before == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@contextmanager
def _at_most(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path, umask: int) -> None:
    """The umask decides, as for every program's results; nothing is left beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    before = os.umask(umask)
    try:
        write_result(folder / "x", LINES)
    finally:
        os.umask(before)
    assert (_mode(folder / "x"), _names(folder)) == (0o666 & ~umask, ["x"])
    assert (folder / "x").read_text("utf-8") == WHOLE


@pytest.mark.parametrize("mode", [0o664, 0o600, 0o640, 0o777])
def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    """And who had it open before reads the old one to its end."""
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(mode)
    with path.open() as reader:
        write_result(path, LINES)
        assert reader.read() == "old"
    assert (path.read_text("utf-8"), _mode(path)) == (WHOLE, mode)


def test_a_file_that_is_there_keeps_its_owner(tmp_path: Path) -> None:
    """Where it may be given away; elsewhere it is our own anyway."""
    path = tmp_path / "x"
    path.write_text("old")
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    before = path.stat()
    write_result(path, LINES)
    assert (path.stat().st_uid, path.stat().st_gid) == (before.st_uid, before.st_gid)


@pytest.mark.parametrize("hops", [1, 3])
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed_and_stays_a_link(tmp_path: Path, hops: int, there: bool) -> None:
    """Over several links, relative and absolute, also to a file that is not there yet."""
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    if there:
        target.write_text("old")
        target.chmod(0o664)
    link = tmp_path / "link0"
    link.symlink_to("elsewhere/target")
    for number in range(1, hops):
        (tmp_path / f"link{number}").symlink_to(tmp_path / f"link{number - 1}")
        link = tmp_path / f"link{number}"
    write_result(link, LINES)
    assert link.is_symlink()
    assert (target.read_text("utf-8"), _names(target.parent)) == (WHOLE, ["target"])
    assert not there or _mode(target) == 0o664


def test_links_in_a_circle_are_said(tmp_path: Path) -> None:
    """They lead nowhere."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "too many links" in _refusal(tmp_path / "a")
    assert (tmp_path / "a").is_symlink()


def test_what_waits_under_the_name_of_a_temporary_file_is_not_followed(tmp_path: Path) -> None:
    """Nobody can foretell that name, and older names mean nothing any more."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in (".x.part", "x.tmp", "x~", ".x.swp"):
        (tmp_path / name).symlink_to(victim)
    write_result(tmp_path / "x", LINES)
    assert (victim.read_text(), (tmp_path / "x").is_symlink()) == ("precious", False)


def test_two_at_once_leave_one_of_both_whole(tmp_path: Path) -> None:
    """Each has a temporary file of its own."""
    path = tmp_path / "x"
    contents = [[f"{number}\n"] * 20_000 for number in range(4)]
    threads = [threading.Thread(target=write_result, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in {"".join(content) for content in contents}
    assert [name for name in _names(tmp_path) if name.endswith(".part")] == []


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """It stays one."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(path.read_text("utf-8")))
    reader.start()
    write_result(path, LINES)
    reader.join()
    assert heard == [WHOLE]
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_an_open_stream_of_our_own_is_written_to(tmp_path: Path, name: str, kind: str) -> None:
    """Where it stands, like a shell's redirection: what was written before stays before."""
    if kind == "pipe":
        reading, writing = os.pipe()
    else:
        writing = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
        reading = os.open(tmp_path / "file", os.O_RDONLY)
    os.write(writing, b"before\n")
    (tmp_path / "link").symlink_to(f"/dev/fd/{writing}")
    write_result(tmp_path / name.format(writing), LINES)
    os.write(writing, b"after\n")
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as file:
        assert file.read() == f"before\n{WHOLE}after\n"


@pytest.mark.parametrize("place", ["/dev/null", "link"])
def test_a_device_is_written_to(tmp_path: Path, place: str) -> None:
    """And is a device still."""
    (tmp_path / "link").symlink_to("/dev/null")
    write_result(tmp_path / place, LINES)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    assert (tmp_path / "link").is_symlink()


def test_a_device_that_takes_nothing_is_said() -> None:
    """With the system's reason."""
    assert "No space left" in _refusal(Path("/dev/full"))


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can open it."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert "neither a file nor a pipe" in _refusal(Path("socket"))


@pytest.mark.parametrize("place", ["", ".", "folder", "missing/x", "file/x", "x" * 300])
def test_a_place_that_cannot_be_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """A folder, nothing at all, a name without a folder, a name that is too long."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_text("old")
    _refusal(Path(place))
    assert Path("file").read_text() == "old"


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path, there: bool) -> None:
    """The old file is as it was."""
    folder = tmp_path / "closed"
    folder.mkdir()
    if there:
        (folder / "x").write_text("old")
        (folder / "x").chmod(0o666)
    folder.chmod(0o555)
    with _unprivileged(folder):
        assert "Permission denied" in _refusal(Path("x"))
    assert _names(folder) == (["x"] if there else [])
    assert not there or (folder / "x").read_text() == "old"


def test_a_write_protected_file_is_not_replaced(tmp_path: Path) -> None:
    """Although its folder would allow that."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    path = folder / "x"
    path.write_text("old")
    path.chmod(0o444)
    with _unprivileged(folder):
        assert "write-protected" in _refusal(Path("x"))
    assert path.read_text() == "old"


def test_a_folder_that_may_not_be_listed_takes_results(tmp_path: Path) -> None:
    """A drop box."""
    folder = tmp_path / "box"
    folder.mkdir()
    folder.chmod(0o333)
    with _unprivileged(folder):
        write_result(Path("x"), LINES)
    folder.chmod(0o700)
    assert (folder / "x").read_text("utf-8") == WHOLE


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path, there: bool) -> None:
    """And nothing of the new one."""
    path = tmp_path / "here" / "x"
    path.parent.mkdir()
    if there:
        path.write_text("old")
    with _at_most(100):
        assert "File too large" in _refusal(path, ["x" * 60 + "\n"] * 50)
    assert _names(path.parent) == (["x"] if there else [])
    assert not there or path.read_text() == "old"


@pytest.mark.parametrize("write", [write_result, write_new])
def test_content_that_ends_in_a_failure_leaves_nothing(tmp_path: Path, write: object) -> None:
    """Whatever the failure is."""

    def lines() -> Iterator[str]:
        yield "half"
        raise KeyError("the other half")

    (tmp_path / "here").mkdir()
    assert callable(write)
    with pytest.raises(KeyError):
        write(tmp_path / "here" / "x", lines())
    assert _names(tmp_path / "here") == []


def test_half_of_a_pair_is_escaped(tmp_path: Path) -> None:
    """It has no form in UTF-8, and a whole export must not fail for it."""
    write_result(tmp_path / "x", ['{"a": "\ud83d"}\n'])
    assert (tmp_path / "x").read_bytes() == b'{"a": "\\ud83d"}\n'


@pytest.mark.parametrize("there", ["file", "link", "dangling link", "folder"])
def test_a_backup_replaces_nothing(tmp_path: Path, there: str) -> None:
    """Not even a link to nowhere."""
    path = tmp_path / "x"
    if there == "file":
        path.write_text("old")
    elif there == "folder":
        path.mkdir()
    else:
        (tmp_path / "target").write_text("old")
        path.symlink_to("target" if there == "link" else "nowhere")
    with pytest.raises(UsageInvalid, match="exists already"):
        write_new(path, LINES)
    assert not (tmp_path / "nowhere").exists()


def test_a_backup_is_private_and_complete_or_not_there(tmp_path: Path) -> None:
    """Rows are removed on the strength of it."""
    write_new(tmp_path / "x", LINES)
    assert ((tmp_path / "x").read_text("utf-8"), _mode(tmp_path / "x")) == (WHOLE, 0o600)
    with _at_most(100), pytest.raises(UsageInvalid, match="File too large"):
        write_new(tmp_path / "y", ["x" * 60 + "\n"] * 50)
    assert not (tmp_path / "y").exists()


def test_where_stdout_goes_is_known(tmp_path: Path) -> None:
    """So that no word of ours ends up among the data."""
    assert is_stdout(Path("/dev/stdout"))
    assert is_stdout(Path("/dev/fd/1"))
    assert not is_stdout(tmp_path / "x")
