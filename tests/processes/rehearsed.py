"""A library that was rehearsed into a file: no server, no key, and texts that a test chooses."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from processes.program import Ended, Program

# Long enough for the gates, German enough to be damaged.
TEXTS = {
    "a": "Über die „Brücke“ gehst du früh → und pfeifst.",
    "b": "Schön ist’s, wenn der Regen aufhört – und du läufst.",
    "c": "Größe zählt nicht; wärme dich an dem, was übrig blieb.",
}
_TOML = """
version = 1
name = "cards"
description = "cards of the tests"
items = "{items}"
categories = ["card"]
locales = ["de"]
{table}
[request]
model = "claude-haiku-5-5"
repairs = 0

[gates.words]
low = 5
high = 200
at_least = 1
at_most = 300

[gates.severity]
opening = "off"
shared_phrase = "off"
near_duplicate = "off"
language = "off"
"""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """The catalog `cards` of the tests, and the program in front of it."""

    program: Program
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The catalog's folder."""
        return self.program.folder / "prompts" / "cards"

    def write(self, keys: Sequence[str] = tuple(TEXTS), *, items: str = "items.csv", table: str = "") -> None:
        """Write the catalog; `items` is the name of the file with its items."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sheet = io.StringIO()
        csv.writer(sheet).writerows([("key", "title"), *((key, f"Titel {key}") for key in keys)])
        files = {
            "catalog.toml": _TOML.format(items=items, table=table),
            "items.csv": sheet.getvalue(),
            "system.de.md": "Schreibe kurze Texte.\n",
            "card.de.md": "Schreibe {{ key }}: {{ title }}.\n",
        }
        for name, text in files.items():
            (self.folder / name).write_text(text, "utf-8")

    def run(self, verb: str, *arguments: str | Path, plain: bool = False, **changes: str) -> Ended:
        """Start a verb, with --json unless it is to be plain, and wait for its end."""
        settings = {"SEED_LIBRARY_CATALOG": "cards", "SEED_LIBRARY_LOCALES": "de"}
        store = {"SEED_LIBRARY_STORE": "" if verb == "rehearse" else "sqlite:rehearsal.sqlite3"}
        shape = () if plain else ("--json",)
        return self.program.run(verb, *map(str, arguments), *shape, **{**settings, **store, **changes})

    def fill(self, texts: Mapping[str, str] = TEXTS) -> None:
        """Rehearse, and put these texts there as somebody in the table would."""
        assert self.run("rehearse").code == 0
        changes = [(text, key) for key, text in texts.items()]
        with self._table() as table, table:
            table.executemany("update content_library set description = ? where key = ?", changes)

    def texts(self, column: str = "description") -> dict[str, str]:
        """Return the texts by key."""
        with self._table() as table:
            return dict(table.execute(f"select key, {column} from content_library"))

    def writers(self) -> dict[str, str]:
        """Return who wrote each text."""
        return {key: json.loads(said)["writer"] for key, said in self.texts("provenance").items()}

    def sheet(self, name: str = "sheet.csv") -> Path:
        """Export the library to a file."""
        file = self.program.folder / name
        ended = self.run("export", "--format", file.suffix[1:], "--output", file)
        assert ended.code == 0, ended.err
        return file

    def _table(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.program.folder / "rehearsal.sqlite3"))
