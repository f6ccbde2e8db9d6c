"""The object that an answer of several columns holds: read in every wrapping that leaves no doubt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from core.small_catalog import SPEC
from hypothesis import given, settings
from hypothesis import strategies as st

from seed_library.core.answer_object import object_in
from seed_library.core.answers import answer_fault, content_of
from seed_library.core.catalog import GeneratedColumn

SHAPED = replace(SPEC, generated=(GeneratedColumn("teaser", "One sentence.", 1, 20),))
WANTED = {"text": "A calm and steady sign.", "teaser": "Look {here}: ``` is a fence."}
BODY = json.dumps(WANTED, ensure_ascii=False)
NOT_AN_OBJECT = "the answer is not the JSON object that was asked for"


def _message(text: str) -> dict[str, Any]:
    return {"stop_reason": "end_turn", "content": [{"type": "text", "text": text}]}


READ = {
    "bare": BODY,
    "a fence": f"```\n{BODY}\n```",
    "a language": f"```json\n{BODY}\n```",
    "in capitals": f"```JSON\n{BODY}\n```",
    "another language": f"```json5 \n{BODY}\n```",
    "blanks": f"  \n ```  json \t\n\n  {BODY}  \n\n```  \n ",
    "CRLF": f"```json\r\n{BODY}\r\n```\r\n",
    "on one line": f"```json {BODY} ```",
    "closed at once": f"```json\n{BODY}```",
    "a longer fence": f"`````json\n{BODY}\n`````",
    "tildes": f"~~~\n{BODY}\n~~~",
    "over several lines": f"```json\n{json.dumps(WANTED, indent=4)}\n```",
    "a sentence before": f"Here is the object:\n\n```json\n{BODY}\n```",
    "a sentence after": f"```json\n{BODY}\n```\n\nI hope that it fits.",
    "both": f"Of course!\n```json\n{BODY}\n```\nDone.",
    "not closed": f"```json\n{BODY}\n",
    "a byte order mark": f"\ufeff```json\n{BODY}\n```",
}
DOUBTFUL = {
    "two fences": f"```json\n{BODY}\n```\nor\n```json\n{BODY}\n```",
    "an object before": f'{{"text": "No."}}\n```json\n{BODY}\n```',
    "an object after": f'```json\n{BODY}\n```\n{{"text": "No."}}',
    "a fence before": f"```\nNo.\n```\n```json\n{BODY}\n```",
    "two objects in one fence": f"```json\n{BODY}\n{BODY}\n```",
    "two objects": f"{BODY}\n{BODY}",
    "half of it": f"```json\n{BODY[:-20]}",
    "not closed, and more": f"```json\n{BODY}\nand more",
    "another fence closes it": f"```json\n{BODY}\n~~~",
    "a list": f"```json\n[{BODY}]\n```",
    "a text": "```json\nA calm and steady sign.\n```",
    "no fence": f"Here it is: {BODY}",
    "deep": "```json\n" + '{"text":' * 50_000,
    "only a fence": "```json\n```",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_the_object_is_read_in_whatever_it_is_wrapped(text: str) -> None:
    """It was asked for and paid for; braces and fences inside a text are part of the text."""
    assert answer_fault(_message(text), SHAPED) == ""
    content = content_of(_message(text), SHAPED)
    assert (content.text, content.columns) == (WANTED["text"], {"teaser": WANTED["teaser"]})


@pytest.mark.parametrize("text", DOUBTFUL.values(), ids=DOUBTFUL)
def test_where_there_is_a_doubt_nothing_is_read(text: str) -> None:
    """A guess would be stored as a good text."""
    assert object_in(text) is None
    assert answer_fault(_message(text), SHAPED) == NOT_AN_OBJECT


@pytest.mark.parametrize("text", [READ["a language"], READ["bare"]])
def test_a_catalog_without_such_columns_takes_its_texts_as_they_are(text: str) -> None:
    """There a fence is markdown, which the gates refuse."""
    assert content_of(_message(text), SPEC).text == text.strip()


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"text": "Only this."}, "the answer lacks one of text, teaser"),
        ({"text": "A text.", "teaser": 7}, "the answer lacks one of text, teaser"),
        ({"text": "A text.", "teaser": " "}, "the answer lacks one of text, teaser"),
        ({"text": "A \ud83d text.", "teaser": "Yes."}, "the answer holds a NUL or half of a surrogate pair"),
        ({"text": "A text.", "teaser": "Y\0es."}, "the answer holds a NUL or half of a surrogate pair"),
    ],
)
def test_what_is_in_the_fence_is_looked_at_as_ever(said: dict[str, Any], fault: str) -> None:
    """Every column is there and is a text that a table takes."""
    assert answer_fault(_message(f"```json\n{json.dumps(said)}\n```"), SHAPED) == fault


@pytest.mark.parametrize("text", ["Half a pair: \ud83d.", "A NUL\0."])
def test_a_text_that_no_table_takes_is_unusable(text: str) -> None:
    """Said when it is read, not when it cannot be written."""
    assert answer_fault(_message(text), SPEC) == "the answer holds a NUL or half of a surrogate pair"


@settings(max_examples=200, deadline=None, database=None)
@given(
    said=st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=4),
    language=st.sampled_from(["", "json", "JSON", "jsonc"]),
    fence=st.sampled_from(["```", "~~~", "````"]),
    indent=st.sampled_from([None, 2]),
    ends=st.sampled_from(["\n", "\r\n"]),
)
def test_every_object_comes_back_out_of_its_fence(
    said: dict[str, str], language: str, fence: str, indent: int | None, ends: str
) -> None:
    """Whatever stands in its texts."""
    body = json.dumps(said, indent=indent, ensure_ascii=False)
    assert object_in(f"{fence}{language}{ends}{body}{ends}{fence}{ends}") == said
