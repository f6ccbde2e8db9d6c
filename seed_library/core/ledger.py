"""What the journal says, folded into what a run and a plan need to know.

The kinds of records, and what is in each, are in `core.journal_records`. What is not understood changes nothing here.

A batch is open until it is done or has failed; its items are not asked for again meanwhile.
An intent that neither `paid` nor `failed` closes was in flight when its process died: it may have been billed.
The fold keeps positions, not texts, and digests, not strings: a journal of 100,000 texts fits in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from seed_library.core.catalog import ItemId
from seed_library.core.draft_refs import DraftRef, Verdict, is_of, judged, packed, reference, stored
from seed_library.core.journal_records import NotUnderstood, Record, require_understood
from seed_library.core.open_batches import OpenBatch, OpenBatches, digest_of
from seed_library.core.repeats import Repeated, Repeats, Step, repeated
from seed_library.core.run_tally import RunTally
from seed_library.core.unread import Unread, of_record

_FINGERPRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Intent:
    """A request that was about to be sent. `worst` is its ceiling in micro-dollars."""

    item: ItemId
    attempt: str
    run: str
    worst: int


class Ledger:
    """The state of a journal. Feed it records in order with `apply`.

    Attributes:
        version: the highest that the journal names.
        unread: what could not be understood; who reads the journal adds to it.
    """

    def __init__(self) -> None:
        self.version = 1
        self.unread: list[Unread] = []
        self._counted: set[tuple[int, int]] = set()
        self._repeats = Repeats()
        self._dearest = 0
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
            "journal": self._head,
            "set_aside": self._set_aside,
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
            "conflict": self._conflict,
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
        """Take one record into account.

        Raises:
            NotUnderstood: it is none that can be; nothing has changed then.
        """
        require_understood(record)
        folding = self._folding.get(record["kind"])
        if folding is not None:
            folding(position, record)

    def read(self, position: int, size: int, record: Record) -> None:
        """Take a record of a journal into account, or note that it cannot be."""
        try:
            self.apply(position, record)
        except (NotUnderstood, RecursionError) as fault:
            reason = str(fault) if isinstance(fault, NotUnderstood) else "it is nested too deeply"
            repeats = isinstance(fault, Repeated)
            self.unread.append(of_record(position, size, record, reason, repeats=repeats))

    @property
    def unread_anew(self) -> list[Unread]:
        """What could not be understood, and was not counted by a run before."""
        return [one for one in self.unread if one.region not in self._counted]

    def may_have_cost(self, one: Unread) -> int | None:
        """Return what something unread may have cost, in micro-dollars; None where nobody can tell (`core.unread`)."""
        if not one.costly or self._repeats.knows(one.attempt) or one.batch in self._batches.by_token:
            return 0
        if one.figure is None or not one.whole:
            return max(one.figure or 0, self._dearest) or None
        return one.figure

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

    def _head(self, _position: int, record: Record) -> None:
        self.version = max(self.version, record["version"])

    def _set_aside(self, _position: int, record: Record) -> None:
        for position, size, worst in record["records"]:
            if (position, size) not in self._counted:
                self._counted.add((position, size))
                self.maybe_spent += worst

    def _require_next(self, step: Step, record: Record) -> None:
        """Take note of a record of an attempt.

        Raises:
            Repeated: it has been there before.
        """
        if not record.get("batch"):
            self._repeats.require_next(record["attempt"], step)
        elif self._batches.has(record["batch"], record["attempt"]):
            raise repeated(record["attempt"])

    def _edit(self, _position: int, record: Record) -> None:
        self._repeats.require_new(record)
        for names in record["items"]:
            self._edited.add(digest_of(*names))

    def _turn_down(self, _position: int, record: Record) -> None:
        self._repeats.require_new(record)
        self._rejected_by_hand.add(digest_of(*record["item"], record["fingerprint"]))

    def _lease(self, _position: int, record: Record) -> None:
        self.highest_token = max(self.highest_token, int(record["token"]))
        self.leasing_runs.add(str(record["run"]))

    def _open_batch(self, position: int, record: Record) -> None:
        if record["token"] in self._batches.known:
            raise Repeated(f"it repeats the beginning of the batch {record['token']!r}")
        requests = self._batches.begin(position, record)
        if record["run"] == self.last_run.run_id:
            self.last_run.requests += requests

    def _lose_batch(self, position: int, record: Record) -> None:
        self._repeats.require_new(record)
        self._batches.end(position, record)
        maybe = int(record.get("maybe", 0))
        self.maybe_spent += maybe
        if record["run"] == self.last_run.run_id:
            self.last_run.maybe_spent += maybe

    def _pay_in_vain(self, _position: int, record: Record) -> None:
        self._require_next("paid", record)
        self._batches.collect(record, int(record["cost"]))
        self._count_cost(record)

    def _count_cost(self, record: Record) -> None:
        cost = 0 if record.get("billed_before") else int(record["cost"])
        self.spent += cost
        if record["run"] == self.last_run.run_id:
            self.last_run.spent += cost

    def _begin(self, position: int, record: Record) -> None:
        self._repeats.require_new(record)
        # `--refresh all` is one job over as many runs as it takes, with others in between: what it has replaced stays
        # replaced until the job itself has tried everything.
        if record.get("refresh") == "all" and self.refresh_floor is None:
            self.refresh_floor = position
            self._stored_in_round.clear()
        self.last_run = RunTally.begun(record)
        for said in record.get("batches", ()):  # for those who read the journal from here on only
            self._batches.recall(said)

    def _intend(self, _position: int, record: Record) -> None:
        self._require_next("intent", record)
        attempt = str(record["attempt"])
        self._dearest = max(self._dearest, record["worst"])
        item = ItemId(*record["item"])
        self.open_intents[attempt] = Intent(item, attempt, str(record["run"]), int(record["worst"]))
        if record["run"] == self.last_run.run_id:
            self.last_run.requests += 1

    def _pay(self, position: int, record: Record) -> None:
        self._require_next("paid", record)
        attempt, item = str(record["attempt"]), ItemId(*record["item"])
        self.open_intents.pop(attempt, None)
        key = digest_of(*item, record["fingerprint"])
        replaces = digest_of(*item) in self._stored
        self._drafts[key] = packed(position, attempt, self._drafts.get(key, 0), replaces=replaces)
        self._attempts[attempt] = key
        self._accepted_by_hand.discard(key)
        self._rejected_by_hand.discard(key)
        self._failures.pop(digest_of(*item), None)
        self._batches.collect(record, int(record["cost"]))
        self._count_cost(record)
        if record["run"] == self.last_run.run_id:
            self.last_run.generated += 1

    def _fail(self, _position: int, record: Record) -> None:
        self._require_next("failed", record)
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
        if record["attempt"] and not is_of(self._drafts[key], record["attempt"]):
            return  # a newer answer has taken its place
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
        self._repeats.require_new(record)
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

    def _conflict(self, _: int, record: Record) -> None:
        if record["run"] == self.last_run.run_id:
            self.last_run.conflicts += [[*item, str(record["reason"])] for item in record["items"]]

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
        ledger.read(position, 0, record)
    return ledger
