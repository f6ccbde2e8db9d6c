"""How events read. One sentence each, for plain lines and for the lines above a progress bar."""

from __future__ import annotations

from seed_library.core.events import (
    BatchCollected,
    BatchLeft,
    BatchSubmitted,
    BatchWaiting,
    CanaryPassed,
    Event,
    ItemConflicted,
    ItemFailed,
    ItemRejected,
    ItemRepaired,
    PaceChanged,
    RateLearned,
    RetryScheduled,
    RunFinished,
    RunStarted,
    StopRequested,
    WaitingForLock,
    Warned,
)

_SHORTEST_WORTHY_WAIT = 5.0  # seconds; shorter waits are everyday life and not worth a line
_NAMED_TROUBLES = 20
_SECONDS_BETWEEN_WAITS = 300


def sentence(event: Event) -> str:
    """Return what a person should read about an event; empty where the counts say enough."""
    text = ""
    match event:
        case RunStarted():
            text = _started(event)
        case CanaryPassed():
            text = f"The first text ({event.item}) went the whole way and was read back."
        case RetryScheduled() if event.wait_seconds >= _SHORTEST_WORTHY_WAIT:
            text = f"{event.item}: {event.reason} Trying again in {event.wait_seconds:.0f} s."
        case PaceChanged() | RateLearned():
            text = _pace(event)
        case ItemRejected() | ItemRepaired():
            verb = "Rejected" if isinstance(event, ItemRejected) else "Repairing"
            text = f"{verb} {event.item}: " + "; ".join(finding.message for finding in event.findings)
        case ItemFailed() | ItemConflicted():
            text = f"{'Failed' if isinstance(event, ItemFailed) else 'Conflict'} {event.item}: {event.reason}"
        case StopRequested():
            text = f"{event.reason}: no new requests; what is in flight will be stored. Once more to leave at once."
        case WaitingForLock():
            text = f"{event.message} Waiting up to {event.seconds_left:.0f} s more."
        case Warned():
            text = f"Warning: {event.message}"
        case _:
            text = _batch(event)
    return text


class Narrator:
    """Says what is worth a line, with a memory: a batch that is waited for is looked at thousands of times a day."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, int]] = {}

    def line(self, event: Event) -> str:
        """Return the event's sentence; empty where the one before says enough."""
        if isinstance(event, BatchWaiting):
            status, seconds = self._said.get(event.batch_id, ("", 0))
            if status == event.status and event.seconds - seconds < _SECONDS_BETWEEN_WAITS:
                return ""
            self._said[event.batch_id] = (event.status, event.seconds)
        return sentence(event)


def counted(number: int, thing: str) -> str:
    """Return a number of things with their name, in the plural unless it is one."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def minutes(seconds: int) -> str:
    """Return a duration as a clock shows it."""
    return f"{seconds // 60}:{seconds % 60:02} min"


def _pace(event: PaceChanged | RateLearned) -> str:
    if isinstance(event, PaceChanged):
        return f"Now at most {counted(event.limit, 'request')} at the same time: {event.reason}."
    return f"Now at most {counted(event.per_minute, 'request')} a minute: {event.reason}."


def _batch(event: Event) -> str:
    match event:
        case BatchSubmitted():
            return f"Batch {event.batch_id}: {counted(event.items, 'request')} at the provider, going on without us."
        case BatchWaiting():
            state = event.status.replace("_", " ")
            return (
                f"Batch {event.batch_id}: {counted(event.items, 'request')} {state}, waited {minutes(event.seconds)}."
            )
        case BatchCollected():
            counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(event.counts.items()))
            return f"Batch {event.batch_id} is collected: {counts}, ${event.spent_usd:.4f}."
        case BatchLeft():
            return (
                f"Batch {event.batch_id} ({counted(event.items, 'request')}) stays at the provider, where it goes on; "
                "the next run collects it and pays for nothing again. `seed-library cancel` cancels it."
            )
        case _:
            return ""


def _started(event: RunStarted) -> str:
    done = event.totals.get("done", 0)
    in_batches = f", {event.to_collect:,} in batches to be collected" if event.to_collect else ""
    return (
        f"Run {event.run_id} on {event.target}: {event.to_generate:,} to generate with {event.model}, "
        f"{event.to_recover:,} already paid, {done:,} done{in_batches}. "
        f"Likely ${event.likely_usd:.2f}, at most ${event.at_most_usd:.2f}, budget ${event.budget_usd:.2f}."
    )


def _variety(event: RunFinished) -> list[str]:
    found = event.diversity
    if found is None:
        return []
    alike = f"shared four-word runs {found.self_repetition:.1%}, shared openings {found.openings:.1%}"
    return [
        f"Variety of {found.texts:,} texts: distinct-3 {found.distinct_3:.3f}, {alike} (`audit` looks at all rows)."
    ]


def summary(event: RunFinished) -> str:
    """Return the lines that end a run."""
    maybe = f" and perhaps up to ${event.maybe_spent_usd:.4f} more" if event.maybe_spent_usd else ""
    if event.left is None:
        return "Nothing was generated and nothing stored; how much is left is not known."
    conflicts = f"{counted(event.conflicts, 'conflict')}, " if event.conflicts else ""
    counts = (
        f"{event.stored:,} stored ({event.generated:,} generated, {event.recovered:,} paid before), "
        f"{event.rejected:,} rejected, {event.failed:,} failed, {conflicts}{event.left:,} left."
    )
    money = (
        f"{counted(event.requests, 'request')}, ${event.spent_usd:.4f} spent{maybe} "
        f"(likely were ${event.estimated_usd:.4f}), {event.seconds:.1f} s."
    )
    lines = [counts, money, *_variety(event)]
    shown = event.troubles[:_NAMED_TROUBLES]
    lines += [f"  {trouble.item}: {trouble.reason}" for trouble in shown]
    if len(event.troubles) > len(shown):
        lines.append(f"  and {len(event.troubles) - len(shown)} more (--json names them)")
    return "\n".join(lines)
