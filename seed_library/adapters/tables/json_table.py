"""JSON: one object a line, or a list of objects. Written as lines.

What JSON leaves open is closed here: a name that stands twice in an object, numbers that no JSON has (NaN) or no
computer holds (1e400), and nesting without end are faults, each with its line. A list is read object by object, so that
a large one is never in memory as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from math import isfinite
from typing import Any

from seed_library.adapters.tables.text import Text
from seed_library.core import exact_json
from seed_library.core.records import Headings, Record, RecordFault

_DEEPEST = 60  # levels; deeper ones would end other readers, with their stacks
_PIECE = 1 << 16  # characters
_NEAR_THE_END = 100  # characters; what is wrong there may be right with the next piece
_BLANK = re.compile(r"[ \t\n\r]*")
_OPEN_STRING = "Unterminated string"


def json_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield one object a line."""
    return (exact_json.dumps(record) + "\n" for record in records)


def read_json(text: Text, headings: Headings) -> Iterator[Record]:
    """Yield the objects of a file.

    Raises:
        RecordFault: it holds something else.
    """
    found = _read_list(text) if text.first_character() == "[" else read_lines(text)
    for line, fields in found:
        try:
            names = headings.meant(fields)
        except RecordFault as fault:
            raise RecordFault(f"line {line}: {fault}") from None
        yield Record(f"line {line}", dict(zip(names, fields.values(), strict=True)))


def read_lines(text: Iterable[str], *, exact: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line numbers and objects of a file that has one a line; `exact` keeps every digit of its numbers.

    Raises:
        RecordFault: a line is no object.
    """
    decoder = _decoder(exact=exact)
    for number, line in enumerate(text, start=1):
        if line.strip():
            yield number, _object(number, decoder.decode, line.strip())


def _read_list(text: Text) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line numbers and objects of a file that is one list.

    Raises:
        RecordFault: it is none, or holds something else.
    """
    window = _Window(text)
    window.expect("[")
    if window.expect("]", "") == "]":
        window.expect_end()
        return
    while True:
        yield window.line, _object(window.line, window.value)
        if window.expect(",", "]") == "]":
            break
    window.expect_end()


class _Window:
    """The part of a list that is being looked at. It grows while a value does not end, and slides on behind it."""

    def __init__(self, text: Text) -> None:
        self._pieces = text.pieces(_PIECE)
        self._decoder = _decoder(exact=False)
        self._seen = ""
        self._place = 0
        self.line = 1

    def expect(self, *wanted: str) -> str:
        """Go over blanks to the next sign, and over it; an empty one may be missing."""
        self._skip_blanks()
        found = next((sign for sign in wanted if self._seen.startswith(sign, self._place)), None)
        if found is None:
            raise RecordFault(f"line {self.line}: not JSON: expecting {' or '.join(map(repr, wanted))}")
        self._place += len(found)
        self._skip_blanks()
        return found

    def expect_end(self) -> None:
        """Make sure that nothing follows."""
        self._skip_blanks()
        if self._place < len(self._seen):
            raise RecordFault(f"line {self.line}: something follows the end of the list")

    def value(self) -> Any:
        """Read a value, and go over it."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._seen, self._place)
            except json.JSONDecodeError as error:
                complete = len(self._seen) - error.pos > _NEAR_THE_END and not error.msg.startswith(_OPEN_STRING)
                if complete or not self._grow():
                    raise
            else:
                self._go_to(end)
                return value

    def _skip_blanks(self) -> None:
        while True:
            found = _BLANK.match(self._seen, self._place)
            self._go_to(found.end() if found else self._place)
            if self._place < len(self._seen) or not self._grow():
                return

    def _go_to(self, place: int) -> None:
        self.line += self._seen.count("\n", self._place, place)
        self._place = place

    def _grow(self) -> bool:
        """Read on, as much again as is there: a long value is looked at a few times only."""
        held = self._seen[self._place :]
        more = list(islice(self._pieces, 1 + len(held) // _PIECE))
        self._seen, self._place = held + "".join(more), 0
        return bool(more)


def _object(line: int, decode: Callable[..., Any], *given: str) -> dict[str, Any]:
    try:
        value = decode(*given)
    except RecordFault as fault:
        raise RecordFault(f"line {line}: {fault}") from None
    except json.JSONDecodeError as error:
        raise RecordFault(f"line {line}: not JSON: {error.msg}") from None
    except ValueError as error:
        raise RecordFault(f"line {line}: {error}") from None
    except RecursionError:
        raise RecordFault(f"line {line}: nested too deeply") from None
    if not isinstance(value, dict):
        raise RecordFault(f"line {line}: not a JSON object")
    if _is_deeper(value, _DEEPEST):
        raise RecordFault(f"line {line}: nested too deeply")
    return value


def _decoder(*, exact: bool) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_fields,
        parse_constant=_refuse,
        parse_float=exact_json.fraction if exact else _fraction,
        parse_int=exact_json.whole if exact else _whole,
    )


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in fields if names.count(name) > 1)
        raise RecordFault(f"{twice!r} is there twice: which of them is meant?")
    return fields


def _refuse(number: str) -> Any:
    raise RecordFault(f"{number} is no number of JSON")


def _fraction(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise RecordFault(f"the number {digits[:20]} is too large; write it as a text, in quotes")
    return value


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise RecordFault(f"a number of {len(digits):,} digits is too large; write it as a text, in quotes") from None


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return not levels or any(_is_deeper(part, levels - 1) for part in parts)
