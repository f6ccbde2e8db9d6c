"""A text that repeats itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.text import Text, first_words


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that any text repeats; in other languages content is told by the length of its words alone.
_IDLE_WORDS = {
    "de": _set(
        "der die das den dem des ein eine einen einem einer eines und oder aber doch denn nicht kein keine du dich dir "
        "dein deine deinen deinem deiner er sie es wir ihr sich ist sind bist hast hat wird war mit von zu zum zur auf "
        "für bei nach aus wenn weil dass als wie noch nur schon auch so im am vom ins"
    ),
    "en": _set(
        "the a an and or but not no you your yours he she it its we they is are was were be been have has had do does "
        "did will would can could of to in on at for with from by as that this these those when because if than then "
        "there what which who how so just still only into up out about"
    ),
}
_RUN = 4
_MOST_OF_A_WORD = 4
_START, _MOST_SAME_STARTS = 2, 2
_SHORTEST_WORD = 4


def self_repetition(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Flag four words that come twice, a content word over four times, and three sentences that begin alike."""
    if not text.has_words:
        return
    runs = Counter(text.grams(_RUN * text.weight))
    if repeated := [run for run, times in runs.items() if times > 1]:
        yield Finding("self_repetition", "warning", "the same words twice", " ".join(repeated[0]))
    idle = _IDLE_WORDS.get(rules.language, frozenset())
    words = Counter(word for word in text.lower if len(word) >= _SHORTEST_WORD and word not in idle)
    for word, times in words.most_common(1):
        if times > _MOST_OF_A_WORD:
            yield Finding("self_repetition", "warning", f"the same word {times} times", word)
    starts = Counter(first_words(text.part(sentence), _START * text.weight).casefold() for sentence in text.sentences)
    for start, times in starts.most_common(1):
        if times > _MOST_SAME_STARTS:
            yield Finding("self_repetition", "warning", f"{times} sentences begin alike", start)
