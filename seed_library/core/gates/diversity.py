"""How varied a corpus is, in a few figures. They are only comparable between corpora of equal size and length.

distinct-n: Li et al. 2016 (arXiv 1510.03055). Self-repetition of 4-grams: Salkar et al. 2022 (arXiv 2210.08145).
Measured anchors at 60 texts of 90 words: real prose has distinct-3 0.96 and self-repetition 0.04, a filled-in template
0.04 and 1.0; a corpus of which a fifth is framed alike 0.93 and 0.075.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import repeat
from statistics import fmean

from seed_library.core.catalog import GateRules
from seed_library.core.drafts import Diversity
from seed_library.core.gates.text import Text, read


def diversity(texts: Iterable[str], rules: Iterable[GateRules] = repeat(GateRules())) -> Diversity | None:
    """Return the figures of texts, each read by its rules; None of fewer than two whose words are known."""
    drafts = [draft for draft in map(read, texts, rules) if draft.has_words]
    if len(drafts) < 2:  # noqa: PLR2004  one text has nothing to be compared with
        return None
    holders = Counter(run for draft in drafts for run in set(draft.grams(4)))
    runs = [run for draft in drafts for run in set(draft.grams(4))]
    starts = Counter(tuple(draft.lower[:3]) for draft in drafts)
    return Diversity(
        texts=len(drafts),
        words=round(fmean(len(draft.words) for draft in drafts), 1),
        distinct_2=_distinct(drafts, 2),
        distinct_3=_distinct(drafts, 3),
        self_repetition=round(sum(holders[run] > 1 for run in runs) / max(1, len(runs)), 4),
        openings=round(sum(times for times in starts.values() if times > 1) / len(drafts), 4),
    )


def _distinct(drafts: list[Text], size: int) -> float:
    runs = [run for draft in drafts for run in draft.grams(size)]
    return round(len(set(runs)) / max(1, len(runs)), 4)
