"""What is known of languages beforehand: their names, their scripts, and which are easily mistaken for another."""

from __future__ import annotations

import re

# What is believed as another language: those that the model has seen much of. Nobody writes a sentence of Interlingua.
BELIEVED = frozenset(re.findall(r"\w+", """
    ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id it ja ka ko lt lv mk ms nb nl pl pt ro ru sk sl sq sr sv ta
    te th tr uk ur vi zh
"""))  # fmt: skip
_RELATIVES = [
    frozenset(group.split())
    for group in (
        "nb nn no da sv",
        "hr sr bs sh sl mk bg",
        "cs sk",
        "id ms jv su min",
        "pt es gl",
        "es ca ast an oc",
        "nl af li vls fy nds",
        "de lb als bar nds",
        "ru uk be bg",
        "hi mr ne bh mai sa",
        "ar arz fa ur ps ckb pnb",
        "zh yue wuu",
        "tr az",
        "et fi",
    )
]
_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "nb": "Norwegian", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip

# The scripts of a locale by their Unicode names; Latin is at home where nothing else is said.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "Arab": ("Arabic",), "Armn": ("Armenian",), "Beng": ("Bengali",), "Cyrl": ("Cyrillic",),
    "Deva": ("Devanagari",), "Ethi": ("Ethiopic",), "Geor": ("Georgian",), "Grek": ("Greek",),
    "Gujr": ("Gujarati",), "Guru": ("Gurmukhi",), "Hans": ("Han",), "Hant": ("Han",), "Hani": ("Han",),
    "Hebr": ("Hebrew",), "Jpan": ("Han", "Hiragana", "Katakana"), "Khmr": ("Khmer",), "Knda": ("Kannada",),
    "Kore": ("Hangul",), "Laoo": ("Lao",), "Latn": ("Latin",), "Mlym": ("Malayalam",), "Mymr": ("Myanmar",),
    "Orya": ("Oriya",), "Sinh": ("Sinhala",), "Taml": ("Tamil",), "Telu": ("Telugu",), "Thaa": ("Thaana",),
    "Thai": ("Thai",), "Tibt": ("Tibetan",),
}  # fmt: skip


def named(language: str) -> str:
    """Return the name of a language."""
    return _NAMES.get(language, f"the language {language!r}")


def related(one: str, other: str) -> bool:
    """Whether two languages are so close that a sentence of one may pass for the other."""
    return any(one in group and other in group for group in _RELATIVES)
