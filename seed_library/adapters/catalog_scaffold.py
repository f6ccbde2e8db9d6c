"""A new catalog: small, commented, and working at once in a rehearsal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from seed_library.core.errors import UsageInvalid
from seed_library.core.gates.tongues import named
from seed_library.core.locales import Locale, LocaleFault, read_locale

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOML = """# What should exist, how it is asked for, judged and stored. prompts/README.md explains every field.
version = 1
name = "{name}"
description = "one line for `seed-library catalogs`"

items = "items.csv"           # one line per item; every column but `key` and `title` is a fact for the templates
categories = ["{name}_text"]  # one template each, {name}_text.{first}.md; or default.{first}.md for all
locales = [{locales}]

[request]
model = "claude-sonnet-5-5"
max_tokens = 1024             # a hard end for a runaway answer
thinking = "off"
repairs = 2                   # how often a text that a gate refuses is asked for again
tries = 3                     # answers without a usable text, over all runs, until an item is given up

# What a text has to be. docs/reference/gates.md describes every gate.
# Lengths: inside low..high is asked for; outside at_least..at_most a text is refused.
[gates]
# banned = ["cosmic", "inspire", "re:\\\\bnot just\\\\b"]
# own = ["name"]              # a text must not name another item's value of this fact
"""
_PHRASES = {
    "en": 'address = "you"\nshadow = true                 # flag texts that are nothing but praise\n',
    "de": 'address = "du"\nshadow = true                 # flag texts that are nothing but praise\n',
}
_LENGTH = """
[{table}]
low = {low}
high = {high}
at_least = {at_least}
at_most = {at_most}
"""
_ITEMS = """key,title,name,detail
first,The first one,lamp,it flickers when somebody laughs
second,The second one,bridge,it is longer than it looks
third,The third one,letter,it was never opened
"""
_SYSTEM = """You write short texts for an app{language}. Each is read once, on a phone, and should stick.

- {address} Assume nothing about who that is.
- One scene that can be seen, one thing that moves somebody, one price that it has, one thought for tomorrow.
- One paragraph of {length}, every sentence finished. No title, no list, no markdown.
- Output only the text.
"""
_USER = """Write the text "{{ title }}"{language}.

<facts>
Thing: {{ name }}
Detail: {{ detail }}
</facts>

At least {least}.
"""
# About as much as sixty to ninety English words are: by language, by script, and else.
_Length = tuple[str, tuple[int, int, int, int]]
_BY_LANGUAGE: dict[str, _Length] = {
    "en": ("words", (60, 90, 50, 110)),
    "ko": ("words", (40, 75, 30, 95)),
    "tr": ("words", (50, 85, 40, 110)),
    "fi": ("words", (45, 75, 35, 100)),
    "hu": ("words", (50, 85, 40, 110)),
    "hi": ("words", (65, 105, 50, 130)),
}
_BY_SCRIPT: dict[str, _Length] = {
    "Jpan": ("characters", (150, 250, 90, 360)),
    "Hans": ("characters", (100, 180, 60, 260)),
    "Hant": ("characters", (100, 180, 60, 260)),
    "Hani": ("characters", (100, 180, 60, 260)),
    "Thai": ("characters", (220, 380, 140, 500)),
    "Laoo": ("characters", (220, 380, 140, 500)),
    "Khmr": ("characters", (170, 360, 110, 480)),
    "Mymr": ("characters", (170, 360, 110, 480)),
}
_ELSE: _Length = ("words", (55, 95, 40, 120))


def make_catalog(folder: Path, name: str, locales: Sequence[str] = ("en",)) -> Path:
    """Write a new catalog below a prompts folder and return its own folder.

    Raises:
        UsageInvalid: the name or a locale is none, there is something of that name, or it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageInvalid(f"{name!r} is no name for a catalog.", hint="Lower-case letters, digits and _: my_library.")
    files = _files(name, _read(locales))
    place = folder / name
    try:
        place.mkdir(parents=True)
        for file, text in files.items():
            (place / file).write_text(text, "utf-8")
    except FileExistsError:
        raise UsageInvalid(f"{place} exists already.", hint="Choose another name; nothing was changed.") from None
    except OSError as error:
        raise UsageInvalid(f"{place} cannot be written ({error.strerror}).", hint="Choose another folder.") from None
    return place


def _read(written: Sequence[str]) -> list[Locale]:
    """Read locales in their order, each once, in the usual spelling.

    Raises:
        UsageInvalid: one of them is none.
    """
    try:
        found = [read_locale(one) for one in written]
    except LocaleFault as fault:
        raise UsageInvalid(f"{fault}.", hint="Nothing was written.") from None
    return list(dict.fromkeys(found))


def _files(name: str, locales: Sequence[Locale]) -> dict[str, str]:
    tags = [locale.tag for locale in locales]
    toml = _TOML.replace("{name}", name).replace("{first}", tags[0])
    toml = toml.replace("{locales}", ", ".join(f'"{tag}"' for tag in tags)) + "".join(
        _gates(locale, alone=len(locales) == 1) for locale in locales
    )
    files = {"catalog.toml": toml, "items.csv": _ITEMS}
    for locale in locales:
        files[f"system.{locale.tag}.md"] = _prompt(_SYSTEM, locale)
        files[f"{name}_text.{locale.tag}.md"] = _prompt(_USER, locale)
    return files


def _length_of(locale: Locale) -> _Length:
    return _BY_LANGUAGE.get(locale.language) or _BY_SCRIPT.get(locale.script, _ELSE)


def _gates(locale: Locale, *, alone: bool) -> str:
    """Return the tables of a locale's gates: how the reader is addressed where that is known, and the length."""
    unit, (low, high, at_least, at_most) = _length_of(locale)
    phrases = _PHRASES.get(locale.language, "")
    table = f"\n[gates.{locale.tag}]\n{phrases}" if phrases else ""
    limits = {"low": low, "high": high, "at_least": at_least, "at_most": at_most}
    where = f"gates.{unit}" if alone else f"gates.{locale.tag}.{unit}"
    return _LENGTH.format(table=where, **limits) + table


def _prompt(template: str, locale: Locale) -> str:
    unit, _ = _length_of(locale)
    english = locale.language == "en"
    address = 'Speak to the reader as "you".' if english else "Speak to the reader, as friends do in that language."
    parts = {
        "{language}": "" if english else f", in {named(locale.language)} ({locale.tag})",
        "{address}": address,
        "{length}": f"{{{{ {unit}.low }}}} to {{{{ {unit}.high }}}} {unit}",
        "{least}": f"{{{{ {unit}.low }}}} {unit}",
    }
    for place, part in parts.items():
        template = template.replace(place, part)
    return template
