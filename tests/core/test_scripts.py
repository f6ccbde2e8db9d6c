"""Words, sentences, characters and signs by the rules of Unicode, in any script."""

from __future__ import annotations

import pytest
from core.small_catalog import item

from seed_library.core.catalog import GateRules, WordRule
from seed_library.core.gates import Text, judge

WIDE = WordRule(1, 900, 1, 900)


def _errors(
    text: str, locale: str = "", words: WordRule | None = WIDE, characters: WordRule | None = None
) -> list[str]:
    rules = GateRules(words, characters, locale=locale)
    return [finding.gate for finding in judge(text, rules, item()).findings if finding.severity == "error"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("नमस्ते दुनिया, यह हिन्दी है", ["नमस्ते", "दुनिया", "यह", "हिन्दी", "है"]),
        ("او می‌رود و کتاب‌ها را می‌خواند", ["او", "می‌رود", "و", "کتاب‌ها", "را", "می‌خواند"]),
        ("كِتَابٌ جَدِيدٌ", ["كِتَابٌ", "جَدِيدٌ"]),
        ("l’été, aujourd'hui", ["l’été", "aujourd'hui"]),
        ("3,5 Liter und 1.000 Gramm", ["3,5", "Liter", "und", "1.000", "Gramm"]),
        ("בית־ספר גדול", ["בית־ספר", "גדול"]),
        ("Schüler:innen, E-Mail", ["Schüler:innen", "E-Mail"]),
        ("Wach\u00adheit", ["Wach\u00adheit"]),
        ("김밥 두 줄", ["김밥", "두", "줄"]),
        ("… – 。", []),
    ],
)
def test_marks_and_joiners_are_a_part_of_their_word(text: str, words: list[str]) -> None:
    """A vowel sign, a joiner, a soft hyphen or a comma in a number ends no word."""
    assert Text(text).words == words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("größer", 6),
        ("नमस्ते", 3),
        ("各自", 2),
        ("👨‍👩‍👧", 1),
        ("🇩🇪!", 2),
        ("é", 1),
        ("ก็", 1),
        ("각", 1),
        ("a\r\nb", 3),
        ("", 0),
    ],
)
def test_a_character_is_what_a_reader_sees(text: str, count: int) -> None:
    """Letters with their marks, and emoji of several parts, are one."""
    assert Text(text).characters == count


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("雨が降る。傘がない！どうする？", 3),
        ("「行こう。」そう言った。", 2),
        ("هل نسيت؟ نعم. حسنًا!", 3),
        ("کیا یہ سچ ہے؟ ہاں۔ اچھا۔", 3),
        ("वह आया। वह गया॥", 2),
        ("Ποιος ξέρει; Κανείς.", 2),
        ("ሰላም ነው። ደህና ነኝ።", 2),
        ("ខ្ញុំទៅ។ អ្នកមក៕", 2),
        ("သူလာသည်။ သူသွားသည်။", 2),
        ("Բարեւ։ Ցտեսություն։", 2),
        ("¿Vienes? ¡Claro! “Vale.” «Bien».", 4),
        ("Tu viens ? » Il rit.", 2),
        ("He left… She stayed.", 2),
        ("Dr. Kim kam am 3. Mai an. z. B. heute", 1),
    ],
)
def test_a_sentence_ends_at_the_marks_of_its_script(text: str, sentences: int) -> None:
    """With a blank after them or without, inside quotation marks or not."""
    locale = "el" if "Ποιος" in text else ""
    assert len(Text(text, locale).sentences) == sentences


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("ja", "雨が上がった。"),
        ("ja", "彼女は笑った。「またね」"),
        ("zh-Hant", "她說：「走吧！」"),
        ("zh-Hans", "他问：“走吗？”"),
        ("ar", "هل تأتي؟"),
        ("ur", "وہ چلا گیا۔"),
        ("hi", "वह घर गया।"),
        ("sa", "इति॥"),
        ("el", "Ποιος ξέρει;"),
        ("hy", "Նա եկավ։"),
        ("am", "ሰላም ነው።"),
        ("km", "ខ្ញុំទៅផ្ទះ៕"),
        ("my", "သူ အိမ် ပြန်သည်။"),
        ("bo", "བཀྲ་ཤིས་བདེ་ལེགས།"),
        ("th", "เขากลับบ้านแล้ว"),
        ("lo", "ລາວກັບບ້ານແລ້ວ"),
        ("fr", "Elle dit : « Ici, personne n'arrive sec. »"),
        ("fr", "Elle dit : «\u202fVous venez\u202f?\u202f»"),
        ("pl", "Powiedział: „Nigdy tego nie zrozumiem.”"),
        ("fi", "Hän sanoi: ”Niin se on.”"),
        ("ko", "그는 웃었다."),
        ("mn-Mong", "ᠰᠠᠶᠢᠨ᠃"),
    ],
)
def test_a_text_ends_as_its_script_lets_it(locale: str, text: str) -> None:
    """Thai and Lao have no mark for it; what closes after the mark closes as the language sets it."""
    assert "finished" not in _errors(text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("ja", "雨が上がったので、"),
        ("ja", "彼は「もう行くよ。"),
        ("zh-Hant", "她把碗推到你"),
        ("ar", "كان يمشي في"),
        ("hi", "वह घर गया और"),
        ("el", "Ποιος ξέρει, "),
        ("th", "เขากลับบ้านแล้วและ"),
        ("th", "เขากลับบ้านแล้ว แต่เ"),
        ("lo", "ລາວກັບບ້ານແລ້ວ ແລະ"),
        ("ru", "Он сказал: «Я приду."),
        ("en", "She said: “I never knew."),
        ("km", "ខ្ញុំទៅផ្ទះ"),
        ("de", "Wer weiß; "),
    ],
)
def test_a_text_that_breaks_off_is_refused_in_every_script(locale: str, text: str) -> None:
    """By the missing mark, by what never closes, or by a word that leads on."""
    assert "finished" in _errors(text, locale)


