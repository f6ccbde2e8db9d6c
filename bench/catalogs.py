"""Catalogs of any size, in a temporary prompts folder."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import chain, cycle, islice
from pathlib import Path

from seed_library.adapters.catalogs import load_catalog
from seed_library.core.bazi_source import bazi_pillars
from seed_library.core.catalog import Catalog

NAME = "bench_library"
CATEGORY = "bench_text"
_PROMPTS = Path(__file__).resolve().parent.parent / "prompts" / "bazi_pillars"
_CATALOG = f"""
version = 1
name = "{NAME}"
description = "items made for a measurement"
items = "items.csv"
categories = ["{CATEGORY}"]
locales = ["de"]

[request]
model = "claude-sonnet-5-5"

[gates.words]
low = 80
high = 105
at_least = 70
at_most = 120
"""
_SHORT_PROMPT = "Schreibe den Text {{ title }} über {{ topic }}. Mindestens {{ words.low }} Wörter.\n"


def bazi_like(prompts: Path, count: int) -> None:
    """Make a catalog with the real Bazi prompts and the real sixteen facts; only the keys are new."""
    system, user = ((_PROMPTS / name).read_text() for name in ("system.de.md", "bazi_year_pillar.de.md"))
    sources = chain.from_iterable(cycle([list(bazi_pillars("", index, "de")) for index in range(3)]))
    records = (
        # The server writes one text per prompt, so every prompt has to differ.
        {"key": f"{item.key}_{place:05}", "title": f"Säule {place:05}", **item.facts}
        for place, item in enumerate(islice(sources, count))
    )
    _make(prompts, system, user, records)


def plain(prompts: Path, count: int) -> None:
    """Make a catalog whose items have a key, a title and one fact."""
    system = (_PROMPTS / "system.de.md").read_text()
    records = (
        {"key": f"text_number_{place:06}", "title": f"Text Nummer {place:06}", "topic": f"das Thema {place:06}"}
        for place in range(count)
    )
    _make(prompts, system, _SHORT_PROMPT, records)


def load(prompts: Path) -> Catalog:
    """Load the catalog that was made."""
    return load_catalog(prompts, NAME)


def _make(prompts: Path, system: str, user: str, records: Iterator[Mapping[str, object]]) -> None:
    place = prompts / NAME
    place.mkdir(parents=True, exist_ok=True)
    (place / "catalog.toml").write_text(_CATALOG)
    (place / "system.de.md").write_text(system)
    (place / f"{CATEGORY}.de.md").write_text(user)
    first = next(records)
    with (place / "items.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows(chain([first], records))
