"""How numbers read."""

from __future__ import annotations

import pytest

from seed_library.cli.wording import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (12345, "12,345 requests")]
)
def test_one_thing_is_not_in_the_plural(number: int, said: str) -> None:
    """And thousands are set apart."""
    assert counted(number, "request") == said
