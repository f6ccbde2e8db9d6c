"""What has to hold, whatever happened: judged by what the servers saw, not by what the program says of itself.

I1   a request is in the journal before it arrives.
I2   what is paid for and good is not asked for again, but once for each time that all texts are to be replaced.
I3   a payment whose answer the journal lacks is explained by a killed process or a broken answer, and announced;
     the journal has no damaged line, since only its end was ever torn.
I4   a text is in the journal before it is on its way to the table, and so is the text that it replaces.
I5   at the end the table is the catalog, each text one that was paid for or that a person wrote; beside it are only
     rows that a person made.
I6   no two processes ask at the same time.
I7   what the journal says was spent is what the server charged for the answers it holds; with what it says may have
     been billed, at least what the server charged in all.
I8   no key is in any file of the state folder, nor in any output; nothing takes the proxy that every variable names:
     all that is asked for is on this machine, and what is set to lead elsewhere over plain http is not asked.
I9   exit code and last line say what happened; who speaks of conflicts has met what others wrote.
I10  nothing is asked for after a refusal, nor where the table refuses the rows to come, and no process is charged more
     than its budget.

I13  no target is given up that is back within the time of a lease, and nobody stands still because of a reader.
I14  hardly a request is one too many for the limit of the account.

I11 and I12, about what people wrote and what is deleted, are in `row_invariants`.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from chaos.evidence import Asked, Client, Evidence, Record
from chaos.row_invariants import judge_rows, replaced_by
from chaos.verdict import Verdict

MICRO = 1_000_000
_ITEMS = 60
_MACHINES = ("here", "there")
_RUN_WIDE = (400, 401)
_LEARNING = 4  # requests
_CODES = {0, 4, 5, 6, 7, 8, 130}


def judge(seen: Evidence, verdict: Verdict) -> None:
    """Note every violation."""
    _is_announced(seen, verdict)
    _is_asked_once(seen, verdict)
    _is_not_lost(seen, verdict)
    _is_journalled_first(seen, verdict)
    judge_rows(seen, verdict)
    _is_alone(seen, verdict)
    _is_accounted_for(seen, verdict)
    _is_silent(seen, verdict)
    _keeps_the_limit(seen, verdict)
    for client in seen.clients:
        _is_patient(client, verdict)
        _ends_as_it_says(seen, client, verdict)
        _stays_within_its_bounds(seen, client, verdict)
    verdict.met["requests"] += len(seen.asked)
    verdict.met["processes"] += len(seen.clients)


def _machines_of(seen: Evidence) -> dict[str, int]:
    """Return the place of each client's machine among the journals."""
    return {client.name: _MACHINES.index(client.machine) for client in seen.clients}


def _is_announced(seen: Evidence, verdict: Verdict) -> None:
    """I1."""
    machine_of = _machines_of(seen)
    asked: Counter[tuple[int, str]] = Counter()
    for one in seen.asked:
        machine = machine_of[one.client]
        asked[machine, one.item] += 1
        intents = sum(
            record["kind"] == "intent" and record["item"][1] == one.item
            for end, record in seen.journals[machine]
            if machine < len(one.journals) and end <= one.journals[machine]
        )
        verdict.require(intents >= asked[machine, one.item], f"I1: {one.item} was asked for without an intent")


def _is_asked_once(seen: Evidence, verdict: Verdict) -> None:
    """I2."""
    by_name = {client.name: client for client in seen.clients}
    machine_of = _machines_of(seen)
    for one in seen.asked:
        machine = machine_of[one.client]
        good, round_ = False, _Round()
        for end, record in seen.journals[machine]:
            if end > one.journals[machine]:
                break
            if round_.begins(record) and by_name[one.client].refreshes:
                good = False
            if record["kind"] == "paid" and record["item"][1] == one.item:
                good = True
            if record["kind"] == "judged" and record["item"][1] == one.item:
                good = bool(record.get("accepted"))
        verdict.require(not good, f"I2: {one.item} was asked for although a good text was paid for")


