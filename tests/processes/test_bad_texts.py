"""A writer that answers badly: each bad text is repaired or rejected with the right finding, and the money is exact."""

from __future__ import annotations

import pytest
from processes.program import Program
from servers.processes import MessagesServer
from servers.supabase import Supabase
from servers.texts import text_for

GOOD = text_for("Schreibe der und die das nicht ein")
ENGLISH = (
    "The kettle has gone quiet, and you still stand at the window with a letter in your hand. You read the first line "
    "twice, fold the page and put it back where it was. Someone calls from the hall, and you answer that you are "
    "nearly ready. Nobody would guess how long you have been awake. On the stairs you count the steps, as you did when "
    "you were small, and skip the last one. Outside, the street smells of rain and warm bread. You walk faster than "
    "you need to. By noon the letter is answered, in three short sentences."
)
# In the order of the catalog: the second item's answers are bad in the first way, and so on.
BAD: list[tuple[str, str, str]] = [
    ("Yin-Holz-Ochse", "Zu kurz geraten ist dieser Satz für dich.", "length"),
    ("Yang-Feuer-Tiger", f"{GOOD} Deine kosmischen Kräfte tragen dich.", "banned"),
    ("Yin-Feuer-Hase", f"{GOOD} Du wartest wie ein Drache vor der Tür.", "own"),
    ("Yang-Erde-Drache", ENGLISH, "language"),
    ("Yin-Erde-Schlange", GOOD.rsplit(" ", 1)[0], "finished"),
]
TITLES = [title for title, _, _ in BAD]
SEVEN = ("run", "--json", "--category", "bazi_year_pillar", "--limit", "7", "--concurrency", "1")


def _money(messages: MessagesServer, spent: float) -> None:
    """Hold what the run says it has spent against what the server has billed, at 2 and 10 dollars a million."""
    usages = [entry["usage"] for entry in messages.billed()]
    total = sum(usage["input_tokens"] * 2 + usage["output_tokens"] * 10 for usage in usages)
    assert spent * 1e6 == pytest.approx(total, abs=len(usages))


@pytest.mark.parametrize(("times", "rejected"), [(1, 0), (3, 5)], ids=["repaired", "rejected"])
def test_bad_texts_are_repaired_or_rejected_with_their_findings(
    program: Program, messages: MessagesServer, supabase: Supabase, times: int, rejected: int
) -> None:
    """Once bad: asked for again and stored. Always bad: rejected, kept, listed; nothing bad is in the table."""
    messages.faults(*({"match": f"Jahressäule {title}", "text": text, "times": times} for title, text, _ in BAD))
    ended = program.run(*SEVEN)
    assert ended.code == (6 if rejected else 0)
    assert supabase.count() == 7 - rejected
    stored = {row["description"] for row in supabase.sql("select description from public.content_library")}
    assert stored.isdisjoint({text for _, text, _ in BAD})
    wanted = "rejected" if rejected else "repairing"
    gates = {}
    for event in ended.documents:
        if event["event"] == wanted:
            gates[event["item"]["key"]] = {one["gate"] for one in event["findings"] if one["severity"] == "error"}
    keys = ["yin_wood_ox", "yang_fire_tiger", "yin_fire_rabbit", "yang_earth_dragon", "yin_earth_snake"]
    assert sorted(gates) == sorted(keys)
    for key, (_, _, gate) in zip(keys, BAD, strict=True):
        assert gate in gates[key]
    assert len(messages.billed()) == 7 + 5 * min(times, 2)
    _money(messages, ended.document["spent_usd"])


def test_a_copy_of_another_pillars_text_is_asked_for_again(
    program: Program, messages: MessagesServer, supabase: Supabase
) -> None:
    """The second one is refused, whichever it is; the request names the text that it is like."""
    same = [{"match": f"Jahressäule {title}", "text": GOOD} for title in ("Yang-Feuer-Tiger", "Yin-Feuer-Hase")]
    messages.faults(*same)
    ended = program.run(*SEVEN)
    assert (ended.code, supabase.count()) == (0, 7)
    (repaired,) = [event for event in ended.documents if event["event"] == "repairing"]
    assert {"opening", "near_duplicate"} <= {finding["gate"] for finding in repaired["findings"]}
    (asked_again,) = [entry for entry in messages.log() if "letzter Entwurf" in entry["body"]["messages"][0]["content"]]
    assert "begins like bazi_year_pillar/" in asked_again["body"]["messages"][0]["content"]
