"""What the app cannot show or nobody should read: wrong length, half sentences, labels."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from seed_library.core.catalog import GateRules, Item, WordRule
from seed_library.core.drafts import Finding
from seed_library.core.gates.text import Text

_LABEL = regex.compile(
    r"^(?:text|titel|title|antwort|answer|entwurf|draft)\s*:"
    r"|^(?:hier (?:ist|kommt)|here(?:'s| is)|natürlich[,!]|sure[,!])",
    regex.IGNORECASE,
)
_WRAPPED = regex.compile(r"^[\"„“«「『](?:[^\"“”»„«「」『』])*[\"“”»」』]$")
# What opens, and all that closes it. Guillemets are set both ways round, and “ closes in German.
_PAIRS = {"„": "“”", "(": ")）", "（": ")）", "「": "」", "『": "』", "《": "》", "【": "】"}
_SELDOM_DOUBLED = {"«": "»", "“": "”"}  # opened again by every paragraph of a long quotation, so counted as a whole
_SPEECH_ENDS = {"Jpan": ("」", "』")}  # direct speech ends there without any other mark
# Thai and Lao end their sentences with a blank or with nothing; what such a text cannot end with is a word that leads
# on, or a vowel that is written before its consonant.
WITHOUT_END_MARK = {
    "Thai": regex.compile(
        r"(?:[เแโใไ]|และ|หรือ|แต่|เพราะ|เพราะว่า|ที่|ซึ่ง|เมื่อ|ของ|กับ|โดย|เพื่อ|ถ้า|ว่า|จะ|ใน|จาก|ให้|ก็|คือ|ทั้ง|[,:;(\"“])$"
    ),
    "Laoo": regex.compile(r"(?:[ເແໂໃໄ]|ແລະ|ຫຼື|ແຕ່|ເພາະ|ທີ່|ເຊິ່ງ|ເມື່ອ|ຂອງ|ກັບ|ໂດຍ|ເພື່ອ|ຖ້າ|ວ່າ|ຈະ|ໃນ|ຈາກ|ໃຫ້|ກໍ|ຄື|[,:;(\"“])$"),
}
_SENTENCES = range(4, 9)
_LONGEST_SENTENCE = 30  # words; longer ones are hard to read on a phone
_LONGEST_WITHOUT_BLANKS = 100  # characters
_ENOUGH_WORDS = 60  # below that the number of sentences says nothing


def length(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text with far more or fewer words than wanted, flag one a little outside."""
    if rules.words is not None and text.has_words:
        yield from _measured("length", "words", len(text.words), rules.words)


def characters(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text with far more or fewer characters than wanted, flag one a little outside."""
    if rules.characters is not None:
        yield from _measured("characters", "characters", text.characters, rules.characters)


def _measured(gate: str, unit: str, count: int, rule: WordRule) -> Iterator[Finding]:
    if not rule.at_least <= count <= rule.at_most:
        yield Finding(gate, "error", f"{count} {unit}; {rule.at_least} to {rule.at_most} are allowed")
    elif not rule.low <= count <= rule.high:
        yield Finding(gate, "warning", f"{count} {unit}; {rule.low} to {rule.high} are wanted")


def finished(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text whose last sentence does not end, or whose quotation marks and brackets do not close."""
    if not _ends(text):
        yield Finding("finished", "error", "the last sentence does not end", text.raw[-40:])
    for opening, closing in _PAIRS.items():
        if text.raw.count(opening) > sum(map(text.raw.count, closing)):
            place = text.raw.rindex(opening)
            yield Finding("finished", "error", f"{opening} is never closed", text.raw[place : place + 40])
    for opening, closing in _SELDOM_DOUBLED.items():
        if opening in text.raw and closing not in text.raw and "„" not in text.raw:
            place = text.raw.index(opening)
            yield Finding("finished", "error", f"{opening} is never closed", text.raw[place : place + 40])


def _ends(text: Text) -> bool:
    leading_on = WITHOUT_END_MARK.get(text.locale.script)
    if leading_on is not None:
        return text.ends or not leading_on.search(text.raw)
    return text.ends or text.raw.endswith(_SPEECH_ENDS.get(text.locale.script, ()))


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
    if text.locale.script in WITHOUT_END_MARK:
        return
    found = text.sentences
    if text.has_words and len(text.words) >= _ENOUGH_WORDS and len(found) not in _SENTENCES:
        yield Finding("sentences", "warning", f"{len(found)} sentences; {_SENTENCES[0]} to {_SENTENCES[-1]} read well")
    for sentence in found:
        if message := _too_long(text.part(sentence)):
            yield Finding("sentences", "warning", message, sentence[:60])
            return


def _too_long(sentence: Text) -> str:
    if not sentence.locale.blanks:
        count = sentence.characters
        return f"a sentence of {count} characters" if count > _LONGEST_WITHOUT_BLANKS else ""
    words = len(sentence.words)
    return f"a sentence of {words} words; {_LONGEST_SENTENCE} are enough" if words > _LONGEST_SENTENCE else ""
