"""What every test gets: no real home, no real settings, no sockets but loopback."""

from __future__ import annotations

from pathlib import Path

import pytest
from dispositions import hear_every_signal

hear_every_signal()  # before anything starts a process, and in every worker

pytest_plugins = ["servers.fixtures"]

_PREFIXES = ("ANTHROPIC_", "SUPABASE_", "SEED_LIBRARY_")


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, with an empty home and without the developer's own settings."""
    import os

    for name in list(os.environ):
        if name.startswith(_PREFIXES):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.chdir(work)
