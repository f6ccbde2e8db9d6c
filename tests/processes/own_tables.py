"""Tables that other people made, with and without our functions beside them, and a catalog that fills them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from processes.program import Ended, Program
from servers.supabase import BATCHES, LEASE, ROWS, Postgres, Supabase

KEYS = ("a", "b", "c")
_TOML = """
version = 1
name = "cards"
description = "cards of the tests"
items = "items.csv"
categories = {categories}
locales = {locales}

[table]
name = "lib"
{table}

[request]
model = "claude-haiku-5-5"
repairs = 0
{request}

[gates.words]
low = 5
high = 200
at_least = 2
at_most = {at_most}

[gates.severity]
opening = "off"
shared_phrase = "off"
near_duplicate = "off"
language = "off"
"""


def lib(key: str = "text", more: str = "", after: str = "") -> str:
    """Return SQL that makes the table `lib`, with the type of its key and further columns."""
    return (
        f"create table public.lib (id bigint generated always as identity primary key, category text not null,"
        f" key {key} not null, locale text not null, title text not null, description text not null,"
        f" provenance jsonb{', ' if more else ''}{more});"
        "create unique index lib_place on public.lib (category, key, locale);"
        f"grant select, insert, update, delete on public.lib to service_role; {after}"
    )


@dataclass(frozen=True, slots=True)
class Lib:
    """The program in front of a project with a table `lib`."""

    program: Program
    project: Supabase

    def write(
        self,
        keys: Sequence[str] = KEYS,
        *,
        table: str = "",
        request: str = "",
        categories: Sequence[str] = ("card",),
        locales: Sequence[str] = ("en",),
        at_most: int = 300,
    ) -> None:
        """Write the catalog."""
        folder = self.program.folder / "prompts" / "cards"
        folder.mkdir(parents=True, exist_ok=True)
        about = {"table": table, "request": request, "at_most": at_most}
        toml = _TOML.format(categories=json.dumps(list(categories)), locales=json.dumps(list(locales)), **about)
        (folder / "catalog.toml").write_text(toml, "utf-8")
        sheet = io.StringIO()
        csv.writer(sheet).writerows([("key", "title"), *((key, f"Title of {key}") for key in keys)])
        (folder / "items.csv").write_text(sheet.getvalue(), "utf-8")
        for locale in locales:
            (folder / f"system.{locale}.md").write_text("Write short texts.\n", "utf-8")
            for category in categories:
                (folder / f"{category}.{locale}.md").write_text("Write {{ key }}: {{ title }}.\n", "utf-8")

    def run(self, *options: str, verb: str = "run", **changes: str) -> Ended:
        """Start a verb on the catalog, and wait for its end."""
        locales = {"SEED_LIBRARY_LOCALES": changes.pop("locales", "en")}
        arguments = (verb, *options) if verb in {"import", "show", "accept"} else (verb, "cards", *options)
        return self.program.run(*arguments, "--json", SEED_LIBRARY_CATALOG="cards", **locales, **changes)

    def rows(self, columns: str = "*") -> list[dict[str, Any]]:
        """Return the table, in the order in which the rows came."""
        return self.project.sql(f"select {columns} from public.lib order by id")

    def texts(self) -> dict[str, str]:
        """Return the texts by key, as text."""
        return {row["key"]: row["description"] for row in self.rows("key::text as key, description")}

    def edit(self, key: str, text: str) -> None:
        """Change a text as a person does in the dashboard."""
        self.project.sql(f"update public.lib set description = '{text}' where key::text = '{key}'")

    def elsewhere(self) -> Lib:
        """Return the same catalog on another machine."""
        settings = {**self.program.settings, "SEED_LIBRARY_STATE_DIR": str(self.program.folder / "elsewhere")}
        return Lib(Program(self.program.folder, settings), self.project)


@pytest.fixture(scope="session")
def shared_project(postgres: Postgres) -> Iterator[Supabase]:
    """A project whose schema is made anew by every test that uses it."""
    server = Supabase(postgres, [], warm=False)
    yield server
    server.stop()


WITH_FUNCTIONS: Mapping[str, tuple[Any, ...]] = {"functions": (LEASE, BATCHES, ROWS), "plain": ()}
