"""The Jinja2 environment that templates are rendered in.

Invariant: the same template and the same values give the same text, in every process; and no template takes more than
`meter.MAX_STEPS`. A template reaches the values that it is given, what `offered` names, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2 import BaseLoader, Environment, Template, TemplateNotFound, Undefined, pass_context
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from seed_library.core.templates import growth, offered
from seed_library.core.templates.faults import Refusal, TooMuch, Unknown
from seed_library.core.templates.meter import (
    CHARACTERS_PER_STEP,
    MAX_CHARACTERS,
    Meter,
    Series,
    described,
    without_scope,
)
from seed_library.core.templates.steps import CUT, JOIN, STEP, TEXT, WEIGH, counted

_HOLDS_ANYTHING = (Macro, Namespace)
_KEYS = (str, int, float, type(None), Undefined)
_PRINTED = (int, float, list, tuple, dict, Undefined)  # the last one raises what is the matter with it


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment over the sources of templates, by their file names."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.meter = meter = Meter()
        # Prompts are plain text for a model, not markup: escaping would corrupt umlauts and quotation marks.
        # Nothing is worked out while compiling: it would not be counted.
        super().__init__(
            undefined=Unknown,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            optimized=False,
            finalize=_finalizing(meter),
            loader=_Sources(sources),
            cache_size=-1,
            auto_reload=False,
        )
        self.filters = {**offered.filters(meter), **_own_filters(meter)}
        self.tests = offered.tests(meter)
        self.globals = dict(offered.functions(meter))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        """Whether a template may name this attribute."""
        return offered.may_name(obj, attr)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Stand for an attribute that is not offered until it is used."""
        reason = f"{attribute!r} of {_kind(obj)} is not offered"
        return self.undefined(reason, name=attribute, obj=obj, exc=Refusal)

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call this."""
        return offered.may_call(obj, self.globals.values())

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:  # noqa: ARG002
        """Offer no `format` method: it reaches for attributes, and widths inside widths. The filter does the job."""
        return None

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Subscribe a value by a text or a number: finding anything else in a table goes through all that it holds."""
        if not isinstance(argument, _KEYS):
            raise Refusal("what stands in [ ] is no text or number")
        return super().getitem(obj, argument)

    def call(self, context: Context, called: Any, /, *given: Any, **named: Any) -> Any:
        """Call something, counted."""
        if isinstance(called, Undefined):
            return called()  # which raises that it is not there
        if not self.is_safe_callable(called):
            raise Refusal(f"{described(called)} cannot be called")
        anything = isinstance(called, _HOLDS_ANYTHING) or called is Namespace
        for value in (*given, *without_scope(named).values()):
            self.meter.weigh(value, plain=not anything)
        if isinstance(called, BuiltinMethodType | MethodType):
            return offered.call_method(self.meter, called, given, without_scope(named))
        return super().call(context, called, *given, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Work out an operator, counted."""
        if growth.too_high(operator, left, right):
            raise TooMuch("raises a number to a power of more than 300")
        length = growth.of_operator(operator, left, right)
        if length > MAX_CHARACTERS:
            raise TooMuch(f"`{operator}` would make more than {MAX_CHARACTERS:,} characters or elements")
        if operator == "%" and isinstance(left, str):
            self.meter.weigh(right)
            right = tuple(right) if isinstance(right, list) else right
        return self.meter.weigh_result(super().call_binop(context, operator, left, right))


class _Sources(BaseLoader):
    """Gives the environment its templates: parsed, made to count, compiled."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002
    ) -> Template:
        """Return a template.

        Raises:
            TemplateNotFound: there is none of that name.
            TemplateSyntaxError: it cannot be read.
        """
        if name not in self._sources:
            raise TemplateNotFound(name)
        parsed = counted(environment.parse(self._sources[name], name, name), environment)
        code = environment.compile(parsed, name, name)
        return environment.template_class.from_code(environment, code, environment.make_globals(globals))


def _own_filters(meter: Meter) -> dict[str, Any]:
    """Return the filters that `steps` writes into templates."""

    def join(parts: list[Any]) -> str:
        texts = [_text(meter, part) for part in parts]
        meter.charge_text(sum(map(len, texts)))
        return "".join(texts)

    def cut(value: Any, start: Any, stop: Any, step: Any) -> object:
        return meter.weigh_result(value[start:stop:step])

    def weigh(value: Any) -> object:
        meter.weigh(value, plain=False)
        return value

    def text(value: Any) -> str:
        return _text(meter, value)

    return {STEP: meter.charge, JOIN: join, CUT: cut, WEIGH: weigh, TEXT: text}


def _finalizing(meter: Meter) -> Callable[[Context, Any], str]:
    @pass_context  # what is given the context is not worked out while compiling
    def finalize(_context: Context, value: Any) -> str:
        if type(value) is str:  # as nearly everything is
            meter.charge(1 + len(value) // CHARACTERS_PER_STEP)
            return value
        return _text(meter, value)

    return finalize


def _text(meter: Meter, value: Any) -> str:
    """Return a value as it stands in a text.

    Raises:
        Refusal: it is no text, number, list or table.
    """
    if isinstance(value, str):
        meter.charge(1 + len(value) // CHARACTERS_PER_STEP)
        return str(value)
    if (
        value is None
        or isinstance(value, Series)
        or not isinstance(value, int | float | list | tuple | dict | Undefined)
    ):
        raise offered.no_text(value)
    meter.weigh(value)
    return str(value)


def _kind(value: object) -> str:
    named = {str: "a text", int: "a number", float: "a number", bool: "a truth value", dict: "a table", list: "a list"}
    return named.get(type(value)) or described(value)
