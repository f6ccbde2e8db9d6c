"""Seeding through Message Batches: half the price, and nothing is ever paid twice.

Invariant. At any moment an item is in at most one batch that has not been collected, and a batch is only created when
it is certain that no earlier attempt to create it succeeded. The provider has no idempotency key and gives a batch no
name of ours, so both rest on what is written down, and on custom_ids (`core.batches`), which come back with results.

One batch:

    batch_intent    durable: token, model, every item with its fingerprint, the most it can cost
    note            the lease row holds token, number of requests and time: another machine can go on from here
    POST            once; the SDK's retries are off
    batch_created   durable: the provider's id; then the note holds it, too
    (waiting)       the provider works by itself; a run may end and another one may take over
    paid / failed   durable, one per result, before a text is judged; only succeeded requests are billed
    batch_done      durable: everything of it is in the journal

Crash points, and what a crash leaves behind.
- before the POST, or while its answer is on the way: an intent without an id. Whoever runs next lists the batches that
  were created since (minus the skew of clocks) with the same number of requests. One that has ended is ours if its
  results carry our token; one that has not is waited for. Where none appears while the list is asked for the grace
  period, the POST never arrived: a process that is dead sends nothing more. The period is counted by the one who
  asks: the list may lag, and the clock of the machine that has died may have been wrong. Only then are the items
  asked for again. An answer that got lost while the run lives is the same case, solved in the same run.
- the next run has a key of another workspace, which sees neither the batch nor the list that it is in: the journal and
  the note know whose it is. It is never given up for that: the run says whose key it needs, leaves what is in the batch
  alone, asks for the rest, and ends with 4. Where nobody knows what is in it, nothing is asked for.
- results that are missing although the batch has ended, whatever its counts say: completeness is judged by our own
  custom_ids. They are waited for as long as the grace period; then the batch stays open, as above.
- nothing can be fetched any more (archived after 29 days, or deleted): said, closed, and what is missing counts as if
  it had been billed. Its items may be asked for again.
- two batches with our number (a proxy that sent the POST twice): the older one is kept. The others are canceled if
  they were created within a minute of it, and what they had finished is collected like everything that is paid for.
- after `batch_created`: the next run collects it.
- in the middle of the results: they are fetched again from the top; those in the journal are passed over.
- after `batch_done`, before the texts are stored: they are paid drafts in the journal, stored without paying.
- state folder gone: the notes in the lease row name every batch of the last 29 days. Before anything is asked for,
  those that this journal has not seen are collected. Without lease functions, and for a local file, there are no
  notes; the run says so.

Budget. The most that a batch can cost stays reserved until its results are in; a batch that an earlier run has left
counts from the start.

Repair. A text that the gates refuse is asked for again in the next, smaller batch: at half the price of a message.

Bounds. 10,000 requests or 32 MB in a batch, so that 100,000 items never are in memory together; their results are
read as a stream, journalled and stored some at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from seed_library.core.batches import custom_id, expired
from seed_library.core.errors import RunBlocked, SeedLibraryError, WriteRetryable
from seed_library.core.events import Warned
from seed_library.core.open_batches import OpenBatch
from seed_library.core.plan import Step
from seed_library.engine.batch_collecting import Collector
from seed_library.engine.batch_submitting import Submitter
from seed_library.engine.context import RunContext
from seed_library.engine.judging import Judge
from seed_library.engine.repairing import Repairs
from seed_library.engine.storing import Storer

_ROUNDS = 3  # for items whose request was errored, expired or canceled; repairs come on top
_STORED_AT_ONCE = 50
_NOT_NOTED = (
    "The target does not note batches (`seed-library schema` prints the migration content_library_batches that lets a "
    "Supabase project do so). If the state folder of this machine is lost, what is in a batch by then is paid again."
)


async def collect_open(context: RunContext) -> None:
    """Bring the results of every batch that earlier runs have left into the journal.

    One that cannot be collected for now stays open, and what is in it is not asked for.

    Raises:
        SeedLibraryError: the run has to end; the batches stay. So it does where nobody knows what is in one of them.
    """
    batches = list(context.ledger.open_batches.values())
    for batch in batches:
        context.budget.commit(batch.at_most)
    await _all_of(context, [Collector(context, batch).collect() for batch in batches])
    if any(batch.position is None for batch in context.ledger.open_batches.values()):
        raise context.tally.withheld[0]


async def cancel_open(context: RunContext) -> None:
    """Have every open batch canceled that has not ended. One whose id is not known yet runs to its end.

    Raises:
        SeedLibraryError: the provider cannot be asked.
    """
    for batch in context.ledger.open_batches.values():
        if batch.note.batch_id:
            try:
                state = await context.ports.batches.look(batch.note.batch_id)
                if state is not None and not state.ended:
                    await context.ports.batches.cancel(batch.note.batch_id)
            except WriteRetryable as failure:
                raise RunBlocked(failure.message, hint="The batch may go on. Try `cancel` again.") from failure


async def adopt_noted(context: RunContext) -> bool:
    """Open the batches that only the target knows of; say whether there are any.

    Raises:
        SeedLibraryError: the target does not say.
    """
    now = context.ports.clock.now()
    unknown = [
        note
        for note in await context.patience.call("The noted batches could not be read", context.ports.notes.read)
        if note.token not in context.ledger.known_batches and not expired(note, now)
    ]
    for note in unknown:
        record = context.record("batch_adopted", **note.as_json())
        context.ledger.apply(await context.ports.journal.write(record), record)
    return bool(unknown)


async def seed_in_batches(context: RunContext, steps: Sequence[Step], storer: Storer) -> None:
    """Ask for these texts in batches, and store what comes. What got no answer or a bad text is asked for again.

    Raises:
        SeedLibraryError: the run has to end; what is submitted stays at the provider.
    """
    if not context.ports.notes.kept:
        context.ports.reporter.report(Warned(_NOT_NOTED))
    desk = _Desk(context, storer)
    for _ in range(_ROUNDS + context.catalog.repairs):
        await desk.seed(steps)
        steps = desk.hand_back()
        if not steps:
            return
    for step in steps:
        reason = context.ledger.last_failure(step.item.id) or "its batch never reached the provider"
        context.tally.fail(step.item.id, reason)


class _Desk:
    """Where requests leave for the provider, and where the texts go that come back."""

    def __init__(self, context: RunContext, storer: Storer) -> None:
        self._context = context
        self._submitter = Submitter(context)
        self._storer = storer
        self._judge = Judge(context)
        self._repairs = Repairs(context)
        self._handed_back: list[Step] = []

    def hand_back(self) -> list[Step]:
        """Return the steps that got no answer, or one that is to be repaired, and forget them."""
        steps, self._handed_back = self._handed_back, []
        return steps

    async def seed(self, steps: Sequence[Step]) -> None:
        """Submit everything, as far as the budget allows at a time, and take each batch when it ends."""
        halt, done = self._context.halt, 0
        under_way: set[asyncio.Task[None]] = set()
        try:
            while (done < len(steps) and halt.cause is None) or under_way:
                chunk = self._submitter.next_chunk(steps, done, alone=not under_way) if done < len(steps) else []
                if chunk and halt.cause is None:
                    batch = await self._submitter.submit(chunk)
                    taken = [step for step, _ in chunk]
                    done += len(taken)
                    under_way.add(asyncio.create_task(self._take(batch, taken)))
                    if batch.note.batch_id:
                        continue  # one whose id is unknown must be found before there can be another of its size
                ended, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                _halt_for(self._context, ended)
        except SeedLibraryError as error:
            halt.because(error)
        finally:
            await _end_all(self._context, under_way)
        halt.check()

    async def _take(self, batch: OpenBatch, steps: Sequence[Step]) -> None:
        """Collect a batch, and store its texts."""
        await Collector(self._context, batch).collect()
        for start in range(0, len(steps), _STORED_AT_ONCE):
            drafts = []
            for step in steps[start : start + _STORED_AT_ONCE]:
                if self._context.ledger.holds(custom_id(batch.note.token, step.item.id, step.fingerprint)):
                    drafts.append(self._judge.recover(step))
                    answered = not self._repairs.due(step)
                else:
                    answered = False
                if not answered and batch.note.token not in self._context.ledger.open_batches:
                    self._handed_back.append(step)
            await self._storer.store([draft for draft in drafts if draft is not None])


async def _all_of(context: RunContext, work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Do all of it; where one part fails, the others come to their own end first."""
    await _end_all(context, {asyncio.create_task(one) for one in work})
    context.halt.check()


async def _end_all(context: RunContext, tasks: set[asyncio.Task[None]]) -> None:
    """Wait until all have ended; a failure asks the others to end, and what they have read is kept."""
    while tasks:
        ended, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        _halt_for(context, ended)


def _halt_for(context: RunContext, ended: set[asyncio.Task[None]]) -> None:
    for task in ended:
        error = task.exception()
        if isinstance(error, SeedLibraryError):
            context.halt.because(error)
        elif isinstance(error, Exception):
            context.halt.broken(error)
