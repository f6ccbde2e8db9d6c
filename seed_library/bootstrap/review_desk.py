"""What the page of `review` shows, and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from seed_library.adapters.review import Outcome
from seed_library.bootstrap.preparing import Flags, Prepared
from seed_library.bootstrap.reviewing import cards
from seed_library.bootstrap.working import do_work
from seed_library.core.answers import Content
from seed_library.core.catalog import Item, ItemId, Selection
from seed_library.core.drafts import unstorable
from seed_library.core.errors import ExitCode, SeedLibraryError, UsageInvalid
from seed_library.core.events import Event, ItemConflicted, ItemFailed, RunFailed, StopRequested
from seed_library.engine.row_works import HumanText, WriteByHand
from seed_library.engine.works import Accept, AskAgain, TurnDown, Work
from seed_library.settings import Needs

_RELOAD = "Reload the page."


@dataclass(frozen=True, slots=True)
class Button:
    """A button that was pressed, and the text that it stood under.

    Attributes:
        what: accept, edit, reject or regenerate.
        stored: whether that text was in the table, or a draft.
        version: of that text.
        text: what was written instead of it; for an edit only.
    """

    what: str
    item: ItemId
    stored: bool
    version: str
    text: str

    @property
    def over(self) -> str:
        """The version of the stored text that the button is about; empty where none was stored."""
        return self.version if self.stored else ""


def button(said: Mapping[str, Any]) -> Button:
    """Read what the page has sent.

    Raises:
        UsageInvalid: a field is of another kind, or holds what no table takes.
    """
    fields = {name: said.get(name, "") for name in ("what", *ItemId._fields, "version", "text")}
    stored = said.get("stored", False)
    wrong = [name for name, value in fields.items() if not isinstance(value, str)]
    if wrong or not isinstance(stored, bool):
        raise UsageInvalid(f"{(wrong or ['stored'])[0]!r} is of another kind than the page sends.", hint=_RELOAD)
    if unstorable(fields["text"]):
        raise UsageInvalid("The text holds a NUL or half of a character, which no table takes. Nothing was stored.")
    item = ItemId(*(fields[name] for name in ItemId._fields))
    return Button(fields["what"], item, stored, fields["version"], fields["text"])


class ReviewDesk:
    """The library behind the page.

    Args of the constructor:
        flags: what the command line chose.
        prepared: the same, judged.
        prepare: judges anew what a single button needs.
        say: prints a last word when a second signal ends the process.
    """

    def __init__(
        self, flags: Flags, prepared: Prepared, prepare: Callable[[Flags, Needs], Prepared], say: Callable[[str], None]
    ) -> None:
        self._flags = flags
        self._prepared = prepared
        self._prepare = prepare
        self._say = say

    def look(self) -> dict[str, Any]:
        """Return catalog, target and a card per item.

        Raises:
            SeedLibraryError: the target or the journal cannot be read.
        """
        return shown(self._prepared)

    def act(self, said: Mapping[str, Any]) -> Outcome:
        """Do what a button says, under the lock; an expected failure is in the outcome."""
        heard = _Heard()
        try:
            chosen, work = self._work(button(said))
            finished = do_work(chosen, "review", work, heard, self._say)
        except SeedLibraryError as error:
            return Outcome(self.words(error), error.exit_code)
        done = "Rejected again; see its findings." if finished.rejected else "Done."
        told = self._prepared.redactor(heard.failure) or done
        refused = ExitCode(finished.exit_code) if heard.failure else None
        return Outcome(f"{told} The page ends." if heard.stop else told, refused, heard.stop)

    def words(self, error: SeedLibraryError) -> str:
        """Return a failure as sentences without secrets."""
        return self._prepared.redactor(f"{error.message} {error.hint}".strip())

    def _work(self, pressed: Button) -> tuple[Prepared, Work]:
        """Return the inputs narrowed to the button's item, and the work that it stands for."""
        items, place = {item.id: item for item in self._prepared.chosen.items}, pressed.item
        if place not in items:
            raise UsageInvalid(f"The page does not show {place}.", hint=_RELOAD)
        work = _work_of(pressed, items[place])
        only = replace(self._flags, selection=Selection((place.category,), (place.key,), (place.locale,)))
        return self._prepare(only, Needs(claude=work.asks, store=True)), work


def shown(prepared: Prepared) -> dict[str, Any]:
    """Return what a page shows of a library.

    Raises:
        SeedLibraryError: the target or the journal cannot be read.
    """
    return {
        "catalog": prepared.catalog.name,
        "target": prepared.target_label,
        "cards": [card.as_json() for card in cards(prepared)],
    }


def _work_of(pressed: Button, item: Item) -> Work:
    match pressed.what:
        case "accept":
            return Accept(item.id.key, "" if pressed.stored else pressed.version)
        case "edit":
            if not pressed.text.strip():
                raise UsageInvalid("An empty text is not stored.", hint="Reject it, if it should go.")
            return WriteByHand([HumanText(item, Content(pressed.text), pressed.over)])
        case "reject" if pressed.stored:
            return TurnDown(item.id, pressed.over)
        case "regenerate":
            return AskAgain(item.id, pressed.over)
        case _:
            raise UsageInvalid("There is no such button.", hint=_RELOAD)


class _Heard:
    """A reporter that keeps what the page has to know of a run."""

    def __init__(self) -> None:
        self.failure = ""
        self.stop = False

    def report(self, event: Event) -> None:
        """Keep a failure, and that a signal has come."""
        match event:
            case RunFailed():
                self.failure = f"{event.error['message']} {event.error['hint']}".strip()
            case ItemConflicted():
                self.failure = (
                    "Somebody has changed this text meanwhile. What is stored now is shown; nothing was replaced."
                )
            case ItemFailed():
                self.failure = event.reason
            case StopRequested():
                self.stop = True
            case _:
                pass
