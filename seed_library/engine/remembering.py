"""Filling the corpus of a run with the texts that are stored or wait, as far as this machine's journal knows them."""

from __future__ import annotations

from seed_library.core.answers import content_of
from seed_library.core.gates.corpus import MOST_TEXTS
from seed_library.core.plan import Action, Plan
from seed_library.engine.context import RunContext

_KNOWN = (Action.DONE, Action.CHANGED)


def remember(context: RunContext, plan: Plan) -> None:
    """Add the texts of finished items to the corpus, so that new ones are compared with them.

    Texts that are only in the table (of another machine, or older than the journal) are not among them: `audit`
    compares those. A library beyond the corpus's limit is not read at all.
    """
    idle = not (plan.to_generate or plan.to_collect or plan.to_recover)
    if idle or context.writer_name == "rehearsal":
        return
    done = [step for step in plan.steps if step.action in _KNOWN]
    for step in done[:MOST_TEXTS]:
        draft = context.ledger.draft(step.item.id, step.fingerprint)
        if draft is not None and draft.verdict == "accepted":
            message = context.ports.journal.read(draft.position)["message"]
            context.corpus.add(step.item.id, content_of(message, context.catalog.request).text)
