"""Locales as catalogs and people write them: a language with, at most, a script, a region and variants (BCP 47).

A catalog's spelling is what stands in the table and in the names of its templates, so it is kept as it is; another
spelling of the same locale (`pt_br`, `PT-BR`) means the catalog's. What a gate has to know of a locale is its language
and the script that it is written in: where none is named, the one that CLDR's likely subtags give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|\d{3}))?"
    r"(?P<variants>(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)",
    re.IGNORECASE | re.ASCII,
)
_OLD_NAMES = {"iw": "he", "in": "id", "ji": "yi", "tl": "fil", "cmn": "zh", "mo": "ro"}
_TRADITIONAL_CHINESE = {"TW", "HK", "MO"}
_SCRIPT_BY_REGION = {*_TRADITIONAL_CHINESE, "CN", "SG"}
_SCRIPTS = {
    "Arab": "ar fa ur ps sd ug ckb arz ary azb pnb",
    "Armn": "hy hyw",
    "Beng": "bn as",
    "Cyrl": "ru uk be bg mk sr kk ky mn tg tt ba cv os ce sah",
    "Deva": "hi mr ne sa mai bho kok doi",
    "Ethi": "am ti",
    "Geor": "ka",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Hans": "zh wuu",
    "Hant": "yue",
    "Hebr": "he yi",
    "Jpan": "ja",
    "Khmr": "km",
    "Knda": "kn",
    "Kore": "ko",
    "Laoo": "lo",
    "Mlym": "ml",
    "Mymr": "my shn",
    "Orya": "or",
    "Sinh": "si",
    "Taml": "ta",
    "Telu": "te",
    "Thai": "th",
    "Thaa": "dv",
    "Tibt": "bo dz",
}
_LIKELY_SCRIPT = {language: script for script, languages in _SCRIPTS.items() for language in languages.split()}
_WITHOUT_BLANKS = {"Hans", "Hant", "Hani", "Jpan", "Hira", "Kana", "Khmr", "Laoo", "Mymr", "Thai"}


class LocaleFault(ValueError):
    """What was written is no locale; the text says what one looks like."""


@dataclass(frozen=True, slots=True)
class Locale:
    """A locale in its parts.

    Attributes:
        tag: its usual spelling.
        script: what it is written in; `explicit` where the tag says so itself, or by its region.
        region: empty where none is named.
    """

    tag: str
    language: str
    script: str
    region: str = ""
    explicit: bool = False

    @property
    def blanks(self) -> bool:
        """Whether its words are set apart by blanks."""
        return self.script not in _WITHOUT_BLANKS


@lru_cache(maxsize=1024)
def read_locale(written: str) -> Locale:
    """Read a locale, however its parts are joined and cased; `tag` is the usual spelling.

    Raises:
        LocaleFault: it is none.
    """
    found = _TAG.fullmatch(written.strip().replace("_", "-"))
    if found is None:
        raise LocaleFault(
            f"{written!r} is no locale; one is a language of two or three letters, perhaps with a script and a region:"
            " de, pt-BR, zh-Hant, es-419"
        )
    language = found["language"].lower()
    script, region = (found["script"] or "").title(), (found["region"] or "").upper()
    tag = "-".join(filter(None, (language, script, region))) + found["variants"].lower()
    language = _OLD_NAMES.get(language, language)
    explicit = bool(script) or region in _SCRIPT_BY_REGION
    return Locale(tag, language, script or _likely_script(language, region), region, explicit)


def _likely_script(language: str, region: str) -> str:
    if language == "zh" and region in _TRADITIONAL_CHINESE:
        return "Hant"
    if language == "pa" and region == "PK":
        return "Arab"
    return _LIKELY_SCRIPT.get(language, "Latn")


def spelt_as(wanted: str, known: Iterable[str]) -> str:
    """Return the spelling that the known ones have for a locale; what is wanted, where it is none of them."""
    spellings = {_folded(one): one for one in known}
    return spellings.get(_folded(wanted), wanted)


def _folded(written: str) -> str:
    try:
        return read_locale(written).tag
    except LocaleFault:
        return written
