"""Templates in the program as its users start it: the same prompt in each process, and no run that hangs or leaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from processes.cards import Cards
from servers.processes import MessagesServer

BIN = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}"


def _write(cards: Cards, **files: str) -> Path:
    cards.write(("Alpha", "Beta"))
    folder = cards.program.folder / "prompts" / "cards"
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, "utf-8")
    return folder


def _prompts(cards: Cards, seed: str) -> list[dict[str, str]]:
    ended = cards.run("--show-prompts", verb="plan", PYTHONHASHSEED=seed)
    assert ended.code == 0, ended.err
    prompts: list[dict[str, str]] = ended.document["prompts"]
    return prompts


def test_a_prompt_is_the_same_in_every_process(cards: Cards) -> None:
    """Lists, tables, sorting and grouping: whatever the seed of Python's hashes is."""
    template = (
        "{% set facts = {'b': 1, 'a': [title, key], 'c': {'z': 1, 'y': 2}} %}{{ facts }} {{ facts|tojson }} "
        "{{ ['b', 'a', 'B']|unique|join }} {{ ['b', 'a']|sort }} {{ facts|dictsort }} {{ facts.keys()|list }}"
    )
    _write(cards, card__en__md=template)
    first, second = _prompts(cards, "1"), _prompts(cards, "2")
    assert first == second
    assert "{'b': 1, 'a': ['Alpha', 'alpha'], 'c': {'z': 1, 'y': 2}}" in first[0]["user"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("Write {{ key }} {{ range(1000)|random }}.", "card.en.md, line 1: there is no filter 'random'"),
        ("{{ title.upper }}", "card.en.md, line 1: the method 'upper' is no text"),
        ("Write {{ words }}.", "card.en.md, line 1: the length rule is no text"),
        (BIN, "card.en.md, line 1: takes more than 100,000 steps"),
        ("{{ 'x' * 2000000000 }}", "card.en.md, line 1: `*` would make more than 200,000 characters"),
        ("{{ lipsum(n=1000000) }}", "card.en.md, line 1: 'lipsum' is undefined"),
        ("one\n{{ titel }}", "card.en.md, line 2: 'titel' is undefined; did you mean 'title'?"),
        ("{% include '../../.env' %}", "card.en.md, line 1: '../../.env' names no file in the catalog's folder"),
        ("{% include 'comon.md' %}", "card.en.md, line 1: comon.md is missing; did you mean 'common.md'?"),
    ],
)
def test_a_template_that_cannot_be_meant_ends_a_run_before_anything_is_sent(
    cards: Cards, messages: MessagesServer, template: str, said: str
) -> None:
    """Exit code 4, file and line, and not one request."""
    _write(cards, card__en__md=template, common__md="x")
    for verb in ("plan", "run"):
        ended = cards.run(verb=verb)
        assert (ended.code, ended.error["code"]) == (4, "catalog"), ended.err
        assert said in ended.error["message"]
    assert messages.log() == []


def test_a_link_to_the_keys_is_not_sent_to_the_model(cards: Cards, messages: MessagesServer) -> None:
    """The system prompt of a catalog that leads to the .env of the project."""
    folder = _write(cards)
    (cards.program.folder / ".env").write_text("ANTHROPIC_API_KEY=sk-ant-not-a-real-key")
    (folder / "system.en.md").unlink()
    (folder / "system.en.md").symlink_to("../../.env")
    ended = cards.run()
    assert (ended.code, ended.error["code"]) == (4, "catalog"), ended.err
    assert "system.en.md leads out of the catalog's folder" in ended.error["message"]
    assert "sk-ant-not-a-real-key" not in ended.out + ended.err
    assert messages.log() == []


def test_a_fact_with_a_taken_name_ends_a_run_before_anything_is_sent(cards: Cards, messages: MessagesServer) -> None:
    """The column and the file are named."""
    _write(cards, items__csv="key,title,words\na,Alpha,many\n")
    ended = cards.run()
    assert ended.code == 4
    assert "items.csv, line 2: the column 'words' has a name that is taken" in ended.error["message"]
    assert messages.log() == []


def test_what_shares_a_part_is_asked_for_again_when_the_part_changes(cards: Cards) -> None:
    """Both cards are `changed`; a remark in the part changes nothing."""
    folder = _write(cards, card__en__md="Write {{ title }}. {% include 'common.md' %}", common__md="Be brief.")
    assert cards.run().code == 0
    for text, changed in (("{# why #}Be brief.", 0), ("Be short.", 2)):
        (folder / "common.md").write_text(text, "utf-8")
        assert cards.run(verb="plan").document["totals"]["changed"] == changed
