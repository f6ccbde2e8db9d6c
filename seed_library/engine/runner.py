"""One run, from the preflight to the last event. The caller holds the lock and has opened the journal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from seed_library.core.batches import BatchTimes, Mode, chosen_mode
from seed_library.core.catalog import Catalog
from seed_library.core.errors import ExitCode, RunBlocked, SeedLibraryError, Stopped
from seed_library.core.events import BatchLeft, RunFailed, RunFinished, RunStarted, Warned
from seed_library.core.gates.corpus import Corpus
from seed_library.core.ledger import Ledger
from seed_library.core.plan import Action, Lookup, Plan, Refresh, Step
from seed_library.core.pricing import FREE, ModelFacts, usd
from seed_library.core.prompts import PromptBook
from seed_library.engine import preflight
from seed_library.engine.batches import adopt_noted, cancel_open, collect_open
from seed_library.engine.budget import Budget
from seed_library.engine.context import Ports, RunContext
from seed_library.engine.giving_up import given_up_items
from seed_library.engine.leasing import LeaseKeeper
from seed_library.engine.open_intents import close_open_intents
from seed_library.engine.planning import Chosen, Cost, counted_by_part, estimate, plan_from_store
from seed_library.engine.remembering import figures, remember
from seed_library.engine.replacing import read_originals
from seed_library.engine.seeding import generate, recover
from seed_library.engine.stopping import Halt
from seed_library.engine.store_patience import StorePatience
from seed_library.engine.tally import Tally
from seed_library.engine.throttle import Throttle
from seed_library.engine.unread_records import cost_of_unread, count_unread
from seed_library.engine.works import Work
from seed_library.ports import Check


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What a run is asked to do.

    Attributes:
        writer_name: "claude" or "rehearsal".
        budget: ceiling in micro-dollars.
        checks: findings about this machine (disk space), made before.
        target: the target's label, for people.
        wait_seconds: how long to wait for a run elsewhere that holds the target.
        mode: how texts are asked for.
        work: what to do instead of seeding.
        purpose: "cancel" cancels batches and collects what they had finished; nothing is asked for.
    """

    run_id: str
    command: str
    writer_name: str
    catalog: Catalog
    book: PromptBook
    chosen: Chosen
    target: str
    budget: int
    concurrency: int
    refresh: Refresh = ""
    checks: Sequence[Check] = field(default=())
    wait_seconds: float = 0
    mode: Mode = "messages"
    purpose: Literal["seed", "cancel"] = "seed"
    work: Work | None = None
    batch_times: BatchTimes = field(default_factory=BatchTimes)


async def run(order: RunOrder, ports: Ports, ledger: Ledger, halt: Halt) -> RunFinished:
    """Do the run and report it; the last event is always `RunFinished`, which is also returned."""
    began = ports.clock.monotonic()
    inherited = sum(intent.worst for intent in ledger.open_intents.values()) + cost_of_unread(ledger)
    context = _context(order, ports, ledger, halt, _no_model(order))
    context.budget.maybe_spent = inherited
    plan, cost = Plan([]), Cost(0, 0, "")
    keeper = LeaseKeeper(order.run_id, ports, halt, context.patience)
    try:
        await count_unread(ports, ledger, order.run_id)
        await close_open_intents(ports, ledger)
        plan, model = await _prepare(order, context, keeper)
        context = replace(context, model=model)
        mode = chosen_mode(order.mode, len(plan.to_generate), order.concurrency)
        cost = estimate(plan.to_generate, order.book, model).of(mode)
        await _open(order, context, plan, cost, keeper.token)
    except SeedLibraryError as error:
        halt.because(error)
        await _open_in_vain(order, context)
    else:
        plan = await _carry_out(order, context, plan)
    finally:
        await keeper.give_back()
    return await _close(order, context, plan, cost, ports.clock.monotonic() - began)


async def _carry_out(order: RunOrder, context: RunContext, plan: Plan) -> Plan:
    """Collect the batches of earlier runs and plan anew; store what is paid; ask for the rest.

    Never raises an expected failure: it halts the run instead.
    """
    try:
        if order.work is not None:
            return await _work(order.work, context, plan)
        if await _collect(order, context, plan):
            plan = await _plan(order, context)
        remember(context, plan)
        again = await recover(context, plan.to_recover)
        steps = [] if order.purpose == "cancel" else await read_originals(context, [*plan.to_generate, *again])
        context = replace(context, model=await _model(order, context, steps))
    except SeedLibraryError as error:
        context.halt.because(error)
        return plan
    await generate(context, steps, order.concurrency, chosen_mode(order.mode, len(steps), order.concurrency))
    return plan