class _Round:
    """One replacement of all texts: over as many runs as it takes until one of them has tried everything."""

    def __init__(self) -> None:
        self._open = False
        self._run = ""

    def begins(self, record: Record) -> bool:
        """Whether one begins with this record of a journal; takes every record."""
        if record["kind"] == "run":
            replaces = record["refresh"] == "all"
            self._run = record["run"] if replaces else ""
            self._open, begins = self._open or replaces, replaces and not self._open
            return begins
        if record["kind"] == "finished" and record["run"] == self._run and record["exit_code"] in {0, 6}:
            self._open = False
        return False


def _is_not_lost(seen: Evidence, verdict: Verdict) -> None:
    """I3."""
    kept = {record["message"]["id"] for record in seen.every("paid")}
    lost = [one for one in seen.asked if one.billed and one.billed not in kept]
    broken = sum(one.lost for one in lost)
    in_flight = sum(client.concurrency for client in seen.clients if _may_lose_answers(client))
    unexplained = len(lost) - broken
    verdict.require(unexplained <= in_flight, f"I3: {unexplained} payments lost, at most {in_flight} were in flight")
    announced = sum(record["billed"] == "maybe" for record in seen.every("failed"))
    verdict.require(len(lost) <= announced, f"I3: {len(lost)} payments lost, {announced} announced")
    verdict.met["billed, announced, answer lost"] += len(lost)
    verdict.require(not seen.damaged, f"I3: {seen.damaged} damaged lines in the journal")


def _may_lose_answers(client: Client) -> bool:
    return client.killed or client.hardship == "disk full"


def _is_journalled_first(seen: Evidence, verdict: Verdict) -> None:
    """I4."""
    for upsert in seen.upserts:
        before = [
            record
            for size, journal in zip(upsert.journals, seen.journals, strict=True)
            for end, record in journal
            if end <= size
        ]
        known = {(record["item"][1], _text(record)) for record in before if record["kind"] == "paid"}
        for key, text in upsert.texts.items():
            verdict.require((key, text) in known, f"I4: the text of {key} was sent to the table before it was kept")
        kept = {pair for record in before if record["kind"] == "replaced" for pair in replaced_by(record)}
        for pair in upsert.over.items():
            verdict.require(pair in kept, f"I4: the text of {pair[0]} was to be replaced before it was kept")


def _text(record: Record) -> str:
    return "".join(block.get("text", "") for block in record["message"]["content"] if block["type"] == "text").strip()


def _is_alone(seen: Evidence, verdict: Verdict) -> None:
    """I6. Whoever lost lock or lease may still have had requests on their way, but no more than it may have at once."""
    by_client = {client.name: client for client in seen.clients}
    spans: dict[str, list[Asked]] = {}
    for one in seen.asked:
        spans.setdefault(one.client, []).append(one)
    names = sorted(spans, key=lambda name: spans[name][0].arrived)
    for earlier, later in pairwise(names):
        late = [one for one in spans[earlier] if one.arrived > spans[later][0].arrived]
        allowed = by_client[earlier].concurrency if by_client[earlier].robbed else 0
        verdict.require(len(late) <= allowed, f"I6: {earlier} sent {len(late)} requests while {later} was working")


def _is_accounted_for(seen: Evidence, verdict: Verdict) -> None:
    """I7."""
    costs = {one.billed: one.cost for one in seen.asked if one.billed}
    charged = sum(costs.values())
    kept = list(seen.every("paid"))
    spent = sum(int(record["cost"]) for record in kept)
    fair = sum(costs.get(record["message"]["id"], 0) for record in kept)
    verdict.require(spent == fair, f"I7: {spent} spent by the journal, {fair} by the server")
    maybe = sum(int(record["worst"]) for record in seen.every("failed") if record["billed"] == "maybe")
    verdict.require(spent + maybe >= charged, f"I7: {spent} spent and {maybe} maybe, but {charged} charged")
    for client in seen.clients:
        last = client.events[-1] if client.events else {}
        if last.get("event") != "run_finished":
            continue
        own = sum(int(record["cost"]) for record in kept if record["run"] == last["run_id"])
        said = round(last["spent_usd"] * MICRO)
        verdict.require(said == own, f"I7: {client.name} says it spent {said}, its records {own}")


def _is_silent(seen: Evidence, verdict: Verdict) -> None:
    """I8."""
    said = "".join(client.said for client in seen.clients)
    for secret in seen.secrets:
        verdict.require(secret.encode() not in seen.files, "I8: a key is in a file of the state folder")
        verdict.require(secret not in said, "I8: a key is in the output")
    verdict.require(not seen.overheard, f"I8: a proxy was sent {seen.overheard[:3]}")


