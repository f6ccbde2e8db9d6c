"""Reading an answer strictly: what is not plainly a finished text is none."""

from __future__ import annotations

from typing import Any

import pytest

from seed_library.core.drafts import Finding, Judgement, Usage, reading_fault, text_of, usage_of


def _text(text: Any) -> dict[str, Any]:
    return {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([_text("Ein Satz.")], "Ein Satz."),
        ([_text("  Ein "), _text("Satz.\n")], "Ein Satz."),
        ([{"type": "thinking", "thinking": "Hm.", "text": "Hm."}, _text("Ein Satz.")], "Ein Satz."),
        ([{"type": "redacted_thinking", "data": "x"}], ""),
        ([_text(None), {"type": "text"}, "loose", 7, _text("Ein Satz.")], "Ein Satz."),
        ([], ""),
        (None, ""),
        ("Ein Satz.", ""),
    ],
    ids=["one block", "two blocks", "thinking first", "only thinking", "damaged blocks", "empty", "none", "no list"],
)
def test_only_text_blocks_are_read_and_all_of_them(content: Any, text: str) -> None:
    """The blocks are joined as they are; thinking never counts as text."""
    assert text_of({"content": content}) == text
    assert text_of({}) == ""


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"stop_reason": "refusal", "stop_details": {"category": "bio"}}, "the model refused to answer (bio)"),
        ({"stop_reason": "refusal"}, "the model refused to answer (no category given)"),
        ({"stop_reason": "refusal", "stop_details": "bio"}, "the model refused to answer (no category given)"),
        ({"stop_reason": "max_tokens"}, "the answer was cut off at max_tokens"),
        ({"stop_reason": "pause_turn"}, "the answer ended with stop_reason 'pause_turn' instead of 'end_turn'"),
        ({"stop_reason": "stop"}, "the answer ended with stop_reason 'stop' instead of 'end_turn'"),
        ({"stop_reason": None}, "the answer ended with stop_reason None instead of 'end_turn'"),
        ({"content": []}, "the answer holds no text"),
        ({"content": [_text(" \n")]}, "the answer holds no text"),
    ],
)
def test_an_answer_without_a_finished_text_says_why(changes: dict[str, Any], fault: str) -> None:
    """A refusal and a cut-off arrive as successes and hold text all the same."""
    message = {"stop_reason": "end_turn", "content": [_text("Ein Satz.")]} | changes
    assert reading_fault(message) == fault


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 700, "output_tokens": 280}, Usage(700, 280)),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_creation_input_tokens": 600,
                "cache_read_input_tokens": 50,
                "cache_creation": {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 200},
            },
            Usage(10, 5, 400, 200, 50),
        ),
        ({"input_tokens": 10, "cache_creation_input_tokens": 600, "cache_creation": None}, Usage(10, 0, 600)),
        ({"input_tokens": "700", "output_tokens": None, "cache_read_input_tokens": -3}, Usage()),
        ({"input_tokens": True, "output_tokens": 2.5}, Usage()),
        ({"cache_creation_input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 9}}, Usage(0, 0, 0, 9)),
        (None, Usage()),
        ([], Usage()),
    ],
)
def test_usage_is_read_as_far_as_it_makes_sense(usage: Any, expected: Usage) -> None:
    """Ill-typed, absent and negative figures count as zero instead of breaking a paid answer."""
    assert usage_of({"usage": usage}) == expected


def test_prompt_tokens_are_all_that_was_read_however_it_was_billed() -> None:
    """The price tier of a long prompt looks at the whole prompt."""
    assert Usage(1, 1_000, 20, 300, 4_000).prompt_tokens == 4_321


def test_a_single_error_refuses_a_draft_and_warnings_do_not() -> None:
    """Only `error` keeps a text out of the table."""
    warning, error = Finding("length", "warning", "a little short"), Finding("plain", "error", "markdown")
    assert Judgement((warning, warning)).accepted
    assert not Judgement((warning, error)).accepted
    assert Judgement().accepted
