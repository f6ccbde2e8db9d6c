"""`plan`: the preview."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.options import (
    catalog_options,
    global_options,
    invocation,
    keep_secret,
    price_options,
    refresh_option,
    surroundings,
)
from seed_library.cli.output import Content, Output, as_content
from seed_library.cli.wording import counted

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags, Prepared
    from seed_library.bootstrap.previewing import Preview
    from seed_library.core.catalog import Item, ItemId
    from seed_library.core.plan import Refresh, Step

_SHOWN_ITEMS = 500
_MINUTES_TO_HOURS = 120
ORPHAN_REASON = "stored, but not in the catalog; never touched by a run"


@click.command()
@catalog_options
@price_options
@refresh_option
@click.option("--show-prompts", is_flag=True, help="Show every prompt that would be sent.")
@global_options
def plan(flags: Flags, refresh: Refresh | None, *, show_prompts: bool) -> None:
    """Show what a run would do, why, and what it would cost."""
    show_plan(flags, refresh or "", show_prompts=show_prompts)


def show_plan(flags: Flags, refresh: Refresh, *, show_prompts: bool = False) -> None:
    """Print the preview of a run."""
    from seed_library.bootstrap.preparing import network_faults, prepare
    from seed_library.bootstrap.previewing import preview
    from seed_library.settings import Needs, unmet

    output, around = invocation().output, surroundings()
    prepared = prepare(flags, Needs(), around)
    keep_secret(prepared.redactor)
    needs = Needs(claude=True, store=True)
    faults = unmet(prepared.settings, needs, around.environment, around.now)
    faults |= network_faults(prepared.settings, needs)
    found = preview(prepared, refresh, faults=faults)
    if output.as_json:
        output.document(_document(prepared, found, show_prompts=show_prompts))
    else:
        _print(output, prepared, found)
        if show_prompts:
            _print_prompts(output, prepared, found)


def _document(prepared: Prepared, found: Preview, *, show_prompts: bool) -> dict[str, Any]:
    from seed_library.core.pricing import usd

    cost = found.cost
    document: dict[str, Any] = {
        "catalog": Content(prepared.catalog.name),
        "target": prepared.target_label,
        "model": prepared.book.spec.model,
        "state_dir": str(prepared.state_dir),
        "totals": found.plan.totals,
        "cost": {
            "likely_usd": usd(cost.likely) if cost else None,
            "at_most_usd": usd(cost.at_most) if cost else None,
            "basis": cost.basis if cost else "the price of the model is not known",
        },
        "mode": found.mode,
        "modes": _modes(prepared, found),
        "budget_usd": usd(prepared.settings.budget),
        "notes": list(found.notes),
        "items": [*map(_step, found.plan.steps), *map(_orphan, found.plan.orphans)],
    }
    if show_prompts:
        document["prompts"] = [_prompt(prepared, found, step.item) for step in found.plan.steps]
    return document


def _modes(prepared: Prepared, found: Preview) -> dict[str, Any]:
    """Return price and typical time of both modes, for the texts to generate."""
    from seed_library.core.batches import BATCH_SECONDS, message_seconds
    from seed_library.core.pricing import usd

    if found.prices is None:
        return {}
    asked = len(found.plan.to_generate)
    seconds = {
        "messages": message_seconds(asked, prepared.settings.seed_library_concurrency),
        "batch": BATCH_SECONDS if asked else 0.0,
    }
    costs = {"messages": found.prices.messages, "batch": found.prices.batch}
    return {
        mode: {
            "likely_usd": usd(cost.likely),
            "at_most_usd": usd(cost.at_most),
            "typical_seconds": round(seconds[mode]),
        }
        for mode, cost in costs.items()
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        **as_content(step.item.id._asdict()),
        "title": Content(step.item.title),
        "action": step.action.value,
        "reason": step.reason,
        "fingerprint": step.fingerprint,
    }


def _orphan(row: ItemId) -> dict[str, Any]:
    return {
        **as_content(row._asdict()),
        "title": None,
        "action": "orphaned",
        "reason": ORPHAN_REASON,
        "fingerprint": None,
    }


def _prompt(prepared: Prepared, found: Preview, item: Item) -> dict[str, Any]:
    from seed_library.core.pricing import max_tokens

    request = prepared.book.request(item)
    return {
        **as_content(item.id._asdict()),
        "system": Content(request.prompt.system),
        "user": Content(request.prompt.user),
        "model": request.spec.model,
        # What is sent has room for thoughts where the model cannot be kept from thinking.
        "max_tokens": max_tokens(request.spec, found.model) if found.model else request.spec.max_tokens,
    }


def _print(output: Output, prepared: Prepared, found: Preview) -> None:
    output.result(Content(f"Catalog  {prepared.catalog.name} ({prepared.catalog.description})"))
    output.result(f"Target   {prepared.target_label}")
    output.result(f"Model    {prepared.book.spec.model}")
    output.result(f"State    {prepared.state_dir}")
    output.result("")
    for line in _groups(found):
        output.result(line)
    _print_items(output, found)
    output.result("")
    output.result(_cost_line(prepared, found))
    for line in _mode_lines(prepared, found):
        output.result(line)
    for note in found.notes:
        output.result(f"Note: {note}")


def _groups(found: Preview) -> list[str]:
    counts = Counter((step.action, step.reason) for step in found.plan.steps)
    lines = [f"{count:>7,}  {action.value:<9} {reason}" for (action, reason), count in counts.most_common()]
    if found.plan.orphans:
        lines.append(f"{len(found.plan.orphans):>7,}  orphaned  {ORPHAN_REASON}")
    return lines


def _print_items(output: Output, found: Preview) -> None:
    open_steps = [step for step in found.plan.steps if step.action.value != "done"]
    if open_steps and (output.verbose or len(open_steps) <= _SHOWN_ITEMS):
        output.result("")
        for step in open_steps:
            output.result(Content(f"  {step.action.value:<9} {step.item.id}  {step.item.title}"))


def _cost_line(prepared: Prepared, found: Preview) -> str:
    from seed_library.core.pricing import usd

    asked = counted(len(found.plan.to_generate), "request")
    if found.cost is None:
        return f"{asked}; their price is not known."
    likely, most = usd(found.cost.likely), usd(found.cost.at_most)
    budget = usd(prepared.settings.budget)
    return f"{asked}: likely ${likely:.2f}, at most ${most:.2f} (budget ${budget:.2f}; {found.cost.basis})."


def _mode_lines(prepared: Prepared, found: Preview) -> list[str]:
    """Return what each mode costs and how long it takes, the one that a run would take marked."""
    if not found.plan.to_generate:
        return []
    times = {"messages": "about {}", "batch": "usually about {}, a day at most"}
    lines = []
    for mode, said in _modes(prepared, found).items():
        taken = "  <- this run" if mode == found.mode else ""
        time = times[mode].format(_duration(said["typical_seconds"]))
        lines.append(f"  {mode:<9} likely ${said['likely_usd']:.2f}, at most ${said['at_most_usd']:.2f}, {time}{taken}")
    return lines


def _duration(seconds: int) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < _MINUTES_TO_HOURS else f"{minutes / 60:.1f} h"


def _print_prompts(output: Output, prepared: Prepared, found: Preview) -> None:
    for step in found.plan.to_generate:
        prompt = _prompt(prepared, found, step.item)
        output.result(Content(f"\n=== {step.item.id} · {prompt['model']} · max_tokens {prompt['max_tokens']}"))
        output.result(Content(f"--- system\n{prompt['system']}\n--- user\n{prompt['user']}"))
