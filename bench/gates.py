"""How long do all gates together take for one text, against counting its characters one by one?

Each round judges a paragraph of every locale once, with the gates of a new catalog and what is installed (the extra
`languages` or not), so that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.tables import Line, show
from seed_library.adapters.catalog_scaffold import make_catalog
from seed_library.adapters.catalogs import load_catalog
from seed_library.core.catalog import Item
from seed_library.core.gates import judge

_PARAGRAPHS = Path(__file__).resolve().parent.parent / "tests" / "data" / "paragraphs.toml"
_MOST_MILLISECONDS, _MOST_COUNTINGS = 1.5, 8.0  # wanted of a German text
_LETTERS = 2_000  # counted letter by letter, the same way for every locale


def _count(text: str) -> Counter[str]:
    counter: Counter[str] = Counter()
    for character in (text * (_LETTERS // len(text) + 1))[:_LETTERS]:
        counter[character] += 1
    return counter


def _measured(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def lines(rounds: int) -> Iterator[Line]:
    """Judge and count in turn; yield medians, and medians of the ratios within a round."""
    paragraphs: dict[str, list[str]] = tomllib.loads(_PARAGRAPHS.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        make_catalog(Path(folder), "cards", tuple(paragraphs))
        catalog = load_catalog(Path(folder), "cards")
    items: dict[str, Item] = {item.id.locale: item for item in catalog.items}
    taken: dict[str, list[tuple[float, float]]] = {locale: [] for locale in paragraphs}
    for number in range(rounds + 1):
        for locale, (text, _) in paragraphs.items():
            rules, item = catalog.rules_of(items[locale].id), items[locale]
            judged, counted = _measured(partial(judge, text, rules, item)), _measured(partial(_count, text))
            if number:  # the first one loads the libraries
                taken[locale].append((judged, counted))
    for locale, pairs in taken.items():
        wanted = (_MOST_COUNTINGS, _MOST_MILLISECONDS) if locale == "de" else (None, None)
        ratio = statistics.median(judged / counted for judged, counted in pairs)
        yield Line(locale, f": counting {_LETTERS:,} letters", ratio, wanted[0])
        yield Line(locale, "time", statistics.median(judged for judged, _ in pairs), wanted[1], "ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    show(list(lines(asked.rounds)), asked.json)


if __name__ == "__main__":
    main()