async def _work(work: Work, context: RunContext, plan: Plan) -> Plan:
    """Do a work. One that asks the model first learns of batches that another machine has left: they are paid for."""
    if work.asks:
        await adopt_noted(context)
        if any(batch.position is None for batch in context.ledger.open_batches.values()):
            raise RunBlocked(
                "A batch that another machine has left is not collected, and nobody knows yet what is in it.",
                hint="`seed-library run` collects it first; nothing of it is paid again.",
            )
    remember(context, plan)
    await work.do(context, plan)
    return plan


def _asks(order: RunOrder) -> bool:
    """Whether the model may be asked for texts."""
    return order.work.asks if order.work is not None else order.purpose == "seed"


async def _collect(order: RunOrder, context: RunContext, plan: Plan) -> bool:
    """Collect the batches of earlier runs, also those that only the target knows of. False where there are none."""
    if order.writer_name == "rehearsal":
        return False
    if plan.to_generate:
        await adopt_noted(context)
    if not context.ledger.open_batches:
        if order.purpose == "cancel":
            context.ports.reporter.report(Warned("No batch of this target is under way; there is nothing to cancel."))
        return False
    if order.purpose == "cancel":
        await cancel_open(context)
    await collect_open(context)
    return True


async def _model(order: RunOrder, context: RunContext, steps: Sequence[Step]) -> ModelFacts:
    """Return the facts of the model, which are not known yet where nothing was to be generated before."""
    if not steps or context.model.price != FREE:
        return context.model
    model, finding = await context.halt.during(context.ports.writer.look_up(order.book.spec.model))
    preflight.require([finding])
    return model


async def _prepare(order: RunOrder, context: RunContext, keeper: LeaseKeeper) -> tuple[Plan, ModelFacts]:
    """Check everything that is free to check, take the lease, and plan. The writer is only asked where it is needed.

    Raises:
        TargetLocked: a run elsewhere holds the target.
        PreflightFailed: with all failures in one report.
    """
    ports, request = context.ports, order.book.request(order.chosen.items[0])
    sample = preflight.sample_row(request.item, order.catalog.table)
    checks = [*order.checks, *await preflight.check_patiently(context.patience, partial(ports.store.check, sample))]
    if all(check.ok for check in checks):
        checks.append(await keeper.take(context.ledger, order.wait_seconds))
    plan = Plan([])
    if all(check.ok for check in checks):
        plan = await _plan(order, context)
        if order.work is None:
            rehearse = partial(preflight.rehearse, ports.store, order.catalog, plan)
            checks += await preflight.check_patiently(context.patience, rehearse)
        if all(check.ok for check in checks) and (not plan.to_generate or not _asks(order)):
            _warn(checks, ports)
            return plan, _no_model(order)
    model, finding = await context.halt.during(ports.writer.look_up(order.book.spec.model))
    checks += [finding, preflight.budget_check(context.budget.left, request, model)]
    checks += preflight.effort_check(request.spec, model) if finding.ok else []
    preflight.require(checks)
    _warn(checks, ports)
    return plan, model


async def _plan(order: RunOrder, context: RunContext) -> Plan:
    """Read the table and decide."""
    lookup = Lookup(
        context.ledger,
        order.refresh,
        rehearsing=order.writer_name == "rehearsal",
        repairs=order.catalog.repairs,
        tries=order.catalog.tries,
        by_name=order.chosen.by_name,
    )
    store = context.ports.store
    return await context.patience.call("The table could not be read", plan_from_store, order.chosen, store, lookup)


def _warn(checks: Sequence[Check], ports: Ports) -> None:
    for check in checks:
        if check.ok and check.hint:
            ports.reporter.report(Warned(f"{check.name}: {check.message}. {check.hint}"))


def _context(order: RunOrder, ports: Ports, ledger: Ledger, halt: Halt, model: ModelFacts) -> RunContext:
    patience = StorePatience(ports.clock, halt, ports.reporter)
    return RunContext(
        run_id=order.run_id,
        writer_name=order.writer_name,
        ports=ports,
        catalog=order.catalog,
        book=order.book,
        model=model,
        ledger=ledger,
        budget=Budget(order.budget),
        throttle=Throttle(order.concurrency, patience, ports.clock, halt, ports.reporter),
        halt=halt,
        patience=patience,
        tally=Tally(ports.reporter),
        batch_times=order.batch_times,
        corpus=Corpus(order.catalog.rules),
    )


