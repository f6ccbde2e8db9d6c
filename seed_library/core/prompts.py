"""Rendering prompts and titles, and the fingerprint of a request.

Templates are Jinja2 in an immutable sandbox: an undefined name is an error, a template cannot reach Python, and
values are data (braces inside a value are not evaluated). Rendered parts are limited in size, since the sandbox
does not limit loops.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from seed_library.core.catalog import Catalog, Item, ItemId, RequestSpec, WordRule
from seed_library.core.compact import Fingerprints
from seed_library.core.drafts import Prompt, Request
from seed_library.core.errors import CatalogInvalid

MAX_RENDERED_CHARACTERS = 200_000
_NOT_OF_ONE_ITEM = frozenset({"category", "locale", "words", "characters"})
_canonical = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FINGERPRINT_HEX_DIGITS = 32  # 128 bits: collisions are out of reach, and 100,000 of them stay small in memory


class TemplateFault(Exception):
    """A template cannot be compiled or rendered; the text says where and why."""


def environment() -> ImmutableSandboxedEnvironment:
    """Return the one kind of template environment that catalogs are rendered in."""
    # Prompts are plain text for a model, not markup: escaping would corrupt umlauts and quotation marks.
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def compile_template(name: str, source: str) -> Template:
    """Compile a template.

    Raises:
        TemplateFault: a syntax error, with file and line.
    """
    try:
        return environment().from_string(source)
    except TemplateSyntaxError as error:
        raise TemplateFault(f"{name}, line {error.lineno}: {error.message}") from error


def render(name: str, template: Template, variables: Mapping[str, object]) -> str:
    """Render a template and strip surrounding white space.

    Raises:
        TemplateFault: an undefined name, a forbidden access, an error while rendering, or too long a result.
    """
    try:
        text = _bounded(name, template, variables).strip()
    except TemplateError as error:
        raise TemplateFault(f"{name}: {error.message or type(error).__name__}") from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise TemplateFault(f"{name}: {type(error).__name__}: {error}") from error
    if not text:
        raise TemplateFault(f"{name}: renders to nothing")
    return text


def _bounded(name: str, template: Template, variables: Mapping[str, object]) -> str:
    """Render piece by piece, so that a template which never ends is given up at the limit."""
    pieces, length = [], 0
    for piece in template.generate(variables):
        length += len(piece)
        if length > MAX_RENDERED_CHARACTERS:
            raise TemplateFault(f"{name}: renders to more than {MAX_RENDERED_CHARACTERS:,} characters")
        pieces.append(piece)
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The templates of one category and locale. A general system prompt names nothing of the single item."""

    system_name: str
    system: Template
    system_is_general: bool
    user_name: str
    user: Template


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
        self._pairs: dict[tuple[str, str], _Pair] = {}
        self._general_systems: dict[tuple[str, str], str] = {}
        faults: dict[str, None] = {}
        for place, source in catalog.sources.items():
            try:
                self._pairs[place] = _Pair(
                    source.system_name,
                    compile_template(source.system_name, source.system),
                    find_undeclared_variables(environment().parse(source.system)) <= _NOT_OF_ONE_ITEM,
                    source.user_name,
                    compile_template(source.user_name, source.user),
                )
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
        system = self._general_systems.get(place) or render(pair.system_name, pair.system, variables)
        if pair.system_is_general:
            self._general_systems[place] = system
        prompt = Prompt(system, render(pair.user_name, pair.user, variables))
        mark = fingerprint(prompt, self._spec)
        return Request(item, prompt, self._spec, mark, rules.expected_words, rules.characters)

    def fingerprints(self, items: list[Item]) -> Fingerprints:
        """Render every item and return the fingerprints; the texts themselves are not kept.

        Raises:
            CatalogInvalid: everything that cannot be rendered, each fault once, with the items it concerns.
        """
        prints = Fingerprints()
        concerned: dict[str, list[ItemId]] = {}
        for item in items:
            try:
                prints.append(self.request(item).fingerprint)
            except TemplateFault as fault:
                concerned.setdefault(str(fault), []).append(item.id)
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
