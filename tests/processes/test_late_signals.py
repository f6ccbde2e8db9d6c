"""A signal that comes when everything is done and said changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from processes.cards import TITLES, Cards


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_exit_code_is_that_of_the_last_word(cards: Cards, number: signal.Signals) -> None:
    """Nobody reads the output, so the process waits a moment for its reader; then comes the signal."""
    cards.write(TITLES[:2])
    reading, writing = os.pipe()
    full = b"x" * 65536
    assert os.write(writing, full) == len(full)
    process = subprocess.Popen(
        [sys.executable, "-m", "seed_library", "run", "cards", "--json"],
        cwd=cards.program.folder,
        env=cards.program.environment(),
        stdout=writing,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    while cards.run(verb="status").document["state"] != "finished":
        assert process.poll() is None
    process.send_signal(number)
    with os.fdopen(reading, "rb") as pipe:
        last = pipe.read().splitlines()[-1]
    assert process.wait(60) == 0
    assert b'"event": "run_finished"' in last
