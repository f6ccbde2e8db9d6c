"""What the servers, the journals and the processes themselves have seen of a trial."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from processes.program import Ended, Program
from servers.processes import KEY, MessagesServer
from servers.supabase import Supabase

from chaos.tables import Change, Content, history, stored
from seed_library.adapters.journal_lines import Damage, encode, records

Record = dict[str, Any]
_STORE = "/rest/v1/rpc/seed_library_store"
# Micro-dollars per token of claude-sonnet-5-5, as its price list says; written down here once more on purpose.
_INPUT, _OUTPUT = 2, 10
_INTERRUPTED = 130
_FINDINGS = "\n\nDein letzter Entwurf"  # what a request that asks again adds to its prompt begins with
ITEMS = ("--category", "bazi_year_pillar", "--locale", "de")


@dataclass(slots=True)
class Client:
    """One process, and what is known of it.

    Attributes:
        name: what it calls itself at the Messages API server.
        machine: whose state folder it works in.
        killed: its end came without notice, so requests may have been in flight.
        stopped: it was asked to stop.
        robbed: its lock file or its lease was taken away.
        stood_still: it did not come to its end within half a minute, although nothing kept it but its output.
        refreshes: it is to replace all texts.
        awaits_refusal: the table refuses the row of an item to come, so that nothing may be asked for.
        rows_at_end: items whose rows were there when it had ended with 0, or had been taken out by a person.
    """

    name: str
    machine: str
    hardship: str
    ending: str
    verb: str = "run"
    concurrency: int = 0
    budget: float = 0.0
    refreshes: bool = False
    awaits_refusal: bool = False
    killed: bool = False
    stopped: bool = False
    robbed: bool = False
    stood_still: bool = False
    code: int = 0
    events: list[Record] = field(default_factory=list)
    said: str = ""
    rows_at_end: int | None = None

    def remember(self, events: list[Record], ended: Ended, rows: int | None) -> None:
        """Keep what it said."""
        rest = [json.loads(line) for line in ended.out.splitlines() if line.startswith("{") and line.endswith("}")]
        self.events, self.code, self.rows_at_end = [*events, *rest], ended.code, rows
        self.killed &= ended.code in {-signal.SIGKILL, _INTERRUPTED}  # else its end came before that
        self.said = json.dumps(self.events, ensure_ascii=False) + ended.err

    @property
    def began(self) -> bool:
        """Whether it came as far as a plan."""
        return any(event.get("event") == "run_started" for event in self.events)

    @property
    def last(self) -> Record:
        """The last thing that it said."""
        return self.events[-1] if self.events else {}

    @property
    def unread(self) -> bool:
        """Whether nobody reads what it says before its end: most of it is lost then."""
        return self.ending == "unread pipe"

    @property
    def ended_by_itself(self) -> bool:
        """Whether its exit code is its own."""
        return self.code >= 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One request at the Messages API server. Times are the server's.

    Attributes:
        item: the key of what was asked for.
        journals: how long the journal of each machine was when it arrived.
        billed: the id of the message that was charged for, or an empty string.
        text: what that message says.
        lost: the server took the payment and broke the answer, or said an error that may have cost.
        limited: it was one too many for the limit of the account.
    """

    client: str
    item: str
    arrived: float
    finished: float
    status: int
    journals: tuple[int, ...]
    billed: str
    text: str
    cost: int
    lost: bool
    limited: bool


@dataclass(frozen=True, slots=True)
class Upsert:
    """One call of the database's store function.

    Attributes:
        texts: what it wrote, by key.
        over: what it replaced, by key.
        journals: how long the journals were when it arrived.
    """

    texts: dict[str, str]
    over: dict[str, Content]
    journals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a trial is judged by.

    Attributes:
        journals: the records of each machine, each with the byte at which its line ends.
        rows: the table at the end, by key.
        changes: every change of a row.
        backups: the rows that were written to a file before they were to be removed: key and content.
        person: whether a person worked in the table, too.
        catalog: the keys of all items.
        damaged: lines inside the journals that cannot be read.
        files: what the state folders hold.
        overheard: the first lines of what the proxy was sent.
    """

    clients: Sequence[Client]
    asked: Sequence[Asked]
    upserts: Sequence[Upsert]
    journals: Sequence[Sequence[tuple[int, Record]]]
    damaged: int
    rows: dict[str, Content]
    changes: Sequence[Change]
    backups: Collection[tuple[str, Content]]
    person: bool
    catalog: Collection[str]
    files: bytes
    secrets: tuple[str, ...]
    overheard: Sequence[str]

    def of(self, client: Client) -> list[Asked]:
        """Return what a client asked for."""
        return [one for one in self.asked if one.client == client.name]

    def every(self, kind: str) -> Iterator[Record]:
        """Yield the records of a kind, of all machines."""
        for journal in self.journals:
            yield from (record for _, record in journal if record["kind"] == kind)


def journals_in(state: Path) -> list[Path]:
    """Return the journals in a state folder."""
    return list(state.glob("targets/*/journal.jsonl"))


def items_paid_for(state: Path) -> set[str]:
    """Return the keys of the items that a machine's journal has a paid answer of."""
    return {record["item"][1] for _, record in _journal(state) if record["kind"] == "paid"}


