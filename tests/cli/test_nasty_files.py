"""Whatever bytes stand in a file: no bug, no traceback, and nothing is lost.

Each example takes a good file, spoils it here and there, and starts the verb that reads it. SEED_TEST_EXAMPLES says how
many for each kind of file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli.in_process import Inside
from examples import EXAMPLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes.program import Ended
from processes.rehearsed import TEXTS, Rehearsed

from seed_library.adapters.journal_lines import decode
from seed_library.core import foreign_json
from seed_library.core.answers import answer_fault, content_of
from seed_library.core.catalog import GeneratedColumn, RequestSpec
from seed_library.core.drafts import is_unbilled, says_usage, usage_of

nasty = settings(
    max_examples=max(20, EXAMPLES // 4),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
PIECES: list[bytes | str] = [
    *(b"\0", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x80", b"\xe4", b"\x1a", b"\x1b[2J"),
    *(b'"', b"'", b"\\", b"\r", b"\n", b"\r\n", b"\r\r\n\n", b",", b";", b"\t", b"|", b"=1+1", b"sep=;\n", b"%", b"{{"),
    *(b"\\ud83d", b"\\u0000", b"NaN", b"-Infinity", b"1e999", b"1e99999999999999999999", b"9" * 5000, b"null", b"true"),
    *(b"{", b"}", b"[", b"]", b"[" * 3000, b'{"a":' * 3000, b'"key": 1, "key": 2,', b'"row": {},', b"[]", b"{}", b'""'),
    *("e\u0301", "\u200b", "\u2028", "\u0085", "Ã¤", "\ufffd", "\U0001f600", "\u202e", "\u00a0"),
]  # fmt: skip
BYTES = [piece if isinstance(piece, bytes) else piece.encode() for piece in PIECES]
# Where (in thousandths of the file), how much goes, what comes.
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 1000), st.integers(0, 40) | st.just(10**6), st.sampled_from(BYTES) | st.binary(max_size=8)
    ),
    min_size=1,
    max_size=5,
)
Spoil = list[tuple[int, int, bytes]]


def _spoilt(data: bytes, changes: Spoil) -> bytes:
    for place, gone, piece in changes:
        start = len(data) * place // 1000
        data = data[:start] + piece + data[start + gone :]
    return data


@dataclass(frozen=True, slots=True)
class World:
    """A rehearsed library that every example finds as it was."""

    cards: Rehearsed
    kept: Path

    def restore(self) -> None:
        """Make everything as it was."""
        shutil.rmtree(self.cards.program.folder)
        shutil.copytree(self.kept, self.cards.program.folder)

    def check(self, ended: Ended) -> None:
        """A file is refused in one sentence, or read."""
        assert ended.code in {0, 2, 4, 6}, (ended.code, ended.out, ended.err)
        assert "Traceback" not in ended.err
        assert ended.code in {0, 6} or "error" in ended.documents[-1]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The library of three texts."""
    cards = Rehearsed(Inside(tmp_path / "nasty"))
    cards.write()
    cards.fill()
    shutil.copytree(cards.program.folder, tmp_path / "kept")
    return World(cards, tmp_path / "kept")


