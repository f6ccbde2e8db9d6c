"""Text of a file that anybody may have saved: whatever encoding it is in, and however its lines end.

UTF-8 with or without a byte order mark, UTF-16 and UTF-32 are known from their first bytes. Everything else is an older
encoding, of which the bytes do not say which: guessing it wrong would store other words than those that were meant, so
it is named as what it may be, and read on request only. Libraries that guess it were tried on short German and Polish
sheets: charset-normalizer took most of them for something else, and none can tell what a spreadsheet lost while saving.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO, Self

from seed_library.core.records import RecordFault

HEAD_BYTES = 16
_MARKS = (  # the longer ones first: UTF-32 begins with the mark of UTF-16
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_WITHOUT_MARK = (  # where the first characters are ASCII
    (re.compile(rb"[^\0]\0\0\0[^\0]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0\0\0[^\0]\0\0\0[^\0]", re.DOTALL), "utf-32-be"),
    (re.compile(rb"[^\0]\0[^\0]\0", re.DOTALL), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]", re.DOTALL), "utf-16-be"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "a workbook or another archive"),
    (b"\xd0\xcf\x11\xe0", "an old workbook"),
    (b"\x1f\x8b", "compressed"),
    (b"SQLite format 3\0", "a SQLite file"),
)
_LINE_END = re.compile("\r\n|\r|\n")
_WORD = re.compile(rb"[^\s,;|\"]*$"), re.compile(rb"[^\s,;|\"]*")
_LONGEST_WORD = 30  # bytes that are shown of it on either side
_OLDER = "cp1252"


def encoding_of(head: bytes, wish: str = "") -> str:
    """Return the encoding that the first bytes of a file are in; `wish` where they do not say, else UTF-8.

    Raises:
        RecordFault: they are no text.
    """
    for mark, kind in _NO_TEXT:
        if head.startswith(mark):
            raise RecordFault(f"this is {kind}, no text: save it as CSV in UTF-8")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    for pattern, encoding in _WITHOUT_MARK:
        if pattern.match(head):
            return encoding
    return wish or "utf-8"


class Text:
    """The text of a file, in lines or in pieces, never as a whole."""

    def __init__(self, file: IO[bytes], encoding: str, newline: str | None) -> None:
        """Take over a file. `newline` is that of `open`."""
        self._stream = TextIOWrapper(file, encoding, newline=newline)
        self._encoding = encoding

    def __iter__(self) -> Iterator[str]:
        """Yield its lines with their ends.

        Raises:
            RecordFault: a line is in another encoding.
        """
        lines = 0
        try:
            for line in self._stream:
                lines += 1
                yield line
        except UnicodeError as error:
            raise self._fault(error, lines) from None

    def pieces(self, size: int) -> Iterator[str]:
        """Yield it in pieces of so many characters.

        Raises:
            RecordFault: a line is in another encoding.
        """
        lines = 0
        try:
            while piece := self._stream.read(size):
                lines += piece.count("\n")
                yield piece
        except UnicodeError as error:
            raise self._fault(error, lines) from None

    def first_character(self) -> str:
        """Return the first character that is no blank, and begin anew; empty where there is none."""
        found = next((piece.lstrip()[0] for piece in self.pieces(HEAD_BYTES) if piece.strip()), "")
        self._stream.seek(0)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the file back."""
        self._stream.detach()

    def _fault(self, error: UnicodeError, lines: int) -> RecordFault:
        name = self._encoding.upper().removesuffix("-SIG")
        if not isinstance(error, UnicodeDecodeError):
            return RecordFault(f"line {lines + 1}: not {name}")
        before, after = error.object[: error.start], error.object[error.start :]
        place = lines + 1 + len(_LINE_END.findall(before.decode(error.encoding, "replace")))
        said = f"line {place}: not {name} (byte {after[0]:#04x})"
        return RecordFault(said + (_perhaps(before, after) if name == "UTF-8" else ""))


def _perhaps(before: bytes, after: bytes) -> str:
    """Say how the word at a wrong byte reads in the encoding that older spreadsheets write."""
    start, end = _WORD[0].search(before[-_LONGEST_WORD:]), _WORD[1].match(after[:_LONGEST_WORD])
    word = (start[0] if start else b"") + (end[0] if end else b"")
    return f"; in Windows-1252 ({_OLDER}) it reads {word.decode(_OLDER, 'replace')!r}. Save the file as UTF-8"
