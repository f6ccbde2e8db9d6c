"""Reading the templates of a catalog's folder, and the parts that they share.

system.LOCALE.md      the system prompt
CATEGORY.LOCALE.md    the user prompt of a category
default.LOCALE.md     the user prompt of every category that has none of its own
any other file        a part, where a template includes, extends or imports it
"""

from __future__ import annotations

import os
from pathlib import Path

from seed_library.adapters.catalog_file import CatalogFile
from seed_library.adapters.catalog_folders import Unreadable, read_text
from seed_library.core.catalog import PromptSource
from seed_library.core.templates import Reference, TemplateFault, TemplateLibrary, is_part_name, loops, near, references

_LARGEST_TEMPLATE = 200_000  # characters
_MOST_PARTS = 200
_SYSTEM = "system"


class TemplateReader:
    """Reads all templates of one catalog, and gathers every fault on the way."""

    def __init__(self, place: Path, file: CatalogFile) -> None:
        """Begin with the catalog's own folder and its catalog.toml."""
        self._place = place
        self._file = file
        self._texts: dict[str, str] = {}
        self._unreadable: dict[str, str] = {}
        self._shared: dict[str, list[Reference]] = {}
        self._faults: dict[str, None] = {}

    @property
    def faults(self) -> list[str]:
        """What is wrong with the templates: a sentence each, with file and line."""
        return list(self._faults)

    @property
    def parts(self) -> dict[str, str]:
        """Everything that was read, by file name."""
        return dict(self._texts)

    def sources(self) -> dict[tuple[str, str], PromptSource]:
        """Read the templates of every category and locale, and check them as far as that goes without an item."""
        if _SYSTEM in self._file.categories:
            self._fault(f"catalog.toml: the category {_SYSTEM!r} has the name of the system prompt; call it otherwise")
        named = {
            (category, locale): (f"{_SYSTEM}.{locale}.md", self._user_name(category, locale))
            for category in self._file.categories
            for locale in self._file.locales
        }
        for name in dict.fromkeys(name for pair in named.values() for name in pair):
            if (fault := self._read(name)) is not None:
                self._fault(fault)
        for fault in loops(self._shared):
            self._fault(fault)
        if not self._faults:
            self._compile()
        text = self._texts.get
        return {place: PromptSource(one, text(one, ""), two, text(two, "")) for place, (one, two) in named.items()}

    def _user_name(self, category: str, locale: str) -> str:
        own, default = f"{category}.{locale}.md", f"default.{locale}.md"
        # A link that leads nowhere is there, and is complained about.
        return default if not os.path.lexists(self._place / own) and os.path.lexists(self._place / default) else own

    def _read(self, name: str) -> str | None:
        """Read a file and the parts that it shares; return what is wrong with the file itself."""
        if name in self._texts or name in self._unreadable:
            return self._unreadable.get(name)
        try:
            text = read_text(self._place, name)
        except Unreadable as error:
            self._unreadable[name] = str(error)
            return str(error)
        if fault := _no_template(name, text):
            self._unreadable[name] = fault
            return fault
        self._texts[name] = text
        try:
            self._shared[name] = references(name, text)
        except TemplateFault as error:
            self._fault(str(error))
            return None
        for reference in self._shared[name]:
            self._read_part(name, reference)
        return None

    def _read_part(self, sharing: str, reference: Reference) -> None:
        where = f"{sharing}, line {reference.line}"
        for name in reference.names:
            if not is_part_name(name):
                self._fault(f'{where}: {name!r} names no file in the catalog\'s folder, such as "common.md"')
                return
        there = [name for name in reference.names if os.path.lexists(self._place / name)]
        if not there:
            if not reference.optional:
                self._fault(f"{where}: {reference.names[0]} is missing{self._near(reference.names[0])}")
            return
        if len(self._texts) >= _MOST_PARTS + len(self._file.categories) * len(self._file.locales):
            self._fault(f"{where}: more than {_MOST_PARTS} parts are shared")
            return
        if (fault := self._read(there[0])) is not None:
            self._fault(f"{where}: {fault}")

    def _near(self, name: str) -> str:
        return near(name, (path.relative_to(self._place).as_posix() for path in self._place.rglob("*.md")))

    def _compile(self) -> None:
        library = TemplateLibrary(self._texts)
        for name in self._texts:
            try:
                library.require(name)
            except TemplateFault as fault:
                self._fault(str(fault))

    def _fault(self, fault: str) -> None:
        self._faults[fault] = None


def _no_template(name: str, text: str) -> str:
    """Say why a file's text cannot be a template; empty where it can."""
    if len(text) > _LARGEST_TEMPLATE:
        return f"{name} has {len(text):,} characters; the limit is {_LARGEST_TEMPLATE:,}"
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return f"{name}, line {line}: holds a NUL, so it is no text"
    return ""
