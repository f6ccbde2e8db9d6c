"""What is wrong with a template, in a sentence with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from types import TracebackType
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateRuntimeError, TemplateSyntaxError, UndefinedError
from jinja2.utils import missing

_UNKNOWN_TAG = re.compile(r"Encountered unknown tag '(\w+)'")
_LONGEST_REASON = 300
_LONG_NUMBER = re.compile(r"\d[\d_]{1000,}")
_TAGS = frozenset(
    {"block", "call", "elif", "else", "extends", "filter", "for", "from", "if", "import", "include", "macro", "raw"}
    | {"set", "with", "endblock", "endcall", "endfilter", "endfor", "endif", "endmacro", "endraw", "endset", "endwith"}
)
_NOT_A_FACT = {
    "lipsum": "a prompt is made of its facts and of nothing random",
    "now": "a prompt is made of its facts, not of the time",
    "random": "a prompt is made of its facts and of nothing random",
}


class TemplateFault(Exception):
    """A template cannot be compiled or rendered; the text says where and why.

    Attributes:
        endless: it asked for too much, and would probably do so for any other item.
    """

    def __init__(self, message: str, *, endless: bool = False) -> None:
        super().__init__(message)
        self.endless = endless


class Refusal(TemplateRuntimeError):
    """A template asks for what templates are not given."""


class TooMuch(Refusal):
    """A template asks for more time or memory than a text is worth."""


class UnknownName(UndefinedError):
    """A template names what is not there."""

    def __init__(self, name: object, holder: object, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.holder = holder


class Unknown(StrictUndefined):
    """Stands for what is not there until it is used."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = UndefinedError
    ) -> None:
        error: Any = partial(UnknownName, name, obj) if exc is UndefinedError else exc
        super().__init__(hint, obj, name, error)

    # Inside a list, too, it is never printed.
    __repr__ = StrictUndefined.__str__


def near(word: object, known: Iterable[object]) -> str:
    """Return the end of a sentence that asks whether a known word was meant; empty where none is close."""
    candidates = sorted(one for one in known if isinstance(one, str))
    same = [one for one in candidates if one.lower() == str(word).lower()]
    found = same or get_close_matches(str(word), candidates, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


@contextmanager
def reading(name: str, source: str) -> Iterator[None]:
    """Say what is wrong with a template that cannot be parsed or compiled.

    Raises:
        TemplateFault: it cannot.
    """
    try:
        yield
    except TemplateSyntaxError as error:
        raise syntax_fault(name, error) from error
    except (MemoryError, OverflowError, RecursionError, SyntaxError, ValueError) as error:
        if number := _LONG_NUMBER.search(source):
            line = source.count("\n", 0, number.start()) + 1
            raise TemplateFault(f"{name}, line {line}: a number is too long", endless=True) from error
        raise TemplateFault(f"{name}: blocks, brackets or conditions are nested too deeply", endless=True) from error


def syntax_fault(name: str, error: TemplateSyntaxError) -> TemplateFault:
    """Say what is wrong with the syntax of a template."""
    message = (error.message or "it cannot be read").rstrip(".")
    tag = _UNKNOWN_TAG.search(message)
    return TemplateFault(f"{error.name or name}, line {error.lineno}: {message}" + (near(tag[1], _TAGS) if tag else ""))


def rendering_fault(name: str, error: Exception, variables: Mapping[str, object]) -> TemplateFault:
    """Say what went wrong while a template was rendered: in which file of those it is made of, and in which line."""
    where = _place(name, error.__traceback__)
    if isinstance(error, RecursionError):
        return TemplateFault(f"{where}: nested too deeply; does a macro or a loop call itself?", endless=True)
    if isinstance(error, UnknownName):
        return TemplateFault(f"{where}: {_short(error.message)}{_meant(error, variables)}")
    kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
    return TemplateFault(f"{where}: {kind}{_short(str(error))}", endless=isinstance(error, TooMuch | MemoryError))


def _short(reason: object) -> str:
    """Return a reason on one line; it may quote a fact, however long that is."""
    text = " ".join(str(reason).split())
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def _meant(error: UnknownName, variables: Mapping[str, object]) -> str:
    if error.holder is missing:
        reason = _NOT_A_FACT.get(str(error.name), "")
        return f": {reason}" if reason else near(error.name, variables)
    return near(error.name, error.holder if isinstance(error.holder, Mapping) else dir(error.holder))


def _place(name: str, trace: TracebackType | None) -> str:
    """Return file and line of the innermost template in a traceback that Jinja2 has made point to templates."""
    place = name
    while trace is not None:
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            place = f"{trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
