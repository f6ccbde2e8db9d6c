"""What was decided on an older reading replaces nothing newer: imports, pages, other machines. Content is content."""

from __future__ import annotations

import csv
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from processes.odd_library import ODD_KEYS
from processes.own_tables import WITH_FUNCTIONS, Lib, lib
from processes.program import Program, served
from servers.processes import MessagesServer
from servers.supabase import Supabase

MINE = "A person wrote this one, and it is theirs."
NEWER = "Somebody else wrote this one later on."
# Texts that look like secrets, markup, code, formulas.
LIKE_SECRETS = (
    "You are the bearer of good news, and its bearer alone.",
    "Call sk-ant-test-looking words what you like; postgres://you:me@home is a place.",
    "</script><b>bold</b> & \"quoted\" 'twice' \\n {{ braces }} $& =1+1",
)


@pytest.fixture(params=WITH_FUNCTIONS)
def table(request: pytest.FixtureRequest, tmp_path: Path, messages: MessagesServer, shared_project: Supabase) -> Lib:
    """A library of three cards."""
    shared_project.remake(*WITH_FUNCTIONS[request.param], lib())
    settings = {**messages.environment, **shared_project.environment}
    made = Lib(Program(tmp_path / "work", settings), shared_project)
    made.write()
    assert made.run().code == 0
    return made


def _sheet(table: Lib, kind: str) -> Path:
    file = table.program.folder / f"sheet.{kind}"
    table.run("--format", kind, "--output", str(file), verb="export")
    return file


def _change(file: Path, key: str, text: str) -> None:
    """Edit the text of one row, as an editor does."""
    if file.suffix == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
        with file.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, list(rows[0]))
            writer.writeheader()
            writer.writerows({**row, "text": text} if row["key"] == key else row for row in rows)
        return
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    changed = [{**row, "text": text} if row["key"] == key else row for row in rows]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in changed), "utf-8")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_an_older_sheet_reverts_nothing_that_it_has_not_edited(table: Lib, kind: str) -> None:
    """What equals the exported text is untouched, whoever has changed the table since."""
    before = table.texts()
    file = _sheet(table, kind)
    table.edit("a", NEWER)
    _change(file, "b", MINE)
    ended = table.run(str(file), verb="import")
    assert (ended.code, [item["key"] for item in ended.document["imported"]]) == (0, ["b"])
    assert table.texts() == {"a": NEWER, "b": MINE, "c": before["c"]}
    machine = {row["key"]: row["writer"] for row in table.rows("key, provenance ->> 'writer' as writer")}
    assert (machine["b"], machine["c"]) == ("human", "claude")


@pytest.mark.parametrize("kind", ["csv"])
def test_an_edit_of_a_text_that_has_changed_since_is_a_conflict(table: Lib, kind: str) -> None:
    """Listed, exit 6, the newer one stays, the others are stored."""
    file = _sheet(table, kind)
    table.edit("a", NEWER)
    _change(file, "a", MINE)
    _change(file, "c", "Another one of mine, with words of its own.")
    ended = table.run(str(file), verb="import")
    assert (ended.code, [item["key"] for item in ended.document["imported"]]) == (6, ["c"])
    assert (table.texts()["a"], table.texts()["c"]) == (NEWER, "Another one of mine, with words of its own.")
    told = table.program.run("import", str(file), SEED_LIBRARY_CATALOG="cards", SEED_LIBRARY_LOCALES="en")
    assert "Conflict card/a/en" in told.err


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_the_same_sheet_twice_changes_nothing_the_second_time(table: Lib) -> None:
    """An edit that is stored is no conflict with itself."""
    file = _sheet(table, "csv")
    _change(file, "a", MINE)
    assert table.run(str(file), verb="import").document["imported"] != []
    again = table.run(str(file), verb="import")
    assert (again.code, again.document["imported"]) == (0, [])


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_a_sheet_of_ones_own_is_decided_on_what_is_stored(table: Lib) -> None:
    """Without the column `version` the reading is that of the import."""
    file = table.program.folder / "own.csv"
    file.write_text(f"category,key,locale,text\ncard,a,en,{MINE.replace(',', '')}\n", "utf-8")
    assert table.run(str(file), verb="import").code == 0
    assert table.texts()["a"] == MINE.replace(",", "")


def test_a_text_that_another_machine_imported_is_not_replaced_by_a_refresh(
    table: Lib, messages: MessagesServer
) -> None:
    """Nor paid for: the row says whose it is, and this machine's journal does not."""
    other = table.elsewhere()
    file = _sheet(other, "csv")
    _change(file, "b", MINE)
    assert other.run(str(file), verb="import").code == 0
    paid = len(messages.log())
    ended = table.run("--refresh", "all")
    assert (ended.code, table.texts()["b"], len(messages.log()) - paid) == (0, MINE, 2)


