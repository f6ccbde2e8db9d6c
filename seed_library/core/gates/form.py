"""What the app cannot show or nobody should read: wrong length, half sentences, markup, symbols, labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import regex

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.text import Text

_ENDING = regex.compile(r"[.!?…][\"'\p{Pi}\p{Pf}\p{Pe}]*$")  # closing quotation marks differ by language
_FORBIDDEN_CHARACTERS = regex.compile(r"[\p{Cc}\p{Cf}\p{Co}\p{Cs}--[\n\u00AD\u200D]]", regex.V1)
_MARKDOWN = regex.compile(
    r"\*\*|__|^\s{0,3}(?:#{1,6}\s|[-*+]\s|>\s|\d+[.)]\s|```)|\[[^\]]+\]\([^)]+\)", regex.MULTILINE
)
# The properties, not a list of emoji; and the blocks of symbols that newer Unicode takes out of them, such as ♡ and ☽.
_SYMBOL = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Presentation}\u2600-\u27BF]")
_LABEL = regex.compile(
    r"^(?:text|titel|title|antwort|answer|entwurf|draft)\s*:"
    r"|^(?:hier (?:ist|kommt)|here(?:'s| is)|natürlich[,!]|sure[,!])",
    regex.IGNORECASE,
)
_WRAPPED = regex.compile(r"^[\"„“«](?:[^\"“”»„«])*[\"“”»]$")
_PAIRS = {"„": "“", "(": ")"}  # not guillemets, which are set both ways round
_SENTENCES = range(4, 9)
_LONGEST_SENTENCE = 30  # words; longer ones are hard to read on a phone
_ENOUGH_WORDS = 60  # below that the number of sentences says nothing


def length(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text far outside the wanted length, flag one a little outside."""
    count, words = len(text.words), rules.words
    if not words.at_least <= count <= words.at_most:
        wanted = f"{words.at_least} to {words.at_most} are allowed"
        yield Finding("length", "error", f"{count} words; {wanted}")
    elif not words.low <= count <= words.high:
        yield Finding("length", "warning", f"{count} words; {words.low} to {words.high} are wanted")


def finished(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text whose last sentence does not end, or whose quotation marks and brackets do not close."""
    if not _ENDING.search(text.raw):
        yield Finding("finished", "error", "the last sentence does not end", text.raw[-40:])
    for opening, closing in _PAIRS.items():
        if text.raw.count(opening) > text.raw.count(closing):
            place = text.raw.rindex(opening)
            yield Finding("finished", "error", f"{opening} is never closed", text.raw[place : place + 40])


def plain(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject control characters, unnormalised Unicode and markdown: the app shows texts as they are."""
    if not unicodedata.is_normalized("NFC", text.raw):
        yield Finding("plain", "error", "the text is not in Unicode normal form C")
    if found := _FORBIDDEN_CHARACTERS.search(text.raw):
        yield Finding("plain", "error", f"control or invisible character U+{ord(found[0]):04X}")
    if found := _MARKDOWN.search(text.raw):
        yield Finding("plain", "error", "markdown", found[0].strip())


def symbols(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject emoji and pictographs."""
    if found := _SYMBOL.search(text.raw):
        yield Finding("symbols", "error", "an emoji or pictograph", found[0])


def bare(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject what stands around a text: a label, a preamble, its own title, quotation marks around all of it."""
    if found := _LABEL.search(text.raw):
        yield Finding("bare", "error", "a label or preamble before the text", found[0])
    first_line = text.raw.partition("\n")[0].strip().rstrip(":.")
    if first_line.casefold() == item.title.casefold():
        yield Finding("bare", "error", "the title stands in the text", first_line)
    if _WRAPPED.match(text.raw):
        yield Finding("bare", "error", "quotation marks around the text", text.raw[:20])


def sentences(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Flag a text of very few or many sentences, and a sentence that is too long to read on a phone."""
    found = text.sentences
    if len(text.words) >= _ENOUGH_WORDS and len(found) not in _SENTENCES:
        yield Finding("sentences", "warning", f"{len(found)} sentences; {_SENTENCES[0]} to {_SENTENCES[-1]} read well")
    for sentence in found:
        words = len(Text(sentence).words)
        if words > _LONGEST_SENTENCE:
            message = f"a sentence of {words} words; {_LONGEST_SENTENCE} are enough"
            yield Finding("sentences", "warning", message, sentence[:60])
            return
