"""JSON of others: whatever numbers are in it, it can be kept, added up and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.foreign_json import loads


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, -2.5, 1e3, null, true]", [1, -2.5, 1000.0, None, True]),
        ("9" * 30, int("9" * 30)),
        ("9" * 31, "9" * 31),
        ("9" * 5_000, "9" * 5_000),  # Python itself reads at most 4,300 digits
        ("1e400", "1e400"),
        ("[NaN, -Infinity]", ["NaN", "-Infinity"]),
        ('{"a": {"b": "\\ud83d"}}', {"a": {"b": "\ud83d"}}),
        (b'{"a": "\xc3\xbc"}', {"a": "ü"}),
    ],
)
def test_numbers_that_no_count_can_be_are_kept_as_text(text: str | bytes, value: Any) -> None:
    """Everything else is read as it is."""
    assert loads(text) == value


@pytest.mark.parametrize("levels", [70, 900, 200_000])
def test_what_is_nested_too_deeply_is_cut_or_refused(levels: int) -> None:
    """Nobody who reads it later runs out of stack."""
    text = "[" * levels + "]" * levels
    try:
        value = loads(text)
    except ValueError:
        return
    assert len(json.dumps(value)) < 200


@pytest.mark.parametrize("text", ["", "<html>", "{", b"\xff"])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    """One kind of failure for all of it."""
    with pytest.raises(ValueError, match=r"."):
        loads(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@settings(max_examples=200, deadline=None, database=None)
@given(JSON)
def test_ordinary_json_is_read_as_ever(value: Any) -> None:
    """And what was read is JSON that every reader takes."""
    found = loads(json.dumps(value))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
