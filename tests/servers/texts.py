"""Texts that the scripted server answers with: distinct per prompt, in the prompt's language, 82 to 103 words."""

from __future__ import annotations

import hashlib
import re

_GERMAN = (
    "Die Nachbarin stellt ihr Fahrrad immer an dieselbe Laterne, auch wenn daneben Platz ist.",
    "Du merkst es erst, als die Suppe schon kocht und niemand den Deckel hebt.",
    "Auf der Treppe fehlt eine Stufe, und trotzdem kommt hier jeden Tag jemand nach oben.",
    "Wer dich kennt, lässt dir den Stuhl am Fenster und fragt nicht weiter nach.",
    "Am Bahnhof riecht es nach Regen, Kaffee und einer Entscheidung, die noch niemand getroffen hat.",
    "Du sagst nichts, aber deine Hände haben den Tisch längst gedeckt.",
    "Der Brief liegt seit Montag ungeöffnet neben dem Brot, das dir besser geschmeckt hat als gedacht.",
    "Manchmal bezahlst du das mit einem Abend, an dem alle anderen schon schlafen.",
    "Im Keller brennt noch Licht, weil du den Schalter lieber zweimal prüfst als keinmal.",
    "Ein Kind zählt die Fliesen im Flur und verrechnet sich jedes Mal an derselben Stelle.",
    "Es kostet dich wenig, freundlich zu bleiben, und viel, dabei müde auszusehen.",
    "Der Hund vom Hof nebenan kennt deinen Schritt und bellt nur noch aus Höflichkeit.",
    "Nimm morgen den längeren Weg und schau, wer dir entgegenkommt.",
    "Unter dem Laub liegt der Schlüssel, den im Frühjahr alle gesucht haben.",
    "So bleibt der letzte Satz bei dir, bis ihn jemand abholt.",
    "Das Seil hält, obwohl du ihm bis heute kein einziges Mal ganz vertraut hast.",
)
_ENGLISH = (
    "The neighbour leans her bike against the same lamp post, even when there is room beside it.",
    "You notice only when the soup is boiling and nobody lifts the lid.",
    "One step is missing on the stairs, and still somebody comes up here every single day.",
    "Those who know you leave you the chair by the window and ask no more.",
    "The station smells of rain, of coffee and of a decision that nobody has made yet.",
    "You say nothing, but your hands have laid the table long ago.",
    "The letter has been lying unopened beside the bread since Monday, and the bread was better.",
    "Sometimes you pay for that with an evening on which all the others are asleep.",
    "There is still light in the cellar because you check the switch twice rather than never.",
    "A child counts the tiles in the hall and loses count at the same spot every time.",
    "Staying kind costs you little, and looking tired while you do it costs a lot.",
    "The dog next door knows your step and barks out of politeness only.",
    "Take the longer way tomorrow and see who comes towards you.",
    "Under the leaves lies the key that everybody looked for in spring.",
    "So the last sentence stays with you until somebody comes for it.",
    "The rope holds, although you have never once trusted it completely.",
)
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
    digest = hashlib.sha256(prompt.encode()).digest()
    name = "".join(_SYLLABLES[byte % len(_SYLLABLES)] for byte in digest[:6]).capitalize()
    german = is_german(prompt)
    pool = sorted(_GERMAN if german else _ENGLISH, key=lambda one: hashlib.sha256(digest + one.encode()).digest())
    first = f"Auf dem Schild steht {name}, sonst nichts." if german else f"The sign says {name}, nothing else."
    chosen, count = [first], len(_WORD.findall(first))
    for sentence in pool:
        length = len(_WORD.findall(sentence))
        if count + length <= _MOST:
            chosen.append(sentence)
            count += length
        if count >= _LEAST:
            break
    return " ".join(chosen)
