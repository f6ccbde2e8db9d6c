"""Single characters that an app cannot show as they are meant: invisible ones, markup, emoji.

What is invisible is the Unicode property Default_Ignorable_Code_Point, together with controls; what a script needs of
it is let pass where it needs it: joiners between letters, direction marks beside right-to-left letters, variation
selectors after a base that has variants, soft hyphens inside a word, blanks of no width between words without blanks.
What is an emoji is said by UTS #51: what is shown as one of itself, or is made one by the selector behind it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import regex

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.text import Text

_HIDDEN = regex.compile(
    r"(?V1)[[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]"
    r"--[\n\p{Prepended_Concatenation_Mark}]]"
)
# Scripts whose letters join, or whose marks are chosen by a joiner before or after them: all but these.
_NEVER_JOINED = (
    r"\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Georgian}\p{Hebrew}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
)
_NEEDED = regex.compile(
    rf"""(?xV1)
    (?<=\p{{L}}) \u00ad (?=\p{{L}})                                          # a word may be parted here
  | (?<=[[\p{{L}}\p{{M}}]--[{_NEVER_JOINED}]]) [\u200c\u200d]                # joined, or kept apart
  | (?<=[\p{{Emoji}}\p{{Emoji_Modifier}}\ufe0f]) \u200d (?=\p{{Emoji}})      # emoji of several: another gate's business
  | (?<=\p{{LB=SA}}) \u200b | \u200b (?=\p{{LB=SA}})                         # a line may break here
  | (?<=[\p{{Han}}\p{{Mongolian}}\p{{Phags_Pa}}\p{{Myanmar}}\p{{So}}\p{{Sm}}\p{{P}}\p{{Emoji}}])
        \p{{Variation_Selector}}                                               # one of the forms that the base has
  | (?<=\p{{Mongolian}}) \u180e
  | (?<=[\p{{L}}\p{{M}}]) \u034f (?=\p{{M}})                                 # keeps the order of marks
    """
)
_RIGHT_TO_LEFT = regex.compile(r"[\p{bc=R}\p{bc=AL}]")
_DIRECTIONS = frozenset("\u200e\u200f\u061c\u2066\u2067\u2068\u2069")

_MARKDOWN = regex.compile(
    r"""(?x)
    \*\*(?=\S) [^\n]{1,300}? (?<=\S)\*\*
  | (?<!\w)__(?=\S) (?P<between>[^\n]{1,300}?) (?<=\S)__(?!\w)
  | (?m:^)\s{0,3}(?:\#{1,6}\s | [-*+]\s | >\s(?!\d) | ```)
  | (?<=\n)\s{0,3}\d{1,2}[.)]\s
  | \A\s{0,3}\d{1,2}(?:\)\s | \.\s[^\n]*\n\s{0,3}\d{1,2}\.\s)
  | \[[^\]]+\]\([^)]+\)
    """
)
# Names that Python itself writes between two lines each: `__init__`.
_NAMES = {name for kind in (object, int, list, dict, type(unicodedata), type(regex.compile)) for name in dir(kind)}
_DUNDERS = _NAMES | {f"__{name}__" for name in ("init", "main", "all", "file", "path", "enter", "exit", "call", "del")}

_EMOJI = regex.compile(r"(?:\p{Emoji_Presentation}(?!\ufe0e)|\p{Emoji}\ufe0f|[\d#*]\u20e3|\p{Emoji_Modifier})")
# Dingbats and weather, hearts and stars that are no emoji. What is read as a part of a sentence is none of them: the
# signs of music, of cards, of the sexes, and ticks.
_PICTOGRAPH = regex.compile(r"(?V1)[\u2600-\u27BF--[♀♂⚢-⚥♠♣♥♦♩-♯✓-✘☎☏☐-☒★☆♔-♟⚀-⚅]]")


def plain(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject control characters, unnormalised Unicode and markdown: the app shows texts as they are."""
    if _is_taken_apart(text.raw):
        yield Finding("plain", "error", "the text is not in Unicode normal form C")
    if (hidden := _hidden_in(text.raw)) is not None:
        yield Finding("plain", "error", f"control or invisible character U+{ord(hidden):04X}")
    if (markup := _markup_in(text.raw)) is not None:
        yield Finding("plain", "error", "markdown", markup)


def _is_taken_apart(raw: str) -> bool:
    """Whether marks stand apart from letters that could hold them. What normal form C itself takes apart may stay."""
    return not unicodedata.is_normalized("NFC", raw) and len(unicodedata.normalize("NFC", raw)) < len(raw)


def _hidden_in(raw: str) -> str | None:
    """Return the first invisible character that no script needs where it stands."""
    for found in _HIDDEN.finditer(raw):
        directs = found[0] in _DIRECTIONS and _RIGHT_TO_LEFT.search(raw)
        if not directs and not _NEEDED.match(raw, found.start()):
            return found[0]
    return None


def _markup_in(raw: str) -> str | None:
    for found in _MARKDOWN.finditer(raw):
        if found["between"] is None or found[0] not in _DUNDERS:
            return found[0].strip()
    return None


def symbols(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject emoji; flag pictographs that are none."""
    if text.raw.isascii():
        return
    if found := _EMOJI.search(text.raw):
        yield Finding("symbols", "error", "an emoji", found[0])
    elif found := _PICTOGRAPH.search(text.raw):
        yield Finding("symbols", "warning", "a pictograph", found[0])
