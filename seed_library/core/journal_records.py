"""The records of a journal: their kinds, and what has to be in one to be understood.

Each is a JSON object with `kind`, `run` and `at`. In the order in which they are written for one item:

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
begun, `run` (catalog, model, writer, command, refresh, maybe_before, batches, lease, set_aside) and `finished`
(exit_code, error); both name in `given_up` the first items [category, key, locale, reason] whose answers never held a
usable text. A run that never got to a plan leaves both too, with nothing to do in it.

Of the journal itself `journal` (version), its first record, and `set_aside` (records: [position, size, worst]): what
could not be understood, and has been said and counted (`core.unread`).

Versions. A journal without a `journal` record is of version 1, as is one of today. A version is raised by what an older
program must not write beside: a kind that holds money, or a new meaning of what is there. Such a program refuses to
write then. Other new kinds and fields need none: an older program sets aside what it does not know, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

VERSION = 1
Record = Mapping[str, Any]

_MOST_MONEY = 10**15  # micro-dollars; what is above it is no price
_MOST = 2**63 - 1
_ITEM_PARTS = 3
_GIVEN_UP_PARTS = 4
_LONGEST_PLACE = 9  # digits
_MISSING = object()


class NotUnderstood(Exception):
    """A record is none that this program knows how to read; the text says why."""


def _text(value: object) -> bool:
    return isinstance(value, str)


def _name(value: object) -> bool:
    """Whether this is a text that can be looked up: one that UTF-8 knows."""
    return isinstance(value, str) and (value.isascii() or _has_bytes(value))


def _has_bytes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _hex(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        bytes.fromhex(value)
    except ValueError:
        return False
    return not value or value.isalnum()  # it would pass over blanks


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST


def _some(value: object) -> bool:
    return _count(value) and value != 0


def _money(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST_MONEY


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _object(value: object) -> bool:
    return isinstance(value, dict)


def _time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _item(value: object) -> bool:
    return isinstance(value, list) and len(value) == _ITEM_PARTS and _names(value)


def _names(values: list[Any]) -> bool:
    """Whether all of these are texts that can be looked up; joined at once, since there are so many of them."""
    try:
        return _name("".join(values))
    except TypeError:
        return False


def _items(value: object) -> bool:
    return isinstance(value, list) and all(map(_item, value))


def _asked(value: object) -> bool:
    """Whether these are items with their fingerprints."""
    return isinstance(value, list) and all(
        isinstance(one, list) and _item(one[:_ITEM_PARTS]) and len(one) == _ITEM_PARTS + 1 and _hex(one[-1])
        for one in value
    )


def _hexes(value: object) -> bool:
    return isinstance(value, list) and all(map(_hex, value))


def _given_up(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == _GIVEN_UP_PARTS and all(map(_text, one)) for one in value
    )


def _counts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_count, value.values()))


def _parts(value: object) -> bool:
    return isinstance(value, dict) and all(_counts(one) and {"items", "done"} <= set(one) for one in value.values())


def _notes(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and not _fault(one, _NOTE_SHAPE) for one in value)


def _versions(value: object) -> bool:
    return isinstance(value, dict) and all(
        place.isdecimal() and len(place) <= _LONGEST_PLACE and _text(one) for place, one in value.items()
    )


def _regions(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == 3 and all(map(_count, one)) and _money(one[2])  # noqa: PLR2004
        for one in value
    )


def _or_none(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or check(value)


def _one_of(*values: str) -> Callable[[object], bool]:
    return lambda value: value in values


_Checks = tuple[tuple[str, Callable[[object], bool]], ...]


class _Shape(NamedTuple):
    """What has to be in a record, and what may be. Other fields are not looked at."""

    needed: _Checks = ()
    optional: _Checks = ()


def _shape(named: Mapping[str, Callable[[object], bool]]) -> _Shape:
    """Return a shape; a `?` at the end of a name marks a field that may be missing."""
    return _Shape(
        tuple((name, check) for name, check in named.items() if not name.endswith("?")),
        tuple((name.removesuffix("?"), check) for name, check in named.items() if name.endswith("?")),
    )


_NOTE = {
    "token": _name,
    "count": _some,
    "intended_at": _time,
    "model": _text,
    "worst": _money,
    "batch_id?": _text,
    "settled?": _flag,
    "workspace?": _or_none(_text),
}
_ATTEMPT = {"run": _text, "item": _item, "attempt": _name, "batch?": _name}
_GIVEN_UP = {"given_up?": _given_up}
_NOTE_SHAPE = _shape(_NOTE)
_SHAPES: Mapping[str, _Shape] = {
    "journal": _shape({"version": _some}),
    "set_aside": _shape({"run": _text, "records": _regions}),
    "run": _shape(
        {
            "run": _text,
            "at": _time,
            **{f"{name}?": _text for name in ("catalog", "model", "writer", "refresh", "target", "command")},
            **{f"{name}?": _count for name in ("to_do", "lease", "set_aside")},
            "maybe_before?": _money,
            "batches?": _notes,
            "totals?": _counts,
            "parts?": _parts,
            **_GIVEN_UP,
        }
    ),
    "finished": _shape(
        {"run": _text, "at": _time, "exit_code": _count, "failed?": _count, "error?": _text, **_GIVEN_UP}
    ),
    "lease": _shape({"run": _text, "token": _count}),
    "intent": _shape({**_ATTEMPT, "worst": _money}),
    "paid": _shape(
        {
            **_ATTEMPT,
            "at": _text,
            "fingerprint": _hex,
            "cost": _money,
            "message": _object,
            "over?": _or_none(_text),
            "billed_before?": _flag,
        }
    ),
    "failed": _shape({**_ATTEMPT, "reason": _text, "billed": _one_of("no", "maybe"), "worst": _money}),
    "judged": _shape({**_ATTEMPT, "fingerprint?": _hex, "unusable?": _text, "by?": _text}),
    "stored": _shape({"run": _text, "items": _asked, "versions?": _hexes, "recovered?": _count}),
    "edited": _shape({"items": _items}),
    "turned_down": _shape({"item": _item, "fingerprint": _hex}),
    "batch_intent": _shape({"run": _text, **_NOTE, "items": _asked, "over?": _versions}),
    "batch_adopted": _shape({"run": _text, **_NOTE, "items?": _asked}),
    "batch_created": _shape({"token": _name, "batch_id": _text, "workspace?": _or_none(_text)}),
    "batch_done": _shape({"token": _name}),
    "batch_failed": _shape({"run": _text, "token": _name, "maybe?": _money}),
    "unclaimed": _shape({"run": _text, "attempt": _name, "batch?": _name, "cost": _money, "billed_before?": _flag}),
    **dict.fromkeys(("replaced", "conflict", "pruning", "pruned", "restored"), _Shape()),
}
# Kinds whose loss may be a loss of money; the others say what became of it, or speak of other things.
COSTLY = frozenset({"intent", "paid", "failed", "unclaimed", "batch_intent", "batch_adopted", "batch_failed"})


def require_understood(record: Record) -> None:
    """Hold a record against the shape of its kind.

    Raises:
        NotUnderstood: something in it is not what the ledger and everybody who reads the record later rely on.
    """
    kind = record.get("kind")
    shape = _SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise NotUnderstood(f"its kind {str(kind)[:40]!r} is unknown")
    fault = _fault(record, shape)
    if not fault and kind == "stored":
        versions = record.get("versions")
        fault = "versions" if versions and len(versions) != len(record["items"]) else ""
    if not fault and kind == "batch_intent":
        places = map(int, record.get("over", ()))
        fault = "over" if any(place >= len(record["items"]) for place in places) else ""
    if fault:
        raise NotUnderstood(f"it is of the kind {kind!r}, but {fault!r} is missing or of another form")


def _fault(record: Record, shape: _Shape) -> str:
    """Return the name of the first field that is not as it should be; empty where all are."""
    for name, check in shape.needed:
        if not check(record.get(name, _MISSING)):  # what is missing passes no check
            return name
    for name, check in shape.optional:
        if name in record and not check(record[name]):
            return name
    return ""
