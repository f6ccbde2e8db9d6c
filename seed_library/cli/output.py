"""Where words go: results to stdout, narration to stderr, JSON on request.

Every line is redacted, but for content: what a library holds (texts, titles, keys, facts, prompts) is shown as it is,
even where it looks like a secret. Whoever wrote "the bearer of good news" must find it again.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import Any, TextIO

from seed_library.core import plain_json
from seed_library.core.errors import ExitCode, SeedLibraryError
from seed_library.core.redaction import Redactor

_TERMINAL_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}" for code in [*range(0x20), *range(0x7F, 0xA0)] if code not in (9, 10)
}
_CONTENT_OF_EVENTS = {"item", "items", "findings"}


_CURSOR = b"\x1b[?25h"  # shown again, in case that a progress bar has hidden it


class Content(str):
    """A line, or a value of a document, that is content of the library: never redacted."""

    __slots__ = ()


def as_content(value: Any) -> Any:
    """Mark all strings inside as content."""
    if isinstance(value, str):
        return Content(value)
    if isinstance(value, Mapping):
        return {name: as_content(part) for name, part in value.items()}
    return [as_content(part) for part in value] if isinstance(value, list | tuple) else value


@dataclass(slots=True)
class Output:
    """The two streams and how to use them. The redactor learns this run's secrets once the settings are read."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    color: bool = True
    redact: Redactor = field(default_factory=Redactor)

    def result(self, text: str) -> None:
        """Print a result for people.

        Raises:
            ResultLost: stdout does not take it.
        """
        _print_result(self.safe(text))

    def data(self, lines: Iterable[str]) -> None:
        """Write the lines of a file, as they are.

        Raises:
            ResultLost: stdout does not take them all.
        """
        try:
            sys.stdout.writelines(lines)
            sys.stdout.flush()
        except OSError as error:
            raise _lost(error) from None

    def document(self, value: Mapping[str, Any]) -> None:
        """Print a result for programs: one JSON object on one line.

        Raises:
            ResultLost: stdout does not take it.
        """
        _print_result(plain_json.dumps(self._redacted(value)))

    def narrate(self, text: str) -> None:
        """Print what is happening; not under --quiet and not under --json."""
        if not (self.quiet or self.as_json):
            self.complain(text)

    def complain(self, text: str) -> None:
        """Print something that must be seen, if anybody can see it: where stderr takes nothing, all else goes on."""
        try:
            print(self.safe(text), file=sys.stderr, flush=True)  # noqa: T201
        except OSError:
            silence(sys.stderr)

    def last_word(self, text: str) -> None:
        """Print something from a signal handler: past all buffers, which may be in the middle of something."""
        with suppress(AttributeError, ValueError, OSError):  # there may be no stderr any more
            descriptor = sys.stderr.fileno()
            shown = f"{self.safe(text)}\n".encode(errors="backslashreplace")
            os.write(descriptor, (_CURSOR if os.isatty(descriptor) else b"") + shown)

    def error(self, error: Mapping[str, str]) -> None:
        """Print a failure: one JSON object under --json, else what is wrong and what to do."""
        if not self.as_json:
            self.complain(error_text(error))
            return
        try:
            self.document({"error": dict(error)})
        except ResultLost:
            self.complain(error_text(error))

    def _redacted(self, value: Any) -> Any:
        """Redact the strings inside, not the JSON around them, which has to stay whole."""
        if isinstance(value, Content):
            return str(value)
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {name: self._redacted(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._redacted(part) for part in value]
        return value

    def safe(self, text: str) -> str:
        """Return a text without secrets, unless it is content, and without anything that could drive a terminal."""
        # Texts come from models, tables and foreign errors: none of them may drive the terminal.
        return (text if isinstance(text, Content) else self.redact(text)).translate(_TERMINAL_CONTROLS)


def event_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event with its content marked: items, and what gates quote; reasons are narration."""
    said = {name: as_content(part) if name in _CONTENT_OF_EVENTS else part for name, part in fields.items()}
    if "troubles" in said:
        said["troubles"] = [{**trouble, "item": as_content(trouble["item"])} for trouble in said["troubles"]]
    return said


def accept_every_character() -> None:
    """Let texts from outside be printed whatever they hold and whatever the terminal can show.

    Results are data: UTF-8 with plain line ends, whatever the locale or PYTHONIOENCODING says.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    if isinstance(sys.stderr, TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


class ResultLost(OSError):
    """A result could not be written to stdout: its reader is gone, or the disk behind it is full."""


def _print_result(text: str) -> None:
    try:
        print(text, file=sys.stdout, flush=True)  # noqa: T201
    except OSError as error:
        raise _lost(error) from None


def _lost(error: OSError) -> ResultLost:
    silence(sys.stdout)
    return ResultLost(error.errno, error.strerror)


def report_loss(error: OSError) -> int:
    """Say that a result could not be written, and return the exit code; to a reader that is gone nothing is said."""
    silence(sys.stdout)
    if error.errno == errno.EPIPE:
        silence(sys.stderr)  # most often it is the same pipe
        return ExitCode.READER_GONE
    said = f"Error: The result cannot be written to stdout ({error.strerror}); what it got is not whole."
    print(said, file=sys.stderr)  # noqa: T201
    return ExitCode.PREFLIGHT


def silence(stream: TextIO) -> None:
    """Point a standard stream that takes nothing any more to nowhere, so that it cannot fail again, also at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def silence_lost_streams() -> None:
    """Silence every standard stream that takes nothing any more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            silence(stream)


def error_text(error: Mapping[str, str]) -> str:
    """Return a failure for people: what is wrong, and what to do."""
    return f"Error: {error['message']}" + (f"\n  {error['hint']}" if error["hint"] else "")


def error_fields(error: SeedLibraryError) -> dict[str, str]:
    """Return an expected failure as code, message and hint."""
    return {"code": error.code, "message": error.message, "hint": error.hint}
