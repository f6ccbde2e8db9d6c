"""A library whose texts look like something else, in a file, by keys of their own."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from data.odd_texts import ODD_TEXTS
from processes.cards import Cards

ODD_KEYS = {f"k{number:02}": text for number, text in enumerate(ODD_TEXTS.values())}


def write_items(cards: Cards, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write the catalog with these items; the heading begins with key and title."""
    cards.write(["Alpha"])
    sheet = io.StringIO()
    csv.writer(sheet).writerows([heading, *rows])
    (cards.program.folder / "prompts" / "cards" / "items.csv").write_text(sheet.getvalue(), "utf-8")


def fill(cards: Cards) -> None:
    """Store the odd texts, as this program's own rows."""
    write_items(cards, ("key", "title"), [(key, f"Title of {key}") for key in ODD_KEYS])
    assert cards.run().code == 0
    with closing(sqlite3.connect(_file(cards))) as library, library:
        for key, text in ODD_KEYS.items():
            library.execute("update content_library set description = ? where key = ?", (text, key))


def texts_of(cards: Cards) -> dict[str, str]:
    """Return what is stored, by key."""
    with closing(sqlite3.connect(_file(cards))) as library:
        return dict(library.execute("select key, description from content_library").fetchall())


def _file(cards: Cards) -> Path:
    return cards.program.folder / "library.sqlite3"
