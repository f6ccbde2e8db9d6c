"""What templates may use: filters, tests, functions, and the attributes of what they meet.

Everything is named here; what is not named is not there. Nothing random, nothing that tells one object from another
equal one, nothing for web pages. The filters and tests are Jinja2's own, each of them counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Signature, signature, unwrap
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2.filters import FILTERS
from jinja2.runtime import BlockReference, LoopContext, Macro, TemplateReference
from jinja2.tests import TESTS
from jinja2.utils import Cycler, Joiner, Namespace

from seed_library.core.catalog import WordRule
from seed_library.core.templates import growth
from seed_library.core.templates.faults import Refusal, TooMuch
from seed_library.core.templates.meter import MAX_CHARACTERS, Meter, Series, described


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILTER_NAMES = _names(
    """abs batch capitalize center count d default dictsort e escape filesizeformat first float format groupby
    indent int items join last length list lower map max min reject rejectattr replace reverse round safe select
    selectattr slice sort string striptags sum title tojson trim truncate unique upper urlencode wordcount wordwrap"""
)
TEST_NAMES = frozenset(TESTS) - _names("callable sameas filter test")
FUNCTION_NAMES = ("cycler", "dict", "joiner", "namespace", "range")
# Names that mean something in every template; a fact of that name could not be told from it.
TAKEN: Mapping[str, str] = {
    "words": "the length rule (words.low, words.high)",
    "characters": "the length rule in characters (characters.low, characters.high)",
    "loop": "the loop that a template is in",
    "self": "the blocks of a template",
    "super": "the block that another one replaces",
    "caller": "what a macro is called with",
    "varargs": "the arguments of a macro",
    "kwargs": "the arguments of a macro",
    **dict.fromkeys(("true", "false", "none", "True", "False", "None"), "a constant of the template language"),
    **dict.fromkeys((*FUNCTION_NAMES, "lipsum"), "a function of the template language"),
}

_TEXT_METHODS = _names(
    """capitalize casefold center count endswith expandtabs find index isalnum isalpha isascii isdecimal isdigit islower
    isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex
    rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill"""
)
_LOOP = _names("index index0 revindex revindex0 first last length depth depth0 previtem nextitem cycle changed")
_ATTRIBUTES: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _TEXT_METHODS),
    (dict, _names("get items keys values")),
    (list, _names("count index")),
    (tuple, _names("count index grouper list")),  # groupby's pairs have names
    (WordRule, _names("low high at_least at_most")),
    (LoopContext, _LOOP),
    (Cycler, _names("current next reset")),
    (BlockReference, _names("super")),
)
# Of these any name may be meant: what a template has put there itself.
_OPEN = (Namespace, TemplateReference)
_PASSED = "jinja_pass_arg"  # how Jinja2 marks a function that wants the environment or the context first
_CALLABLE = (BlockReference, Joiner, LoopContext, Macro)


def may_name(holder: object, name: str) -> bool:
    """Whether a template may name this attribute of a value that has it."""
    if name.startswith("_"):
        return False
    for kind, names in _ATTRIBUTES:
        if isinstance(holder, kind):
            return name in names
    return isinstance(holder, _OPEN) or type(holder).__name__ == "TemplateModule"


def may_call(called: object, functions: Iterable[object]) -> bool:
    """Whether a template may call this: a method that it may name, a macro, a block, or one of our functions."""
    if isinstance(called, BuiltinMethodType | MethodType):
        return may_name(called.__self__, called.__name__)
    return isinstance(called, _CALLABLE) or any(called is one for one in functions)


def filters(meter: Meter) -> dict[str, Any]:
    """Return the filters, each of them counted."""
    return {name: _counted_filter(name, FILTERS[name], meter) for name in FILTER_NAMES}


def tests(meter: Meter) -> dict[str, Any]:
    """Return the tests, each of them counted."""
    return {name: _counted_test(TESTS[name], meter) for name in TEST_NAMES}


def functions(meter: Meter) -> dict[str, Callable[..., Any]]:
    """Return the functions that templates may call by name."""

    def range_(*bounds: int) -> Series:
        numbers = range(*bounds)
        meter.charge(min(len(numbers), MAX_CHARACTERS))
        return Series(numbers)

    range_.__name__ = "range"
    return {"cycler": Cycler, "dict": dict, "joiner": Joiner, "namespace": Namespace, "range": range_}


def call_method(meter: Meter, method: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> object:
    """Call a method of a value that a template may call."""
    holder, name = method.__self__, method.__name__
    if isinstance(holder, str):
        meter.weigh(holder)
        _require_short(meter, name, growth.of_method(holder, name, given))
        if name in {"startswith", "endswith"}:
            given = tuple(tuple(one) if isinstance(one, list) else one for one in given)
    made = method(*given, **named)
    return made if isinstance(holder, LoopContext | Cycler) else _data(meter, made)


def _counted_filter(name: str, function: Callable[..., Any], meter: Meter) -> Callable[..., Any]:
    grows, own = growth.FILTERS.get(name), _signature(function)
    passed = 1 if hasattr(function, _PASSED) else 0

    @wraps(function)  # also what Jinja2 marks the function with that wants the environment
    def counted(*given: Any, **named: Any) -> object:
        for value in (*given[passed:], *named.values()):
            meter.weigh(value)
        if grows is not None:
            bound = own.bind(*given[passed:], **named)
            bound.apply_defaults()
            _require_short(meter, name, grows(bound.arguments))
        if name in growth.SQUARE:
            growth.charge_square(meter, given[passed])
        return _data(meter, function(*given, **named))

    return counted


def _signature(function: Callable[..., Any]) -> Signature:
    """Return what a filter is given by a template; some are given the environment or the context before that."""
    plain = unwrap(function)
    own = signature(plain)
    return own.replace(parameters=list(own.parameters.values())[1 if hasattr(plain, _PASSED) else 0 :])


def _counted_test(function: Any, meter: Meter) -> Callable[..., Any]:
    @wraps(function)
    def counted(*given: Any, **named: Any) -> object:
        for value in (*given, *named.values()):
            meter.weigh(value, plain=False)
        return function(*given, **named)

    return counted


def _data(meter: Meter, made: Any) -> object:
    """Return what was made as data that can be looped over twice, measured, and not printed by mistake."""
    if hasattr(made, "__next__") or type(made).__name__ in {"dict_items", "dict_keys", "dict_values"}:
        series = Series()
        for one in made:
            meter.charge(1)
            series.append(one)
        made = series
    return meter.weigh_result(made)


def _require_short(meter: Meter, name: str, added: int) -> None:
    if added > MAX_CHARACTERS:
        raise TooMuch(f"`{name}` would make more than {MAX_CHARACTERS:,} characters or elements")
    meter.charge(added // 100)


def no_text(value: object) -> Refusal:
    """Say why something cannot stand in a text."""
    if value is None:
        return Refusal("the value is null, and no text; say what stands for it: |default('...', true)")
    advice = {
        "Series": "write |join(', ') or |list",
        "Macro": "call it with parentheses",
        "builtin_function_or_method": "call it with parentheses",
        "method": "call it with parentheses",
        "WordRule": "write words.low or words.high",
        "TemplateModule": "include it instead",
    }.get(type(value).__name__, "only texts, numbers, lists and tables can stand there")
    return Refusal(f"{described(value)} is no text: {advice}")
