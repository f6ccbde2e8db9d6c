"""A process is told from every other one, and asked to stop before it is made to."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from adapters.starting import hear, started

from seed_library.adapters.process import STOP_SIGNALS, start_ticks, this_process

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def test_this_process_knows_itself() -> None:
    """Always the same answer, with the host and the boot it belongs to."""
    identity = this_process()
    assert identity == this_process()
    assert (identity.pid, identity.host) == (os.getpid(), socket.gethostname())
    assert identity.start_ticks == start_ticks(os.getpid()) > 0
    assert len(identity.boot_id) == 36


@pytest.mark.parametrize("name", ["sleep", "a) R 1 (b", "(x"])
def test_the_start_of_a_process_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    """The name stands in parentheses in the middle of the line, unescaped."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    shutil.copy(sleep, tmp_path / name)
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    with subprocess.Popen([tmp_path / name, "600"]) as process:
        after = time.clock_gettime(time.CLOCK_BOOTTIME)
        ticks = start_ticks(process.pid)
        process.kill()
    assert int(before * TICKS_PER_SECOND) <= ticks <= after * TICKS_PER_SECOND + 1


def test_a_process_that_is_gone_has_no_start() -> None:
    """Nor has a pid that the system never gives."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert start_ticks(process.pid) == 0
    assert start_ticks(2**22 + 1) == 0


@pytest.mark.parametrize("first", STOP_SIGNALS)
@pytest.mark.parametrize("second", STOP_SIGNALS)
def test_the_first_signal_asks_and_the_second_one_ends(first: signal.Signals, second: signal.Signals) -> None:
    """Whichever they are: exit code 130, with a word about what was in flight."""
    with started("signalled") as process:
        assert hear(process) == "ready"
        process.send_signal(first)
        assert hear(process) == f"asked by {first.name}"
        assert process.poll() is None
        process.send_signal(second)
        assert hear(process).startswith(f"{second.name} again: leaving at once")
        assert process.wait() == 130
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_handlers_are_taken_back_at_the_end() -> None:
    """After an orderly end signals mean what they meant before."""
    with started("signalled") as process:
        assert hear(process) == "ready"
        process.send_signal(signal.SIGTERM)
        assert hear(process) == "asked by SIGTERM"
        assert process.stdin is not None
        process.stdin.close()
        assert hear(process) == "restored"
        assert process.wait() == 0
