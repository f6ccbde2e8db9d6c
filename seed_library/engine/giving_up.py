"""Items whose answers never hold a usable text: refused, cut off, empty, in another shape.

The journal counts such answers over all runs. A catalog allows so many of them (`request.tries`); then the item is
given up, listed with the rejected ones, and asked for again only on demand.
"""

from __future__ import annotations

from seed_library.core.plan import Action, Plan, Step, given_up
from seed_library.engine.context import RunContext

_MOST_NAMED = 20


def is_given_up(context: RunContext, step: Step) -> bool:
    """Whether a run asks for this step no more, unless it is told to."""
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    return draft is not None and draft.given_up(context.catalog.tries)


def was_in_vain(context: RunContext, step: Step) -> bool:
    """Whether it has been asked for before, and what came was refused or no text: that says nothing of the others."""
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    return draft is not None and draft.verdict in {"rejected", "unusable"}


def reason_of(context: RunContext, step: Step) -> str:
    """Say why a step is given up."""
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    return given_up(step.item.id, draft, context.ledger) if draft is not None else ""


def given_up_items(context: RunContext, plan: Plan) -> list[list[str]]:
    """Name the first items of a plan that are given up by now, and why: category, key, locale, reason."""
    named: list[list[str]] = []
    for step in plan.steps:
        if len(named) == _MOST_NAMED:
            break
        if step.action is not Action.DONE and is_given_up(context, step):
            named.append([*step.item.id, reason_of(context, step)])
    return named
