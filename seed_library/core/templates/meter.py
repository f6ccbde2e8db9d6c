"""Counting what a rendering does, so that none goes on for ever or fills the memory.

A step is about what one node of a template costs: the compiled template says at the beginning of each body (a file, a
block, a macro, one turn of a loop) how many nodes it has. What works on data costs a step for each value and for each
hundred characters. Texts that templates are made for take a few hundred steps. The limit is far above that, and is
reached within a fraction of a second, with some megabytes in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from jinja2 import Undefined

from seed_library.core.templates.faults import Refusal, TooMuch

MAX_STEPS = 100_000
MAX_CHARACTERS = 200_000
CHARACTERS_PER_STEP = 100
_LARGEST_NUMBER_BITS = 4_000  # some 1,200 digits
_DEEPEST = 50
_SINGLE = frozenset({bool, float, int, type(None)})


class Series(list[object]):
    """What a filter, a method or `range` makes of data: to be looped over, joined or listed, not to be printed."""


class Meter:
    """Counts the steps of a rendering, one after the other."""

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def reset(self) -> None:
        """Begin a rendering."""
        self.left = MAX_STEPS

    def charge(self, steps: int) -> bool:
        """Count steps; always true, so that conditions can count.

        Raises:
            TooMuch: they are too many.
        """
        left = self.left = self.left - max(1, steps)
        if left < 0:
            raise TooMuch(
                f"takes more than {MAX_STEPS:,} steps (loops in loops, a macro that calls itself, huge lists?)"
            )
        return True

    def charge_text(self, characters: int) -> None:
        """Count a text.

        Raises:
            TooMuch: it is too long, or there were too many steps.
        """
        if characters > MAX_CHARACTERS:
            raise TooMuch(f"makes a text of more than {MAX_CHARACTERS:,} characters")
        self.charge(1 + characters // CHARACTERS_PER_STEP)

    def weigh(self, value: object, depth: int = 0, *, plain: bool = True) -> None:
        """Count a value with all that it holds.

        Args:
            value: what templates work on.
            depth: how deep it is in another one.
            plain: refuse what is no data: its text would be another one in each process.

        Raises:
            Refusal: it is no data.
            TooMuch: it is too large, or nested too deeply.
        """
        kind = type(value)
        if kind is str:
            self.charge(1 + len(value) // CHARACTERS_PER_STEP)  # type: ignore[arg-type]
        elif kind in _SINGLE or isinstance(value, Undefined):
            self.charge(1)
        elif isinstance(value, str):
            self.charge(1 + len(value) // CHARACTERS_PER_STEP)
        elif isinstance(value, list | tuple):
            self._weigh_all(value, depth, plain=plain)
        elif isinstance(value, dict):
            self._weigh_all(value, depth, plain=plain)
            self._weigh_all(value.values(), depth, plain=plain)
        elif plain:
            raise Refusal(f"{described(value)} is no value to work on")
        else:
            self.charge(1)

    def _weigh_all(self, values: Collection[object], depth: int, *, plain: bool) -> None:
        if depth > _DEEPEST:
            raise TooMuch(f"holds a list or table that is nested more than {_DEEPEST} levels deep")
        self.charge(1 + len(values))
        for one in values:
            if type(one) not in _SINGLE:  # these are counted already
                self.weigh(one, depth + 1, plain=plain)

    def weigh_result(self, value: object) -> object:
        """Count what an operation has made, and return it."""
        if isinstance(value, str):
            self.charge_text(len(value))
        elif isinstance(value, int) and value.bit_length() > _LARGEST_NUMBER_BITS:
            raise TooMuch("makes a number of more than a thousand digits")
        else:
            self.weigh(value, plain=False)
        return value


_DESCRIBED = {
    "BlockReference": "a block",
    "Cycler": "a cycler",
    "Joiner": "a joiner",
    "LoopContext": "a loop",
    "Namespace": "a namespace",
    "Series": "a series",
    "TemplateModule": "an imported part",
    "TemplateReference": "a block",
    "WordRule": "the length rule",
}


def described(value: object) -> str:
    """Say what a value is that is no data; its own text would name a place in memory."""
    kind = type(value).__name__
    if kind == "Macro":
        return f"the macro {getattr(value, 'name', '')!r}"
    if not callable(value) or kind in _DESCRIBED:
        return _DESCRIBED.get(kind, f"an object ({kind})")
    what = "class" if isinstance(value, type) else "method" if hasattr(value, "__self__") else "function"
    return f"the {what} {getattr(value, '__name__', kind)!r}"


def without_scope(named: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments of a call without what the compiled template adds of its own."""
    return {name: one for name, one in named.items() if name not in {"_loop_vars", "_block_vars"}}
