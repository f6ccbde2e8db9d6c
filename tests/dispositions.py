"""The signal dispositions that the tests need, whoever started them.

nohup ignores SIGHUP, a script's `&` ignores SIGINT and SIGQUIT, and what is ignored stays so in every child: a program
under test would never hear the signal that a test sends it. An ignored signal gets a handler that does nothing: the
tests go on ignoring it, and every child, which cannot inherit a handler, starts with the default.
"""

from __future__ import annotations

import signal

_OURS = {signal.SIGPIPE, signal.SIGXFSZ}  # Python ignores these itself, and subprocess gives them back to its children
_IGNORED_ANYWAY = {signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT}


def hear_every_signal() -> None:
    """Let children start with the default for every signal, and with none blocked."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - _OURS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL if number in _IGNORED_ANYWAY else _do_nothing)


def _do_nothing(*_: object) -> None:
    pass
