"""What an import would change: the rows of a file beside those that are stored, without anything done about it.

A row that is as it was exported has not been edited, whatever the table holds by now, and what differs only in what
programs change while they save (`core.versions.settled`) does not differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from seed_library.core.answers import Content
from seed_library.core.catalog import Item, ItemId
from seed_library.core.records import RecordFault, folded_key
from seed_library.core.row_files import FileRow
from seed_library.core.versions import settled

_NEARLY_ALL = 0.9
_FEWEST_THAT_SAY_SOMETHING = 5  # of three texts all three may well be edited
_FEWEST_MOVED = 3
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Present:
    """What is stored for an item."""

    title: str
    content: Content
    version: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that a person has edited.

    Attributes:
        before: what is stored; None where nothing is.
        over: the version that it was written over; empty where there was none.
    """

    item: Item
    before: Present | None
    after: Content
    over: str

    @property
    def conflicts(self) -> bool:
        """Whether something else is stored by now than what it was written over."""
        return self.before is not None and self.over != self.before.version


@dataclass(slots=True)
class Edits:
    """The edits of a file.

    Attributes:
        compared: how many of its rows have a stored text.
        titles: rows whose titles are neither the catalog's nor the table's, with their places.
    """

    changed: list[Edit] = field(default_factory=list)
    compared: int = 0
    titles: list[str] = field(default_factory=list)


class Comparison:
    """Compares the rows of a file with what is stored."""

    def __init__(self, items: Mapping[ItemId, Item], stored: Mapping[ItemId, Present], columns: Sequence[str]) -> None:
        """Remember what there is; `columns` are those generated beside the text."""
        self._items = items
        self._stored = stored
        self._columns = columns
        self._folded: dict[ItemId, list[Item]] = {}

    def edits_in(self, rows: Iterable[tuple[str, FileRow]]) -> Edits:
        """Return what was edited in rows that come with their places in the file.

        Raises:
            RecordFault: there are none, or they name items that there are not, or one twice.
        """
        edits, unknown = Edits(), list[str]()
        places: dict[ItemId, str] = {}
        for where, row in rows:
            item = self._find(row.id)
            if item is None:
                unknown.append(f"{where}: {row.id}")
                continue
            if item.id in places:
                raise RecordFault(f"{where}: names {item.id}, as {places[item.id]} does")
            places[item.id] = where
            self._compare(edits, where, row, item)
        if unknown:
            more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
            raise RecordFault(f"names items that the catalog does not have: {'; '.join(unknown[:_MOST_NAMED])}{more}")
        if not places:
            raise RecordFault("it holds no rows")
        return edits

    def _find(self, named: ItemId) -> Item | None:
        """Return the item that a row names: exactly, else by what can be seen of it."""
        if named in self._items:
            return self._items[named]
        if not self._folded:
            for item in self._items.values():
                self._folded.setdefault(_folded(item.id), []).append(item)
        found = self._folded.get(_folded(named), [])
        return found[0] if len(found) == 1 else None

    def _compare(self, edits: Edits, where: str, row: FileRow, item: Item) -> None:
        before = self._stored.get(item.id)
        edits.compared += before is not None
        if row.is_as_exported(self._columns):
            return
        titles = {settled(title).strip() for title in (item.title, before.title if before else "")}
        if row.title.strip() and settled(row.title).strip() not in titles:
            edits.titles.append(f"{where}: {row.title!r}")
        if before is None or _differs(row, before):
            beside = {name: _with_line_ends_of(before, value) for name, value in row.generated.items()}
            after = Content(_with_line_ends_of(before, row.text), beside)
            edits.changed.append(Edit(item, before, after, row.version or (before.version if before else "")))


def _folded(item_id: ItemId) -> ItemId:
    return ItemId(*map(folded_key, item_id))


def _differs(row: FileRow, before: Present) -> bool:
    if settled(row.text) != settled(before.content.text):
        return True
    stored = before.content.columns
    return any(settled(value) != settled(stored.get(name, "")) for name, value in row.generated.items())


def _with_line_ends_of(before: Present | None, text: str) -> str:
    """A file has the line ends of the program that saved it; the text keeps those that it has."""
    if before is not None and "\r" in before.content.text:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def doubts_about(edits: Edits, stored: Mapping[ItemId, Present]) -> Iterator[str]:
    """Yield what speaks against these edits being meant: reasons, each with an example."""
    over = [edit for edit in edits.changed if edit.before is not None]
    if len(over) >= max(_FEWEST_THAT_SAY_SOMETHING, _NEARLY_ALL * edits.compared):
        yield f"{len(over)} of the {edits.compared} texts that are stored would be replaced"
    owners = {settled(present.content.text): item_id for item_id, present in stored.items()}
    moved = [(edit.item.id, owner) for edit in over if (owner := owners.get(settled(edit.after.text)))]
    if len(moved) >= max(_FEWEST_MOVED, len(over) / 2):
        yield (
            f"{len(moved)} texts would go to another item, as if one column had been sorted without the others: "
            f"{moved[0][0]} gets the text of {moved[0][1]}"
        )