@pytest.mark.parametrize("without", ["provenance", "a provenance of its own"])
def test_where_no_row_says_whose_it_is_only_texts_that_this_machine_has_stored_are_replaced(
    table: Lib, messages: MessagesServer, without: str
) -> None:
    """Another machine's import, a rehearsal's text, and one that nobody knows: each is left."""
    change = "drop column provenance" if without == "provenance" else "alter column provenance type text"
    table.project.sql(f"alter table public.lib {change}")
    table.write(("a", "b", "c", "d"))
    assert table.run().code == 0
    other = table.elsewhere()
    file = _sheet(other, "csv")
    _change(file, "b", MINE)
    assert other.run(str(file), verb="import").code == 0
    table.project.sql("delete from public.lib where key = 'd'")
    table.project.sql(
        "insert into public.lib (category, key, locale, title, description) values ('card', 'd', 'en', 'T', 'Unknown.')"
    )
    paid = len(messages.log())
    assert table.elsewhere().run("--refresh", "all").code == 0
    assert len(messages.log()) == paid, "the other machine has stored none of the machine's texts"
    ended = table.run("--refresh", "all")
    assert ended.code == 6
    assert (table.texts()["b"], table.texts()["d"]) == (MINE, "Unknown.")
    assert "cannot be told apart" in table.run(verb="check").out


