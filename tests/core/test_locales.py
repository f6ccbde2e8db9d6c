"""A locale is one, however its parts are joined and cased; what is none is refused in a sentence."""

from __future__ import annotations

import pytest

from seed_library.core.locales import LocaleFault, read_locale, spelt_as


@pytest.mark.parametrize(
    ("written", "tag", "language", "script"),
    [
        ("de", "de", "de", "Latn"),
        ("pt_br", "pt-BR", "pt", "Latn"),
        ("PT-BR", "pt-BR", "pt", "Latn"),
        ("zh-hant", "zh-Hant", "zh", "Hant"),
        ("zh_TW", "zh-TW", "zh", "Hant"),
        ("zh", "zh", "zh", "Hans"),
        ("ZH-HANT-hk", "zh-Hant-HK", "zh", "Hant"),
        ("es-419", "es-419", "es", "Latn"),
        ("sr_latn_rs", "sr-Latn-RS", "sr", "Latn"),
        ("sr", "sr", "sr", "Cyrl"),
        ("ja", "ja", "ja", "Jpan"),
        ("iw", "iw", "he", "Hebr"),
        ("ca-ES-valencia", "ca-ES-valencia", "ca", "Latn"),
        ("fil", "fil", "fil", "Latn"),
        (" en ", "en", "en", "Latn"),
    ],
)
def test_a_locale_is_read_in_any_spelling(written: str, tag: str, language: str, script: str) -> None:
    """Language, script and region, and the script that nobody needs to name."""
    found = read_locale(written)
    assert (found.tag, found.language, found.script) == (tag, language, script)


@pytest.mark.parametrize(
    "written", ["", "chinese", "d", "de-", "-de", "de--AT", "zh-Hant-Hant", "en US", "12", "de-AUT1", "ελ"]
)
def test_what_is_no_locale_is_refused_with_an_example(written: str) -> None:
    """The sentence names what was written and shows what one looks like."""
    with pytest.raises(LocaleFault, match=r"is no locale; .*pt-BR"):
        read_locale(written)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [("PT-BR", "pt_br"), ("pt-br", "pt_br"), ("zh_hant", "zh-Hant"), ("EN", "en"), ("pt", "pt"), ("x y", "x y")],
)
def test_another_spelling_means_the_one_that_is_known(wanted: str, meant: str) -> None:
    """What is not known stays as it is, for whoever names it."""
    assert spelt_as(wanted, ("en", "pt_br", "zh-Hant")) == meant
