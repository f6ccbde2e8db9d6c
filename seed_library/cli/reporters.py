"""The reporters: JSON lines for programs, plain lines for logs, a progress bar for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from seed_library.cli.output import Output, event_fields, silence_lost_streams
from seed_library.cli.wording import Narrator, minutes, sentence, summary
from seed_library.core.events import (
    BatchWaiting,
    Event,
    ItemConflicted,
    ItemFailed,
    RowsStored,
    RunFailed,
    RunFinished,
    RunStarted,
    TextPaid,
    Warned,
)

if TYPE_CHECKING:
    from rich.console import Console

_PROGRESS_EVERY_SECONDS = 5.0


class JsonReporter:
    """Prints every event as one JSON line with its time."""

    def __init__(self, output: Output, now: Callable[[], datetime]) -> None:
        self._output = output
        self._now = now

    def report(self, event: Event) -> None:
        """Print the event."""
        at = self._now().isoformat(timespec="milliseconds")
        self._output.document({**event_fields(event.as_json()), "at": at})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class _Progress:
    """The counts that people watch."""

    def __init__(self) -> None:
        self.to_do = 0
        self.stored = 0
        self.spent_usd = 0.0
        self.budget_usd = 0.0
        self.waiting = ""

    def follow(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.to_do = event.to_generate + event.to_recover + event.to_collect
                self.budget_usd = event.budget_usd
            case TextPaid():
                self.spent_usd = event.spent_usd
            case RowsStored():
                self.stored += len(event.items)
                self.waiting = ""
            case BatchWaiting():
                self.waiting = f"batch, {minutes(event.seconds)}"
            case _:
                pass


class PlainReporter:
    """Prints sentences to stderr and a line of progress now and then; the summary is the result."""

    def __init__(self, output: Output, monotonic: Callable[[], float]) -> None:
        self._output = output
        self._monotonic = monotonic
        self._progress = _Progress()
        self._narrator = Narrator()
        self._said_at = monotonic()

    def report(self, event: Event) -> None:
        """Print what is worth a line."""
        self._progress.follow(event)
        match event:
            case RunFinished():
                self._output.result(summary(event))
            case RunFailed():
                self._output.error(event.error)
            case RowsStored():
                self._say_progress()
            case _:
                if text := self._narrator.line(event):
                    self._output.narrate(text)

    def _say_progress(self) -> None:
        if self._monotonic() - self._said_at >= _PROGRESS_EVERY_SECONDS:
            self._said_at = self._monotonic()
            seen = self._progress
            self._output.narrate(
                f"{seen.stored:,} of {seen.to_do:,} stored, ${seen.spent_usd:.4f} of ${seen.budget_usd:.2f} spent"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""


class RichReporter:
    """Draws a progress bar on a terminal: counts, rate, money, time left; sentences scroll above it."""

    def __init__(self, output: Output, console: Console) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._output = output
        self._seen = _Progress()
        self._narrator = Narrator()
        self._bar = Progress(
            TextColumn("stored"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[money]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=None, rate="", money="")

    def report(self, event: Event) -> None:
        """Draw the event."""
        self._seen.follow(event)
        match event:
            case RunStarted() | TextPaid() | RowsStored() | BatchWaiting():
                self._draw()
            case _:
                pass
        match event:
            case RunFinished():
                self._bar.stop()
                self._output.result(summary(event))
            case RunFailed():
                self._bar.stop()
                self._output.error(event.error)
            case _:
                if text := self._narrator.line(event):
                    self._bar.console.print(self._output.safe(text), markup=False, highlight=False)

    def _draw(self) -> None:
        speed = self._bar.tasks[self._task].speed
        self._bar.update(
            self._task,
            total=self._seen.to_do,
            completed=self._seen.stored,
            rate=self._seen.waiting or (f"{speed:.1f}/s" if speed else ""),
            money=f"${self._seen.spent_usd:.3f} of ${self._seen.budget_usd:.2f}",
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        self._bar.stop()


class WorkReporter:
    """Says only what goes wrong: verbs that do one thing show its result themselves."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def report(self, event: Event) -> None:
        """Print a warning or a failure."""
        match event:
            case Warned():
                self._output.narrate(f"Warning: {event.message}")
            case RunFailed():
                self._output.error(event.error)
            case ItemFailed() | ItemConflicted():
                self._output.narrate(sentence(event))
            case _:
                pass


class SteadyReporter:
    """Goes on without a listener: a closed pipe or a full disk behind stdout must not end a run that is paying."""

    def __init__(self, reporter: JsonReporter | PlainReporter | RichReporter) -> None:
        self._reporter = reporter

    def report(self, event: Event) -> None:
        """Show the event, if anybody can see it."""
        try:
            self._reporter.report(event)
        except OSError:
            silence_lost_streams()

    def __enter__(self) -> Self:
        self._reporter.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back, if it is still there."""
        try:
            self._reporter.__exit__(kind, error, trace)
        except OSError:
            silence_lost_streams()


def reporter_for(output: Output) -> SteadyReporter:
    """Choose how events look: JSON on request, a bar on a terminal, plain lines otherwise."""
    return SteadyReporter(_reporter_for(output))


def _reporter_for(output: Output) -> JsonReporter | PlainReporter | RichReporter:
    import sys
    import time
    from datetime import UTC

    if output.as_json:
        return JsonReporter(output, lambda: datetime.now(UTC))
    if sys.stderr.isatty() and not output.quiet:
        from rich.console import Console

        return RichReporter(output, Console(stderr=True, no_color=None if output.color else True))
    return PlainReporter(output, time.monotonic)