class Page:
    """The page of `review`, as a browser loaded it at one moment."""

    def __init__(self, address: str) -> None:
        self._base, _, self._token = address.partition("/?token=")
        with urllib.request.urlopen(address, timeout=30) as answer:
            html = answer.read().decode()
        data = html.split('<script type="application/json" id="data">')[1].split("</script>")[0]
        self.cards = {card["key"]: card for card in json.loads(data)["cards"]}

    def act(self, what: str, key: str, text: str = "") -> tuple[int, dict[str, Any]]:
        """Press a button of a card, as it was when the page was loaded."""
        card = self.cards[key]
        about = {name: card[name] for name in ("category", "key", "locale", "stored", "version")}
        body = json.dumps({"what": what, "text": text, **about}).encode()
        headers = {"content-type": "application/json", "x-review-token": self._token}
        request = urllib.request.Request(f"{self._base}/api/act", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@pytest.fixture
def address(table: Lib) -> Iterator[str]:
    """The address of the page."""
    with _opened(table) as found:
        yield found


@contextmanager
def _opened(table: Lib) -> Iterator[str]:
    named = {"SEED_LIBRARY_CATALOG": "cards", "SEED_LIBRARY_LOCALES": "en"}
    with served(table.program.start("review", "cards", "--json", **named)) as address:
        yield address


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_the_second_of_two_who_edit_a_text_is_told_and_sees_both(table: Lib, address: str) -> None:
    """The first one's words stay until the second has seen them and saves once more."""
    first, second = Page(address), Page(address)
    assert first.act("edit", "a", MINE)[0] == 200
    status, said = second.act("edit", "a", NEWER)
    assert (status, table.texts()["a"]) == (400, MINE)
    assert "changed this text meanwhile" in said["error"]
    assert next(card for card in said["cards"] if card["key"] == "a")["text"] == MINE
    assert Page(address).act("edit", "a", NEWER)[0] == 200
    assert table.texts()["a"] == NEWER


@pytest.mark.parametrize("table", ["functions"], indirect=True)
@pytest.mark.parametrize("what", ["regenerate", "reject", "edit"])
def test_a_button_means_the_text_that_it_stands_under(
    table: Lib, messages: MessagesServer, address: str, what: str
) -> None:
    """Changed in the dashboard, or by another machine's import: nothing is asked for, and nothing replaced."""
    page = Page(address)
    table.edit("a", NEWER)
    other = table.elsewhere()
    sheet = _sheet(other, "csv")
    _change(sheet, "b", MINE)
    assert other.run(str(sheet), verb="import").code == 0
    paid = len(messages.log())
    for key in "ab":
        status, said = page.act(what, key, "Yet another text, of the page this time.")
        assert status == 400
        assert said["error"]
    assert (table.texts()["a"], table.texts()["b"], len(messages.log())) == (NEWER, MINE, paid)


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_a_persons_text_on_a_fresh_page_is_not_written_anew(table: Lib, messages: MessagesServer, address: str) -> None:
    """The row says whose it is, whatever this machine's journal knows."""
    other = table.elsewhere()
    sheet = _sheet(other, "csv")
    _change(sheet, "b", MINE)
    assert other.run(str(sheet), verb="import").code == 0
    paid = len(messages.log())
    status, said = Page(address).act("regenerate", "b")
    assert (status, table.texts()["b"], len(messages.log())) == (400, MINE, paid)
    assert "a person's own text" in said["error"]


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_accept_means_the_draft_that_is_shown(table: Lib, messages: MessagesServer) -> None:
    """A newer draft that was refused since is another text."""
    messages.faults({"match": "Write c:", "text": "Short.", "times": 1})
    table.project.sql("delete from public.lib where key = 'c'")
    file = table.program.folder / "prompts" / "cards" / "card.en.md"
    file.write_text("Write {{ key }}: {{ title }}, briefly.\n", "utf-8")
    assert table.run().code == 6
    with _opened(table) as address:
        page = Page(address)
        messages.faults({"match": "Write c:", "text": "Brief.", "times": 1})
        assert table.run("--refresh", "rejected").code == 6
        status, said = page.act("accept", "c")
        assert (status, "c" in table.texts()) == (400, False)
        assert "newer draft" in said["error"]
        assert Page(address).act("accept", "c")[0] == 200
    assert table.texts()["c"] == "Brief."


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_reject_on_a_text_that_no_run_would_replace_says_so(table: Lib, address: str) -> None:
    """It is not "Done." while nothing happens."""
    table.project.sql("update public.lib set provenance = null where key = 'a'")
    table.edit("a", NEWER)
    status, said = Page(address).act("reject", "a")
    assert status == 400
    assert "no run would replace it" in said["error"]


@pytest.mark.parametrize("table", ["functions"], indirect=True)
@pytest.mark.parametrize("text", LIKE_SECRETS)
def test_content_that_looks_like_a_secret_is_content(table: Lib, address: str, text: str) -> None:
    """Shown, exported, on the page and stored again as it is; only narration is redacted."""
    quoted = text.replace("'", "''")
    table.project.sql(f"update public.lib set description = '{quoted}', title = 'The bearer token' where key = 'a'")
    shown = table.run("a", verb="show").document["texts"][0]
    assert (shown["text"], shown["title"]) == (text, "The bearer token")
    assert text in table.program.run("show", "a", SEED_LIBRARY_CATALOG="cards", SEED_LIBRARY_LOCALES="en").out
    file = _sheet(table, "jsonl")
    assert json.loads(file.read_text("utf-8").splitlines()[0])["text"] == text
    page = Page(address)
    assert page.cards["a"]["text"] == text
    assert page.act("edit", "a", page.cards["a"]["text"] + " Yes.")[0] == 200
    assert table.texts()["a"] == text + " Yes."
    report = table.program.folder / "page.html"
    told = table.program.run("report", str(report), "cards", SEED_LIBRARY_CATALOG="cards", SEED_LIBRARY_LOCALES="en")
    assert told.code == 0
    assert "[redacted]" not in report.read_text("utf-8")


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_odd_texts_reach_the_table_as_they_are(table: Lib) -> None:
    """Line ends, marks that are not seen, code: typed on the page, stored, shown again."""
    table.write(tuple(ODD_KEYS))
    assert table.run().code == 0
    with _opened(table) as address:
        page = Page(address)
        for key, text in ODD_KEYS.items():
            assert page.act("edit", key, text)[0] == 200, key
        assert {key: card["text"] for key, card in Page(address).cards.items()} == ODD_KEYS
    assert {key: text for key, text in table.texts().items() if key in ODD_KEYS} == ODD_KEYS


@pytest.mark.parametrize("table", ["functions"], indirect=True)
@pytest.mark.parametrize("said", ['["Joey Yap", "p. 44"]', '"a text"', "44", "null"])
def test_a_provenance_that_says_nothing_to_us_is_none(table: Lib, said: str) -> None:
    """It is somebody else's word, and no reason to fall over."""
    table.project.sql(f"update public.lib set provenance = '{said}' where key = 'a'")
    assert table.run("a", verb="show").document["texts"][0]["provenance"] is None
    with _opened(table) as address:
        assert Page(address).cards["a"]["writer"] == ""


@pytest.mark.parametrize("table", ["functions"], indirect=True)
def test_a_key_that_is_a_plain_word_blanks_no_text(table: Lib) -> None:
    """Whatever the setting holds, texts are shown as they are."""
    table.edit("a", "It is a secret that you keep, and a secret that keeps you.")
    shown = table.run("a", verb="show", ANTHROPIC_API_KEY="secret")
    assert "[redacted]" not in shown.out
