"""Filling the corpus of a run with the texts that are stored or wait, as far as this machine's journal knows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

from seed_library.core.answers import content_of
from seed_library.core.catalog import ItemId
from seed_library.core.drafts import Diversity
from seed_library.core.errors import SeedLibraryError
from seed_library.core.gates.corpus import MOST_TEXTS
from seed_library.core.gates.diversity import diversity
from seed_library.core.plan import Action, Plan, Step
from seed_library.engine.context import RunContext

_KNOWN = (Action.DONE, Action.CHANGED)
_MEASURED = 500  # texts; the figures depend on the size of a corpus, and more would take long


def figures(context: RunContext, plan: Plan) -> Diversity | None:
    """Return how varied the texts of a plan are, as far as the journal holds them; None where nothing new is stored.

    Never raises an expected failure: a run whose journal was taken away ends for that reason, not for want of figures.
    """
    if not context.tally.stored or context.writer_name == "rehearsal":
        return None
    with suppress(SeedLibraryError):
        return _figures(context, plan)
    return None


def _figures(context: RunContext, plan: Plan) -> Diversity | None:
    accepted = list(islice(_accepted(context, plan.steps), _MEASURED))
    return diversity((text for _, text in accepted), (context.catalog.rules_of(item) for item, _ in accepted))


def _accepted(context: RunContext, steps: Iterable[Step]) -> Iterator[tuple[ItemId, str]]:
    """Yield the texts of these steps that the journal holds and the gates have let pass."""
    for step in steps:
        draft = context.ledger.draft(step.item.id, step.fingerprint)
        if draft is not None and draft.verdict == "accepted":
            message = context.ports.journal.read(draft.position)["message"]
            yield step.item.id, content_of(message, context.catalog.request).text


def remember(context: RunContext, plan: Plan) -> None:
    """Add the texts of finished items to the corpus, so that new ones are compared with them.

    Texts that are only in the table (of another machine, or older than the journal) are not among them: `audit`
    compares those. Of a very large library only the first texts are read, as many as the corpus holds.
    """
    idle = not (plan.to_generate or plan.to_collect or plan.to_recover)
    if idle or context.writer_name == "rehearsal":
        return
    done = [step for step in plan.steps if step.action in _KNOWN]
    for item, text in _accepted(context, done[:MOST_TEXTS]):
        context.corpus.add(item, text)
