"""Making catalog folders that are right, but for what a test breaks."""

from __future__ import annotations

from pathlib import Path

TOML = """
version = 1
name = "stars"
description = "for tests"
items = "items.csv"
categories = ["sun", "moon"]
locales = ["de", "en"]

[titles]
de = "{{ sign }} am Himmel"
en = "{{ sign }} in the sky"

[table]
schema = "public"
name = "texts"

[request]
model = "claude-sonnet-5-5"

[gates.words]
low = 80
high = 105
at_least = 70
at_most = 120
"""
FILES = {
    "catalog.toml": TOML,
    "items.csv": "key,sign\naries,Aries\nleo,Leo\n",
    "system.de.md": "Schreibe auf Deutsch.",
    "system.en.md": "Write in English.",
    "sun.de.md": "Sonne: {{ sign }}",
    "sun.en.md": "Sun: {{ sign }}",
    "moon.de.md": "Mond: {{ sign }}",
    "moon.en.md": "Moon: {{ sign }}",
}
Files = dict[str, str | bytes | None]


def make_catalog(folder: Path, files: Files | None = None, *, name: str = "stars") -> Path:
    """Write a catalog below a folder and return that folder. `files` replaces files; None leaves one out."""
    place = folder / name
    place.mkdir(parents=True)
    for file, content in (FILES | (files or {})).items():
        if content is not None:
            (place / file).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def toml(*swaps: tuple[str, str]) -> Files:
    """Return the catalog.toml with pieces of it replaced."""
    text = TOML
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new)
    return {"catalog.toml": text}
