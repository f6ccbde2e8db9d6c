"""Carrying a plan out: what is paid first, then the canary, then everybody at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Literal

from seed_library.core.errors import RunBlocked, SeedLibraryError
from seed_library.core.events import CanaryPassed
from seed_library.core.plan import Step
from seed_library.engine.batches import seed_in_batches
from seed_library.engine.context import RunContext
from seed_library.engine.drafting import Drafter
from seed_library.engine.giving_up import is_given_up, reason_of, was_in_vain
from seed_library.engine.judging import Draft, Judge
from seed_library.engine.repairing import Repairs
from seed_library.engine.storing import Storer

_CANARIES = 3
# A worker that waits for its next attempt holds no slot; with twice as many workers as slots, none stays empty.
_WORKERS_PER_SLOT = 2
_RECOVERED_AT_ONCE = 50


async def recover(context: RunContext, steps: Sequence[Step]) -> list[Step]:
    """Store the texts that are paid for already; return the steps to ask for again.

    These are the ones whose texts today's gates refuse, to be repaired, and the ones whose answers hold no text, unless
    they are given up.

    Raises:
        SeedLibraryError: the run has to end.
    """
    judge, repairs, storer = Judge(context), Repairs(context), Storer(context)
    for start in range(0, len(steps), _RECOVERED_AT_ONCE):
        context.halt.check()
        drafts = [judge.recover(step) for step in steps[start : start + _RECOVERED_AT_ONCE]]
        await storer.store([draft for draft in drafts if draft is not None])
    return [step for step in steps if repairs.due(step) or _is_worth_another(context, step)]


def _is_worth_another(context: RunContext, step: Step) -> bool:
    """Whether a recovered answer held no text, and another one may; where none may, that is counted."""
    draft = context.ledger.draft(step.item.id, step.fingerprint)
    if draft is None or draft.verdict != "unusable":
        return False
    if is_given_up(context, step):
        context.tally.rejected_before(step.item.id, reason_of(context, step))
        return False
    return True


async def generate(
    context: RunContext, steps: Sequence[Step], concurrency: int, mode: Literal["messages", "batch"]
) -> None:
    """Ask for texts and store them. Never raises an expected failure: it halts the run instead.

    A bug in one of the workers is raised when the requests of the others are finished and stored.
    """
    drafter, storer = Drafter(context), Storer(context)
    try:
        rest = await _canary(context, steps, drafter, storer)
        if rest and mode == "batch":
            await seed_in_batches(context, rest, storer)
    except SeedLibraryError as error:
        context.halt.because(error)
    else:
        if mode == "messages":
            await _work(context, rest, drafter, storer, _WORKERS_PER_SLOT * concurrency)
    if context.halt.bug is not None:
        raise context.halt.bug


async def _canary(context: RunContext, steps: Sequence[Step], drafter: Drafter, storer: Storer) -> Sequence[Step]:
    """Take the first text the whole way, alone. An unlucky one is followed by the next, but not for long.

    What has been asked for in vain by earlier runs comes last, and does not count: it says nothing about the others.
    """
    steps, unlucky = sorted(steps, key=lambda step: was_in_vain(context, step)), 0
    for number, step in enumerate(steps, start=1):
        known = was_in_vain(context, step)
        draft = await drafter.draft(step)
        if draft is not None and await storer.store([draft]):
            await _read_back(storer, draft)
            context.ports.reporter.report(CanaryPassed(step.item.id))
            return steps[number:]
        unlucky += not known
        if unlucky == _CANARIES and number < len(steps):
            raise RunBlocked(
                f"The first {_CANARIES} texts were all unusable; the last one: {context.tally.troubles[-1].reason}",
                hint="Nothing more was asked for. Mend the prompts, the gates or the table, then run again.",
            )
    return []


async def _read_back(storer: Storer, draft: Draft) -> None:
    if not await storer.gives_back(draft):
        raise RunBlocked(
            f"The first text ({draft.row.id}) was stored, but the table does not give it back as it was written.",
            hint="Look for a trigger or policy on the table that changes or hides rows. The text is in the journal.",
        )


async def _work(context: RunContext, steps: Sequence[Step], drafter: Drafter, storer: Storer, workers: int) -> None:
    queue = iter(steps)
    async with asyncio.TaskGroup() as group:
        group.create_task(storer.serve())
        async with asyncio.TaskGroup() as crew:
            for _ in range(min(workers, len(steps))):
                crew.create_task(_serve(context, queue, drafter, storer))
        await storer.close()


async def _serve(context: RunContext, queue: Iterator[Step], drafter: Drafter, storer: Storer) -> None:
    for step in queue:
        if context.halt.cause is not None:
            return
        try:
            draft = await drafter.draft(step)
        except SeedLibraryError as error:
            context.halt.because(error)
            return
        except Exception as bug:  # noqa: BLE001  raised by `_work`: a bug must not throw away the requests in flight
            context.halt.broken(bug)
            return
        if draft is not None:
            await storer.put(draft)
