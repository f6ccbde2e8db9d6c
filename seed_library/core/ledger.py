"""What the journal says, folded into what a run and a plan need to know.

Records (each a JSON object with `kind`, `run` and `at`), in the order in which they are written for one item:

    intent    before a request leaves: item, attempt, fingerprint, model, worst (micro-dollars)
    paid      an answer arrived: item, attempt, fingerprint, cost, message (raw), request_id, workspace, and `over`: the
              version of the stored text that it was decided to replace, empty where there was none
    failed    no answer, or an error: item, attempt, reason, billed ("no" or "maybe"), worst
    judged    item, attempt, fingerprint, accepted, findings, repairable; or `unusable`: why the answer holds no text
              (a text that a later run recovers is judged again, by the gates of its day)
    replaced  before rows are written over: texts (item, title, text, generated, provenance, updated_at), as they were
    stored    items: [category, key, locale, fingerprint] of the rows that one upsert wrote, and their versions
    conflict  items that were not written, since something else is stored there by now; reason

per batch (a `paid` or `failed` of one names it in `batch`, and has the custom_id as its attempt; `billed_before` marks
what another machine's journal has counted):

    batch_intent   before a batch is created: token, count, worst, model, workspace (of the key, as far as an answer has
                   named it), items [category, key, locale, fingerprint], and `over`: the version that an item was
                   decided to replace, by its place
    batch_adopted  the same for a batch that is known from the lease row only: without items
    batch_created  token, batch_id, request_id, workspace: the provider has it
    batch_done     token: all its results are in the journal
    batch_failed   token, reason: it was certainly never created, or nothing can be fetched of it any more; then
                   `maybe`: what may have been billed for it beyond what is in the journal

per person's doing `edited` (items [category, key, locale] whose own texts were stored), a `judged` with `by`: "human"
for a text that was accepted against its gates, `turned_down` (item, fingerprint) for one that a person does not want,
and `pruning`, `pruned` and `restored` (items): what is about to be removed, and what has been;

and `unclaimed` for a paid answer to a request that nobody knows (attempt, batch, cost, message).

Per run `lease` (token: 0 before the lease across machines is asked for, then the one granted) and, once it has
begun, `run` (catalog, model, writer, command, refresh, maybe_before, batches, lease) and `finished` (exit_code, error);
both name in `given_up` the first items [category, key, locale, reason] whose answers never held a usable text.
A run that never got to a plan leaves both too, with nothing to do in it.

A batch is open until it is done or has failed; its items are not asked for again meanwhile.
An intent that neither `paid` nor `failed` closes was in flight when its process died: it may have been billed.
The fold keeps positions, not texts, and digests, not strings: a journal of 100,000 texts fits in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seed_library.core.catalog import ItemId
from seed_library.core.draft_refs import DraftRef, Verdict, judged, packed, reference, stored
from seed_library.core.open_batches import OpenBatch, OpenBatches, digest_of
from seed_library.core.run_tally import RunTally

Record = Mapping[str, Any]
_FINGERPRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Intent:
    """A request that was about to be sent. `worst` is its ceiling in micro-dollars."""

    item: ItemId
    attempt: str
    run: str
    worst: int


class Ledger:
    """The state of a journal. Feed it records in order with `apply`."""

    def __init__(self) -> None:
        self._drafts: dict[bytes, int] = {}
        self._stored: dict[bytes, bytes] = {}  # fingerprint, then version
        self._rehearsed: set[bytes] = set()
        self._failures: dict[bytes, str] = {}
        self._attempts: dict[str, bytes] = {}
        self.open_intents: dict[str, Intent] = {}
        self._batches = OpenBatches()
        self._edited: set[bytes] = set()
        self._accepted_by_hand: set[bytes] = set()
        self._rejected_by_hand: set[bytes] = set()
        self.spent = 0
        self.maybe_spent = 0
        self.last_run = RunTally()
        self.refresh_floor: int | None = None
        self._stored_in_round: set[bytes] = set()
        self.highest_token = 0
        self.leasing_runs: set[str] = set()
        self._folding: dict[str, Callable[[int, Record], None]] = {
            "run": self._begin,
            "intent": self._intend,
            "paid": self._pay,
            "failed": self._fail,
            "judged": self._judge,
            "stored": self._store,
            "finished": self._finish,
            "batch_intent": self._open_batch,
            "batch_adopted": self._open_batch,
            "batch_created": self._batches.name,
            "batch_done": self._batches.end,
            "batch_failed": self._lose_batch,
            "unclaimed": self._pay_in_vain,
            "lease": self._lease,
            "edited": self._edit,
            "turned_down": self._turn_down,
        }

    @property
    def open_batches(self) -> Mapping[str, OpenBatch]:
        """The batches that are not collected, by token."""
        return self._batches.by_token

    @property
    def known_batches(self) -> Mapping[str, str]:
        """The provider's ids of all batches in the journal, by token; empty where nobody knows it."""
        return self._batches.known

    def apply(self, position: int, record: Record) -> None:
        """Take one record into account. Records of an unknown kind are left alone (a newer version wrote them)."""
        folding = self._folding.get(str(record.get("kind")))
        if folding is not None:
            folding(position, record)

    def draft(self, item_id: ItemId, fingerprint: str) -> DraftRef | None:
        """Return the newest paid text for exactly this request, or None."""
        key = digest_of(*item_id, fingerprint)
        draft = self._drafts.get(key)
        return reference(draft, by_hand=key in self._accepted_by_hand) if draft is not None else None

    def holds(self, attempt: str) -> bool:
        """Whether this attempt's answer is in the journal and was not judged yet when the journal was read."""
        return attempt in self._attempts

    def submitted(self, item_id: ItemId, fingerprint: str) -> bool:
        """Whether a batch that is not collected yet holds exactly this request."""
        return self._batches.hold(item_id, fingerprint)

    def stored_fingerprint(self, item_id: ItemId) -> str:
        """Return the fingerprint that was last stored for this item from here, or an empty string."""
        return self._stored.get(digest_of(*item_id), b"")[:_FINGERPRINT_BYTES].hex()

    def stored_version(self, item_id: ItemId) -> str:
        """Return the version of the text that was last stored for this item from here, empty where nobody noted it."""
        return self._stored.get(digest_of(*item_id), b"")[_FINGERPRINT_BYTES:].hex()

    def rehearsed(self, item_id: ItemId) -> bool:
        """Whether the text that was last stored for this item from here is a rehearsal's."""
        return digest_of(*item_id) in self._rehearsed

    def stored_in_round(self, item: ItemId) -> bool:
        """Whether a text of the item was stored since the `--refresh all` that is not over has begun."""
        return self.refresh_floor is not None and digest_of(*item) in self._stored_in_round

    def edited(self, item_id: ItemId) -> bool:
        """Whether a person's text of this item was stored from here."""
        return digest_of(*item_id) in self._edited

    def turned_down(self, item_id: ItemId, fingerprint: str) -> bool:
        """Whether a person does not want the text of this request, and none has been paid for since."""
        return digest_of(*item_id, fingerprint) in self._rejected_by_hand

    def last_failure(self, item_id: ItemId) -> str:
        """Return why the item's last attempt gave no text, or an empty string."""
        return self._failures.get(digest_of(*item_id), "")

    def _edit(self, _position: int, record: Record) -> None:
        for names in record["items"]:
            self._edited.add(digest_of(*names))

    def _turn_down(self, _position: int, record: Record) -> None:
        self._rejected_by_hand.add(digest_of(*record["item"], record["fingerprint"]))

    def _lease(self, _position: int, record: Record) -> None:
        self.highest_token = max(self.highest_token, int(record["token"]))
        self.leasing_runs.add(str(record["run"]))

    def _open_batch(self, position: int, record: Record) -> None:
        requests = self._batches.begin(position, record)
        if record["run"] == self.last_run.run_id:
            self.last_run.requests += requests

    def _lose_batch(self, position: int, record: Record) -> None:
        self._batches.end(position, record)
        maybe = int(record.get("maybe", 0))
        self.maybe_spent += maybe
        if record["run"] == self.last_run.run_id:
            self.last_run.maybe_spent += maybe

    def _pay_in_vain(self, _position: int, record: Record) -> None:
        self._batches.collect(record, int(record["cost"]))
        self._count_cost(record)

    def _count_cost(self, record: Record) -> None:
        cost = 0 if record.get("billed_before") else int(record["cost"])
        self.spent += cost
        if record["run"] == self.last_run.run_id:
            self.last_run.spent += cost

    def _begin(self, position: int, record: Record) -> None:
        refresh = str(record.get("refresh", ""))
        # `--refresh all` is one job over as many runs as it takes, with others in between: what it has replaced stays
        # replaced until the job itself has tried everything.
        if refresh == "all" and self.refresh_floor is None:
            self.refresh_floor = position
            self._stored_in_round.clear()
        self.last_run = RunTally(
            run_id=str(record["run"]),
            started_at=str(record["at"]),
            catalog=str(record.get("catalog", "")),
            model=str(record.get("model", "")),
            writer=str(record.get("writer", "")),
            refresh=refresh,
            to_do=int(record.get("to_do", 0)),
            maybe_spent=int(record.get("maybe_before", 0)),
            given_up=record.get("given_up", ()),
        )
        for said in record.get("batches", ()):  # for those who read the journal from here on only
            self._batches.recall(said)

    def _intend(self, _position: int, record: Record) -> None:
        attempt = str(record["attempt"])
        item = ItemId(*record["item"])
        self.open_intents[attempt] = Intent(item, attempt, str(record["run"]), int(record["worst"]))
        if record["run"] == self.last_run.run_id:
            self.last_run.requests += 1

    def _pay(self, position: int, record: Record) -> None:
        attempt, item = str(record["attempt"]), ItemId(*record["item"])
        self.open_intents.pop(attempt, None)
        key = digest_of(*item, record["fingerprint"])
        self._drafts[key] = packed(position, self._drafts.get(key, 0), replaces=digest_of(*item) in self._stored)
        self._attempts[attempt] = key
        self._accepted_by_hand.discard(key)
        self._rejected_by_hand.discard(key)
        self._failures.pop(digest_of(*item), None)
        self._batches.collect(record, int(record["cost"]))
        self._count_cost(record)
        if record["run"] == self.last_run.run_id:
            self.last_run.generated += 1

    def _fail(self, _position: int, record: Record) -> None:
        self.open_intents.pop(str(record["attempt"]), None)
        self._batches.collect(record, 0)
        reason = str(record["reason"])
        self._failures[digest_of(*record["item"])] = reason
        maybe = int(record["worst"]) if record["billed"] == "maybe" else 0
        self.maybe_spent += maybe
        if record["run"] == self.last_run.run_id:
            self.last_run.maybe_spent += maybe
            self.last_run.last_error = reason

    def _judge(self, _position: int, record: Record) -> None:
        key = self._attempts.pop(str(record["attempt"]), None)
        if key is None and "fingerprint" in record:
            key = digest_of(*record["item"], record["fingerprint"])
        if key is None or key not in self._drafts:
            return
        verdict: Verdict = "accepted" if record.get("accepted") else "rejected"
        if record.get("by") == "human":
            self._accepted_by_hand.add(key)
            self._rejected_by_hand.discard(key)
        if record.get("unusable"):
            verdict = "unusable"
            self._failures[digest_of(*record["item"])] = str(record["unusable"])
        self._drafts[key] = judged(self._drafts[key], verdict)
        if record["run"] == self.last_run.run_id:
            self.last_run.rejected += verdict == "rejected" and not record.get("repairable")
            self.last_run.failed += verdict == "unusable"

    def _store(self, _position: int, record: Record) -> None:
        mine = record["run"] == self.last_run.run_id
        versions = record.get("versions") or [""] * len(record["items"])
        for (category, key, locale, fingerprint), version in zip(record["items"], versions, strict=True):
            item = ItemId(category, key, locale)
            place = digest_of(*item)
            self._stored[place] = bytes.fromhex(fingerprint + version)
            if self.refresh_floor is not None:
                self._stored_in_round.add(place)
            if mine and self.last_run.writer == "rehearsal":
                self._rehearsed.add(place)
            else:
                self._rehearsed.discard(place)
            draft_key = digest_of(*item, fingerprint)
            if draft_key in self._drafts:
                self._drafts[draft_key] = stored(self._drafts[draft_key])
            if mine:
                self.last_run.stored_per_part[f"{category}/{locale}"] += 1
        if mine:
            self.last_run.stored += len(record["items"])
            self.last_run.recovered += int(record.get("recovered", 0))

    def _finish(self, _position: int, record: Record) -> None:
        if record["run"] == self.last_run.run_id:
            self.last_run.finished_at = str(record["at"])
            self.last_run.exit_code = int(record["exit_code"])
            self.last_run.failed = int(record.get("failed", self.last_run.failed))
            self.last_run.given_up = record.get("given_up", self.last_run.given_up)
            self.last_run.last_error = str(record.get("error", "")) or self.last_run.last_error
            if self.last_run.refresh == "all" and record["exit_code"] in _REFRESH_ENDS:
                self.refresh_floor = None


_REFRESH_ENDS = (0, 6)  # everything asked for was tried: the next `--refresh all` means a new round


def fold(records: Iterable[tuple[int, Record]]) -> Ledger:
    """Fold positioned records into a ledger."""
    ledger = Ledger()
    for position, record in records:
        ledger.apply(position, record)
    return ledger
