"""A small catalog that a test shapes: the items it wants, gates that let everything pass, a file as the library."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from processes.program import Ended, Program, Running

TITLES = ("Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta", "Eta", "Theta", "Iota", "Kappa", "Lambda", "Mu", "Nu")
TEASER = """
[[generated]]
column = "teaser"
about = "One sentence that makes curious."
at_least = 1
at_most = 90
"""
_TOML = """
version = 1
name = "cards"
description = "cards of the tests"
items = "items.csv"
categories = ["card"]
locales = ["en"]

[request]
{request}

[gates.words]
low = 5
high = 200
at_least = 3
at_most = 300

[gates.severity]
opening = "off"
shared_phrase = "off"
near_duplicate = "off"
language = "off"
{more}
"""
_REQUEST = {"model": "claude-haiku-5-5", "repairs": 0}


@dataclass(frozen=True, slots=True)
class Cards:
    """The catalog `cards`, and the program that seeds it into a file."""

    program: Program

    def write(self, titles: Sequence[str], request: Mapping[str, object] | None = None, more: str = "") -> None:
        """Write the catalog: `request` are fields of its [request], `more` is appended to the file."""
        fields = _REQUEST | dict(request or {})
        lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in fields.items())
        toml = _TOML.format(request=lines, more=more)
        folder = self.program.folder / "prompts" / "cards"
        folder.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{title.lower()},{title}\n" for title in titles)
        files = {
            "catalog.toml": toml,
            "items.csv": f"key,title\n{rows}",
            "system.en.md": "Write short texts.\n",
            "card.en.md": "Write {{ key }}: {{ title }}.\n",
        }
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")

    def beside(self, name: str) -> Cards:
        """Return the same for another library, which has a folder and a state of its own."""
        folder = self.program.folder / name
        folder.mkdir()
        return Cards(Program(folder, dict(self.program.settings)))

    def run(self, *options: str, verb: str = "run", **changes: str) -> Ended:
        """Start a verb on the catalog, and wait for its end."""
        return self.program.run(verb, "cards", "--json", *options, **changes)

    def start(self, *options: str, verb: str = "run", **changes: str) -> Running:
        """Start a verb on the catalog."""
        return self.program.start(verb, "cards", "--json", *options, **changes)

    def stored(self) -> set[str]:
        """Return the titles of what is in the library; before the first one there is no table."""
        file: Path = self.program.folder / "library.sqlite3"
        with closing(sqlite3.connect(file)) as library:
            tables = library.execute("select 1 from sqlite_master where name = 'content_library'").fetchall()
            return {title for (title,) in library.execute("select title from content_library")} if tables else set()
