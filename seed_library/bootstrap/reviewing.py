"""What an editor sees of a library: every item with its text, where it comes from, and what the gates say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seed_library.adapters.journal_lines import read_ledger, read_record
from seed_library.bootstrap.preparing import Prepared
from seed_library.bootstrap.working import audited, stored_texts
from seed_library.core.answers import Content, answer_fault, content_of, judged_alone
from seed_library.core.catalog import Item
from seed_library.core.drafts import Finding, label
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Lookup, Step, make_plan
from seed_library.core.pricing import usd
from seed_library.core.versions import version_of
from seed_library.ports import StoredRow, StoredText


@dataclass(frozen=True, slots=True)
class Card:
    """One item on the page.

    Attributes:
        stored: whether the content is in the table, or only a draft in the journal.
        version: of what is shown: the text that a button means.
    """

    item: Item
    action: str
    reason: str
    content: Content
    stored: bool
    findings: tuple[Finding, ...]
    provenance: Mapping[str, Any]
    version: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for the page."""
        known = self.provenance
        cost = known.get("cost_micro_usd")
        return {
            **self.item.id._asdict(),
            "title": self.item.title,
            "facts": {name: str(value) for name, value in self.item.facts.items()},
            "action": self.action,
            "reason": self.reason,
            "text": self.content.text,
            "columns": dict(self.content.columns),
            "stored": self.stored,
            "version": self.version,
            "findings": [asdict(finding) for finding in self.findings],
            # Anybody may write into a table, so a provenance may hold anything.
            **{name: str(known.get(name) or "") for name in ("writer", "model", "generated_at")},
            "cost_usd": usd(cost if type(cost) is int else 0),
        }


def cards(prepared: Prepared) -> list[Card]:
    """Look at table, journal and catalog, without any lock, and return a card per item in catalog order.

    Raises:
        RunBlocked, StoreUnavailable: the target cannot be read.
    """
    texts = stored_texts(prepared)
    found, _ = audited(prepared, texts)
    findings = {one.text.id: one.findings for one in found}
    by_id = {text.id: text for text in texts}
    folder = prepared.known_folder
    ledger, _ = read_ledger(folder.journal)
    rows = [_row(text) for text in texts]
    lookup = Lookup(ledger, repairs=prepared.catalog.repairs, tries=prepared.catalog.tries)
    plan = make_plan(prepared.chosen.items, prepared.chosen.fingerprints, rows, lookup, whole=prepared.chosen.whole)
    return [_card(prepared, step, by_id, findings, ledger) for step in plan.steps]


def _row(text: StoredText) -> StoredRow:
    return StoredRow(text.id, str((text.provenance or {}).get("fingerprint") or ""), text.writer)


def _card(
    prepared: Prepared,
    step: Step,
    texts: Mapping[Any, StoredText],
    findings: Mapping[Any, Sequence[Finding]],
    ledger: Ledger,
) -> Card:
    item = step.item
    if (text := texts.get(item.id)) is not None:
        found = tuple(findings.get(item.id, ()))
        content = Content(text.text, text.generated)
        return Card(item, step.action, step.reason, content, True, found, text.provenance or {}, text.version)
    draft = ledger.draft(item.id, step.fingerprint)
    record = read_record(prepared.known_folder.journal, draft.position) if draft else None
    spec = prepared.catalog.request
    if record is None or answer_fault(record["message"], spec):
        return Card(item, step.action, step.reason, Content(""), False, (), {})
    content = content_of(record["message"], spec)
    known = {
        "writer": "claude",
        "model": label(record["message"].get("model")),
        "generated_at": record["at"],
        "cost_micro_usd": record["cost"],
    }
    against = judged_alone(content, spec, prepared.catalog.rules_of(item.id), item)
    version = version_of(item.title, content.text, content.columns)
    return Card(item, step.action, step.reason, content, False, against, known, version)
