"""What texts have in common, and how varied a corpus is."""

from __future__ import annotations

from servers.texts import text_for

from seed_library.core.catalog import ItemId
from seed_library.core.gates.corpus import Corpus
from seed_library.core.gates.diversity import diversity

TEXT = (
    "Im Flur steht noch dein Koffer, und niemand hat gefragt, ob du bleibst. Du stellst zuerst die Küchenuhr richtig, "
    "dann setzt du Wasser auf. Manchmal kostet dich diese Wachheit den Schlaf."
)


def _id(key: str, category: str = "year", locale: str = "de") -> ItemId:
    return ItemId(category, key, locale)


def _gates(corpus: Corpus, item: ItemId, text: str) -> dict[str, str]:
    return {finding.gate: finding.severity for finding in corpus.findings(item, text)}


def test_a_copy_has_everything_in_common_and_an_items_own_older_text_nothing() -> None:
    """A refresh compares with others, not with what it replaces."""
    corpus = Corpus()
    corpus.add(_id("rat"), TEXT)
    copied = {"opening": "error", "ending": "warning", "shared_phrase": "warning", "near_duplicate": "error"}
    assert _gates(corpus, _id("ox"), TEXT) == copied
    assert _gates(corpus, _id("rat"), TEXT) == {}


def test_openings_belong_to_a_category_and_whole_texts_to_a_locale() -> None:
    """The three texts of one pillar are read together; another language is no comparison."""
    corpus = Corpus()
    corpus.add(_id("rat"), TEXT)
    assert _gates(corpus, _id("rat", "month"), TEXT) == {"shared_phrase": "warning", "near_duplicate": "error"}
    assert _gates(corpus, _id("rat", locale="en"), TEXT) == {}


def test_a_phrase_that_three_others_hold_is_refused() -> None:
    """In two texts it may be chance, in four it is a habit."""
    corpus = Corpus()
    phrase = "und das Licht im Flur brennt noch"
    for number in range(3):
        corpus.add(_id(f"k{number}"), f"{text_for(f'der {number}')} {number} {phrase} {number}.")
    found = {finding.gate: finding for finding in corpus.findings(_id("new"), f"{text_for('der neu')} {phrase}.")}
    assert found["shared_phrase"].severity == "error"
    assert found["shared_phrase"].span in phrase.casefold()
    assert "and 2 more" in found["shared_phrase"].message


def test_texts_of_the_scripted_server_have_nothing_in_common() -> None:
    """Three hundred of them: otherwise the tests of runs would test this gate instead."""
    corpus = Corpus()
    for number in range(300):
        text = text_for(f"Schreibe der und die das {number}")
        assert _gates(corpus, _id(f"k{number}"), text) == {}
        corpus.add(_id(f"k{number}"), text)


def test_the_figures_tell_variety_from_a_template() -> None:
    """Between nothing in common and all the same; one text is no corpus."""
    varied = diversity(text_for(f"Schreibe der und die das {number}") for number in range(60))
    same = diversity([TEXT] * 60)
    assert varied is not None
    assert same is not None
    assert varied.distinct_3 > 0.95
    assert same.distinct_3 < 0.1
    assert varied.self_repetition < 0.02
    assert same.self_repetition == 1
    assert (varied.openings, same.openings) == (0, 1)
    assert diversity([TEXT]) is None
