"""Every number that can be typed is finite and within bounds that can be meant, or is refused with what is allowed."""

from __future__ import annotations

import click
import pytest

from seed_library.cli.app import app
from seed_library.cli.options import Invocation

SECONDS = [("run", "--wait-lock"), ("run", "--detach-timeout"), ("cancel", "--wait-lock"), ("stop", "--timeout")]
WHOLE = [
    ("plan", "--limit"),
    ("run", "--limit"),
    ("export", "--limit"),
    ("run", "--concurrency"),
    ("logs", "--lines"),
    ("unlock", "--token"),
    ("review", "--port"),
    ("run", "--ready-fd"),
]
NEVER = [
    "nan",
    "-nan",
    "inf",
    "-inf",
    "-1",
    "1e400",
    "1" * 400,
    "1" * 5000,
    "",
    " ",
    "many",
    "1,5",
    "0x",
    "1\x00",
    "\udcff",
]


@pytest.mark.parametrize("typed", NEVER, ids=lambda typed: ascii(typed[:10]))
@pytest.mark.parametrize(("verb", "option"), [*SECONDS, *WHOLE])
def test_a_number_that_cannot_be_meant_is_a_usage_error(verb: str, option: str, typed: str) -> None:
    """With the option's name and the range, before anything is read or started; a long one is not repeated."""
    with pytest.raises(click.BadParameter) as refused:
        app.main([verb, f"{option}={typed}"], standalone_mode=False, obj=Invocation())
    said = refused.value.format_message()
    assert option in said
    assert " from " in said
    assert " to " in said
    assert len(said) < 200


@pytest.mark.parametrize("typed", ["1.5", "1e3", "True"])
@pytest.mark.parametrize(("verb", "option"), WHOLE)
def test_what_is_counted_is_a_whole_number(verb: str, option: str, typed: str) -> None:
    """No fraction of an item, a line or a port."""
    with pytest.raises(click.BadParameter, match="whole number from"):
        app.main([verb, f"{option}={typed}"], standalone_mode=False, obj=Invocation())


@pytest.mark.parametrize("typed", ["nan", "0", "101", "1e400", "1" * 5000])
def test_the_number_of_samples_has_its_range(typed: str) -> None:
    """It is an argument, and has no name of an option."""
    with pytest.raises(click.BadParameter, match="is no whole number from 1 to 100"):
        app.main(["sample", typed], standalone_mode=False, obj=Invocation())
