"""The templates of a catalog, with the parts that they share: compiled once, rendered for every item."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Template, TemplateError
from jinja2.meta import find_undeclared_variables

from seed_library.core.templates.faults import TemplateFault, reading, rendering_fault
from seed_library.core.templates.meter import MAX_CHARACTERS
from seed_library.core.templates.references import references
from seed_library.core.templates.sandbox import Sandbox

MAX_RENDERED_CHARACTERS = MAX_CHARACTERS
# What may go wrong while a template is rendered, apart from Jinja2's own errors.
_RENDERING = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


class TemplateLibrary:
    """Templates by their names. Nothing is read and nothing remembered: the same values give the same text."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """Take the sources of templates and of the parts that they share, by file name."""
        self._sources = sources
        self._sandbox = Sandbox(sources)
        self._compiled: dict[str, Template] = {}

    def require(self, name: str) -> None:
        """Compile a template and the parts that it shares.

        Raises:
            TemplateFault: one of them cannot be compiled, or is not there; with its file and line.
        """
        for part in self._closure(name):
            self._template(part)

    def names(self, name: str) -> frozenset[str]:
        """Return what a template names, its parts included, apart from the functions of the template language.

        Raises:
            TemplateFault: it cannot be read.
        """
        parsed = (self._sandbox.parse(self._sources[part], part, part) for part in self._closure(name))
        return frozenset().union(*map(find_undeclared_variables, parsed))

    def render(self, name: str, variables: Mapping[str, object]) -> str:
        """Render a template and strip surrounding white space.

        Raises:
            TemplateFault: an undefined name, something forbidden, an error while rendering, or too long a result.
        """
        self._sandbox.meter.reset()
        try:
            text = self._bounded(name, variables).strip()
        except (TemplateError, *_RENDERING) as error:
            raise rendering_fault(name, error, variables) from error
        if not text:
            raise TemplateFault(f"{name}: renders to nothing")
        if not _can_be_sent(text):
            raise TemplateFault(f"{name}: renders a NUL or half of a surrogate pair")
        return text

    def _bounded(self, name: str, variables: Mapping[str, object]) -> str:
        """Render piece by piece, so that one that never ends is given up at the limit."""
        pieces, length = [], 0
        for piece in self._template(name).generate(variables):
            length += len(piece)
            if length > MAX_RENDERED_CHARACTERS:
                message = f"{name}: renders to more than {MAX_RENDERED_CHARACTERS:,} characters"
                raise TemplateFault(message, endless=True)
            pieces.append(piece)
        return "".join(pieces)

    def _closure(self, name: str) -> list[str]:
        """Return a template and the parts that it shares, each once.

        Raises:
            TemplateFault: one cannot be read, or is not there.
        """
        found, waiting = [name], [name]
        while waiting:
            sharing = waiting.pop()
            for reference in references(sharing, self._sources[sharing]):
                there = [part for part in reference.names if part in self._sources]
                if not there and not reference.optional:
                    raise TemplateFault(f"{sharing}, line {reference.line}: {reference.names[0]!r} is missing")
                for part in there:
                    if part not in found:
                        found.append(part)
                        waiting.append(part)
        return found

    def _template(self, name: str) -> Template:
        if name not in self._compiled:
            with reading(name, self._sources[name]):
                self._compiled[name] = self._sandbox.get_template(name)
        return self._compiled[name]


def _can_be_sent(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
