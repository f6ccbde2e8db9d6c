"""A catalog in any languages: made, planned, judged and stored, and what is meant where nothing is said."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from processes.cards import Cards
from processes.program import Program
from servers.processes import MessagesServer

PARAGRAPHS: dict[str, list[str]] = tomllib.loads(
    (Path(__file__).resolve().parent.parent / "data" / "paragraphs.toml").read_text("utf-8")
)
NAMES = {
    "ja": "Japanese (ja)",
    "zh-Hant": "Chinese (zh-Hant)",
    "ar": "Arabic (ar)",
    "th": "Thai (th)",
    "hi": "Hindi (hi)",
}


def test_good_texts_in_other_scripts_reach_the_table_at_the_first_go(cards: Cards, messages: MessagesServer) -> None:
    """With the gates of a new catalog, one request each; a second run asks for nothing."""
    made = cards.program.run(
        "catalogs", "new", "cards", "--locale", "ja,zh-Hant", "--locale", "ar", "--locale", "TH,hi"
    )
    assert made.code == 0, made.err
    for number, key in enumerate(("The first one", "The second one")):
        messages.faults(
            *({"match": f'"{key}", in {name}', "text": PARAGRAPHS[locale][number]} for locale, name in NAMES.items())
        )
        ended = cards.run("--key", key.split()[1])
        assert (ended.code, ended.document["stored"], ended.document["requests"]) == (0, 5, 5), ended.out
    again = cards.run("--key", "first", "--key", "second")
    assert (again.code, again.document["requests"]) == (0, 0)
    audit = cards.run("--key", "first", "--key", "second", verb="audit")
    assert (audit.document["bad"], audit.document["audited"]) == (0, 10)


def test_a_text_that_slips_into_another_language_is_asked_for_again(cards: Cards, messages: MessagesServer) -> None:
    """The finding names both languages."""
    assert cards.program.run("catalogs", "new", "cards", "--locale", "nl").code == 0
    good = PARAGRAPHS["nl"][0]
    mixed = good.replace(
        "Haar vaste baan", "She never asked him what he was counting for, and he never told her. Haar vaste baan"
    )
    messages.faults({"match": '"The first one"', "text": mixed, "times": 1}, {"match": '"The first one"', "text": good})
    ended = cards.run("--key", "first")
    found = [one for event in ended.documents if event["event"] == "repairing" for one in event["findings"]]
    assert (ended.code, ended.document["requests"]) == (0, 2)
    assert "Dutch is wanted, and this is English" in [one["message"] for one in found if one["gate"] == "language"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--locale", "chinese"], "'chinese' is no locale"),
        (["--locale", "en,,de"], "'' is no locale"),
        (["--locale", "pt-BR-"], "'pt-BR-' is no locale"),
    ],
)
def test_what_is_no_locale_is_refused_and_nothing_is_written(
    offline: Program, arguments: list[str], expected: str
) -> None:
    """With a sentence, as every other wrong argument."""
    ended = offline.run("catalogs", "new", "cards", *arguments)
    assert (ended.code, expected in ended.err) == (2, True), ended.err
    assert not (offline.folder / "prompts").exists()


def test_without_settings_the_only_catalog_is_meant_with_all_its_locales(offline: Program) -> None:
    """Nothing is left out that nobody left out."""
    assert offline.run("catalogs", "new", "mine", "--locale", "en,pt-BR").code == 0
    planned = offline.run("plan", "--json").document
    assert (planned["catalog"], planned["totals"]["new"]) == ("mine", 6)
    assert {one["locale"] for one in planned["items"]} == {"en", "pt-BR"}
    assert not any("Left out" in note for note in planned["notes"])
    assert offline.run("rehearse", "--json").document["stored"] == 6
    status = offline.run("status", "--json", SEED_LIBRARY_STORE="sqlite:rehearsal.sqlite3").document
    assert status["state"] == "finished"


@pytest.mark.parametrize("spelling", ["pt-BR", "PT-BR", "pt_br", "pt-br"])
def test_a_locale_is_meant_however_it_is_spelt(offline: Program, spelling: str) -> None:
    """By a flag or by the setting; what that leaves out is said."""
    assert offline.run("catalogs", "new", "mine", "--locale", "en", "--locale", "pt_BR").code == 0
    for arguments, setting in ((["--locale", spelling], ""), ([], spelling)):
        planned = offline.run("plan", "--json", *arguments, SEED_LIBRARY_LOCALES=setting).document
        assert {one["locale"] for one in planned["items"]} == {"pt-BR"}
        assert any(note.startswith("Left out: en ") for note in planned["notes"])
        run = offline.run("rehearse", *arguments, SEED_LIBRARY_LOCALES=setting)
        assert (run.code, "Left out: en " in run.err) == (0, True)


def test_a_catalog_keeps_its_own_spelling(offline: Program) -> None:
    """It stands in the table and in the names of files; two spellings of one locale are a mistake."""
    assert offline.run("catalogs", "new", "mine", "--locale", "pt-BR").code == 0
    folder = offline.folder / "prompts" / "mine"
    toml = folder / "catalog.toml"
    toml.write_text(toml.read_text("utf-8").replace('"pt-BR"', '"pt_br"'), "utf-8")
    for file in folder.glob("*.pt-BR.md"):
        file.rename(file.with_name(file.name.replace("pt-BR", "pt_br")))
    planned = offline.run("plan", "--json", "--locale", "pt-BR").document
    assert {one["locale"] for one in planned["items"]} == {"pt_br"}
    toml.write_text(toml.read_text("utf-8").replace('["pt_br"]', '["pt_br", "pt-BR"]'), "utf-8")
    assert "'pt_br' and 'pt-BR' are the same locale" in offline.run("plan", "--json").error["message"]
    toml.write_text(toml.read_text("utf-8").replace('["pt_br", "pt-BR"]', '["Portuguese"]'), "utf-8")
    assert "'Portuguese' is no locale" in offline.run("plan", "--json").error["message"]


def test_a_locale_that_the_catalog_lacks_is_named(offline: Program) -> None:
    """By the flag with the exit code of usage, by the setting with that of settings."""
    assert offline.run("catalogs", "new", "mine", "--locale", "zh-Hant").code == 0
    assert offline.run("plan", "--json", "--locale", "zh").code == 2
    assert offline.run("plan", "--json", SEED_LIBRARY_LOCALES="de").code == 3


def test_gates_that_stand_aside_are_named_by_check_and_where_a_catalog_is_made(offline: Program) -> None:
    """With the gate, the locales and the reason."""
    made = offline.run("catalogs", "new", "mine", "--locale", "th", "--locale", "tlh", "--json").document
    assert [line.split(":")[0] for line in made["standing_aside"]] == ["sentences in th", "language in tlh"]
    checked = offline.run("check", "--json", SEED_LIBRARY_STORE="sqlite:mine.sqlite3").document["checks"]
    said = [one["message"] for one in checked if one["name"] == "gates"]
    assert said == [f"standing aside: {line}" for line in made["standing_aside"]]
    assert all(one["ok"] for one in checked if one["name"] == "gates")