@pytest.mark.parametrize(
    "text",
    [
        "او می‌رود و خانه‌ها را می‌بیند.",
        "क्‍षमा और रा‌म।",
        "ഇത് അവന്‍ ആണ്.",
        "قال: GNU\u200e ثم مضى\u200f.",
        "הוא אמר \u2067שלום\u2069 והלך.",
        "Die Wach\u00adheit kostet.",
        "ខ្ញុំ\u200bទៅ\u200bផ្ទះ។",
        "葛\U000e0100飾区です。",
        "ᠮᠣᠩᠭᠣᠯ\u180eᠠ᠃",
        "سنة \u0600١٢٣.",
        "☀\ufe0e heute.",
    ],
    ids=ascii,
)
def test_what_a_script_needs_is_not_invisible(text: str) -> None:
    """Joiners, direction marks, variation selectors and breaks, each where it has a job to do."""
    assert "plain" not in _errors(text, "ja" if "飾" in text else "")


@pytest.mark.parametrize("text", ["\u0958लम और सड़क।", "\u2126 und \u212b.", "\u1f79 λόγος."], ids=ascii)
def test_letters_that_normal_form_takes_apart_may_stay(text: str) -> None:
    """Hindi keyboards and fonts use them; nobody could tell the writer what is wrong with the text."""
    assert "plain" not in _errors(text)


@pytest.mark.parametrize(
    "text", ["gro\u0308ßer.", "か\u3099っこう。", "\u1100\u1161다.", "l'e\u0301te\u0301."], ids=ascii
)
def test_marks_that_stand_apart_from_their_letters_are_refused(text: str) -> None:
    """Such a text is compared, searched and cut wrongly."""
    assert "plain" in _errors(text)


@pytest.mark.parametrize(
    "text",
    [
        "Du\u200cgehst.",
        "Du\u200d gehst.",
        "Du gehst\u200e.",
        "Du\u2067 gehst\u2069.",
        "قال \u202eشيئا\u202c.",
        "Du\ufe0fgehst.",
        "Du \U000e0100gehst.",
        "Du \u00adgehst.",
        "You\u2060go.",
        "Du gehst\U000e0041.",
        "他\u200b去了。",
        "Du gehst\u3164.",
        "Du gehst\ufffe.",
    ],
    ids=ascii,
)
def test_what_nobody_sees_and_no_script_needs_is_refused(text: str) -> None:
    """Such characters mark a text, reorder it, or hide something in it."""
    assert "plain" in _errors(text)


