"""`[gates.characters]`: a length in characters, beside the one in words or instead of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from adapters.catalog_maker import Files, make_catalog, toml

from seed_library.adapters.catalogs import load_catalog
from seed_library.core.answer_schema import schema_text
from seed_library.core.catalog import Catalog, GateRules, GeneratedColumn, RequestSpec, WordRule
from seed_library.core.errors import CatalogInvalid
from seed_library.core.plan import Action, Plan, Step
from seed_library.core.pricing import likely_words
from seed_library.core.prompts import PromptBook
from seed_library.engine.preflight import rehearse
from seed_library.ports import Check, Row

CHARACTERS = "[gates.characters]\nlow = 400\nhigh = 600\nat_least = 300\nat_most = 800\n"
INSTEAD = ("[gates.words]\nlow = 80\nhigh = 105\nat_least = 70\nat_most = 120\n", CHARACTERS)
BESIDE = ("at_most = 120\n", f"at_most = 120\n{CHARACTERS}")


def _loaded(folder: Path, files: Files) -> Catalog:
    return load_catalog(make_catalog(folder, files), "stars")


def test_it_may_stand_instead_of_words_or_beside_them(tmp_path: Path) -> None:
    """Field by field overridden, as words are."""
    instead = _loaded(tmp_path / "a", toml(INSTEAD)).rules["sun", "de"]
    assert (instead.words, instead.characters) == (None, WordRule(400, 600, 300, 800))
    more = f"{CHARACTERS}[gates.moon.en.characters]\nat_most = 700\n"
    beside = _loaded(tmp_path / "b", toml(("at_most = 120\n", f"at_most = 120\n{more}"))).rules
    assert (beside["moon", "de"].words, beside["moon", "de"].characters) == (
        WordRule(80, 105, 70, 120),
        WordRule(400, 600, 300, 800),
    )
    assert beside["moon", "en"].characters == WordRule(400, 600, 300, 700)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (
            toml(("[gates.words]", "[gates.characters]"), ("low = 80\n", "")),
            "gates.characters for sun, de: missing low",
        ),
        (
            toml((BESIDE[0], BESIDE[1].replace("low = 400", "low = 900"))),
            "gates.characters for sun, de: at_least <= low",
        ),
        (toml((BESIDE[0], BESIDE[1].replace("low = 400", 'low = "many"'))), "gates.characters for moon, en: all four"),
        (toml((INSTEAD[0], "[gates]\n")), "gates.words for sun, de: missing at_least"),
        (toml((INSTEAD[0], "[gates]\ncharacters = 9\n")), "gates.characters for sun, de: missing at_least"),
    ],
)
def test_what_is_wrong_with_it_is_named(tmp_path: Path, files: Files, fault: str) -> None:
    """One of the two has to be there; all four figures have to be, in their order."""
    with pytest.raises(CatalogInvalid) as caught:
        _loaded(tmp_path, files)
    assert fault in caught.value.message


def test_templates_name_the_length_that_there_is(tmp_path: Path) -> None:
    """A length that the catalog does not have is an undefined name, found before anything is sent."""
    template: Files = {"sun.de.md": "{{ sign }}: {{ characters.low }} bis {{ characters.high }}"}
    catalog = _loaded(tmp_path / "a", {**toml(INSTEAD), **template})
    assert PromptBook(catalog).request(catalog.items[0]).prompt.user == "Aries: 400 bis 600"
    for number, files in enumerate(({**toml(INSTEAD), "sun.de.md": "{{ words.low }}"}, template)):
        wrong = _loaded(tmp_path / f"b{number}", files)
        with pytest.raises(CatalogInvalid, match="is undefined"):
            PromptBook(wrong).fingerprints(list(wrong.items))


def test_a_catalog_without_it_keeps_its_fingerprints(tmp_path: Path) -> None:
    """Beside words it changes no request either, as long as no template names it."""
    before, after = (_loaded(tmp_path / name, files) for name, files in (("a", {}), ("b", toml(BESIDE))))
    prints = [list(PromptBook(catalog).fingerprints(list(catalog.items))) for catalog in (before, after)]
    assert prints[0] == prints[1]


def test_estimates_and_schemas_follow_it(tmp_path: Path) -> None:
    """The price of a text, and what the answer's schema says of its length."""
    catalog = _loaded(tmp_path, toml(INSTEAD))
    request = PromptBook(catalog).request(catalog.items[0])
    assert 70 < likely_words(request) < 95
    japanese = GateRules(None, WordRule(150, 250, 90, 360), locale="ja").expected_words
    assert (japanese.low, japanese.at_most) == (60, 144)
    spec = PromptBook(catalog, _with_a_column(catalog)).request(catalog.items[0])
    assert "The text, 400 to 600 characters." in schema_text(spec)


def _with_a_column(catalog: Catalog) -> RequestSpec:
    return replace(catalog.request, generated=(GeneratedColumn("teaser", "One sentence.", 1, 9),))


class Strict:
    """Implements `Prover` for a table that refuses texts over a limit of its own."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sizes: list[int] = []

    async def check(self, sample: Row) -> list[Check]:
        """Find nothing wrong."""
        return []

    async def rehearse(self, rows: Sequence[Row]) -> list[Check]:
        """Refuse what is too long."""
        self.sizes += [len(row.text) for row in rows]
        return [Check("rows", ok=all(len(row.text) <= self.most for row in rows), message="check constraint")]


async def test_the_rehearsal_writes_texts_of_that_length(tmp_path: Path) -> None:
    """The longest that the gates allow, and if those are refused, usual ones."""
    catalog = _loaded(tmp_path, toml(INSTEAD))
    plan = Plan([Step(catalog.items[0], "f", Action.NEW, "new")])
    strict = Strict(500)
    checks = await rehearse(strict, catalog, plan)
    assert strict.sizes == [800, 400]
    assert all(check.ok for check in checks)
    assert "[gates.characters]" in checks[-1].hint
