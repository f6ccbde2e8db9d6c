"""A draft as the gates look at it: its words, sentences and characters by the rules of Unicode, worked out once.

Words are those of UAX #29, and a hyphen joins its halves into one. Where a script sets no blanks between words only a
dictionary knows them: those texts are cut by the linguist. Sentences end at the marks that Unicode calls terminals, in
any script; characters are those that a reader sees (grapheme clusters).
"""

from __future__ import annotations

from functools import cached_property

import regex

from seed_library.core.catalog import GateRules
from seed_library.core.linguist import UNAIDED, Linguist
from seed_library.core.locales import Locale, read_locale

# Inside a word: apostrophes, dots and colons, commas of a number, and hyphens (the soft, the plain, the Hebrew one).
_JOINT = r"(?:['’.:·‧\-‐‑־]|(?<=\d),(?=\d))"
_BLANKLESS = r"\p{Ideographic}\p{sc=Hira}\p{LB=SA}"
# `\w` holds letters, digits, their marks and joiners. For texts with blanks this is what UAX #29 gives, three times as
# fast as its classes written out.
_WORD = regex.compile(rf"[^\W_\u200c\u200d][\w\u00ad]*(?:{_JOINT}[^\W_][\w\u00ad]*)*")
_CHARACTER_OR_WORD = regex.compile(
    rf"(?V1)[{_BLANKLESS}]\p{{M}}*|[\w--[_{_BLANKLESS}]]+(?:{_JOINT}[\w--[_{_BLANKLESS}]]+)*"
)
_NEEDS_DICTIONARY = regex.compile(f"[{_BLANKLESS}]")
_CHARACTER = regex.compile(r"\X")
_OF_SEVERAL_PARTS = regex.compile(r"[\r\u0300-\u1fff\u200c-\u200f\u20d0-\U0010ffff]")  # or may be

# The terminals of UAX #29; with them the ellipsis, the Tibetan shads, and in Greek the semicolon, which asks there.
_MORE_TERMINALS = "…‥།-༒"
_TERMINALS = rf"[\p{{SB=STerm}}\p{{SB=ATerm}}{_MORE_TERMINALS}]"
_GREEK_TERMINALS = rf"[\p{{SB=STerm}}\p{{SB=ATerm}}{_MORE_TERMINALS};]"
_CLOSING = r"(?:[\p{SB=Close}\p{Pi}\p{Pf}\"']|\s[»›](?=\s|$))*"
_OPENING = r"[\p{Pi}\p{Pf}\p{Ps}\"'¿¡\p{Pd}\s]*"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lo}\p{N}\p{Ideographic}]"
# A dot after a lone letter, a number or one of these ends no sentence.
_NO_END = r"(?<!\b\p{L&}\.)(?<!\d\.)(?<!\b(?:Dr|Nr|bzw|usw|Mr|Mrs|St)\.)"
_WIDE = r"[。！？｡．︒﹖﹗]"  # after these no blank stands


def _sentence_end(terminals: str) -> regex.Pattern[str]:
    spaced = rf"{terminals}+{_NO_END}{_CLOSING}(?=\s+{_OPENING}{_UPPER}|\s*$)"
    return regex.compile(rf"{_WIDE}+{_CLOSING}|{spaced}")


def _text_end(terminals: str) -> regex.Pattern[str]:
    return regex.compile(rf"{terminals}\s?(?:[\p{{SB=Close}}\p{{Pi}}\p{{Pf}}\p{{Pe}}\"']|\s(?=[»›]))*$")


_SENTENCE_END, _GREEK_SENTENCE_END = _sentence_end(_TERMINALS), _sentence_end(_GREEK_TERMINALS)
_TEXT_END, _GREEK_TEXT_END = _text_end(_TERMINALS), _text_end(_GREEK_TERMINALS)
_ANY_LANGUAGE = Locale("", "", "Latn")
_LONGEST_CLOSING = 20  # marks that close after the end of a text


class Text:
    """A text with its words and sentences.

    Attributes:
        locale: of the text; no language where it is not known.
        linguist: who knows words without blanks, and languages.
    """

    def __init__(self, raw: str, locale: str = "", linguist: Linguist = UNAIDED) -> None:
        self.raw = raw
        self.locale = read_locale(locale) if locale else _ANY_LANGUAGE
        self.linguist = linguist

    @property
    def has_words(self) -> bool:
        """Whether its words are known: they are set apart by blanks, or the linguist knows them."""
        return self.locale.blanks or self.linguist.segments

    @property
    def weight(self) -> int:
        """How many of its words say as much as one that blanks set apart: dictionaries cut off every particle."""
        return 1 if self.locale.blanks else 2

    def part(self, raw: str) -> Text:
        """Return a part of this text, read in the same way."""
        return Text(raw, self.locale.tag, self.linguist)

    @cached_property
    def words(self) -> list[str]:
        """The words as they stand; a hyphenated compound is one."""
        if not _NEEDS_DICTIONARY.search(self.raw):
            return _WORD.findall(self.raw)
        if not self.linguist.segments:
            return _CHARACTER_OR_WORD.findall(self.raw)
        return [part for part in self.linguist.words(self.raw, self.locale.tag) if _WORD.match(part)]

    @cached_property
    def lower(self) -> list[str]:
        """The words in lower case, with one kind of apostrophe and without soft hyphens."""
        return [word.casefold().replace("’", "'").replace("\u00ad", "") for word in self.words]

    @cached_property
    def characters(self) -> int:
        """How many characters a reader sees; blanks and marks count."""
        return len(_CHARACTER.findall(self.raw)) if _OF_SEVERAL_PARTS.search(self.raw) else len(self.raw)

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences, their closing marks included."""
        ending = _GREEK_SENTENCE_END if self.locale.script == "Grek" else _SENTENCE_END
        found, start = [], 0
        for end in ending.finditer(self.raw):
            found.append(self.raw[start : end.end()].strip())
            start = end.end()
        rest = self.raw[start:].strip()
        return [*found, rest] if rest else found

    @property
    def ends(self) -> bool:
        """Whether the last sentence has the mark that ends it, whatever closes after it."""
        ending = _GREEK_TEXT_END if self.locale.script == "Grek" else _TEXT_END
        return ending.search(self.raw[-_LONGEST_CLOSING:]) is not None

    def grams(self, size: int) -> list[tuple[str, ...]]:
        """Return all runs of so many words, in order."""
        words = self.lower
        return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]


def read(text: str, rules: GateRules) -> Text:
    """Read a text as one of the rules' locale."""
    return Text(text, rules.locale or rules.language, rules.linguist)


def count_words(text: str) -> int:
    """Count words; a hyphenated compound is one word."""
    return len(Text(text).words)


def first_words(text: Text, count: int) -> str:
    """Return the first words as they stand."""
    return " ".join(text.words[:count])
