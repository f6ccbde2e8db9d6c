"""From a paid answer to a draft: read it, put it through the gates, keep the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seed_library.core.answers import Content, answer_fault, content_of, judged_alone
from seed_library.core.catalog import GateRules, Item
from seed_library.core.drafts import Finding, Judgement, label, usage_of
from seed_library.core.events import ItemRepaired
from seed_library.core.gates import as_ruled, judge
from seed_library.core.plan import Step, given_up
from seed_library.engine.context import RunContext
from seed_library.ports import Row


@dataclass(frozen=True, slots=True)
class PaidText:
    """A raw answer that is safe in the journal."""

    attempt: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A paid text that passed the gates and is not stored yet.

    Attributes:
        recovered: an earlier run paid for it.
        over: the version of the stored text that it was decided to replace (see `engine.replacing.Decided`).
    """

    row: Row
    fingerprint: str
    recovered: bool
    over: str | None = ""


def judgement_of(context: RunContext, item: Item, content: Content) -> Judgement:
    """Judge a text by itself, and beside the others. A rehearsal's phrases repeat themselves and quote facts."""
    rules = context.catalog.rules_of(item.id)
    if context.writer_name == "rehearsal":
        return judge(content.text, GateRules(rules.words), item)
    alone = judged_alone(content, context.catalog.request, rules, item)
    return Judgement(alone + as_ruled(context.corpus.findings(item.id, content.text), rules))


class Judge:
    """Turns paid answers into drafts."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def recover(self, step: Step) -> Draft | None:
        """Judge a text that the journal holds, by today's gates."""
        reference = self._context.ledger.draft(step.item.id, step.fingerprint)
        if reference is None:
            raise LookupError(f"the plan recovers {step.item.id}, but the journal has no draft of it")
        record = self._context.ports.journal.read(reference.position)
        earlier = record["run"] != self._context.run_id
        if reference.by_hand:
            return self._accepted_by_hand(step, record)
        return self.judge(step, PaidText(str(record["attempt"]), record), recovered=earlier)

    def _accepted_by_hand(self, step: Step, record: Mapping[str, Any]) -> Draft:
        """Make a draft of a text that a person has accepted: the gates have been heard already."""
        item, content = step.item, content_of(record["message"], self._context.catalog.request)
        self._context.corpus.add(item.id, content.text)
        provenance = {**_provenance(self._context.writer_name, record, ()), "accepted_by": "human"}
        row = Row(item.id, item.title, content.text, provenance, content.columns)
        return Draft(row, step.fingerprint, recovered=True, over=record.get("over"))

    def judge(self, step: Step, paid: PaidText, *, recovered: bool = False) -> Draft | None:
        """Judge one answer. None when it holds no text or was rejected, which is then counted.

        One without a text that an earlier run has paid for is not counted: this run asks for another one.
        """
        context, item = self._context, step.item
        message = paid.record["message"]
        if fault := answer_fault(message, context.catalog.request):
            self._note_judgement(item, paid, accepted=False, unusable=fault)
            if not recovered:
                self._count_unusable(step, fault)
            return None
        content = content_of(message, context.catalog.request)
        judgement = judgement_of(context, item, content)
        if not judgement.accepted:
            self._refuse(step, paid, judgement.findings)
            return None
        self._note_judgement(item, paid, accepted=True, findings=_as_json(judgement.findings))
        context.corpus.add(item.id, content.text)
        context.tally.accept()
        provenance = _provenance(context.writer_name, paid.record, judgement.findings)
        row = Row(item.id, item.title, content.text, provenance, content.columns)
        return Draft(row, step.fingerprint, recovered, paid.record.get("over"))

    def _refuse(self, step: Step, paid: PaidText, findings: tuple[Finding, ...]) -> None:
        """Keep the verdict; count the text as rejected where it is not to be repaired."""
        context, item = self._context, step.item
        draft = context.ledger.draft(item.id, step.fingerprint)
        repairable = draft is not None and draft.refusals < context.catalog.repairs
        self._note_judgement(item, paid, accepted=False, findings=_as_json(findings), repairable=repairable)
        if repairable:
            context.ports.reporter.report(ItemRepaired(item.id, findings))
        else:
            context.tally.reject(item.id, findings)

    def _count_unusable(self, step: Step, fault: str) -> None:
        context = self._context
        draft = context.ledger.draft(step.item.id, step.fingerprint)
        if draft is None or draft.unusable <= 1:
            context.tally.fail(step.item.id, fault)
        elif draft.given_up(context.catalog.tries):
            context.tally.fail_again(step.item.id, given_up(step.item.id, draft, context.ledger))
        else:
            context.tally.fail_again(step.item.id, fault)

    def _note_judgement(self, item: Item, paid: PaidText, **verdict: Any) -> None:
        about = self._context.attempt_record("judged", item.id, paid.attempt, fingerprint=paid.record["fingerprint"])
        record = about | verdict
        self._context.ports.journal.note(record)
        self._context.ledger.apply(0, record)


def _as_json(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [{"gate": f.gate, "severity": f.severity, "message": f.message, "span": f.span} for f in findings]


def _provenance(writer: str, record: Mapping[str, Any], findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Where a text comes from; everything of it is in the journal, so a recovered row says the same."""
    message = record["message"]
    usage = usage_of(message)
    return {
        "writer": writer,
        "model": label(message.get("model")),
        "fingerprint": record["fingerprint"],
        "run": record["run"],
        "generated_at": record["at"],
        "message_id": label(message.get("id")),
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.output_tokens,
        "cost_micro_usd": record["cost"],
        "findings": [finding.message for finding in findings],
    }
