"""Content is content: texts, titles, keys and facts come out as they went in, whatever they look like."""

from __future__ import annotations

import csv
import io
import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from adapters.review_visitor import Visitor
from data.odd_texts import JWT, LIKE_SECRETS, ODD_TEXTS
from processes.cards import Cards
from processes.odd_library import ODD_KEYS, texts_of, write_items
from processes.program import served
from servers.processes import MessagesServer

SHOWN = ("key", "bearer at the end", "from right to left", "controls", "other line ends", "joined")
# Keys, titles and a fact that look like secrets.
ODD_ITEMS = (
    ("sk-ant-api03-fake-key", "Bearer fake-title", "apikey=sk-ant-fake-fact"),
    (JWT, "sb_secret_fakefakefakefakefake_test1234", "postgres://you:me@home"),
    ("the bearer of-news", "postgres://you:me@home", "Bearer fake-fact"),
)


def _inside(html: str) -> dict[str, str]:
    """Return the texts that a page holds, by key."""
    return {card["key"]: card["text"] for card in _cards(html)}


def _cards(html: str) -> list[dict[str, Any]]:
    _, _, rest = html.partition('<script type="application/json" id="data">')
    found: list[dict[str, Any]] = json.loads(rest.partition("</script>")[0])["cards"]
    return found


def test_a_report_holds_every_text_as_it_is(odd_texts: Cards) -> None:
    """None of them breaks it, or is changed in it."""
    file = odd_texts.program.folder / "page.html"
    assert odd_texts.program.run("report", str(file), "cards").code == 0
    assert _inside(file.read_text("utf-8")) == ODD_KEYS


def test_a_text_comes_back_through_the_page_as_it_was_sent(odd_texts: Cards) -> None:
    """Shown, edited elsewhere in it, shown again; what the page sends is what is stored."""
    last: dict[str, Any] = {}
    running = odd_texts.start(verb="review")
    with served(running) as address:
        visitor = Visitor.at(address)
        html = visitor.get().body.decode()
        assert _inside(html) == ODD_KEYS
        for card in _cards(html):
            about = {name: card[name] for name in ("category", "key", "locale", "stored", "version")}
            edit = {"what": "edit", "text": card["text"] + " Yes.", **about}
            answer = visitor.act(json.dumps(edit).encode())
            assert answer.status == 200, answer
            last = answer.said
        running.send(signal.SIGINT)
        assert running.end().err == ""
    edited = {key: text + " Yes." for key, text in ODD_KEYS.items()}
    assert texts_of(odd_texts) == {card["key"]: card["text"] for card in last["cards"]} == edited


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_text_goes_out_into_a_file_and_comes_back_as_it_was(odd_texts: Cards, kind: str) -> None:
    """Exported, edited by a word, imported: the rest of each text is as before."""
    file = odd_texts.program.folder / f"sheet.{kind}"
    assert odd_texts.program.run("export", "cards", "--format", kind, "--output", str(file)).code == 0
    _edit(file, " Yes.")
    assert odd_texts.program.run("import", "--insist", str(file), SEED_LIBRARY_CATALOG="cards").code == 0
    assert texts_of(odd_texts) == {key: text + " Yes." for key, text in ODD_KEYS.items()}


