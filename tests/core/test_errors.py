"""Exit codes are an interface: unique, pinned, and documented where the failures are defined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seed_library.core import errors
from seed_library.core.errors import ExitCode, SeedLibraryError, WriteFailed, WriteRetryable
from seed_library.core.rate_limits import RateLimits

CODES = {
    "DONE": 0,
    "BUG": 1,
    "USAGE": 2,
    "SETTINGS": 3,
    "PREFLIGHT": 4,
    "LOCKED": 5,
    "ITEMS_FAILED": 6,
    "BUDGET": 7,
    "STOPPED": 8,
    "INTERRUPTED": 130,
    "READER_GONE": 141,
}


def test_exit_codes_are_those_that_scripts_know() -> None:
    """No name is an alias of another, no code has two meanings."""
    assert {name: code.value for name, code in ExitCode.__members__.items()} == CODES
    assert len(ExitCode) == len(CODES)


def _tree(kind: type[Exception], depth: int = 0) -> Iterator[tuple[int, type[Exception]]]:
    yield depth, kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:  # tests that ran before may have made failures of their own
            yield from _tree(child, depth + 1)


def _drawn() -> list[tuple[int, str, str]]:
    """Return the drawing in the module's docstring: depth, name, and the code where one is given."""
    lines = [line for line in (errors.__doc__ or "").splitlines()[2:] if line]
    words = [line.split() for line in lines]
    return [
        ((len(line) - len(line.lstrip())) // 2, name, rest[0] if rest and rest[0].isdigit() else "")
        for line, (name, *rest) in zip(lines, words, strict=True)
    ]


def test_the_drawing_of_the_tree_shows_every_failure_in_its_place_with_its_code() -> None:
    """A code stands where it differs from the parent's."""
    roots = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__bases__ == (Exception,)]
    expected = [(depth, kind.__name__, _own_code(kind)) for root in roots for depth, kind in _tree(root)]
    assert sorted(_drawn()) == sorted(expected)


def _own_code(kind: type[Exception]) -> str:
    code = vars(kind).get("exit_code")
    return str(int(code)) if code is not None and code is not ExitCode.BUG else ""


def test_every_expected_failure_ends_with_a_code_of_its_own_kind() -> None:
    """None of them looks like a bug, and none shares the machine-readable name of another."""
    kinds = [kind for _, kind in _tree(SeedLibraryError) if issubclass(kind, SeedLibraryError)]
    assert [kind for kind in kinds[1:] if kind.exit_code is ExitCode.BUG] == []
    assert len({kind.code for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("kind", [kind for _, kind in _tree(SeedLibraryError) if issubclass(kind, SeedLibraryError)])
def test_a_failure_carries_its_message_and_what_to_do(kind: type[SeedLibraryError]) -> None:
    """`str` is the message alone; the hint is printed beside it."""
    error = kind("what is wrong", hint="what to do")
    assert (str(error), error.message, error.hint, kind("x").hint) == (
        "what is wrong",
        "what is wrong",
        "what to do",
        "",
    )


def test_a_failed_request_says_whether_it_may_have_been_billed() -> None:
    """The engine counts on these fields."""
    error = WriteRetryable("overloaded", maybe_billed=False, retry_after=2.5, overloaded=True)
    assert isinstance(error, WriteFailed)
    assert (str(error), error.maybe_billed, error.retry_after) == ("overloaded", False, 2.5)
    assert (error.overloaded, error.limits) == (True, None)
    limits = RateLimits()
    assert WriteRetryable("too many requests", maybe_billed=False, limits=limits).limits is limits
