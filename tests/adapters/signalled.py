"""A process that waits to be stopped: `python -m adapters.signalled`.

Prints each stop signal that asks it to stop, says goodbye on a second one, and ends in order when stdin closes.
"""

from __future__ import annotations

import os
import signal
import sys

from seed_library.adapters.process import STOP_SIGNALS, stop_signals


def say(sentence: str) -> None:
    """Write at once, past the buffer of stdout: a handler may have interrupted a write into that."""
    os.write(sys.stdout.fileno(), f"{sentence}\n".encode())


def main() -> None:
    """Wait with the handlers installed, then see that they are gone."""
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with stop_signals(lambda name: say(f"asked by {name}"), say):
        say("ready")
        try:
            sys.stdin.read()
        except BaseException:  # noqa: BLE001  an exit by exception could be swallowed like this
            say("still here")
    say("restored" if before == [signal.getsignal(number) for number in STOP_SIGNALS] else "left behind")


if __name__ == "__main__":
    main()