@pytest.mark.parametrize(
    "text",
    [
        "LEGO® und Lycra™, © 2026.",
        "Tee ↔ Kaffee → Wasser.",
        "5 # 3 * 2.",
        "℗ ℠ № ℹ 20 °C ½ ‰ €.",
        "F♯ und B♭.",
        "Das ♥ ist Trumpf, ♠ nicht.",
        "Wie bitte‽ Was⁉ Nein‼",
        "▶ Los ◀ geht es.",
        "㊗ おめでとう。",
        "♀ und ♂.",
        "☎ 030 1234.",
        "✓ Erledigt.",
        "☀\ufe0e scheint.",
    ],
)
def test_signs_of_writing_are_no_emoji(text: str) -> None:
    """What Unicode shows as text by itself is one."""
    assert "symbols" not in _errors(text)


@pytest.mark.parametrize(
    "emoji", ["🌙", "❤\ufe0f", "1\ufe0f\u20e3", "#\u20e3", "©\ufe0f", "🇩🇪", "✨", "👍🏽", "👨‍👩‍👧", "⌚"], ids=ascii
)
def test_what_is_shown_as_an_emoji_is_refused(emoji: str) -> None:
    """By itself, or because the selector behind it makes it one."""
    assert "symbols" in _errors(f"Du gehst {emoji} zurück.")


@pytest.mark.parametrize(
    "text",
    [
        "1984. Das war ein Buch.",
        "2001. Odyssee.\n1984. Roman.",
        "Das Modul __init__ und __main__.",
        "snake_case und my__name.",
        "5 * 3 * 2 und 2 ** 3.",
        "#1 der Liste, C# und #tag.",
        "f**k, sagte er.",
        "Leser*innen und Autor*innen.",
        "3. Oktober war es, als du gingst.",
        "> 100 Gäste kamen.",
        "Ein [sic] und (so).",
        "— Komm, sagte er.",
    ],
)
def test_names_years_and_sums_are_no_markdown(text: str) -> None:
    """It takes two marks around something, or a mark at the start of a line."""
    assert "plain" not in _errors(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ein **Wort** hier.",
        "__fett gedruckt__ hier.",
        "# Titel\nText.",
        "1. Eins\n2. Zwei",
        "Text:\n- eins\n- zwei",
        "1) Eins.",
    ],
)
def test_markdown_is_still_markdown(text: str) -> None:
    """Emphasis, headings and lists."""
    assert "plain" in _errors(text)


@pytest.mark.parametrize(
    ("size", "severity"),
    [(9, "error"), (10, "warning"), (19, "warning"), (20, None), (30, None), (31, "warning"), (41, "error")],
)
@pytest.mark.parametrize("letter", ["あ", "ก", "क", "e\u0301"])
def test_characters_are_judged_at_the_exact_bounds(letter: str, size: int, severity: str | None) -> None:
    """As words are, with the figures in the message."""
    rules = GateRules(None, WordRule(20, 30, 10, 40))
    found = [one for one in judge(letter * (size - 1) + "。", rules, item()).findings if one.gate == "characters"]
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all(one.message.startswith(f"{size} characters; ") for one in found)


def test_without_dictionaries_words_without_blanks_are_not_counted() -> None:
    """The gate says nothing rather than something wrong."""
    assert _errors("雨が上がったので、外に出た。", "ja", words=WordRule(60, 90, 50, 110)) == []


@pytest.mark.parametrize(
    ("entry", "text", "found"),
    [
        ("運命", "これは運命的な夜だ。", True),
        ("ชะตา", "มันคือชะตากรรม", True),
        ("命運", "這是他的命運。", True),
        ("運命", "これは命の話だ。", False),
        ("भाग्य", "यह भाग्य है।", True),
        ("भाग्य", "यह सौभाग्यशाली है।", False),
        ("судьба", "Такова судьба.", True),
    ],
)
def test_a_banned_word_is_found_where_no_blank_ends_it(entry: str, text: str, found: bool) -> None:
    """In a script without blanks wherever it stands, else as a word."""
    rules = GateRules(WIDE, banned=(entry,))
    assert any(one.gate == "banned" for one in judge(text, rules, item()).findings) is found
