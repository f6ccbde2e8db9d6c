"""Headings as they are meant, keys that look the same, texts that no table takes."""

from __future__ import annotations

import pytest

from seed_library.core.records import Headings, Keys, RecordFault, folded_key, is_storable

HEADINGS = Headings(("key", "title", "Body"), [("key", "slug")])


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        (("Key", " TITLE "), ("key", "title")),
        (("\ufeffkey", "title\u200b"), ("key", "title")),
        (("key\u00a0", "\ttitle\n"), ("key", "title")),
        (("body", "BODY "), None),
        (("key", "Sign", " the\u0308ma "), ("key", "Sign", "th\u00ebma")),
        (("", "key", " "), ("", "key", "")),
        (("key", "KEY"), None),
        (("key", "sign", "Sign"), None),
        (("key", "caf\u00e9", "cafe\u0301"), None),
    ],
)
def test_headings_are_read_as_they_are_meant(found: tuple[str, ...], meant: tuple[str, ...] | None) -> None:
    """Whatever blanks, case and normal form those have that are known; two that mean the same are refused."""
    if meant is not None:
        assert HEADINGS.meant(found) == meant
        return
    with pytest.raises(RecordFault, match="is there twice"):
        HEADINGS.meant(found)


def test_headings_that_are_required_and_missing_are_named() -> None:
    """By every name that they may have."""
    assert HEADINGS.lacking(["slug"]) == []
    assert HEADINGS.lacking(["title"]) == ["'key' or 'slug'"]


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("a\u200bb", "U+200B ZERO WIDTH SPACE"),
        ("\ufeffa", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("a\u00adb", "U+00AD SOFT HYPHEN"),
        ("a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("a\nb", "U+000A"),
        ("a\x7fb", "U+007F"),
        ("ab\u200d", "U+200D ZERO WIDTH JOINER"),
        (7, "the number 7"),
        (1.5, "the number 1.5"),
        (True, "missing"),
        (None, "missing"),
        ("", "missing"),
        ("a\u3000", "blanks around it"),
    ],
)
def test_a_key_that_nobody_can_type_again_is_named(key: object, named: str) -> None:
    """With the character, by its number and name."""
    assert named in Keys().fault_of(key)


@pytest.mark.parametrize(
    "key",
    [
        "yang_wood_rat",
        "a b",
        "日本語",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क\u094d\u200dष",
        "\U0001f469\u200d\U0001f680",
        "❤\ufe0f",
        "Ärger",
        "Ä",
        "\u00a0x"[1:],
    ],
)
def test_keys_of_every_script_are_keys(key: str) -> None:
    """Joiners are spelling in some, and part of pictures."""
    assert Keys().fault_of(key) == ""


@pytest.mark.parametrize(
    "pair",
    [
        ("caf\u00e9", "cafe\u0301"),
        ("\u1e69", "s\u0323\u0307"),
        ("a b", "a  b"),
        ("a b", "a\u00a0b"),
        ("\ud55c", "\u1112\u1161\u11ab"),
    ],
)
def test_two_keys_that_look_the_same_are_named(pair: tuple[str, str]) -> None:
    """Whichever comes first; the same key again is another matter."""
    for one, other in (pair, pair[::-1]):
        keys = Keys()
        faults = [keys.fault_of(one), keys.fault_of(one), keys.fault_of(other), *keys.doubles_among([one, other])]
        assert [fault for fault in faults if fault]
        assert all("look the same" in fault and ascii(one) in fault for fault in faults if fault)


def test_keys_that_only_look_alike_to_a_program_stay_two() -> None:
    """Case and compatible forms tell them apart."""
    keys = Keys()
    several = ["a", "A", "2", "²", "fi", "ﬁ", "ss", "ß"]
    assert [keys.fault_of(key) for key in several] == [""] * len(several)
    assert list(keys.doubles_among(several)) == []
    assert len({folded_key(key) for key in several}) == len(several)


@pytest.mark.parametrize("value", ["a\0", "\ud800", ["x", {"y": ("\udfff",)}], {"\0": 1}, {"x": [["\ud83d"]]}])
def test_what_no_table_takes_is_found_however_deep(value: object) -> None:
    """In lists, objects and their names."""
    assert not is_storable(value)
    assert is_storable(["x", {"y": (1, None, "\U0001f600")}])
