"""What a rehearsal has written never passes for a text that was paid for."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def _say(*arguments: str) -> list[dict[str, Any]]:
    """Run the program in this folder and return what it answers, line by line."""
    command = [sys.executable, "-m", "seed_library", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_plan_over_a_rehearsed_library_wants_every_text_and_another_rehearsal_none() -> None:
    """The same file, the same journal: to Claude they are new, to a rehearsal they are done."""
    (*_, first) = _say("rehearse", "--limit", "3")
    (plan,) = _say("plan", "--limit", "4", "--store", "sqlite:rehearsal.sqlite3")
    (*_, second) = _say("rehearse", "--limit", "3")
    assert (first["stored"], first["generated"]) == (3, 3)
    assert [(item["action"], item["reason"]) for item in plan["items"]] == [
        *[("new", "only a rehearsal text is stored")] * 3,
        ("new", "not stored"),
    ]
    assert plan["cost"]["likely_usd"] > 0
    assert (second["stored"], second["generated"], second["requests"]) == (0, 0, 0)
