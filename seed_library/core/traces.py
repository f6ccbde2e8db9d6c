r"""Finding a secret, or a part of it, in a text, whatever has been done to it on the way.

A service that is sent a key may give it back: wrapped over lines, its head or tail only, in capitals, backwards, in a
coding for headers (base64, in whichever alignment), for addresses (%73), for pages (&#115;), for JSON (\u0073), in
hexadecimal, octal or decimal numbers. So nothing is compared as it stands: of the text only letters and digits count,
in small letters, before and after undoing what can be undone; and of the secret every stretch of six characters is
looked for, in every coding that shows in letters and digits.

What is found is a suspicion: six letters may stand there by chance. It costs a sentence of somebody else, no more.
"""

from __future__ import annotations

import base64
import codecs
import html
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from urllib.parse import unquote

STRETCH = 6  # characters of a secret; shorter ones are no secret, and fewer of them tell nothing
_LONGEST = 50_000  # characters of a text that are looked at
_ROUNDS = 2  # what is coded twice shows as well
# What every key of a kind begins with says nothing of it.
_PUBLIC = re.compile(r"sk-ant-(?:[a-z]+\d+-)?|sb_(?:secret|publishable)_|eyJ[\w-]+\.(?=eyJ)")
_ESCAPED = re.compile(r"\\u\{?([0-9a-fA-F]{2,6})\}?|\\x([0-9a-fA-F]{2})|=([0-9A-F]{2})|\\([0-3][0-7]{2})")
_NOT_TOLD = re.compile(r"[^0-9a-z]+")


class Traces:
    """Knows what parts of secrets look like."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)

    def __call__(self, text: str) -> bool:
        """Whether a text seems to hold a part of a secret."""
        return any(self._shows(stage) for stage in _stages(text[:_LONGEST]))

    def _shows(self, text: str) -> bool:
        told = _letters(text)
        return any(
            told[start : start + length] in stretches
            for length, stretches in self._stretches.items()
            for start in range(len(told) - length + 1)
        )

    @cached_property
    def _stretches(self) -> dict[int, set[str]]:
        """Every stretch of every secret in every coding, by its length."""
        found: dict[int, set[str]] = {}
        for secret in self._secrets:
            core = _PUBLIC.sub("", secret.strip(), count=1) if _PUBLIC.match(secret.strip()) else secret.strip()
            for coded, length in _codings(core):
                for start in range(len(coded) - length + 1):
                    found.setdefault(length, set()).add(coded[start : start + length])
        return found


def _letters(text: str) -> str:
    return _NOT_TOLD.sub("", text.lower())


def _stages(text: str) -> Iterator[str]:
    """Yield a text as it is, and as it is when escapes in it are undone."""
    yield text
    for _ in range(_ROUNDS):
        before = text
        text = _ESCAPED.sub(_unescaped, html.unescape(unquote(text)))
        if text == before:
            return
        yield text


def _unescaped(escape: re.Match[str]) -> str:
    number = int(escape[4], 8) if escape[4] else int(escape[1] or escape[2] or escape[3], 16)
    return chr(number) if number <= 0x10FFFF else escape[0]  # noqa: PLR2004  the last code point


def _codings(secret: str) -> Iterator[tuple[str, int]]:
    """Yield a secret in every coding, as letters and digits only, and how long its stretches are there."""
    raw = secret.encode("utf-8", "surrogatepass")
    plain = _letters(secret)
    for spelling in (plain, plain[::-1], codecs.encode(plain, "rot13")):
        yield spelling, STRETCH
    for number in ("02x", "03o", "d"):
        yield "".join(format(byte, number) for byte in raw), STRETCH * 2 if number == "02x" else STRETCH * 3
    yield from _shifted(raw, base64.b64encode, (3, 4))
    yield from _shifted(raw, base64.b32encode, (5, 8))


def _shifted(raw: bytes, encode: Callable[[bytes], bytes], group: tuple[int, int]) -> Iterator[tuple[str, int]]:
    """Yield what a coding of groups makes of bytes, wherever in a group they begin; what is beside them left out.

    Args:
        raw: the bytes.
        encode: the coding.
        group: how many bytes it turns into how many characters.
    """
    size, characters = group
    for shift in range(size):
        coded = encode(bytes(shift) + raw).decode()
        begin = -(-shift * characters // size)
        end = (shift + len(raw)) * characters // size
        yield _letters(coded[begin:end]), STRETCH * characters // size
