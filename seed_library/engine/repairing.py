"""Which refused texts are asked for again, and how. A catalog allows so many repairs per text (`request.repairs`).

The ledger counts the refusals of each request, over all runs: a repair that a stop or an empty budget has prevented is
done by the next run. What the gates had against a draft is found out anew from the draft, by today's gates.
"""

from __future__ import annotations

from seed_library.core.answers import content_of
from seed_library.core.drafts import Request, text_of
from seed_library.core.plan import Step
from seed_library.core.repairs import repair_request
from seed_library.engine.context import RunContext
from seed_library.engine.judging import judgement_of


class Repairs:
    """Makes requests, and knows whose text may be asked for again."""

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def due(self, step: Step) -> bool:
        """Whether the step's last text was refused and may be repaired."""
        draft = self._context.ledger.draft(step.item.id, step.fingerprint)
        return draft is not None and draft.repairable(self._context.catalog.repairs)

    def request(self, step: Step) -> Request:
        """Return the step's request; after a refusal the one that says what was wrong."""
        context, item = self._context, step.item
        request = context.book.request(item)
        draft = context.ledger.draft(item.id, step.fingerprint)
        if draft is None or draft.verdict != "rejected":
            return request
        message = context.ports.journal.read(draft.position)["message"]
        judgement = judgement_of(context, item, content_of(message, context.catalog.request))
        return repair_request(request, text_of(message), judgement.findings)
