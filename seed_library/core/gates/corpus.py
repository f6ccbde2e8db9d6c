"""What a text has in common with others: how it begins and ends, long phrases, and nearly everything.

Openings and endings are compared inside a category, phrases and whole texts inside a locale. Similarity is the exact
Jaccard index of the sets of three-word runs, but for everyday ones, over an index of which texts hold a run; that is
exact and fast up to some thousand texts (measured: all pairs of 720 in 1.4 s without an index). Beyond `MOST_TEXTS`
of a locale only beginnings and endings are remembered: the index would take more memory than the rest of a run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from seed_library.core.catalog import GateRules, ItemId
from seed_library.core.drafts import Finding, Severity
from seed_library.core.gates.text import Text, read

MOST_TEXTS = 5_000
_OPENING_WORDS, _ENDING_WORDS = 3, 4
_PHRASE, _RUN = 6, 3
_SHARED_BY_MANY = 3  # others; with this one it is the fourth text that holds the phrase
_SAME, _SIMILAR = 0.30, 0.12
_ENOUGH_RUNS = 12  # shorter texts share runs by chance
_EVERYDAY = 200  # texts; a run that so many hold ("in der Küche") says nothing of two of them, and costs the most time


class Corpus:
    """The texts that a new one is compared with. Each is known by its item; an item's own older text is no other."""

    def __init__(self, rules: Mapping[tuple[str, str], GateRules] | None = None) -> None:
        """Make an empty one. The rules of each category and locale say how its texts are read."""
        self._rules = rules or {}
        self._openings: dict[tuple[str, str, str], ItemId] = {}
        self._endings: dict[tuple[str, str, str], ItemId] = {}
        self._places: defaultdict[str, _Locale] = defaultdict(_Locale)

    def add(self, item: ItemId, text: str) -> None:
        """Remember a text."""
        draft = self._read(item, text)
        if draft is None:
            return
        self._openings.setdefault(_opening(item, draft), item)
        self._endings.setdefault(_ending(item, draft), item)
        self._places[item.locale].add(item, draft)

    def findings(self, item: ItemId, text: str) -> Iterator[Finding]:
        """Yield what a new text has in common with those that are known."""
        draft = self._read(item, text)
        if draft is None:
            return
        other = self._openings.get(_opening(item, draft), item)
        if other != item:
            yield Finding(
                "opening", "error", f"begins like {other}", " ".join(draft.words[: _OPENING_WORDS * draft.weight])
            )
        other = self._endings.get(_ending(item, draft), item)
        if other != item:
            yield Finding(
                "ending", "warning", f"ends like {other}", " ".join(draft.words[-_ENDING_WORDS * draft.weight :])
            )
        yield from self._places[item.locale].findings(item, draft)

    def _read(self, item: ItemId, text: str) -> Text | None:
        """Read a text as its locale wants it; None where nobody knows its words."""
        rules = self._rules.get((item.category, item.locale))
        draft = Text(text) if rules is None else read(text, rules)
        return draft if draft.has_words else None


class _Locale:
    """The index of one locale. Runs of words are kept as their hashes: within one process those are enough."""

    def __init__(self) -> None:
        self._items: list[ItemId] = []
        self._sizes: list[int] = []
        self._runs: defaultdict[int, list[int]] = defaultdict(list)
        self._phrases: defaultdict[int, list[int]] = defaultdict(list)

    def add(self, item: ItemId, draft: Text) -> None:
        if len(self._items) >= MOST_TEXTS:
            return
        number = len(self._items)
        runs = {hash(run) for run in draft.grams(_RUN * draft.weight)}
        self._items.append(item)
        self._sizes.append(len(runs))
        for run in runs:
            self._runs[run].append(number)
        for phrase in {hash(gram) for gram in draft.grams(_PHRASE * draft.weight)}:
            self._phrases[phrase].append(number)

    def findings(self, item: ItemId, draft: Text) -> Iterator[Finding]:
        yield from self._shared_phrase(item, draft)
        yield from self._similar(item, draft)

    def _shared_phrase(self, item: ItemId, draft: Text) -> Iterator[Finding]:
        best: tuple[int, str, ItemId] | None = None
        for gram in draft.grams(_PHRASE * draft.weight):
            others = {self._items[number] for number in self._phrases.get(hash(gram), ())} - {item}
            if others and (best is None or len(others) > best[0]):
                best = len(others), " ".join(gram), min(others)
        if best is not None:
            count, phrase, other = best
            severity: Severity = "error" if count >= _SHARED_BY_MANY else "warning"
            named = f"{other}" if count == 1 else f"{other} and {count - 1} more"
            yield Finding("shared_phrase", severity, f"shared with {named}", phrase)

    def _similar(self, item: ItemId, draft: Text) -> Iterator[Finding]:
        runs = {hash(run) for run in draft.grams(_RUN * draft.weight)}
        if len(runs) < _ENOUGH_RUNS:
            return
        holders = (self._runs.get(run, ()) for run in runs)
        telling = (numbers for numbers in holders if len(numbers) <= _EVERYDAY)
        shared = Counter(number for numbers in telling for number in numbers if self._items[number] != item)
        nearest, other = 0.0, item
        for number, count in shared.items():
            similarity = count / (len(runs) + self._sizes[number] - count)
            if similarity > nearest:
                nearest, other = similarity, self._items[number]
        if nearest >= _SIMILAR:
            severity: Severity = "error" if nearest >= _SAME else "warning"
            message = f"{nearest:.0%} of its three-word runs are those of {other}"
            yield Finding("near_duplicate", severity, message)


def _opening(item: ItemId, draft: Text) -> tuple[str, str, str]:
    return item.category, item.locale, " ".join(draft.lower[: _OPENING_WORDS * draft.weight])


def _ending(item: ItemId, draft: Text) -> tuple[str, str, str]:
    return item.category, item.locale, " ".join(draft.lower[-_ENDING_WORDS * draft.weight :])
