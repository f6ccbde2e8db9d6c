"""From an item to its request: the rendered prompts, and their fingerprint.

What templates may do, and how they are kept in bounds, is in `core.templates`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from seed_library.core.catalog import Catalog, Item, ItemId, RequestSpec, WordRule
from seed_library.core.compact import Fingerprints
from seed_library.core.drafts import Prompt, Request
from seed_library.core.errors import CatalogInvalid
from seed_library.core.templates import TemplateFault, TemplateLibrary

_NOT_OF_ONE_ITEM = frozenset({"category", "locale", "words", "characters"})
_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FINGERPRINT_HEX_DIGITS = 32  # 128 bits: collisions are out of reach, and 100,000 of them stay small in memory


@dataclass(frozen=True, slots=True)
class _Pair:
    """The templates of one category and locale. A general system prompt names nothing of the single item."""

    system: str
    system_is_general: bool
    user: str


class PromptBook:
    """The compiled templates of a catalog, ready to turn items into requests."""

    def __init__(self, catalog: Catalog, spec: RequestSpec | None = None) -> None:
        """Compile every template once.

        Args:
            catalog: where templates, rules and the request's parameters come from.
            spec: replaces the catalog's parameters (another model, for instance).

        Raises:
            CatalogInvalid: every template that does not compile, named together.
        """
        self._catalog = catalog
        self._spec = spec or catalog.request
        self._templates = TemplateLibrary(catalog.templates)
        self._pairs: dict[tuple[str, str], _Pair] = {}
        self._general_systems: dict[tuple[str, str], str] = {}
        faults: dict[str, None] = {}
        for place, source in catalog.sources.items():
            try:
                self._templates.require(source.system_name)
                self._templates.require(source.user_name)
                general = self._templates.names(source.system_name) <= _NOT_OF_ONE_ITEM
                self._pairs[place] = _Pair(source.system_name, general, source.user_name)
            except TemplateFault as fault:
                faults[str(fault)] = None
        _raise_together(catalog.name, list(faults))

    @property
    def spec(self) -> RequestSpec:
        """The parameters that requests are made with."""
        return self._spec

    @property
    def repairs(self) -> int:
        """How often the catalog has a refused text asked for again."""
        return self._catalog.repairs

    def request(self, item: Item) -> Request:
        """Render the request of one item.

        Raises:
            TemplateFault: the item cannot be rendered.
        """
        rules = self._catalog.rules_of(item.id)
        place = item.id.category, item.id.locale
        pair = self._pairs[place]
        variables = item_variables(item.id, item.title, item.facts, rules.words, rules.characters)
        system = self._general_systems.get(place) or self._templates.render(pair.system, variables)
        if pair.system_is_general:
            self._general_systems[place] = system
        prompt = Prompt(system, self._templates.render(pair.user, variables))
        mark = fingerprint(prompt, self._spec)
        return Request(item, prompt, self._spec, mark, rules.expected_words, rules.characters)

    def fingerprints(self, items: list[Item]) -> Fingerprints:
        """Render every item and return the fingerprints; the texts themselves are not kept.

        Raises:
            CatalogInvalid: everything that cannot be rendered, each fault once, with the items it concerns.
        """
        prints = Fingerprints()
        concerned: dict[str, list[ItemId]] = {}
        endless: dict[tuple[str, str], str] = {}
        for item in items:
            place = item.id.category, item.id.locale
            if place in endless:  # each further item would take as long as the first one
                concerned[endless[place]].append(item.id)
                continue
            try:
                prints.append(self.request(item).fingerprint)
            except TemplateFault as fault:
                concerned.setdefault(str(fault), []).append(item.id)
                if fault.endless:
                    endless[place] = str(fault)
        _raise_together(self._catalog.name, [f"{fault} {_named(ids)}" for fault, ids in concerned.items()])
        return prints


def item_variables(
    item_id: ItemId,
    title: str,
    facts: Mapping[str, object],
    words: WordRule | None,
    characters: WordRule | None = None,
) -> dict[str, object]:
    """Return what a template may name: the item's facts, its identity and the length rules that there are."""
    lengths = {name: rule for name, rule in (("words", words), ("characters", characters)) if rule is not None}
    return {**facts, **item_id._asdict(), "title": title, **lengths}


def fingerprint(prompt: Prompt, spec: RequestSpec) -> str:
    """Hash everything that determines the answer to a request.

    The parameters are those of the catalog, not their encoding for one server: how "no thinking" is written
    differs between models and is looked up, and must not make a plan without network differ from a run.
    """
    parts = [
        prompt.system,
        prompt.user,
        spec.model,
        spec.max_tokens,
        spec.thinking,
        spec.thinking_tokens,
        spec.effort,
        # Only where there are any: the fingerprints of other catalogs must not change.
        *([one.name, one.about, one.at_least, one.at_most] for one in spec.generated),
    ]
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()[:_FINGERPRINT_HEX_DIGITS]


_MOST_NAMED = 10


def _named(ids: list[ItemId]) -> str:
    return f"({ids[0]})" if len(ids) == 1 else f"({len(ids)} items, the first is {ids[0]})"


def _raise_together(catalog_name: str, faults: list[str]) -> None:
    if not faults:
        return
    named = faults[:_MOST_NAMED]
    rest = [f"and {len(faults) - len(named)} more"] if len(faults) > len(named) else []
    raise CatalogInvalid(
        f"Catalog {catalog_name!r} cannot be rendered:\n" + "\n".join(f"  - {fault}" for fault in named + rest),
        hint="Mend the templates or the facts they use; nothing was sent or stored.",
    )
