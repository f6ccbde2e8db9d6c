"""What should exist: catalogs, their items, and the rules that hold for them.

Everything here is a value. Reading catalog folders from disk is the business of `adapters.catalogs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

from seed_library.core.errors import UsageInvalid
from seed_library.core.linguist import UNAIDED, Linguist
from seed_library.core.locales import read_locale

ThinkingWish = Literal["off", "on"]
_CHARACTERS_PER_WORD, _WITHOUT_BLANKS = 6, 2.5  # the latter by tokens: a word stands for 2.95 of them
TRIES = 3  # of an item whose answers hold no usable text, where the catalog does not say


class ItemId(NamedTuple):
    """What identifies an item and its row: the columns of the table's unique index."""

    category: str
    key: str
    locale: str

    def __str__(self) -> str:
        return f"{self.category}/{self.key}/{self.locale}"


@dataclass(frozen=True, slots=True)
class Item:
    """One text that should exist.

    Attributes:
        id: category, key and locale.
        title: the finished title; never written by the model.
        facts: what the prompt templates may use, already in the item's locale.
    """

    id: ItemId
    title: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """Where rows live and which column holds what.

    Attributes:
        constants: columns that every row fills with the same value, of any JSON type.
        generated: columns that the model fills besides the text.
        provenance, updated_at: our own columns, used where the table has them in a form that is ours; empty: never.
    """

    schema: str = "public"
    name: str = "content_library"
    category: str = "category"
    key: str = "key"
    locale: str = "locale"
    title: str = "title"
    text: str = "description"
    constants: Mapping[str, Any] = field(default_factory=dict)
    generated: tuple[str, ...] = ()
    provenance: str = "provenance"
    updated_at: str = "updated_at"

    @property
    def filled(self) -> tuple[str, ...]:
        """The columns that every row fills, whatever the table has besides."""
        return (*self.conflict_columns, self.title, self.text, *self.generated, *self.constants)

    @property
    def conflict_columns(self) -> tuple[str, str, str]:
        """The columns of the unique index, in the order of `ItemId`."""
        return (self.category, self.key, self.locale)


@dataclass(frozen=True, slots=True)
class GeneratedColumn:
    """A column that the model fills besides the text.

    Attributes:
        name: of the column, and of its part of the answer.
        about: what the model is told to write there.
        at_least, at_most: how many words it may have.
    """

    name: str
    about: str
    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """The parameters of a request that the catalog decides.

    Attributes:
        model: the model id.
        max_tokens: ceiling of the visible answer, in tokens.
        thinking: "off" asks for no thinking wherever the model allows that.
        thinking_tokens: added to `max_tokens` where thinking is on or cannot be turned off.
        effort: the model's effort level; empty leaves the model's own default.
        generated: columns besides the text; where there are any, the answer is a JSON object with all of them.
    """

    model: str
    max_tokens: int = 1024
    thinking: ThinkingWish = "off"
    thinking_tokens: int = 4096
    effort: str = ""
    generated: tuple[GeneratedColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class WordRule:
    """How long a text should be, in words (a hyphenated compound counts as one) or in characters that a reader sees.

    A text outside `at_least`..`at_most` is rejected; outside `low`..`high` it is only flagged.
    """

    low: int
    high: int
    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True)
class GateRules:
    """The quality rules of one category and locale (docs/reference/gates.md).

    Attributes:
        words, characters: the length; either may be left to the other.
        locale: of the texts; empty where it is not known.
        language: "de" or "en" where words are inflected accordingly, and phrases of the language are known; else empty.
        linguist: who is asked what no rule says (`core.linguist`).
        address: "du" or "you" where the reader has to be addressed so; else empty.
        neutral: whether a text must not take the reader for a woman or a man.
        timeless: whether calendar years and ages are refused.
        shadow: whether a text needs a contrast.
        banned, flagged: words and phrases that are refused, or only flagged (forms: `core.gates.phrases`).
        own, related: facts of which a text must not, or had better not, name another item's value.
        values: every value of those facts in the catalog.
        forms: other words for a value, such as an irregular plural.
        idioms: phrases in which another item's value may stand.
        severity: of a gate, where it differs from the gate's own; "off" turns it off.
    """

    words: WordRule | None = None
    characters: WordRule | None = None
    locale: str = ""
    linguist: Linguist = field(default=UNAIDED, compare=False)
    language: str = ""
    address: str = ""
    neutral: bool = False
    timeless: bool = False
    shadow: bool = False
    banned: tuple[str, ...] = ()
    flagged: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idioms: tuple[str, ...] = ()
    severity: Mapping[str, Literal["error", "warning", "off"]] = field(default_factory=dict)

    @property
    def expected_words(self) -> WordRule:
        """The length in words; worked out from that in characters where only those are given.

        For estimates and for texts that nobody reads; what it stands for in the first case are the tokens of a text.
        """
        if self.words is not None:
            return self.words
        assert self.characters is not None, "a catalog says one of them"
        blanks = not self.locale or read_locale(self.locale).blanks
        size = _CHARACTERS_PER_WORD if blanks else _WITHOUT_BLANKS
        limits = (self.characters.low, self.characters.high, self.characters.at_least, self.characters.at_most)
        return WordRule(*(max(1, round(limit / size)) for limit in limits))


