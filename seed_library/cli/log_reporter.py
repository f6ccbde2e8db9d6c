"""The reporter that keeps a log, and the one that tells several."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from seed_library.cli.output import Output, error_text
from seed_library.cli.wording import Narrator, summary
from seed_library.core.events import Event, RequestSent, RowsStored, RunFailed, RunFinished, TextPaid
from seed_library.ports import Reporter


class LogReporter:
    """Writes one dated line per event, redacted. A log that cannot be written is given up, the run goes on."""

    def __init__(self, write: Callable[[str], None], output: Output, now: Callable[[], datetime]) -> None:
        self._write = write
        self._output = output
        self._now = now
        self._usable = True
        self._narrator = Narrator()

    def report(self, event: Event) -> None:
        """Write the event, if it is worth a line."""
        text = self._text(event)
        if not (text and self._usable):
            return
        at = self._now().isoformat(timespec="milliseconds")
        try:
            for line in self._output.safe(text).splitlines():
                self._write(f"{at} {line}")
        except OSError:
            self._usable = False

    def _text(self, event: Event) -> str:
        """Return what the log says of an event: more than a person at a terminal wants to read."""
        match event:
            case RequestSent():
                return f"Request {event.attempt}: {event.item}"
            case TextPaid():
                return f"Paid: {event.item}, ${event.cost_usd:.6f}"
            case RowsStored():
                return "Stored: " + ", ".join(map(str, event.items))
            case RunFailed():
                return error_text(event.error)
            case RunFinished():
                return f"{summary(event)}\nRun {event.run_id} finished with exit code {int(event.exit_code)}."
            case _:
                return self._narrator.line(event)


class Reporters:
    """Tells several reporters the same."""

    def __init__(self, *reporters: Reporter) -> None:
        self._reporters = reporters

    def report(self, event: Event) -> None:
        """Pass the event on, in order."""
        for reporter in self._reporters:
            reporter.report(event)
