"""What the libraries log, as far as it is harmless: warnings always, the rest on request, and never a secret.

They log what they send and what comes back: headers, addresses, errors that quote a header. So every record is foreign
text (`core.foreign_text`) from the moment it is made, whoever prints it: our handler, one that a variable of a library
asks for (ANTHROPIC_LOG), or one that the user's own Python has set up. Of an error that hangs on it, its kind is told.
"""

from __future__ import annotations

import logging
from typing import Any

from seed_library.cli.output import Output
from seed_library.core.foreign_text import ForeignText

_LONGEST = 500  # characters of a record
_LOOKED_AT = 4_000


class _OurHandler(logging.Handler):
    """Prints records through the output."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.DEBUG if output.verbose else logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record; one that cannot be printed is given up: a log line must never end a run."""
        try:
            self._output.complain(self.format(record))
        except Exception:  # noqa: BLE001
            self.handleError(record)


def show_logs(output: Output) -> None:
    """Let warnings of all libraries be shown on stderr, and under --verbose everything that they log."""
    foreign = ForeignText(output.redact.secrets)

    def harmless(*fields: Any, **more: Any) -> logging.LogRecord:
        record = logging.LogRecord(*fields, **more)
        raised = f" (raised {record.exc_info[0].__name__})" if record.exc_info and record.exc_info[0] else ""
        record.msg = foreign.sentence(_said(record)[:_LOOKED_AT], _LONGEST) + raised
        record.args, record.exc_info, record.stack_info = (), None, None
        return record

    logging.setLogRecordFactory(harmless)
    root = logging.getLogger()
    for earlier in [handler for handler in root.handlers if isinstance(handler, _OurHandler)]:
        root.removeHandler(earlier)
    root.addHandler(_OurHandler(output))
    if output.verbose:
        root.setLevel(logging.DEBUG)


def _said(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  of a record that does not fit its arguments, nothing can be told
        return "(a record that cannot be read)"
