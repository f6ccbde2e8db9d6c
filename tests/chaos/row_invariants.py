"""What has to hold of the rows, judged from their history, which the database itself has kept (see `tables`).

I5   at the end the table is the catalog, each text one that was paid for or that a person wrote; beside it are only
     rows that a person made.
I9   who speaks of a conflict has met a row that a person has changed, or a run on another machine.
I11  no text of a person is replaced: what they wrote is in its row until they change or delete it themselves, at every
     moment and at the end. Whatever text the program replaces is in a journal.
I12  no row is deleted but those listed: the program deletes only what no catalog asks for, as it has written it to a
     file before; what it calls removed is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from chaos.evidence import Client, Evidence, Record
from chaos.tables import Change, Content
from chaos.verdict import Verdict


def judge_rows(seen: Evidence, verdict: Verdict) -> None:
    """Note every violation."""
    _is_complete(seen, verdict)
    _speaks_truly_of_conflicts(seen, verdict)
    _leaves_peoples_texts(seen, verdict)
    _keeps_what_it_replaces(seen, verdict)
    _deletes_what_is_listed(seen, verdict)
    verdict.require(seen.person or all(one.by_program for one in seen.changes), "somebody changed the table unseen")


def replaced_by(record: Record) -> Iterator[tuple[str, Content]]:
    """Yield what a `replaced` record of a journal has kept: key and content."""
    for text in record["texts"]:
        yield text["item"][1], Content(text["title"], text["text"])


def _is_complete(seen: Evidence, verdict: Verdict) -> None:
    """I5."""
    paid = {(one.item, one.text) for one in seen.asked if one.billed}
    theirs = {(one.key, one.after.text) for one in seen.changes if not one.by_program and one.after is not None}
    missing = sorted(seen.catalog - seen.rows.keys())
    verdict.require(not missing, f"I5: {len(missing)} items have no row: {missing[:3]}")
    strange = [key for key, row in seen.rows.items() if (key, row.text) not in paid | theirs]
    verdict.require(not strange, f"I5: {len(strange)} texts in the table were never paid for: {strange[:3]}")
    made = {one.key for one in seen.changes if one.deed == "INSERT" and not one.by_program}
    beside = sorted(seen.rows.keys() - seen.catalog - made)
    verdict.require(not beside, f"I5: {len(beside)} rows are nobody's: {beside[:3]}")


def _speaks_truly_of_conflicts(seen: Evidence, verdict: Verdict) -> None:
    """I9."""
    for client in seen.clients:
        named = {event["item"]["key"] for event in client.events if event.get("event") == "conflict"}
        untrue = sorted(named - _changed_by_others(seen, client.machine))
        verdict.require(not untrue, f"I9: {client.name} speaks of conflicts about rows of its own: {untrue[:3]}")
        verdict.met["conflicts said"] += len(named)


def _changed_by_others(seen: Evidence, machine: str) -> set[str]:
    """Return the keys whose rows a person has changed, or a run that paid for its text on another machine."""
    machines = {client.name: client.machine for client in seen.clients}
    own = {(one.item, one.text) for one in seen.asked if machines.get(one.client) == machine}
    return {
        one.key for one in seen.changes if not one.by_program or (one.after and (one.key, one.after.text) not in own)
    }


def _leaves_peoples_texts(seen: Evidence, verdict: Verdict) -> None:
    """I11."""
    theirs: dict[str, Content] = {}
    for one in seen.changes:
        if not one.by_program:
            theirs = _after(one, theirs)
        elif one.before is not None and one.before == theirs.get(one.key) and one.after != one.before:
            verdict.require(one.after is None, f"I11: what a person wrote of {one.key} was replaced")
            theirs.pop(one.key)  # a deletion is for I12
    lost = sorted(key for key, content in theirs.items() if seen.rows.get(key) != content)
    verdict.require(not lost, f"I11: {len(lost)} texts of a person are not in their rows: {lost[:3]}")
    verdict.met["texts of a person at the end"] += len(theirs)


def _after(one: Change, theirs: dict[str, Content]) -> dict[str, Content]:
    """Return what is a person's after they have changed a row; one that is saved as it was is nobody's work."""
    if one.after is None:
        return {key: content for key, content in theirs.items() if key != one.key}
    return theirs if one.after == one.before else {**theirs, one.key: one.after}


def _keeps_what_it_replaces(seen: Evidence, verdict: Verdict) -> None:
    """I11. That it is in the journal in time is judged with the writes (I4)."""
    kept = {pair for record in seen.every("replaced") for pair in replaced_by(record)}
    replaced = [
        (one.key, one.before)
        for one in seen.changes
        if one.by_program and one.before is not None and one.after is not None and one.after != one.before
    ]
    gone = sorted(key for key, before in replaced if (key, before) not in kept)
    verdict.require(not gone, f"I11: {len(gone)} replaced texts are in no journal: {gone[:3]}")
    verdict.met["texts replaced"] += len(replaced)


def _deletes_what_is_listed(seen: Evidence, verdict: Verdict) -> None:
    """I12."""
    deleted = [(one.key, one.before) for one in seen.changes if one.by_program and one.after is None]
    asked_for = sorted(key for key, _ in deleted if key in seen.catalog)
    verdict.require(not asked_for, f"I12: {len(asked_for)} rows of the catalog were deleted: {asked_for[:3]}")
    unkept = sorted(key for key, before in deleted if (key, before) not in seen.backups)
    verdict.require(not unkept, f"I12: {len(unkept)} rows were deleted that no backup holds: {unkept[:3]}")
    gone = {key for key, _ in deleted}
    for client in seen.clients:
        untrue = sorted(_said_to_be_removed(client) - gone)
        verdict.require(not untrue, f"I12: {client.name} says that it removed {untrue[:3]}")
    verdict.met["rows removed"] += len(deleted)


def _said_to_be_removed(client: Client) -> set[str]:
    return {row["key"] for row in client.last.get("removed_rows", ())} if client.verb == "prune" else set()
