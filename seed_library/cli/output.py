"""Where words go: results to stdout, narration to stderr, JSON on request.

Every line is redacted, but for content: what a library holds (texts, titles, keys, facts, prompts) is shown as it is,
even where it looks like a secret. Whoever wrote "the bearer of good news" must find it again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import Any

from seed_library.core import plain_json
from seed_library.core.errors import SeedLibraryError, UsageInvalid
from seed_library.core.redaction import Redactor

_TERMINAL_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}" for code in [*range(0x20), *range(0x7F, 0xA0)] if code not in (9, 10)
}
_CONTENT_OF_EVENTS = {"item", "items", "findings"}


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
        """Print a result for people."""
        print(self.safe(text), file=sys.stdout, flush=True)  # noqa: T201

    def data(self, lines: Iterable[str]) -> None:
        """Write the lines of a file, as they are.

        Raises:
            BrokenPipeError: nobody reads them.
            UsageInvalid: stdout takes no more, such as on a full disk.
        """
        try:
            sys.stdout.writelines(lines)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            silence_lost_streams()
            raise UsageInvalid(
                f"stdout cannot be written ({error.strerror}).", hint="What it got is not whole: write it elsewhere."
            ) from None

    def document(self, value: Mapping[str, Any]) -> None:
        """Print a result for programs: one JSON object on one line."""
        print(plain_json.dumps(self._redacted(value)), file=sys.stdout, flush=True)  # noqa: T201

    def narrate(self, text: str) -> None:
        """Print what is happening; not under --quiet and not under --json."""
        if not (self.quiet or self.as_json):
            self.complain(text)

    def complain(self, text: str) -> None:
        """Print something that must be seen."""
        print(self.safe(text), file=sys.stderr, flush=True)  # noqa: T201

    def last_word(self, text: str) -> None:
        """Print something from a signal handler: past all buffers, which may be in the middle of something."""
        with suppress(AttributeError, ValueError, OSError):  # there may be no stderr any more
            os.write(sys.stderr.fileno(), f"{self.safe(text)}\n".encode(errors="backslashreplace"))

    def error(self, error: Mapping[str, str]) -> None:
        """Print a failure: one JSON object under --json, else what is wrong and what to do."""
        if self.as_json:
            self.document({"error": dict(error)})
            return
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


def silence_lost_streams() -> None:
    """Point every standard stream that takes nothing any more to nowhere, so that it cannot fail again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def error_text(error: Mapping[str, str]) -> str:
    """Return a failure for people: what is wrong, and what to do."""
    return f"Error: {error['message']}" + (f"\n  {error['hint']}" if error["hint"] else "")


def error_fields(error: SeedLibraryError) -> dict[str, str]:
    """Return an expected failure as code, message and hint."""
    return {"code": error.code, "message": error.message, "hint": error.hint}