def gather(
    messages: MessagesServer,
    supabase: Supabase,
    clients: Sequence[Client],
    states: Sequence[Path],
    *,
    person: bool,
    overheard: Sequence[str],
) -> Evidence:
    """Collect it at the end of a trial."""
    served = messages.control(state=True)
    return Evidence(
        clients=clients,
        asked=list(_requests(served)),
        upserts=[_upsert(entry) for entry in supabase.log() if entry["line"].endswith(_STORE)],
        journals=[_journal(state) for state in states],
        damaged=sum(map(_damaged_lines, states)),
        rows=stored(supabase),
        changes=history(supabase),
        backups=[row for state in states for row in _backed_up(state)],
        person=person,
        catalog=frozenset(planned_prompts().values()),
        files=b"".join(file.read_bytes() for state in states for file in state.rglob("*") if file.is_file()),
        secrets=(KEY, supabase.secret),
        overheard=overheard,
    )


def _journal(state: Path) -> list[tuple[int, Record]]:
    return [
        (position + len(encode(record)), record)
        for journal in journals_in(state)
        for position, record in records(journal, Damage())
    ]


def _backed_up(state: Path) -> Iterator[tuple[str, Content]]:
    for file in state.glob("targets/*/pruned-*.jsonl"):
        for line in file.read_text("utf-8").splitlines():
            kept = json.loads(line)
            yield kept["key"], Content(kept["row"]["title"], kept["row"]["description"])


def _damaged_lines(state: Path) -> int:
    damage = Damage()
    for journal in journals_in(state):
        _ = list(records(journal, damage))
    torn = damage.torn_at is not None
    return len(damage.lines) + torn


def _requests(served: dict[str, Any]) -> Iterator[Asked]:
    billed = {entry["arrived"]: entry for entry in served["billed"]}
    for entry in served["log"]:
        if entry["path"] != "/v1/messages":
            continue
        paid, fault = billed.get(entry["arrived"]), entry["fault"]
        yield Asked(
            client=entry["client"],
            item=_item_of(entry["body"]),
            arrived=entry["arrived"],
            finished=entry.get("finished", entry["arrived"]),
            status=entry["status"],
            journals=tuple(entry["journals"]),
            billed=paid["id"] if paid else "",
            text=paid["text"] if paid else "",
            cost=_cost(paid["usage"]) if paid else 0,
            lost=fault.get("drop") == "after" or "truncate" in fault,
            limited="rate limit" in fault.get("message", ""),
        )


def _item_of(body: Record) -> str:
    """Return the key of what is asked for, by the planned prompts; one that asks again adds its findings to them."""
    return planned_prompts()[body["messages"][-1]["content"].partition(_FINDINGS)[0]]


@cache
def planned_prompts() -> dict[str, str]:
    """Return the keys of all items by their prompts; they are the same in every trial."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Program(Path(folder)).run("plan", "--json", "--show-prompts", *ITEMS).document
    return {prompt["user"]: prompt["key"] for prompt in plan["prompts"]}


def _cost(usage: Record) -> int:
    return int(usage["input_tokens"]) * _INPUT + int(usage["output_tokens"]) * _OUTPUT


def _upsert(entry: Record) -> Upsert:
    body = json.loads(entry["body"])
    return Upsert(
        {row["key"]: row["description"] for row in body["p_rows"]},
        {row["key"]: Content(row["title"], row["description"]) for row in body["p_over"]},
        tuple(entry["journals"]),
    )
