"""A new catalog: small, commented, and working at once in a rehearsal."""

from __future__ import annotations

import re
from pathlib import Path

from seed_library.core.errors import UsageInvalid

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_TOML = """# What should exist, how it is asked for, judged and stored. prompts/README.md explains every field.
version = 1
name = "{name}"
description = "one line for `seed-library catalogs`"

items = "items.csv"           # one line per item; every column but `key` and `title` is a fact for the templates
categories = ["{name}_text"]  # per category and locale one template: {name}_text.en.md, or default.en.md for all
locales = ["en"]

[request]
model = "claude-sonnet-5-5"
max_tokens = 1024             # a hard end for a runaway answer
thinking = "off"
repairs = 2                   # how often a text that a gate refuses is asked for again
tries = 3                     # answers without a usable text, over all runs, until an item is given up

# What a text has to be. docs/reference/gates.md describes every gate.
[gates]
shadow = true                 # flag texts that are nothing but praise
# banned = ["cosmic", "inspire", "re:\\\\bnot just\\\\b"]
# own = ["name"]              # a text must not name another item's value of this fact

[gates.words]                 # inside low..high is asked for; outside at_least..at_most a text is refused
low = 60
high = 90
at_least = 50
at_most = 110

[gates.en]
address = "you"
"""
_ITEMS = """key,title,name,detail
first,The first one,lamp,it flickers when somebody laughs
second,The second one,bridge,it is longer than it looks
third,The third one,letter,it was never opened
"""
_SYSTEM = """You write short texts for an app. Each is read once, on a phone, and should stick.

- Speak to the reader as "you". Assume nothing about who that is.
- One scene that can be seen, one thing that moves somebody, one price that it has, one thought for tomorrow.
- One paragraph of {{ words.low }} to {{ words.high }} words, every sentence finished. No title, no list, no markdown.
- Output only the text.
"""
_USER = """Write the text "{{ title }}".

<facts>
Thing: {{ name }}
Detail: {{ detail }}
</facts>

At least {{ words.low }} words.
"""


def make_catalog(folder: Path, name: str) -> Path:
    """Write a new catalog below a prompts folder and return its own folder.

    Raises:
        UsageInvalid: the name is none, there is something of that name, or it cannot be written.
    """
    if not _NAME.match(name):
        raise UsageInvalid(f"{name!r} is no name for a catalog.", hint="Lower-case letters, digits and _: my_library.")
    place = folder / name
    files = {
        "catalog.toml": _TOML.replace("{name}", name),
        "items.csv": _ITEMS,
        "system.en.md": _SYSTEM,
        f"{name}_text.en.md": _USER,
    }
    try:
        place.mkdir(parents=True)
        for file, text in files.items():
            (place / file).write_text(text, "utf-8")
    except FileExistsError:
        raise UsageInvalid(f"{place} exists already.", hint="Choose another name; nothing was changed.") from None
    except OSError as error:
        raise UsageInvalid(f"{place} cannot be written ({error.strerror}).", hint="Choose another folder.") from None
    return place
