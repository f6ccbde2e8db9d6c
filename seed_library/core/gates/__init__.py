"""Quality gates: each a small function from a text to findings.

An `error` refuses a draft, a `warning` only flags it. The rules come from the catalog, which may also change the
severity of each gate or turn it off; the texts themselves are judged as they would be stored. What a text has in
common with others is the business of `core.gates.corpus`. docs/reference/gates.md describes every gate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding, Judgement
from seed_library.core.gates.facts import own, related, shadow, years
from seed_library.core.gates.form import bare, characters, finished, length, sentences
from seed_library.core.gates.language import language
from seed_library.core.gates.phrases import banned, flagged
from seed_library.core.gates.reader import address, gender
from seed_library.core.gates.repetition import self_repetition
from seed_library.core.gates.signs import plain, symbols
from seed_library.core.gates.text import Text, count_words, read

Gate = Callable[[Text, GateRules, Item], Iterator[Finding]]
GATES: tuple[Gate, ...] = (
    length,
    characters,
    finished,
    plain,
    symbols,
    bare,
    sentences,
    language,
    address,
    gender,
    banned,
    flagged,
    own,
    related,
    years,
    shadow,
    self_repetition,
)
CORPUS_GATES = ("opening", "ending", "shared_phrase", "near_duplicate")
GATE_NAMES = (*(gate.__name__ for gate in GATES), *CORPUS_GATES)


def judge(text: str, rules: GateRules, item: Item) -> Judgement:
    """Put a text through every gate."""
    draft = read(text, rules)
    return Judgement(as_ruled((finding for gate in GATES for finding in gate(draft, rules, item)), rules))


def as_ruled(findings: Iterable[Finding], rules: GateRules) -> tuple[Finding, ...]:
    """Give findings the severity that the catalog wants, and leave out those of gates that are off."""
    kept = []
    for finding in findings:
        severity = rules.severity.get(finding.gate, finding.severity)
        if severity != "off":
            kept.append(finding if severity == finding.severity else replace(finding, severity=severity))
    return tuple(kept)


__all__ = ["CORPUS_GATES", "GATES", "GATE_NAMES", "Gate", "Text", "as_ruled", "count_words", "judge", "read"]