@pytest.mark.parametrize("name", ["catalog.toml", "items.csv", "items.jsonl", "items.json"])
@nasty
@given(changes=CHANGES)
def test_any_bytes_in_a_catalog_are_read_or_named(world: World, name: str, changes: Spoil) -> None:
    """By `plan` and by what only looks at the list; nothing is written."""
    world.restore()
    items = "items.csv" if name == "catalog.toml" else name
    world.cards.write(items=items)
    objects = [f'{{"key": "{key}", "title": "Titel {key}", "facts": ["x", 1.5]}}' for key in TEXTS]
    (world.cards.folder / "items.jsonl").write_text("\n".join(objects))
    listed = ",\n".join(objects)
    (world.cards.folder / "items.json").write_text(f"[\n{listed}\n]")
    file = world.cards.folder / name
    file.write_bytes(_spoilt(file.read_bytes(), changes))
    world.check(world.cards.run("plan"))
    world.check(world.cards.run("catalogs"))
    assert world.cards.texts() == TEXTS


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@nasty
@given(changes=CHANGES, insist=st.booleans())
def test_any_bytes_in_an_import_are_read_or_named(world: World, kind: str, changes: Spoil, insist: bool) -> None:
    """What is refused changes nothing; what is stored is what a dry run has shown."""
    world.restore()
    file = world.cards.sheet(f"sheet.{kind}")
    file.write_bytes(_spoilt(file.read_bytes(), changes))
    how = ("--insist",) if insist else ()
    shown = world.cards.run("import", file, "--dry-run")
    world.check(shown)
    ended = world.cards.run("import", file, *how)
    world.check(ended)
    if ended.code not in {0, 6}:
        assert world.cards.texts() == TEXTS
        return
    stored = {item["key"] for item in ended.document["imported"]}
    changed = {
        change["key"]: change["after"]["text"] for change in shown.document["changes"] if change["key"] in stored
    }
    assert world.cards.texts() == TEXTS | changed


@nasty
@given(changes=CHANGES)
def test_any_bytes_in_a_backup_are_read_or_named(world: World, changes: Spoil) -> None:
    """What is there stays; what comes back is of the keys that the file names."""
    world.restore()
    world.cards.write(("a", "c"))
    backup = Path(world.cards.run("prune", "--yes").document["backup"])
    backup.write_bytes(_spoilt(backup.read_bytes(), changes))
    world.check(world.cards.run("import", backup, "--restore", "--dry-run"))
    ended = world.cards.run("import", backup, "--restore")
    world.check(ended)
    texts = world.cards.texts()
    assert {key: texts[key] for key in ("a", "c")} == {key: TEXTS[key] for key in ("a", "c")}
    assert ended.code in {0, 6} or set(texts) == {"a", "c"}


@nasty
@given(changes=CHANGES)
def test_any_bytes_in_a_journal_are_read_or_set_aside(world: World, changes: Spoil) -> None:
    """No whole line of it is lost: it stays where it was, or is kept beside."""
    world.restore()
    (journal,) = world.cards.program.state.glob("targets/*/journal.jsonl")
    spoilt = _spoilt(journal.read_bytes(), changes)
    journal.write_bytes(spoilt)
    for verb in ("status", "plan", "rehearse"):
        ended = world.cards.run(verb)
        assert ended.code in {0, 2, 4, 6, 7}, (ended.code, ended.out, ended.err)
        assert "Traceback" not in ended.err
    kept = journal.read_bytes() + b"".join(path.read_bytes() for path in journal.parent.glob("damaged/*"))
    assert [line for line in spoilt.split(b"\n") if decode(line + b"\n") and line not in kept] == []


@nasty
@given(changes=CHANGES, shape=st.sampled_from(["text", "object"]))
def test_any_bytes_in_an_answer_are_read_or_refused(changes: Spoil, shape: str) -> None:
    """What is usable can be stored; all else is said."""
    said = '"Ein Text."' if shape == "text" else '"{\\"text\\": \\"Ein Text.\\", \\"teaser\\": \\"Lies.\\"}"'
    data = (
        f'{{"id": "msg_1", "type": "message", "content": [{{"type": "text", "text": {said}}}],'
        ' "stop_reason": "end_turn", "usage": {"input_tokens": 12, "output_tokens": 34}}'
    )
    spec = RequestSpec("m", generated=() if shape == "text" else (GeneratedColumn("teaser", "x", 1, 9),))
    try:
        message = foreign_json.loads(_spoilt(data.encode(), changes))
    except ValueError:
        return
    if isinstance(message, dict):
        fault: str = answer_fault(message, spec)
        content = None if fault else content_of(message, spec)
        assert fault or (content is not None and content.text.encode())
        judged: list[Callable[[Any], object]] = [is_unbilled, says_usage, usage_of]
        assert len([judge(message) for judge in judged]) == len(judged)