class PromptSource(NamedTuple):
    """The uncompiled templates of one category and locale, with the file names that errors point to."""

    system_name: str
    system: str
    user_name: str
    user: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """One library: which items should exist, how they are asked for, judged and stored.

    Attributes:
        repairs: how often a text that the gates refuse is asked for again.
        tries: how many answers without a usable text, over all runs, until an item is given up.
        parts: the sources of what templates share, by file name.
    """

    name: str
    description: str
    categories: tuple[str, ...]
    locales: tuple[str, ...]
    table: TableSpec
    request: RequestSpec
    rules: Mapping[tuple[str, str], GateRules]
    sources: Mapping[tuple[str, str], PromptSource]
    items: Sequence[Item]
    repairs: int = 0
    tries: int = TRIES
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def templates(self) -> dict[str, str]:
        """The sources of all templates and of the parts that they share, by file name."""
        found = dict(self.parts)
        for source in self.sources.values():
            found |= {source.system_name: source.system, source.user_name: source.user}
        return found

    def rules_of(self, item_id: ItemId) -> GateRules:
        """Return the rules that judge a text of this item."""
        return self.rules[item_id.category, item_id.locale]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of a catalog is meant. Empty tuples select everything; `limit` counts items.

    Each of `keys` is a key of the catalog, which is then meant as it stands, or else a pattern (`fnmatch`).
    """

    categories: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether keys or a limit leave out items of the chosen categories and locales."""
        return bool(self.keys) or self.limit is not None


def select(catalog: Catalog, selection: Selection) -> list[Item]:
    """Return the selected items in catalog order.

    Raises:
        UsageInvalid: a category, locale or key pattern that matches nothing, all of them named together.
    """
    faults = [
        *_unknown("category", selection.categories, catalog.categories),
        *_unknown("locale", selection.locales, catalog.locales),
    ]
    # What is unknown selects nothing; key patterns are then tried on the whole catalog.
    scope = replace(selection, categories=(), locales=()) if faults else selection
    keys = _Keys(selection.keys, catalog.items)
    chosen = [item for item in catalog.items if _is_in_scope(item.id, scope) and keys.match(item.id.key)]
    faults += [f"no key matches {pattern!r}" for pattern in selection.keys if pattern not in keys.used]
    if not faults and not chosen:
        faults.append("no item has such a category and locale")
    if faults:
        raise UsageInvalid(
            f"Catalog {catalog.name!r}: " + "; ".join(faults) + ".",
            hint=f"Categories: {', '.join(catalog.categories)}. Locales: {', '.join(catalog.locales)}. "
            f"`seed-library plan {catalog.name}` lists the keys.",
        )
    return chosen if selection.limit is None else chosen[: selection.limit]


def _unknown(what: str, wanted: Sequence[str], known: Sequence[str]) -> list[str]:
    return [f"unknown {what} {name!r}" for name in wanted if name not in known]


def _is_in_scope(item_id: ItemId, selection: Selection) -> bool:
    if selection.categories and item_id.category not in selection.categories:
        return False
    return not selection.locales or item_id.locale in selection.locales


class _Keys:
    """The keys that are wanted. `used` are those that something matched."""

    def __init__(self, wanted: Sequence[str], items: Sequence[Item]) -> None:
        there = {item.id.key for item in items} if wanted else set()
        self._exact = {key for key in wanted if key in there}
        self._patterns = [key for key in wanted if key not in there]
        self.used: set[str] = set()

    def match(self, key: str) -> bool:
        hits = [pattern for pattern in self._patterns if fnmatchcase(key, pattern)]
        if key in self._exact:
            hits.append(key)
        self.used.update(hits)
        return bool(hits) or not (self._exact or self._patterns)
