"""The page of `review` in a real browser: what an editor sees, and what their buttons do to the table."""

from __future__ import annotations

import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from adapters.review_visitor import Visitor
from processes.cards import Cards
from processes.odd_library import ODD_KEYS, texts_of
from processes.program import Program, Running, served
from processes.test_generated_columns import TEASER
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait
from servers.processes import MessagesServer
from servers.supabase import Supabase
from toolchain import required

# Without these Chromium asks the world for news at every start.
_QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)
_PATIENCE = 30  # seconds; a guard, not a measure
_FEW = ("--key", "yang_wood_rat", "--key", "yin_wood_ox")
_TABLE = "select * from public.content_library where key = 'yang_wood_rat' and category = 'bazi_year_pillar'"


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    """A headless Chromium at the size of a desktop."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        if required():
            pytest.fail("SEED_REQUIRE_SERVERS=1, but there is no chromium with chromedriver (Debian: chromium-driver)")
        pytest.skip("no chromium with chromedriver")
    options = Options()
    options.binary_location = chromium
    for argument in _QUIET:
        options.add_argument(argument)
    opened = webdriver.Chrome(options=options, service=Service(driver))
    opened.set_window_size(1400, 900)
    yield opened
    opened.quit()


@pytest.fixture
def reviewed(program: Program, messages: MessagesServer) -> Iterator[tuple[Program, Running, str]]:
    """Six texts, one of them rejected, and the page that shows them."""
    messages.faults({"match": "Jahressäule Yin-Holz-Ochse", "text": "Zu kurz.", "times": 3})
    assert program.run("run", *_FEW).code == 6
    run = program.start("review", "--json", *_FEW)
    with served(run) as address:
        yield program, run, address


def _all(browser: webdriver.Chrome, selector: str) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def _said(browser: webdriver.Chrome, text: str) -> None:
    WebDriverWait(browser, _PATIENCE).until(lambda page: text in page.find_element(By.ID, "say").text)


def test_an_editor_reads_edits_accepts_and_rejects(
    reviewed: tuple[Program, Running, str],
    browser: webdriver.Chrome,
    supabase: Supabase,
    messages: MessagesServer,
    tmp_path: Path,
) -> None:
    """By keyboard and by mouse; the table says the same, and the next run leaves it so."""
    program, _, address = reviewed
    browser.get(address)
    assert browser.find_element(By.ID, "counts").text.startswith("5 of 6 stored · 1 to decide")
    assert [link.get_attribute("data-key") for link in _all(browser, "nav a")] == ["yang_wood_rat", "yin_wood_ox"]
    assert len(_all(browser, "article")) == 3
    assert browser.save_screenshot(str(tmp_path / "desktop.png"))

    page = browser.find_element(By.TAG_NAME, "body")
    page.send_keys("e")
    area = _all(browser, "textarea")[0]
    area.send_keys(Keys.CONTROL, "a")
    area.send_keys("Mein eigener Satz mit <b>Klammern</b>.")
    area.send_keys(Keys.CONTROL, Keys.ENTER)
    _said(browser, "Done.")
    assert supabase.sql(_TABLE)[0]["description"] == "Mein eigener Satz mit <b>Klammern</b>."
    assert "edited by hand" in _all(browser, "article h3")[0].text.casefold()
    assert _all(browser, "article b") == []

    browser.find_element(By.TAG_NAME, "body").send_keys("j")
    assert "Zu kurz." in _all(browser, "article")[0].text
    assert "length: 2 words" in _all(browser, "ul.findings li.error")[0].text
    _all(browser, "[data-do=accept]")[0].click()
    _said(browser, "Done.")
    assert supabase.count() == 6

    _all(browser, "article")[1].click()
    browser.find_element(By.TAG_NAME, "body").send_keys("r")
    _said(browser, "Done.")
    assert "not wanted" in _all(browser, "article h3")[1].text.casefold()

    billed = len(messages.billed())
    _all(browser, "article.here [data-do=regenerate]")[0].click()
    WebDriverWait(browser, _PATIENCE).until(lambda _: len(messages.billed()) == billed + 1)
    _said(browser, "Done.")

    assert program.run("run", *_FEW, "--refresh", "all").code == 0
    assert supabase.sql(_TABLE)[0]["description"] == "Mein eigener Satz mit <b>Klammern</b>."
    log = browser.get_log("browser")  # type: ignore[no-untyped-call]  # the library has no types here
    assert [entry for entry in log if entry["level"] == "SEVERE"] == []


def test_the_page_fits_a_phone_and_filters(
    reviewed: tuple[Program, Running, str], browser: webdriver.Chrome, tmp_path: Path
) -> None:
    """One column, nothing wider than the screen; search and states choose."""
    browser.set_window_size(412, 900)
    browser.get(reviewed[2])
    assert browser.save_screenshot(str(tmp_path / "phone.png"))
    wide = browser.execute_script("return document.documentElement.scrollWidth > innerWidth")
    assert not wide
    tops = [article.location["x"] for article in _all(browser, "article")]
    assert len(set(tops)) == 1
    browser.find_element(By.ID, "find").send_keys("ochse")
    assert [link.get_attribute("data-key") for link in _all(browser, "nav a")] == ["yin_wood_ox"]
    Select(browser.find_element(By.ID, "show")).select_by_value("refused")
    WebDriverWait(browser, _PATIENCE).until(lambda _: len(_all(browser, "article")) == 1)


def test_nobody_without_the_token_reads_or_acts(reviewed: tuple[Program, Running, str]) -> None:
    """Another user of the machine, another page in the browser, another name for this address."""
    bare, _, token = reviewed[2].partition("?token=")
    tries = [
        urllib.request.Request(bare),
        urllib.request.Request(f"{bare}?token=wrong"),
        urllib.request.Request(reviewed[2], headers={"Host": "evil.example"}),
        urllib.request.Request(f"{bare}api/act", data=b'{"what": "reject"}', method="POST"),
    ]
    for request in tries:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code == 403
        refused.value.close()
    assert token


def test_a_report_is_one_file_that_changes_nothing(
    reviewed: tuple[Program, Running, str], browser: webdriver.Chrome, tmp_path: Path
) -> None:
    """The same page without a server and without buttons."""
    file = tmp_path / "report.html"
    assert reviewed[0].run("report", str(file), *_FEW).code == 0
    browser.get(file.as_uri())
    assert len(_all(browser, "article")) == 3
    assert _all(browser, "button") == []


def test_columns_beside_the_text_are_read_with_it(program: Program, browser: webdriver.Chrome, tmp_path: Path) -> None:
    """By their names; markup in them is text."""
    program.make_catalog("cards", TEASER)
    assert program.run("rehearse", "cards").code == 0
    rehearsed = program.folder / "rehearsal.sqlite3"
    with closing(sqlite3.connect(rehearsed)) as table, table:
        table.execute("update content_library set teaser = '<b>Look</b> & see' where key = 'first'")
    file = tmp_path / "report.html"
    assert program.run("report", str(file), "cards", "--store", f"sqlite:{rehearsed}").code == 0
    browser.get(file.as_uri())
    assert [shown.text for shown in _all(browser, "p.beside")] == ["teaser <b>Look</b> & see"]


def _go_to(browser: webdriver.Chrome, key: str) -> str:
    """Choose an item, and return its text exactly as the document holds it."""
    browser.execute_script("document.querySelector(`nav a[data-key=${arguments[0]}]`).click()", key)
    shown: str = browser.execute_script("return document.querySelector('article p.text').textContent")
    return shown


def _write_into(browser: webdriver.Chrome, place: int, word: str) -> None:
    """Put a word into the text that is being edited, by keyboard, and save it."""
    area = _all(browser, "textarea")[0]
    WebDriverWait(browser, _PATIENCE).until(lambda page: page.switch_to.active_element == area)
    browser.execute_script("arguments[0].setSelectionRange(arguments[1], arguments[1])", area, place)
    ActionChains(browser).send_keys(word).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()


def test_odd_texts_are_read_and_edited_as_they_are_in_either_of_two_tabs(
    odd_texts: Cards, browser: webdriver.Chrome
) -> None:
    """A word more in each; whatever else is in it stays, and a connection that says nothing stands beside."""
    with served(odd_texts.start(verb="review")) as address, Visitor.at(address).connect():
        tabs = []
        for kind in ("tab", "tab"):
            browser.switch_to.new_window(kind)
            browser.get(address)
            tabs.append(browser.current_window_handle)
        for number, (key, text) in enumerate(ODD_KEYS.items()):
            browser.switch_to.window(tabs[number % 2])
            assert _go_to(browser, key) == text
            browser.execute_script("document.querySelector('[data-do=edit]').click()")
            _write_into(browser, 5, "Yes")
            _said(browser, "Done.")
            assert texts_of(odd_texts)[key] == text[:5] + "Yes" + text[5:], key
            browser.execute_script("say('')")
        for tab in tabs:
            browser.switch_to.window(tab)
            browser.refresh()
            for key, text in texts_of(odd_texts).items():
                assert _go_to(browser, key) == text
        log = browser.get_log("browser")  # type: ignore[no-untyped-call]  # the library has no types here
    assert [entry for entry in log if entry["level"] == "SEVERE"] == []


def test_who_edits_in_the_second_tab_sees_what_was_written_in_the_first(
    odd_texts: Cards, browser: webdriver.Chrome
) -> None:
    """Both texts are there, nothing is lost, and saving once more is a decision."""
    key, text = "k02", ODD_KEYS["k02"]
    with served(odd_texts.start(verb="review")) as address:
        tabs = []
        for kind in ("tab", "tab"):
            browser.switch_to.new_window(kind)
            browser.get(address)
            assert _go_to(browser, key) == text
            browser.execute_script("document.querySelector('[data-do=edit]').click()")
            tabs.append(browser.current_window_handle)
        for tab, word, told in zip(tabs, ("first", "second"), ("Done.", "changed this text meanwhile"), strict=True):
            browser.switch_to.window(tab)
            _write_into(browser, 0, f"The {word}. ")
            _said(browser, told)
        assert texts_of(odd_texts)[key] == _all(browser, "[data-now]")[0].text == f"The first. {text}"
        area = _all(browser, "textarea")[0]
        assert area.get_attribute("value") == f"The second. {text}"
        area.send_keys(Keys.CONTROL, Keys.ENTER)
        _said(browser, "Done.")
        assert texts_of(odd_texts)[key] == f"The second. {text}"


def test_odd_texts_are_in_a_report_as_they_are(odd_texts: Cards, browser: webdriver.Chrome) -> None:
    """In the browser, from a file."""
    file = odd_texts.program.folder / "page.html"
    assert odd_texts.program.run("report", str(file), "cards").code == 0
    browser.get(file.as_uri())
    assert {key: _go_to(browser, key) for key in ODD_KEYS} == ODD_KEYS
    log = browser.get_log("browser")  # type: ignore[no-untyped-call]  # the library has no types here
    assert [entry for entry in log if entry["level"] == "SEVERE"] == []
