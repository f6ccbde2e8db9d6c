"""Where a trial of messages happens, and who has appeared on it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from processes.program import Ended, Running
from servers.eavesdropper import Eavesdropper
from servers.processes import MessagesServer
from servers.supabase import Supabase

from chaos.dangers import Dangers, Life
from chaos.evidence import ITEMS, Client, items_paid_for, journals_in, planned_prompts
from chaos.people import Company, Person
from chaos.starting import Forking, Hardship
from chaos.tables import history, stored, taken_out_by_a_person
from chaos.verdict import Verdict

CLOCK = "wrong-by"
_SMALL_BUDGET = "0.6"  # the worst case of eight requests
_ROOM = 120_000  # bytes that a journal may still grow by when the disk is about to be full


@dataclass(slots=True)
class Stage:
    """Where a trial happens, and who has appeared on it.

    Attributes:
        company: what happens to the life that goes on now, besides its own dangers; None in fair weather.
        refused: the keys whose new rows the table refuses now.
        surely: whether a preflight in time finds that out, however long the table takes for a row.
    """

    folder: Path
    messages: MessagesServer
    supabase: Supabase
    eavesdropper: Eavesdropper
    dangers: Dangers
    dice: random.Random
    verdict: Verdict
    mutant: str = ""
    clients: list[Client] = field(default_factory=list)
    company: Company | None = None
    refused: frozenset[str] = frozenset()
    surely: bool = True

    @property
    def catalog(self) -> frozenset[str]:
        """The keys of all items."""
        return frozenset(planned_prompts().values())

    @property
    def person(self) -> Person:
        """Somebody else in the same table."""
        return Person(self.supabase, self.catalog, self.verdict.met)

    def start(self, life: Life | None, *, machine: str = "here", more: tuple[str, ...] = ()) -> tuple[Client, Running]:
        """Start the program as a client of its own."""
        client = self._client(life, machine)
        client.concurrency, client.refreshes = self.dangers.concurrency, self._refreshes(life)
        client.awaits_refusal = self._awaits_refusal(client)
        budget = ("--budget", _SMALL_BUDGET) if client.hardship == "small budget" else ()
        client.budget = float(_SMALL_BUDGET) if budget else 5.0
        refresh = ("--refresh", "all") if client.refreshes else ()
        command = ("run", "--json", *ITEMS, "--concurrency", str(client.concurrency), *budget, *refresh, *more)
        return client, self._program(client).start(*command)

    def start_pruning(self) -> tuple[Client, Running]:
        """Start to remove what no catalog asks for."""
        client = self._client(None, "here")
        client.verb = "prune"
        return client, self._program(client).start("prune", "--json", "--yes", *ITEMS)

    def misled(self) -> Ended:
        """Start a check of two services elsewhere, over plain http."""
        elsewhere = {name: f"http://{name.lower()}.example.com" for name in ("ANTHROPIC_BASE_URL", "SUPABASE_URL")}
        elsewhere = {name: address.replace("_", "-") for name, address in elsewhere.items()}
        return self._program(Client("misled", "here", "", "end", "check")).run("check", "--json", **elsewhere)

    def end(self, client: Client, running: Running) -> Ended:
        """Wait for the end of a client, and keep what it said."""
        ended = running.end()
        client.remember(running.events, ended, self._accounted_for() if ended.code == 0 else None)
        return ended

    def state(self, machine: str) -> Path:
        """The state directory of a machine."""
        return self.folder / machine / "state"

    def let_time_pass(self, client: Client, seconds: float) -> None:
        """Let the wall clock of a client's machine jump."""
        (self.folder / client.machine / CLOCK).write_text(str(seconds))

    def _client(self, life: Life | None, machine: str) -> Client:
        name = f"{len(self.clients) + 1:02}"
        client = Client(name, machine, life.hardship if life else "", life.ending if life else "end")
        self.clients.append(client)
        return client

    def _refreshes(self, life: Life | None) -> bool:
        return life is not None and self.company is not None and self.company.refresh

    def _awaits_refusal(self, client: Client) -> bool:
        """Whether there is an item to come whose row the table refuses: one that nobody has paid for or stored."""
        if not self.refused or not self.surely:
            return False
        return bool(self.refused - stored(self.supabase).keys() - items_paid_for(self.state(client.machine)))

    def _accounted_for(self) -> int:
        """Count the items that have a row, or had one until a person took it out."""
        keys = stored(self.supabase).keys() | taken_out_by_a_person(history(self.supabase))
        return len(self.catalog & keys)

    def _program(self, client: Client) -> Forking:
        folder = self.folder / client.machine
        folder.mkdir(parents=True, exist_ok=True)
        settings = {**self.messages.environment, **self.supabase.environment, **self.eavesdropper.variables}
        settings["ANTHROPIC_BASE_URL"] = f"{self.messages.url}/as/{client.name}"
        return Forking(folder, settings, self._hardship(client.hardship, folder, narrow=client.unread))

    def _hardship(self, name: str, folder: Path, *, narrow: bool) -> Hardship:
        room: int | None = None
        if name == "disk full":
            journals = journals_in(folder / "state")
            room = sum(journal.stat().st_size for journal in journals) + self.dice.randint(0, _ROOM)
        clock = folder / CLOCK
        clock.write_text("0")
        powerless = name == "read-only state"
        return Hardship(room=room, powerless=powerless, clock=str(clock), mutant=self.mutant, narrow=narrow)
