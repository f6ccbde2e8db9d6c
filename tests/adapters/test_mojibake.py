"""A text that was wrongly decoded, or saved in an encoding that is too small, is known by its marks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seed_library.adapters.catalog_folders import prompts_folder
from seed_library.adapters.catalogs import load_catalog
from seed_library.adapters.mojibake import mark_of_wrong_decoding

STORED = "Über „Brücken“ gehst du → und pfeifst – es ist schön’s Wetter."
OTHERS = (
    "L’été, où l’on rêve : ça coûte 20 €.",
    "Żółta łódka płynie – „gęsia skórka”.",
    "今日は日曜日です。「はい」",
    "Сегодня хорошая погода.",
    "Hà Nội là thủ đô của Việt Nam.",
    "Naïve café → done… 🚀",
)
READ_AS = ("cp1252", "latin-1", "mac-roman", "cp437", "cp850", "cp1250")


@pytest.mark.parametrize("stored", [STORED, *OTHERS])
@pytest.mark.parametrize("encoding", READ_AS)
def test_utf_8_that_was_read_as_something_else_is_known(stored: str, encoding: str) -> None:
    """Beside what is stored, and edited afterwards, and read wrongly twice."""
    damaged = stored.encode().decode(encoding, "replace")
    assert mark_of_wrong_decoding(damaged, stored)
    assert mark_of_wrong_decoding(damaged.encode().decode(encoding, "replace"), stored)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_without_anything_stored_the_usual_misreadings_are_known_too(encoding: str) -> None:
    """By rows of characters that come about so only."""
    for text in (STORED, *OTHERS):
        assert mark_of_wrong_decoding(text.encode().decode(encoding, "replace") + " And edited.", "")


@pytest.mark.parametrize("stored", [STORED, OTHERS[0], OTHERS[1]])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_characters_that_were_lost_while_saving_are_known(stored: str, encoding: str) -> None:
    """A question mark stands where one was; a replacement character is one anywhere."""
    assert mark_of_wrong_decoding(stored.encode(encoding, "replace").decode(encoding), stored)
    assert mark_of_wrong_decoding(stored.encode("cp1252", "replace").decode("utf-8", "replace"), stored)
    assert mark_of_wrong_decoding(stored.encode("cp1252", "replace").decode("utf-8", "replace"), "")


@pytest.mark.parametrize(
    "text",
    [
        STORED.replace("„", "«").replace("“", "»"),
        STORED.replace("ü", "ue"),
        STORED.replace("schön’s", "schönes") + " Na, was?",
        STORED.replace("–", "-").replace("→", "zu"),
        "Was ist das?Eine Frage. https://example.org/a?b=c",
        "Spaß“ MAÇÃ… À l’œuvre, 20 °C, «É», „Groß“…",
        "",
        "日本語",
    ],
)
def test_what_people_change_bears_no_mark(text: str) -> None:
    """Other quotes, other spellings, other words."""
    assert mark_of_wrong_decoding(text, "Words without any sign." if "?" in text else STORED) == ""


def test_a_mark_that_is_stored_already_is_no_news() -> None:
    """Whoever writes about encodings may go on."""
    stored = "So sieht Ã¤ aus, und so \ufffd."
    assert mark_of_wrong_decoding(stored + " Mehr dazu.", stored) == ""


def test_no_title_and_no_fact_of_the_shipped_catalogs_bears_a_mark() -> None:
    """German and English, with all their signs."""
    catalog = load_catalog(prompts_folder(None), "bazi_pillars")
    texts = {item.title for item in catalog.items}
    texts |= {json.dumps(dict(item.facts), ensure_ascii=False, default=str) for item in catalog.items}
    texts |= {path.read_text("utf-8") for path in Path(prompts_folder(None)).glob("*/*.md")}
    assert [text for text in texts if mark_of_wrong_decoding(text, "")] == []


def test_a_mark_is_shown_with_what_is_around_it() -> None:
    """Short enough for a sentence."""
    mark = mark_of_wrong_decoding("x" * 100 + "Ã¤rger" + "y" * 100, "")
    assert "Ã¤rger" in mark
    assert len(mark) <= 30
