"""Verbs that do one thing to a target: read all of it, audit it, or change it under the lock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from seed_library.bootstrap.building import store_at
from seed_library.bootstrap.preparing import Prepared, new_run_id
from seed_library.bootstrap.running import Job, seed
from seed_library.core.answers import Content, judged_alone
from seed_library.core.catalog import Item, ItemId
from seed_library.core.drafts import Diversity, Finding
from seed_library.core.errors import RunBlocked
from seed_library.core.events import RunFinished
from seed_library.core.gates import as_ruled
from seed_library.core.gates.aside import summed_up
from seed_library.core.gates.corpus import Corpus
from seed_library.core.gates.diversity import diversity
from seed_library.engine.preflight import sample_row
from seed_library.engine.works import Work
from seed_library.ports import Library, Reporter, StoredText, WholeRow


def do_work(
    prepared: Prepared, command: str, work: Work, reporter: Reporter, say: Callable[[str], None]
) -> RunFinished:
    """Do a work under the lock; a failure is reported, and is in the exit code."""
    return seed(prepared, Job(new_run_id(datetime.now(UTC)), command, work=work), reporter, say)


def stored_texts(prepared: Prepared, locales: Sequence[str] = ()) -> list[StoredText]:
    """Read every row of the chosen categories, in the chosen locales unless others are named.

    Raises:
        RunBlocked, StoreUnavailable: the target cannot be read.
    """
    return asyncio.run(_read(prepared, locales or prepared.chosen.locales))


async def _read(prepared: Prepared, locales: Sequence[str]) -> list[StoredText]:
    async with _checked_store(prepared) as store:
        return [text async for text in store.texts(prepared.chosen.categories, locales)]


def orphaned_rows(prepared: Prepared) -> list[WholeRow]:
    """Return the rows of the chosen categories and locales that the whole catalog does not have, with all columns.

    Raises:
        RunBlocked, StoreUnavailable: the target cannot be read, or gives keys back in another form than the catalog's:
            then a row of the catalog would pass for an orphan.
    """
    return asyncio.run(_orphaned(prepared))


async def _orphaned(prepared: Prepared) -> list[WholeRow]:
    async with _checked_store(prepared) as store:
        known = {item.id for item in prepared.catalog.items}
        places = prepared.chosen.categories, prepared.chosen.locales
        orphans = [row.id async for row in store.rows(*places) if row.id not in known]
        if orphans:
            table = prepared.catalog.table
            failed = [
                c for c in await store.rehearse([sample_row(one, table) for one in prepared.catalog.items]) if not c.ok
            ]
            if wrong := [check for check in failed if check.name == "keys"]:
                raise RunBlocked(f"{wrong[0].name}: {wrong[0].message}", hint=wrong[0].hint)
        return await store.whole(orphans)


def rows_there(prepared: Prepared, items: Sequence[ItemId]) -> set[ItemId]:
    """Return which of these rows the table has.

    Raises:
        RunBlocked, StoreUnavailable: the target cannot be read.
    """
    return asyncio.run(_there(prepared, items))


async def _there(prepared: Prepared, items: Sequence[ItemId]) -> set[ItemId]:
    async with _checked_store(prepared) as store:
        return {row.id for row in await store.whole(items)}


@asynccontextmanager
async def _checked_store(prepared: Prepared) -> AsyncIterator[Library]:
    """Give the target, once it is proven that what it shows may be believed."""
    store = store_at(prepared.known_target.address, prepared.catalog.table, prepared.settings)
    try:
        failed = [check for check in await store.check(prepared.sample_row) if not check.ok]
        if failed:
            raise RunBlocked(f"{failed[0].name}: {failed[0].message}", hint=failed[0].hint)
        yield store
    finally:
        await store.aclose()


@dataclass(frozen=True, slots=True)
class Audited:
    """A stored text and what the gates have against it."""

    text: StoredText
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether no gate refuses it."""
        return not any(finding.severity == "error" for finding in self.findings)


def audited(prepared: Prepared, texts: Sequence[StoredText]) -> tuple[list[Audited], Diversity | None]:
    """Put stored texts through the gates of their items, each compared with those before it.

    Rows that are not in the catalog are left out: `plan` and `prune` list them.
    """
    items = {item.id: item for item in prepared.chosen.items}
    corpus, found = Corpus(prepared.catalog.rules), []
    known = [text for text in texts if text.id in items]
    for text in known:
        rules = prepared.catalog.rules_of(text.id)
        beside = as_ruled(corpus.findings(text.id, text.text), rules)
        alone = judged_alone(Content(text.text, text.generated), prepared.catalog.request, rules, items[text.id])
        found.append(Audited(text, alone + beside))
        corpus.add(text.id, text.text)
    return found, diversity((text.text for text in known), (prepared.catalog.rules_of(text.id) for text in known))


def gates_aside(prepared: Prepared) -> list[str]:
    """Return which gates say nothing of the chosen texts, and why, a line for each reason."""
    chosen = prepared.chosen
    places = [(category, locale) for category in chosen.categories for locale in chosen.locales]
    return summed_up((locale, prepared.catalog.rules[category, locale]) for category, locale in places)


def orphans_among(prepared: Prepared, texts: Sequence[StoredText]) -> list[StoredText]:
    """Return the rows of the chosen categories and locales that the whole catalog does not have."""
    known = {item.id for item in prepared.catalog.items}
    return [text for text in texts if text.id not in known]


def items_by_id(prepared: Prepared) -> dict[ItemId, Item]:
    """Return every item of the catalog, whatever is selected."""
    return {item.id: item for item in prepared.catalog.items}
