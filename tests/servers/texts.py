"""Texts that the scripted server answers with: distinct per prompt, in the prompt's language, 82 to 103 words.

Two texts share no run of three words but by a rare chance, since there is an invented name in every one of them: the
gates that compare texts find nothing, however many there are.
"""

from __future__ import annotations

import hashlib
import random
import re

_GERMAN = (
    "Du stellst {} vor {}, weil {} dir {} nimmt, doch {}.",
    "Neben {} liegt {} auf {}, und {} wartet auf {}.",
    "Am {} riecht {} nach {}, und dein {} hört {}.",
    "Manchmal kostet {} dich {}, aber {} zahlt {} mit {}.",
    "Im {} brennt {}, wenn {} den {} sucht statt {}.",
    "Wer {} kennt, lässt {} das {} und fragt {}.",
    "So bleibt {} bei {}, bis {} dein {} abholt für {}.",
    "Nimm {} statt {} und schau {}, der {} trägt, ist {}.",
    "Du hörst {}, bevor {} die {} öffnet, und {}.",
)
_ENGLISH = (
    "You put {} before {} because {} takes {} from {}.",
    "Beside {} lies {} on {}, and {} waits for {}.",
    "The {} smells of {}, and your {} hears {}.",
    "Sometimes {} costs you {}, but {} pays {} with {}.",
    "In the {} burns {} when {} looks for {}.",
    "Whoever knows {} leaves {} the {} and asks {}.",
    "So {} stays with {} until {} fetches your {}.",
    "Take {} instead of {} and watch {} carry {}.",
    "You hear {} before {} opens the {} and count {}.",
)
_FIRST = {True: "{} steht auf {}, darunter {} und deine {}.", False: "{} stands on {}, below it {} and your {}."}
_SYLLABLES = ("ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "zel")
_GERMAN_WORDS = {"der", "die", "das", "und", "den", "ist", "nicht", "ein", "eine", "für", "mit", "schreibe"}
_LEAST, _MOST = 82, 103
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


def is_german(prompt: str) -> bool:
    """Guess the language from a few function words."""
    words = [word.lower() for word in re.findall(r"\w+", prompt)]
    return sum(word in _GERMAN_WORDS for word in words) > len(words) // 50


def text_for(prompt: str) -> str:
    """Return the text of a prompt, always the same one."""
    dice = random.Random(hashlib.sha256(prompt.encode()).digest())
    german = is_german(prompt)
    pool = list(_GERMAN if german else _ENGLISH)
    dice.shuffle(pool)
    chosen, count = [_with_names(_FIRST[german], dice)], len(_WORD.findall(_FIRST[german].replace("{}", "x")))
    for sentence in pool:
        length = len(_WORD.findall(sentence.replace("{}", "x")))
        if count + length <= _MOST and count < _LEAST:
            chosen.append(_with_names(sentence, dice))
            count += length
    return " ".join(chosen)


def _with_names(sentence: str, dice: random.Random) -> str:
    # The first name makes the opening, which has to differ between any two of very many texts.
    names = [_name(dice, 8 if sentence.startswith("{}") else 4) for _ in range(sentence.count("{}"))]
    return sentence.format(*names)


def _name(dice: random.Random, syllables: int) -> str:
    return "".join(dice.choices(_SYLLABLES, k=syllables)).capitalize()
