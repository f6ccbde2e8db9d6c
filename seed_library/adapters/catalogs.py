"""Reading catalog folders: `catalog.toml`, templates, and items from a built-in source or a file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seed_library.adapters.catalog_file import CatalogFile, parse
from seed_library.adapters.catalog_folders import FILE_NAME, Unreadable, inside, list_catalogs, read_toml
from seed_library.adapters.catalog_gates import GatesReader, with_values
from seed_library.adapters.catalog_templates import TemplateReader
from seed_library.adapters.languages import InstalledLinguist
from seed_library.core.bazi_source import BUILT_IN
from seed_library.core.catalog import Catalog, Item, ItemId, TableSpec
from seed_library.core.compact import FactsMaker
from seed_library.core.errors import CatalogInvalid, UsageInvalid
from seed_library.core.gates.aside import summed_up
from seed_library.core.locales import spelt_as
from seed_library.core.path_names import path_fault
from seed_library.core.records import Headings, Keys, RecordFault, is_storable
from seed_library.core.sources import Source
from seed_library.core.templates import TAKEN, TemplateFault, TemplateLibrary, references

_MOST_NAMED = 20
_MEANINGS = ("key", "category", "locale", "title")  # of an item's columns; all others are facts


def load_catalog(folder: Path, name: str) -> Catalog:
    """Load a catalog and check all of it.

    Raises:
        UsageInvalid: there is no catalog of this name.
        CatalogInvalid: everything that is wrong with it.
    """
    loader = _Loader(_place(folder, name))
    catalog = loader.load()
    if catalog is None or loader.faults:
        raise _invalid(name, loader.faults)
    return catalog


def gates_aside(folder: Path, name: str) -> list[str]:
    """Return which gates of a catalog will stand aside, and why, a line for each reason.

    Raises:
        UsageInvalid, CatalogInvalid: as `load_catalog`.
    """
    return summed_up((locale, rules) for (_, locale), rules in load_catalog(folder, name).rules.items())


def load_table(folder: Path, name: str) -> TableSpec:
    """Read where the rows of a catalog live; of the rest only catalog.toml is checked.

    Raises:
        UsageInvalid: there is no catalog of this name.
        CatalogInvalid: everything that is wrong with its catalog.toml.
    """
    loader = _Loader(_place(folder, name))
    file = loader.file()
    if file is None or loader.faults:
        raise _invalid(name, loader.faults)
    return file.table_spec()


def _place(folder: Path, name: str) -> Path:
    """Return a catalog's own folder.

    Raises:
        UsageInvalid: there is no catalog of this name.
    """
    place = folder / name
    if path_fault(name) or place.parent != folder or not _is_there(place):
        known = ", ".join(listing.name for listing in list_catalogs(folder)) or "none"
        raise UsageInvalid(
            f"There is no catalog {name!r} in {folder}.",
            hint=f"Catalogs there: {known}. `seed-library catalogs` lists them.",
        )
    return place


def _is_there(place: Path) -> bool:
    """Whether there is a catalog, be it one that may not be read: that is said when it is read."""
    try:
        return (place / FILE_NAME).is_file()
    except OSError:
        return True


def _invalid(name: str, faults: list[str]) -> CatalogInvalid:
    shown = faults[:_MOST_NAMED]
    rest = [f"and {len(faults) - len(shown)} more"] if len(faults) > len(shown) else []
    return CatalogInvalid(
        f"Catalog {name!r} has faults:\n" + "\n".join(f"  - {fault}" for fault in shown + rest),
        hint="Mend the files named above; nothing was sent or stored.",
    )


@dataclass(frozen=True, slots=True)
class _Raw:
    """An item before it has a title. `where` points to it in error messages."""

    id: ItemId
    facts: Mapping[str, object]
    where: str


class _Loader:
    """Reads one folder and gathers every fault on the way."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._facts = FactsMaker()
        self._titled: set[str] = set()
        self._taken: set[str] = set()
        self._keys = Keys()
        self.faults: list[str] = []

    def load(self) -> Catalog | None:
        file = self.file()
        if file is None:
            return None
        if file.name != self._place.name:
            self.faults.append(f"{FILE_NAME}: the name {file.name!r} differs from the folder's, {self._place.name!r}")
        reader = GatesReader(file.gates, file.categories, file.locales, InstalledLinguist())
        rules = reader.rules()
        self.faults += [f"{FILE_NAME}: {fault}" for fault in reader.faults]
        templates = TemplateReader(self._place, file)
        sources = templates.sources()
        self.faults += templates.faults
        items = self._items(file)
        return Catalog(
            name=file.name,
            description=file.description,
            categories=file.categories,
            locales=file.locales,
            table=file.table_spec(),
            request=replace(file.request.spec(), generated=tuple(one.spec() for one in file.generated)),
            repairs=file.request.repairs,
            tries=file.request.tries,
            rules=with_values(rules, items),
            sources=sources,
            parts=templates.parts,
            items=items,
        )

    def file(self) -> CatalogFile | None:
        """Read catalog.toml."""
        try:
            data = read_toml(self._place / FILE_NAME)
        except Unreadable as error:
            self.faults.append(str(error))
            return None
        file, faults = parse(data)
        self.faults += [f"{FILE_NAME}: {fault}" for fault in faults]
        return file

    def _items(self, file: CatalogFile) -> list[Item]:
        titles = self._titles(file)
        raws = self._from_source(file, BUILT_IN[file.items]) if file.items in BUILT_IN else self._from_file(file)
        items: list[Item] = []
        seen: set[ItemId] = set()
        for raw in raws:
            if raw.id in seen:
                self.faults.append(f"{raw.where}: the item {raw.id} exists already")
            seen.add(raw.id)
            title = self._title(raw, file, titles)
            if title:
                items.append(Item(raw.id, title, raw.facts))
        self.faults += [f"{file.items}: {fault}" for fault in self._keys.doubles_among(item.id.key for item in items)]
        if not items and not self.faults:
            self.faults.append(f"{file.items} holds no items")
        return items

    def _titles(self, file: CatalogFile) -> TemplateLibrary:
        templates = TemplateLibrary({_title_name(locale): source for locale, source in file.titles.items()})
        for locale, source in file.titles.items():
            name = _title_name(locale)
            try:
                if shared := references(name, source):
                    self.faults.append(f"{name}, line {shared[0].line}: a title shares no parts")
                else:
                    templates.require(name)
                    self._titled.add(locale)
            except TemplateFault as fault:
                self.faults.append(str(fault))
        return templates

    def _title(self, raw: _Raw, file: CatalogFile, templates: TemplateLibrary) -> str:
        own, locale = raw.facts.get("title"), raw.id.locale
        if isinstance(own, str) and own.strip():
            return own.strip()
        if locale not in self._titled:
            if locale not in file.titles:  # else it is there and of no use, which has been said
                self._add_once(f"{FILE_NAME}: no title template for the locale {locale!r}, and items without a title")
            return ""
        try:
            return templates.render(_title_name(locale), {**raw.facts, **raw.id._asdict()})
        except TemplateFault as fault:
            self._add_once(str(fault))
            if fault.endless:  # each further item would take as long as this one
                self._titled.discard(locale)
            return ""

    def _add_once(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)

    def _from_source(self, file: CatalogFile, source: Source) -> Iterator[_Raw]:
        for index, category in enumerate(file.categories):
            for locale in file.locales:
                try:
                    for item in source(category, index, locale):
                        yield _Raw(ItemId(category, item.key, locale), item.facts, file.items)
                except KeyError:
                    self._add_once(f"{FILE_NAME}: {file.items!r} has no facts in the locale {locale!r}")

    def _from_file(self, file: CatalogFile) -> Iterator[_Raw]:
        from seed_library.adapters.tables import FORMATS, open_table

        if Path(file.items).suffix.lower() not in FORMATS or Path(file.items).name != file.items:
            self.faults.append(
                f"{FILE_NAME}: items must be a .csv or .jsonl file in the catalog's folder, or one of: "
                f"{', '.join(BUILT_IN)} (files: {', '.join(FORMATS)})"
            )
            return
        try:
            with open_table(inside(self._place, file.items), Headings(_MEANINGS, [("key",)])) as table:
                for record in table.records:
                    yield from self._expand(file, f"{file.items}, {record.where}", record.cells)
        except Unreadable as error:
            self.faults.append(str(error))
        except RecordFault as fault:
            self.faults.append(f"{file.items}, {fault}")
        except OSError as error:
            self.faults.append(f"{file.items} cannot be read: {error.strerror}")

    def _expand(self, file: CatalogFile, where: str, cells: dict[str, Any]) -> Iterator[_Raw]:
        """One record without category or locale stands for an item in each of them."""
        key = cells.pop("key", "")
        if not is_storable([key, cells]):
            self.faults.append(f"{where}: holds a NUL or half of a surrogate pair")
            return
        if fault := self._keys.fault_of(key):
            self.faults.append(f"{where}: {fault}")
            return
        self._require_free(cells, where)
        categories = self._one_of("category", cells.pop("category", ""), file.categories, where)
        locale = cells.pop("locale", "")
        locale = spelt_as(locale.strip(), file.locales) if isinstance(locale, str) else locale
        locales = self._one_of("locale", locale, file.locales, where)
        facts = self._facts.make(cells)
        for category in categories:
            for locale in locales:
                yield _Raw(ItemId(category, key, locale), facts, where)

    def _require_free(self, record: Mapping[str, Any], where: str) -> None:
        """Note facts that no template could tell from something else: each name once."""
        for name in TAKEN.keys() & record.keys() - self._taken:
            self._taken.add(name)
            self.faults.append(
                f"{where}: the column {name!r} has a name that is taken: it is {TAKEN[name]}; call it otherwise"
            )
        if not isinstance(record.get("title"), str | None):
            self.faults.append(f"{where}: 'title' is not a text")

    def _one_of(self, what: str, value: object, known: tuple[str, ...], where: str) -> Iterable[str]:
        if value is None or value == "":
            return known
        meant = value.strip() if isinstance(value, str) else value
        if meant in known:
            return (str(meant),)
        self.faults.append(f"{where}: unknown {what} {value!r}")
        return ()


def _title_name(locale: str) -> str:
    return f"{FILE_NAME}: titles.{locale}"
