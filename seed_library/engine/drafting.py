"""From a step of the plan to a draft: ask, try again within reason, read, judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seed_library.core.catalog import Item
from seed_library.core.drafts import Finding, reading_fault, text_of, usage_of
from seed_library.core.errors import WriteFailed
from seed_library.core.events import RetryScheduled
from seed_library.core.gates import judge
from seed_library.core.plan import Step
from seed_library.engine.asking import Asker, PaidText
from seed_library.engine.context import RunContext
from seed_library.engine.retrying import Pause, request_retrying
from seed_library.ports import Row


@dataclass(frozen=True, slots=True)
class Draft:
    """A paid text that passed the gates and is not stored yet.

    Attributes:
        recovered: an earlier run paid for it.
    """

    row: Row
    fingerprint: str
    recovered: bool


class Drafter:
    """Obtains drafts, from the writer or from what earlier runs have paid for."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._asker = Asker(context)

    async def draft(self, step: Step) -> Draft | None:
        """Ask for a text and judge it. None when the item failed or was rejected, which is then counted.

        Raises:
            SeedLibraryError: the run has to end; the item is left for the next one.
        """
        request = self._context.book.request(step.item)
        try:
            paid: PaidText = await request_retrying(self._pause_for(step.item))(self._asker.ask, request)
        except WriteFailed as failure:
            self._context.tally.fail(step.item.id, failure.message)
            return None
        return self._judge(step, paid, recovered=False)

    def recover(self, step: Step) -> Draft | None:
        """Judge a text that an earlier run has paid for, by today's gates."""
        reference = self._context.ledger.draft(step.item.id, step.fingerprint)
        if reference is None:
            raise LookupError(f"the plan recovers {step.item.id}, but the journal has no draft of it")
        record = self._context.ports.journal.read(reference.position)
        return self._judge(step, PaidText(str(record["attempt"]), record), recovered=True)

    def _pause_for(self, item: Item) -> Pause:
        def announce(number: int, seconds: float, error: BaseException) -> None:
            self._context.ports.reporter.report(RetryScheduled(item.id, number, round(seconds, 1), str(error)))

        return Pause(self._context.ports.clock, self._context.halt.sleep, announce)

    def _judge(self, step: Step, paid: PaidText, *, recovered: bool) -> Draft | None:
        context, item = self._context, step.item
        message = paid.record["message"]
        if fault := reading_fault(message):
            self._note_judgement(item, paid, accepted=False, unusable=fault)
            context.tally.fail(item.id, fault)
            return None
        text = text_of(message)
        judgement = judge(text, context.catalog.rules_of(item.id))
        self._note_judgement(item, paid, accepted=judgement.accepted, findings=_as_json(judgement.findings))
        if not judgement.accepted:
            context.tally.reject(item.id, judgement.findings)
            return None
        context.tally.accept()
        provenance = _provenance(context.writer_name, paid.record, judgement.findings)
        return Draft(Row(item.id, item.title, text, provenance), step.fingerprint, recovered)

    def _note_judgement(self, item: Item, paid: PaidText, **verdict: Any) -> None:
        about = self._context.attempt_record("judged", item.id, paid.attempt, fingerprint=paid.record["fingerprint"])
        self._context.ports.journal.note(about | verdict)


def _as_json(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [{"gate": f.gate, "severity": f.severity, "message": f.message, "span": f.span} for f in findings]


def _provenance(writer: str, record: Mapping[str, Any], findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Where a text comes from; everything of it is in the journal, so a recovered row says the same."""
    message = record["message"]
    usage = usage_of(message)
    return {
        "writer": writer,
        "model": message.get("model", ""),
        "fingerprint": record["fingerprint"],
        "run": record["run"],
        "generated_at": record["at"],
        "message_id": message.get("id", ""),
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.output_tokens,
        "cost_micro_usd": record["cost"],
        "findings": [finding.message for finding in findings],
    }
