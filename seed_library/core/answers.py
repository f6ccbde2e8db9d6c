"""Answers that hold several columns: what is asked for, and how it is read.

The answer is a JSON object by a schema (`output_config.format`, structured outputs); the text is its field `text`.
Only the shape is promised by the schema; what stands in it is judged like any other text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seed_library.core.answer_object import object_in
from seed_library.core.answer_schema import TEXT
from seed_library.core.catalog import GateRules, GeneratedColumn, Item, RequestSpec
from seed_library.core.drafts import Finding, RawMessage, reading_fault, text_of, unstorable
from seed_library.core.gates import as_ruled, judge
from seed_library.core.gates.phrases import banned
from seed_library.core.gates.signs import plain, symbols
from seed_library.core.gates.text import Text, read


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer holds: the text, and the other columns by their names."""

    text: str
    columns: Mapping[str, str] = field(default_factory=dict)


def content_of(message: RawMessage, spec: RequestSpec) -> Content:
    """Read an answer that `answer_fault` has nothing against."""
    if not spec.generated:
        return Content(text_of(message))
    said = object_in(text_of(message)) or {}
    columns = {one.name: str(said[one.name]).strip() for one in spec.generated}
    return Content(str(said[TEXT]).strip(), columns)


def answer_fault(message: RawMessage, spec: RequestSpec) -> str:
    """Say why this message holds no usable answer; empty when it does."""
    fault = reading_fault(message)
    if fault or not spec.generated:
        return fault
    said = object_in(text_of(message))
    if said is None:
        return "the answer is not the JSON object that was asked for"
    wanted = [TEXT, *(one.name for one in spec.generated)]
    if not all(isinstance(said.get(name), str) and said[name].strip() for name in wanted):
        return f"the answer lacks one of {', '.join(wanted)}"
    return unstorable("".join(said[name] for name in wanted))


def column_findings(content: Content, spec: RequestSpec, rules: GateRules, item: Item) -> Iterator[Finding]:
    """Judge the other columns that are there: their length, and what no text may hold. Findings name their column."""
    for one in spec.generated:
        if (value := content.columns.get(one.name)) is None:
            continue
        said = read(value, rules)
        yield from _length(one, said)
        for gate in (plain, symbols, banned):
            for finding in gate(said, rules, item):
                yield Finding(finding.gate, finding.severity, f"{one.name}: {finding.message}", finding.span)


def judged_alone(content: Content, spec: RequestSpec, rules: GateRules, item: Item) -> tuple[Finding, ...]:
    """Return what the gates have against an answer by itself, all its columns together."""
    others = as_ruled(column_findings(content, spec, rules, item), rules)
    return judge(content.text, rules, item).findings + others


def _length(column: GeneratedColumn, said: Text) -> Iterator[Finding]:
    count = len(said.words)
    if said.has_words and not column.at_least <= count <= column.at_most:
        wanted = f"{column.at_least} to {column.at_most} are allowed"
        yield Finding("length", "error", f"{column.name}: {count} words; {wanted}", said.raw)
