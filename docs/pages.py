"""A hook of mkdocs: the documents that stand beside the code are pages of the site, too.

They are written once, where people look for them in a checkout; here their links are turned to the pages.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
_PAGES = {
    "README.md": "index.md",
    "prompts/README.md": "reference/catalogs.md",
    "CHANGELOG.md": "reference/changes.md",
    "CONTRIBUTING.md": "explanation/contributing.md",
    ".env.example": "reference/env.example.txt",
}
_LINK = re.compile(r"\]\(([^)#:\s]+)(#[^)]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the documents that stand outside of `docs/`."""
    for source, page in _PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Turn the links of a page from places in the checkout to places in the site."""
    here = page.file.src_uri
    source = next((source for source, made in _PAGES.items() if made == here), f"docs/{here}")

    def turned(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link[1]))
        place = _PAGES.get(target, target.removeprefix("docs/"))
        if place == target and not target.startswith("docs/"):
            return f"](#{target})" if target == here else link[0]
        return f"]({posixpath.relpath(place, posixpath.dirname(here) or '.')}{link[2] or ''})"

    return _LINK.sub(turned, markdown)
