"""Debug logs of this program and of the vendors' libraries, on request and never with a secret."""

from __future__ import annotations

import logging

from seed_library.cli.output import Output


class _RedactedHandler(logging.Handler):
    """Prints records through the output, which redacts them, tracebacks included."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        try:
            self._output.complain(self.format(record))
        except Exception:  # noqa: BLE001  a log line must never end a run
            self.handleError(record)


def show_debug_logs(output: Output) -> None:
    """Send all logs to stderr, redacted."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    root.addHandler(_RedactedHandler(output))
