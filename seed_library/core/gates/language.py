"""The language of a text, as a whole and sentence by sentence.

A run of words in a script that the language is not written in is seen by the script alone. Within one script the
linguist is asked (docs/explanation/languages.md has the figures): about the whole text, about every sentence, and about
every part of one. What stands in quotation marks or brackets may be in any language; what is short, or made of names,
proves nothing. A language is only believed to be another one where the linguist is sure of it and sees next to nothing
of the wanted one; of relatives (Czech and Slovak, Portuguese and Spanish) it has to be surer, and says nothing of
parts of sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import regex

from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding
from seed_library.core.gates.han import NAMES, strange_characters
from seed_library.core.gates.text import Text
from seed_library.core.gates.tongues import BELIEVED, SCRIPTS, named, related

# Each pair of marks on its own: what stands between two of them may hold others.
_QUOTED = regex.compile(
    r"„[^“”\n]{1,300}+[“”]|“[^”\n]{1,300}+”|”[^”\n]{1,300}+”|«[^»\n]{1,300}+»|»[^«\n]{1,300}+«|\"[^\"\n]{1,300}+\""
    r"|‘[^\n]{1,300}?’(?!\p{L})|‚[^‘\n]{1,300}+‘|「[^」\n]{1,300}+」|『[^』\n]{1,300}+』|《[^》\n]{1,300}+》"
    r"|\([^)\n]{1,300}+\)|（[^）\n]{1,300}+）"
)
_ADDRESS = regex.compile(r"(?<!\S)(?=\S+?[.@/][\p{L}\p{N}])\S++")  # of a page, a machine or a person: no language
_PARTS = regex.compile(r"[,;:–—،؛、，；：]|\s-\s")
_ENDS = regex.compile(r"[\p{SB=STerm}\p{SB=ATerm}…]\s?\W$")
# Capitals with a small word or two between them: "The Good, the Bad and the Ugly".
_TITLE = regex.compile(r"\p{Lu}[\p{L}\p{M}'’-]*(?:[\s,&]+(?:\p{Ll}[\p{L}\p{M}'’-]*[\s,]+){0,2}\p{Lu}[\p{L}\p{M}'’-]*)+")
_CAPITALISED = ("de", "lb")  # there capitals make no name
_WITHOUT_BLANKS = regex.compile(r"[\p{Han}\p{sc=Hira}\p{LB=SA}]{4}")
_KANA = regex.compile(r"\p{sc=Hira}")

_SURE, _SURE_OF_A_PART, _SURE_OF_A_RELATIVE = 0.5, 0.8, 0.8
_NEXT_TO_NOTHING = 0.1  # of the wanted language
_PURE = 0.97  # a sentence that is so likely in the wanted language seldom has a part in another one
_ENOUGH, _ENOUGH_OF_A_PART, _ENOUGH_WITHOUT_BLANKS = 20, 32, 10  # characters without blanks
_ENOUGH_SMALL_WORDS = 3  # fewer may be a title or a list of names
_RUN_OF_WORDS = 5
_LEAST_KANA = 3  # Japanese has some in every sentence


def _run_of_strangers(scripts: tuple[str, ...]) -> regex.Pattern[str]:
    """Return what finds letters of other scripts: five small words in a row, or ten letters without blanks."""
    known = "".join(rf"\p{{{script}}}" for script in (*scripts, "Common", "Inherited"))
    stranger = rf"[\p{{L}}--[{known}\p{{Lu}}\p{{Lt}}]]"
    word = rf"(?<![\p{{L}}\p{{M}}]){stranger}[\p{{L}}\p{{M}}'’-]*"
    between = r"[^\p{L}\n]{1,4}(?:\p{Lu}[\p{L}\p{M}'’-]*[^\p{L}\n]{1,4}){0,2}"
    blankless = rf"(?:[[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}\p{{LB=SA}}]--[{known}]][，、：\s]?)"
    return regex.compile(
        rf"(?V1){word}(?:{between}{word}){{{_RUN_OF_WORDS - 1},}}|{blankless}{{{_ENOUGH_WITHOUT_BLANKS},}}"
    )


_STRANGERS = {script: _run_of_strangers(names) for script, names in SCRIPTS.items()}


def language(text: Text, rules: GateRules, item: Item) -> Iterator[Finding]:  # noqa: ARG001  as every gate
    """Reject a text in another language, or one that slips into it for a sentence."""
    wanted = text.locale.language
    if not wanted:
        return
    unquoted = text.part(_ADDRESS.sub(" ", _QUOTED.sub(_place_of_a_quotation, text.raw)))
    pattern = _STRANGERS.get(text.locale.script)
    if pattern is not None and (found := pattern.search(unquoted.raw)):
        yield Finding("language", "error", f"{named(wanted)} is wanted, and this is in another script", found[0][:60])
    elif wanted == "zh" and (passage := _in_other_characters(unquoted)):
        kind = NAMES[text.locale.script]
        yield Finding("language", "error", f"{kind} characters are wanted, and these are others", passage[:60])
    elif text.linguist.knows(wanted):
        yield from _slips(unquoted)


def _in_other_characters(text: Text) -> str:
    """Return a sentence in simplified Chinese where traditional is wanted, or the other way round."""
    if not text.locale.explicit:
        return ""
    return next((one for one in text.sentences if strange_characters(one, text.locale.script)), "")


def _place_of_a_quotation(found: regex.Match[str]) -> str:
    """Return what stands for a quotation, so that the sentences around it end where they ended."""
    return "X. " if _ENDS.search(found[0]) else "X "


def _slips(text: Text) -> Iterator[Finding]:
    """Find the first passage in another language: a sentence, a part of one, or all of a text of short sentences."""
    wanted, told = text.locale.language, False
    enough = _ENOUGH if text.locale.blanks else _ENOUGH_WITHOUT_BLANKS
    for sentence in text.sentences:
        if not _tells(sentence, enough):
            continue
        told = True
        likely = text.linguist.languages(sentence)
        if other := _other_language(text, likely, sentence):
            yield _slip(wanted, other, sentence)
            return
        if likely.get(wanted, 0.0) < _PURE and (found := _part_in_another_language(text, sentence)):
            yield _slip(wanted, *found)
            return
    if told or not _tells(text.raw, enough):
        return
    if other := _other_language(text, text.linguist.languages(text.raw), text.raw):
        yield _slip(wanted, other, text.raw)


def _slip(wanted: str, other: str, passage: str) -> Finding:
    return Finding("language", "error", f"{named(wanted)} is wanted, and this is {named(other)}", passage.strip()[:60])


def _part_in_another_language(text: Text, sentence: str) -> tuple[str, str] | None:
    """Return another language and the part of a sentence that is in it."""
    wanted = text.locale.language
    parts = _PARTS.split(sentence)
    for part in parts if len(parts) > 1 else ():
        if _tells(part, _ENOUGH_OF_A_PART):
            likely = text.linguist.languages(part)
            other = _other_language(text, likely, part)
            if other and likely[other] >= _SURE_OF_A_PART and not related(wanted, other):
                return other, part
    return None


def _tells(passage: str, enough: int) -> bool:
    """Whether a passage is long enough to tell its language, and no title or list of names."""
    words = passage.split()
    if len(passage) - len(words) < enough:
        return False
    small = sum(word[0].isalpha() and not word[0].isupper() for word in words)
    return small >= _ENOUGH_SMALL_WORDS or _WITHOUT_BLANKS.search(passage) is not None


def _other_language(text: Text, likely: Mapping[str, float], passage: str) -> str:
    """Return the other language that a passage is in; empty where it is in the wanted one, or nobody can say."""
    wanted = text.locale.language
    other = max(likely, key=likely.__getitem__, default=wanted)
    if other == wanted or other not in BELIEVED or likely.get(wanted, 0.0) >= _NEXT_TO_NOTHING:
        return ""
    if likely[other] < (_SURE_OF_A_RELATIVE if related(wanted, other) else _SURE):
        return ""
    if other == "ja" and len(_KANA.findall(passage)) < _LEAST_KANA:
        return ""
    return other if _even_without_names(text, other, passage) else ""


def _even_without_names(text: Text, other: str, passage: str) -> bool:
    """Whether a passage is in the other language even without names and titles, which may come from anywhere."""
    bare = passage if other in _CAPITALISED else _TITLE.sub(" ", passage)
    words = passage.split()
    small = [word for word in bare.split() if not word[0].isupper()]
    if len(small) == len(words):
        return True
    if len(small) < _ENOUGH_SMALL_WORDS:
        return _WITHOUT_BLANKS.search(passage) is not None
    likely = text.linguist.languages(" ".join(small))
    return likely.get(text.locale.language, 0.0) < max(likely.values(), default=0.0) / 2
