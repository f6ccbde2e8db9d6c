"""JSON that every reader takes holds what was written, on one line, and nothing that anybody acts on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.plain_json import dumps

TEXTS = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, categories=None), max_size=40)


@settings(max_examples=300, deadline=None, database=None)
@given(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, max_size=3), max_size=3))
def test_what_is_read_is_what_was_written(value: dict[str, object]) -> None:
    """Whatever characters there are, halves of pairs included."""
    said = dumps(value)
    assert json.loads(said.encode()) == _joined(value)
    assert said.splitlines() == [said]
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in said)


def _joined(value: object) -> object:
    """Return a value as JSON has it: two halves of a pair, side by side, are one character."""
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("text", ["Größe, 日本, \N{SPARKLES}", "\u202eabc\u202c", "␛[31m"])
def test_what_is_harmless_stands_as_it_is(text: str) -> None:
    """People read it, too."""
    assert dumps([text]) == f'["{text}"]'