def _edit(file: Path, more: str) -> None:
    if file.suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    else:
        rows = [json.loads(line) for line in file.read_bytes().decode().split("\n") if line]
    for row in rows:
        row["text"] += more
    if file.suffix == ".csv":
        sheet = io.StringIO(newline="")
        writer = csv.DictWriter(sheet, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        file.write_bytes(sheet.getvalue().encode())
    else:
        file.write_bytes("".join(json.dumps(row) + "\n" for row in rows).encode())


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_a_shown_text_is_the_stored_one_in_every_encoding_of_the_console(odd_texts: Cards, encoding: str) -> None:
    """The JSON of `show` is JSON, and holds the text."""
    where = {"PYTHONIOENCODING": encoding, "SEED_LIBRARY_CATALOG": "cards"}
    keys = [key for kind, key in zip(ODD_TEXTS, ODD_KEYS, strict=True) if kind in SHOWN]
    shown = {key: odd_texts.program.run("show", key, "--json", **where).document for key in keys}
    assert {key: said["texts"][0]["text"] for key, said in shown.items()} == {key: ODD_KEYS[key] for key in shown}


@pytest.fixture
def odd_items(cards: Cards) -> Cards:
    """A catalog whose keys, titles and facts look like secrets."""
    write_items(cards, ("key", "title", "detail"), ODD_ITEMS)
    template = cards.program.folder / "prompts" / "cards" / "card.en.md"
    template.write_text("Write {{ key }}: {{ title }}, {{ detail }}.\n", "utf-8")
    return cards


def test_keys_titles_and_facts_that_look_like_secrets_are_shown_as_they_are(
    odd_items: Cards, messages: MessagesServer
) -> None:
    """In the preview, in the events of a run, in what `accept` and `import` name; and they are asked for so."""
    keys, titles = [{row[place] for row in ODD_ITEMS} for place in (0, 1)]
    planned = odd_items.run("--show-prompts", verb="plan").document
    assert {item["key"] for item in planned["items"]} == keys
    assert {item["title"] for item in planned["items"]} == titles
    assert {prompt["user"] for prompt in planned["prompts"]} == {f"Write {k}: {t}, {d}." for k, t, d in ODD_ITEMS}
    read = odd_items.program.run("plan", "cards", "--show-prompts").out
    assert "[redacted]" not in read
    assert all(f"=== card/{key}/en" in read for key in keys)

    quoted = LIKE_SECRETS["bearer at the end"].replace(".", " \N{SPARKLES}.")
    messages.faults({"match": f"Write {JWT}", "text": quoted, "times": 3})
    run = odd_items.run()
    assert run.code == 6
    named = {event["item"]["key"] for event in run.documents if "item" in event}
    stored = {item["key"] for event in run.documents for item in event.get("items", ())}
    assert (named, stored) == (keys, keys - {JWT})
    assert [trouble["item"]["key"] for trouble in run.document["troubles"]] == [JWT]
    assert {entry["body"]["messages"][0]["content"] for entry in messages.log()} == {
        prompt["user"] for prompt in planned["prompts"]
    }
    assert odd_items.program.run("accept", JWT, "--json", SEED_LIBRARY_CATALOG="cards").document == {
        "accepted": [{"category": "card", "key": JWT, "locale": "en"}]
    }
    sheet = odd_items.program.folder / "sheet.jsonl"
    assert odd_items.run("--output", str(sheet), verb="export").code == 0
    _edit(sheet, " Yes.")
    ended = odd_items.program.run("import", str(sheet), "--json", SEED_LIBRARY_CATALOG="cards")
    assert {item["key"] for item in ended.document["imported"]} == keys


def test_what_a_gate_quotes_of_a_text_is_content(cards: Cards, messages: MessagesServer) -> None:
    """In the events of a run, too."""
    cards.write(["Alpha"], more='[gates.en]\nbanned = ["bearer tokens"]\n')
    messages.faults({"text": "You carry many bearer tokens with you, and you know it well.", "times": 1})
    run = cards.run()
    (rejected,) = [event for event in run.documents if event["event"] == "rejected"]
    assert "bearer tokens" in json.dumps(rejected["findings"])


def test_a_given_up_item_is_named_as_it_is(odd_items: Cards, messages: MessagesServer) -> None:
    """`status` names it to programs and to people; the reason is narration."""
    messages.faults({"match": f"Write {JWT}", "content": [], "times": 99})
    for _ in range(4):
        odd_items.run()
    given_up = odd_items.run(verb="status").document["given_up"]
    assert [one["key"] for one in given_up] == [JWT]
    assert f"Given up card/{JWT}/en" in odd_items.program.run("status", "cards").out


def test_a_provenance_of_somebody_elses_breaks_no_page(cards: Cards) -> None:
    """A table takes anything from anybody; the page shows what it can."""
    cards.write(["Alpha"])
    assert cards.run().code == 0
    odd = {"writer": ["x"], "model": None, "generated_at": 5, "cost_micro_usd": "much", "fingerprint": {"a": 1}}
    with closing(sqlite3.connect(cards.program.folder / "library.sqlite3")) as library, library:
        library.execute("update content_library set provenance = ?", (json.dumps(odd),))
    file = cards.program.folder / "page.html"
    assert cards.program.run("report", str(file), "cards").code == 0
    (card,) = _cards(file.read_text("utf-8"))
    assert (card["model"], card["generated_at"], card["cost_usd"]) == ("", "5", 0)
