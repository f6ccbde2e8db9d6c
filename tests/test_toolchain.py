"""Only what is missing is installed, any node that is new enough counts, and what cannot be had is a sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dispositions import hear_every_signal
from fresh_machine import commands_of_readme
from toolchain import DEBIAN_TOOLS, CannotBeHad, Tool, find_node, install_debian_tools, node_and_npm

ROOT = Path(__file__).resolve().parent.parent
RECORDED = "recorded"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _make(folder: Path, name: str, says: str = "") -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


class Installer:
    """Stands for apt-get: notes what it is told, and brings the programs that it knows."""

    def __init__(self, folder: Path, *brings: str) -> None:
        self._folder = folder
        self._brings = brings
        self.told: list[list[str]] = []

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        """Take a command."""
        self.told.append(command)
        for name in self._brings:
            _make(self._folder, name)
        return subprocess.CompletedProcess(command, 0, "", "E: held broken packages")


def test_nothing_is_installed_where_all_is_there(programs: Path) -> None:
    """Not even a list of packages is fetched."""
    for tool in DEBIAN_TOOLS:
        _make(programs, tool.name)
    installer = Installer(programs)
    install_debian_tools(run=installer)
    assert installer.told == []


def test_only_the_packages_of_what_is_missing_are_asked_for(programs: Path) -> None:
    """A machine with Postgres and strace from elsewhere keeps them."""
    for name in ("apt-get", "sudo", "initdb", "strace"):
        _make(programs, name)
    installer = Installer(programs, "chromium", "chromedriver")
    install_debian_tools(run=installer)
    assert installer.told[-1][-2:] == ["chromium", "chromium-driver"]
    assert not {"postgresql", "strace", "nodejs", "npm"} & set(installer.told[-1])


@pytest.mark.parametrize("apt", [True, False], ids=["with apt", "without apt"])
def test_what_cannot_be_had_is_named_with_the_remedy(programs: Path, apt: bool) -> None:
    """Whether apt tried and failed, or there is none."""
    for name in ("apt-get", "sudo") * apt:
        _make(programs, name)
    wanted = (Tool("nosuchprogram", "nosuchpackage"),)
    with pytest.raises(CannotBeHad, match="The tests need nosuchprogram, which could not be installed") as failure:
        install_debian_tools(wanted, run=Installer(programs))
    assert ("apt-get install" in str(failure.value)) is apt
    assert ("held broken packages" in str(failure.value)) is apt


@pytest.mark.parametrize(
    ("name", "version", "taken"),
    [
        ("node", "v18.20.4", True),
        ("nodejs", "v18.19.0", True),
        ("node", "v20.20.2", True),
        ("node", "v22.11.0", True),
        ("node", "v24.1.0", True),
        ("node", "v16.20.2", False),
        ("node", "v8.9.0", False),
        ("node", "Usage: node NAME", False),
    ],
)
def test_any_node_that_is_new_enough_is_taken(programs: Path, name: str, version: str, taken: bool) -> None:
    """Wherever it is from, and under Debian's old name as well."""
    _make(programs, name, version)
    assert find_node() == (str(programs / name) if taken else None)


def test_a_node_with_its_npm_needs_nothing_else(programs: Path, tmp_path: Path) -> None:
    """Nothing is put into the place for what has to be installed."""
    _make(programs, "node", "v20.1.0")
    _make(programs, "npm")
    assert node_and_npm(tmp_path / "place") == (str(programs / "node"), [str(programs / "npm")])
    assert not (tmp_path / "place").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP])
def test_children_hear_a_signal_that_the_tests_were_started_without(number: signal.Signals) -> None:
    """nohup, and a script's `&`, ignore some; a blocked one would stay blocked, too."""
    before = signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    code = f"import signal; print(signal.getsignal({int(number)}), signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    try:
        hear_every_signal()
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        os.kill(os.getpid(), number)  # does nothing to the tests themselves
    finally:
        signal.signal(number, before)
    assert "SIG_IGN" not in child.stdout
    assert child.stdout.endswith("set()\n")


def test_the_fresh_machine_is_given_the_commands_of_the_readme() -> None:
    """To the letter; the checks of CI are the same two."""
    first, second = commands_of_readme((ROOT / "README.md").read_text("utf-8"))
    assert (first, second) == ("pip install . && seed-library rehearse", "pip install nox && nox")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert f"\n{first}\n{second}\n" in script
