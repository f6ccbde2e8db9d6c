"""How numbers read."""

from __future__ import annotations

import pytest

from seed_library.cli.wording import counted, sentence
from seed_library.core.events import PaceChanged, RateLearned


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (12345, "12,345 requests")]
)
def test_one_thing_is_not_in_the_plural(number: int, said: str) -> None:
    """And thousands are set apart."""
    assert counted(number, "request") == said


def test_what_holds_a_run_back_is_said_in_requests() -> None:
    """How many a minute, or how many at the same time, and why."""
    assert sentence(RateLearned(600, "that is the account's limit")) == (
        "Now at most 600 requests a minute: that is the account's limit."
    )
    assert sentence(PaceChanged(1, "the provider is overloaded")) == (
        "Now at most 1 request at the same time: the provider is overloaded."
    )