def _no_model(order: RunOrder) -> ModelFacts:
    """Stand in for the model of a run that asks nothing."""
    return ModelFacts(order.book.spec.model, "unknown", (), (), 0, FREE)


async def _open(order: RunOrder, context: RunContext, plan: Plan, cost: Cost, token: int) -> None:
    """Announce the run, in the journal and to the reporter."""
    to_generate = len(plan.to_generate) if _asks(order) else 0
    to_recover = len(plan.to_recover)
    await _record(order, context, plan, token)
    context.ports.reporter.report(
        RunStarted(
            run_id=order.run_id,
            catalog=order.catalog.name,
            target=order.target,
            model=order.book.spec.model,
            totals=plan.totals,
            to_generate=to_generate,
            to_recover=to_recover,
            to_collect=plan.to_collect,
            likely_usd=usd(cost.likely),
            at_most_usd=usd(cost.at_most),
            budget_usd=usd(order.budget),
            set_aside=len(context.ledger.unread),
        )
    )
    for step in plan.steps if order.work is None else ():
        if step.action is Action.REJECTED and plan.refresh != "rejected":
            context.tally.rejected_before(step.item.id, step.reason)


async def _open_in_vain(order: RunOrder, context: RunContext) -> None:
    """Leave a trace of a run that never got to a plan, so that `status` can say how it ended."""
    with suppress(SeedLibraryError):  # the failure that brought us here is the one that counts
        await _record(order, context, Plan([]), 0)


async def _record(order: RunOrder, context: RunContext, plan: Plan, token: int) -> None:
    """Write the run into the journal, and publish where its records begin."""
    record = context.record(
        "run",
        catalog=order.catalog.name,
        target=order.target,
        model=order.book.spec.model,
        writer=order.writer_name,
        command=order.command,
        refresh=order.refresh,
        totals=plan.totals,
        parts=counted_by_part(plan),
        to_do=_to_do(order, plan),
        budget=order.budget,
        maybe_before=context.budget.maybe_spent,
        batches=[batch.note.as_json() for batch in context.ledger.open_batches.values()],
        lease=token,
        set_aside=len(context.ledger.unread),
        given_up=given_up_items(context, plan),
    )
    position = await context.ports.journal.write(record)
    context.ports.lock.begun(position)


def _to_do(order: RunOrder, plan: Plan) -> int:
    """Return how many items a run has to bring into the table."""
    return 0 if order.work is not None else len(plan.to_generate) + len(plan.to_recover) + plan.to_collect


async def _close(order: RunOrder, context: RunContext, plan: Plan, cost: Cost, seconds: float) -> RunFinished:
    tally = context.tally
    error = context.halt.cause or next(iter(tally.withheld), None)
    before = plan.totals[Action.REJECTED] if plan.refresh != "rejected" and order.work is None else 0
    left = max(0, _to_do(order, plan) - tally.stored - tally.failed - tally.conflicts - (tally.rejected - before))
    for batch in context.ledger.open_batches.values():
        context.ports.reporter.report(BatchLeft(batch.note.batch_id or "(id unknown)", batch.note.count))
    if isinstance(error, Stopped) and plan.steps and left == 0:
        error = None  # the stop came when everything was done
    exit_code = error.exit_code if error else _exit_code(tally)
    finished = RunFinished(
        run_id=context.run_id,
        exit_code=exit_code,
        stored=tally.stored,
        generated=tally.generated,
        recovered=tally.recovered,
        rejected=tally.rejected,
        failed=tally.failed,
        conflicts=tally.conflicts,
        left=left if plan.steps else None,
        requests=tally.requests,
        spent_usd=usd(context.budget.spent),
        maybe_spent_usd=usd(context.budget.maybe_spent),
        estimated_usd=usd(cost.likely),
        seconds=round(seconds, 3),
        troubles=tuple(tally.troubles),
        diversity=figures(context, plan),
    )
    context.ports.journal.note(
        context.record(
            "finished",
            exit_code=int(exit_code),
            failed=tally.failed,
            rejected=tally.rejected,
            conflicts=tally.conflicts,
            error=error.message if error else "",
            given_up=given_up_items(context, plan),
        )
    )
    if error is not None:
        hint = error.hint
        context.ports.reporter.report(RunFailed({"code": error.code, "message": error.message, "hint": hint}))
    context.ports.reporter.report(finished)
    return finished


def _exit_code(tally: Tally) -> ExitCode:
    return ExitCode.ITEMS_FAILED if tally.failed or tally.rejected or tally.conflicts else ExitCode.DONE