def _keeps_the_limit(seen: Evidence, verdict: Verdict) -> None:
    """I14. A process that begins does not know what those before it have left; the first answer tells."""
    limited = sum(one.limited for one in seen.asked)
    beginners = len({one.client for one in seen.asked})
    allowed = 0.1 * len(seen.asked) + _LEARNING * beginners
    verdict.require(limited <= allowed, f"I14: {limited} of {len(seen.asked)} requests were too many for the limit")
    verdict.met["requests refused by the limit"] += limited


def _ends_as_it_says(seen: Evidence, client: Client, verdict: Verdict) -> None:
    """I9. The codes are those of the README."""
    name, code = client.name, client.code
    if not client.ended_by_itself:
        fair = client.killed or (client.stopped and not client.events)  # before it said how it wants to be stopped
        verdict.require(fair, f"I9: {name} ({client.ending}) died of signal {-code}")
        return
    verdict.require(code in _CODES, f"I9: {name} ended with {code}: {client.said[-600:]}")
    if client.verb == "run" and code in {0, 6, 7, 8} and not client.unread:
        _says_how_it_ended(client, verdict)
    if code in {3, 4, 5} and not client.unread:
        failures = [event for event in client.events if "error" in event]
        verdict.require(bool(failures), f"I9: {name} ended with {code} without saying why")
    verdict.require(code != 8 or client.stopped, f"I9: {name} says it was stopped")
    verdict.require(code != 7 or client.hardship == "small budget", f"I9: {name} says its budget is reached")
    verdict.require(code != 130 or client.killed, f"I9: {name} says it was interrupted twice")


def _is_patient(client: Client, verdict: Verdict) -> None:
    """I13."""
    given_up = [event for event in client.events if event.get("error", {}).get("code") == "store_unavailable"]
    verdict.require(not given_up, f"I13: {client.name} ({client.hardship}) gave the target up: {given_up}")
    verdict.require(not client.stood_still, f"I13: {client.name} stands still: nobody reads what it says")


def _says_how_it_ended(client: Client, verdict: Verdict) -> None:
    name, code, last = client.name, client.code, client.last
    told = (last.get("event"), last.get("exit_code"))
    verdict.require(told == ("run_finished", code), f"I9: {name} ended with {code} and said {told}")
    verdict.require(code != 0 or client.rows_at_end == _ITEMS, f"I9: {name} ended with 0 and {client.rows_at_end} rows")
    not_stored = sum(int(last.get(what, 0)) for what in ("failed", "rejected", "conflicts"))
    verdict.require(code != 0 or not not_stored, f"I9: {name} ended with 0 and has not stored {not_stored}")
    verdict.require(code != 6 or not_stored > 0, f"I9: {name} ended with 6, and everything is stored")
    conflicts = sum(event.get("event") == "conflict" for event in client.events)
    verdict.require(conflicts == last.get("conflicts"), f"I9: {name} lists {conflicts} conflicts and says {last}")


def _could_not_try_all(client: Client) -> bool:
    """Whether it has said that the table is too slow for all rows to come to be tried."""
    return any("would take too long to try" in str(event.get("message")) for event in client.events)


def _stays_within_its_bounds(seen: Evidence, client: Client, verdict: Verdict) -> None:
    """I10."""
    asked = seen.of(client)
    refused = client.ended_by_itself and not client.began
    to_be_refused = client.awaits_refusal and bool(asked) and not _could_not_try_all(client)
    verdict.require(not to_be_refused, f"I10: {client.name} asked for {len(asked)} texts of rows that are refused")
    verdict.met["starts that had to be refused by the table"] += client.awaits_refusal
    verdict.require(not (refused and asked), f"I10: {client.name} was refused and sent {len(asked)} requests")
    charged = sum(one.cost for one in asked)
    verdict.require(charged <= client.budget * MICRO, f"I10: {client.name} was charged {charged}")
    refusals = [one.finished for one in asked if one.status in _RUN_WIDE]
    if refusals:
        late = sum(one.arrived > min(refusals) for one in asked)
        verdict.require(
            late <= client.concurrency, f"I10: {client.name} sent {late} requests after the refusal of the whole run"
        )
