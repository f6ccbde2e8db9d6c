"""The gates let good texts pass without a word and stop what the app could not show."""

from __future__ import annotations

import unicodedata

import pytest
from core.small_catalog import RULES, item

from seed_library.core.gates import count_words, judge

GERMAN = (
    "Im Flur steht noch dein Koffer, und niemand hat gefragt, ob du bleibst. Du stellst zuerst die Küchenuhr richtig, "
    "dann setzt du Wasser auf. So machst du das: Du gehst in ein fremdes Haus und findest den Schalter, ohne zu "
    "suchen. „Woher weißt du das?“, fragen sie – und du zuckst mit den Schultern. Manchmal kostet dich diese Wachheit "
    "den Schlaf, denn du hörst den tropfenden Hahn vor allen anderen. Lass ihn heute einmal tropfen. Morgen früh, bei "
    "einer Tasse Tee, reicht ein Handgriff; und das Haus gehört dir ein kleines Stück mehr."
)
ENGLISH = (
    "You find the light switch in a stranger's house without searching for it. Before anyone has said hello, you’ve "
    "set the kitchen clock right and put the kettle on. “How did you know?” they ask, and you shrug, half-smiling, "
    "because knowing isn't the word for it. Such watchfulness has its price: you hear the dripping tap long before "
    "the others do, and you lie awake until it stops. Let it drip tonight. Tomorrow one turn of the hand will do, "
    "and the well-kept house will belong to you a little more…"
)


@pytest.mark.parametrize("text", [GERMAN, ENGLISH], ids=["German", "English"])
def test_a_good_text_has_no_findings(text: str) -> None:
    """Quotation marks, dashes, hyphens and apostrophes are typography, not faults."""
    assert judge(text, RULES, item()).findings == ()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Die Yang-Holz-Ratte schläft.", 3),
        ("Vor- und Nachteile", 3),
        ("it's the cat’s half-open E‑Mail", 5),
        ("Um 7 Uhr", 3),
        ("Tee – – oder ... Wasser?!", 3),
        ("größer\nals\tdu", 3),
        ("", 0),
        ("„…“ — 🙂", 0),
    ],
)
def test_a_hyphenated_compound_is_one_word(text: str, count: int) -> None:
    """Hyphens and apostrophes join inside a word; dashes and dots are no words."""
    assert count_words(text) == count


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        (69, "error"),
        (70, "warning"),
        (79, "warning"),
        (80, None),
        (105, None),
        (106, "warning"),
        (120, "warning"),
        (121, "error"),
        (0, "error"),
    ],
)
def test_length_is_judged_at_the_exact_bounds(words: int, severity: str | None) -> None:
    """Inside the wanted range nothing, a little outside a warning, far outside a refusal that names the figures."""
    judgement = judge("Wort " * words + ".", RULES, item())
    about = [finding for finding in judgement.findings if finding.gate == "length"]
    assert [finding.severity for finding in about] == ([severity] if severity else [])
    assert all(finding.message.startswith(f"{words} words; ") for finding in about)
    assert judgement.accepted is (severity != "error")


@pytest.mark.parametrize(
    "ending",
    [".", "!", "?", "…", "?!", ".“", "!”", "?»", ".«", ".\u2018“", ".’", ".\u203a", ".\u2039", '."', ".'", ".)", ".]"],
    ids=ascii,
)
def test_a_sentence_may_end_inside_quotation_marks_or_brackets(ending: str) -> None:
    """In the way of either language."""
    assert _gates_against(GERMAN[:-1] + ending) == []


@pytest.mark.parametrize("ending", ["", ",", ":", " –", "-", ";", "“", ". und", "..und"])
def test_a_text_that_breaks_off_is_refused(ending: str) -> None:
    """The last sentence has to end."""
    assert _gates_against(GERMAN[:-1] + ending) == ["finished"]


@pytest.mark.parametrize(
    "stray",
    [
        "**fett**",
        "__fett__",
        "\n# Titel\n",
        "\n- Punkt",
        "\n* Punkt",
        "\n 1. Punkt",
        "\n2) Punkt",
        "\n> Zitat",
        "\n```\n",
        "[hier](https://example.com)",
        "\t",
        "\r\n",
        "\x00",
        "\x1b[1m",
        "\u200b",
        "\ufeff",
        "\u202e",
        "\ue000",
        unicodedata.normalize("NFD", "größer"),
    ],
    ids=ascii,
)
def test_markdown_and_invisible_characters_are_refused(stray: str) -> None:
    """The app shows a text as it is."""
    assert _gates_against(f"{GERMAN} Und {stray} dann.") == ["plain"]


@pytest.mark.parametrize(
    "harmless",
    [
        "\n\nUnd",
        "2 * 3",
        "Nr. 5 [sic] (so)",
        "am 3. Oktober",
        "a - b",
        "#3",
        "Wach\u00adheit",
        "»so«",
        "größer",
    ],
    ids=ascii,
)
def test_what_only_resembles_markdown_passes(harmless: str) -> None:
    """Paragraphs, sums, dates and soft hyphens are part of plain text."""
    assert _gates_against(f"{GERMAN} {harmless} dann.") == []


def _gates_against(text: str) -> list[str]:
    return [finding.gate for finding in judge(text, RULES, item()).findings if finding.severity == "error"]
