"""A text that repeats itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.language import FUNCTION_WORDS
from seed_library.core.gates.text import Text, first_words

_RUN = 4
_MOST_OF_A_WORD = 4
_MOST_SAME_STARTS = 2
_SHORTEST_WORD = 4


def self_repetition(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Flag four words that come twice, a content word over four times, and three sentences that begin alike."""
    runs = Counter(text.grams(_RUN))
    if repeated := [run for run, times in runs.items() if times > 1]:
        yield Finding("self_repetition", "warning", "the same words twice", " ".join(repeated[0]))
    idle = FUNCTION_WORDS.get(rules.language, frozenset())
    words = Counter(word for word in text.lower if len(word) >= _SHORTEST_WORD and word not in idle)
    for word, times in words.most_common(1):
        if times > _MOST_OF_A_WORD:
            yield Finding("self_repetition", "warning", f"the same word {times} times", word)
    starts = Counter(first_words(Text(sentence), 2).casefold() for sentence in text.sentences)
    for start, times in starts.most_common(1):
        if times > _MOST_SAME_STARTS:
            yield Finding("self_repetition", "warning", f"{times} sentences begin alike", start)
