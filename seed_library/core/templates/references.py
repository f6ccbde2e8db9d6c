"""Which parts a template shares: the files that it includes, extends or imports.

A part is named by a text in quotes, so that everything that a prompt is made of is known, and read, before the first
item is rendered. Names are paths inside the catalog's folder, with `/`, whatever the system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from seed_library.core.templates.faults import reading

_PARSER = Environment(autoescape=False)  # noqa: S701  it renders nothing
_NAME = re.compile(r"[\w][\w .-]*(?:/[\w][\w .-]*)*")


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a template where a part is shared.

    Attributes:
        names: of the files; the first one that is there is meant.
        optional: none of them need be there (`ignore missing`).
    """

    names: tuple[str, ...]
    line: int
    optional: bool = False


def is_part_name(name: str) -> bool:
    """Whether this can be the name of a file in a catalog's folder: no way out of it, and nothing hidden."""
    return _NAME.fullmatch(name) is not None


def references(name: str, source: str) -> list[Reference]:
    """Return the parts that a template shares, in the order of its lines.

    Raises:
        TemplateFault: it cannot be read, or a part is not named by a text in quotes.
    """
    with reading(name, source):
        return list(_references(_PARSER.parse(source, name, name)))


def _references(parsed: nodes.Template) -> Iterator[Reference]:
    for node in parsed.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        optional = isinstance(node, nodes.Include) and node.ignore_missing
        yield Reference(_names(node), node.lineno, optional)


def _names(node: Any) -> tuple[str, ...]:
    named = node.template
    several = isinstance(node, nodes.Include) and isinstance(named, nodes.Tuple | nodes.List)
    choices = named.items if several else [named]
    names = tuple(one.value for one in choices if isinstance(one, nodes.Const) and isinstance(one.value, str))
    if not names or len(names) != len(choices):
        raise TemplateSyntaxError('the name of a shared part stands in quotes, as in "common.md"', node.lineno)
    return names


def loops(shared: Mapping[str, list[Reference]]) -> list[str]:
    """Say which templates share themselves, directly or through others: a sentence for each loop.

    Args:
        shared: the references of each template, by its name.
    """
    said: dict[frozenset[str], str] = {}
    done: set[str] = set()

    def follow(path: tuple[str, ...]) -> None:
        for reference in shared.get(path[-1], ()):
            for part in reference.names:
                if part in path:
                    circle = (*path[path.index(part) :], part)
                    sentence = f"{path[-1]}, line {reference.line}: shares itself ({' -> '.join(circle)})"
                    said.setdefault(frozenset(circle), sentence)
                elif part not in done:
                    follow((*path, part))
        done.add(path[-1])

    for name in shared:
        if name not in done:
            follow((name,))
    return list(said.values())
