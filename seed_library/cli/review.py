"""`review` and `report`: the library as a page, to act on or to pass on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seed_library.cli.options import catalog_options, global_options, invocation, price_options
from seed_library.cli.run import prepared_for

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags, Prepared
    from seed_library.engine.works import Work


@click.command()
@catalog_options
@price_options
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="A port of 127.0.0.1; any free one by default.")
@global_options
def review(flags: Flags, port: int) -> None:
    """Open a local page to read, accept, reject, edit and regenerate texts."""
    from seed_library.adapters.review_server import ReviewServer
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(store=True))
    _cards(prepared)  # what cannot be read is said here, not in the browser
    server = ReviewServer(lambda token: _page(prepared, token), lambda wanted: _act(flags, prepared, wanted), port)
    if output.as_json:
        output.document({"address": server.address})
    else:
        output.result(f"{server.address}\nOpen it in a browser. Ctrl-C ends it.")
    server.serve()


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@catalog_options
@global_options
def report(flags: Flags, path: Path) -> None:
    """Write the page of `review` as one static HTML file."""
    from seed_library.adapters.destinations import is_stdout, write_result
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(store=True))
    if is_stdout(path):
        output.data([_page(prepared, "")])
        return
    write_result(path, [_page(prepared, "")])
    if output.as_json:
        output.document({"file": str(path)})
    else:
        output.result(f"{path} is written; it needs nothing else and changes nothing.")


def _cards(prepared: Prepared) -> list[dict[str, Any]]:
    from seed_library.bootstrap.reviewing import cards

    return [card.as_json() for card in cards(prepared)]


def _page(prepared: Prepared, token: str) -> str:
    import json
    from importlib.resources import files

    data = {
        "catalog": prepared.catalog.name,
        "target": prepared.target_label,
        "token": token,
        "cards": _cards(prepared),
    }
    # Inside a script element nothing but its end tag matters to HTML; as JSON it may be written so. Nothing of it is
    # redacted: it is content, and what an editor sees is what is stored again.
    said = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return files("seed_library.data").joinpath("review.html").read_text("utf-8").replace("/*DATA*/", said)


def _act(flags: Flags, prepared: Prepared, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a button says, and answer with the new state of everything."""
    from seed_library.bootstrap.working import do_work
    from seed_library.core.errors import SeedLibraryError

    output = invocation().output
    failures = _Failures()
    try:
        chosen, work = _work(flags, prepared, wanted)
        finished = do_work(chosen, "review", work, failures, output.complain)
        if failures.said:
            return {"error": prepared.redactor(failures.said), "cards": _cards(prepared)}
        message = "Rejected again; see its findings." if finished.rejected else "Done."
        return {"message": message, "cards": _cards(prepared)}
    except SeedLibraryError as error:
        return {"error": prepared.redactor(f"{error.message} {error.hint}".strip())}


def _work(flags: Flags, prepared: Prepared, wanted: Mapping[str, Any]) -> tuple[Prepared, Work]:
    """Return the work that a button stands for, and the inputs narrowed to its item."""
    from dataclasses import replace

    from seed_library.core.answers import Content
    from seed_library.core.catalog import ItemId, Selection
    from seed_library.core.errors import UsageInvalid
    from seed_library.engine.row_works import HumanText, WriteByHand
    from seed_library.engine.works import Accept, AskAgain, TurnDown
    from seed_library.settings import Needs

    item_id = ItemId(*(str(wanted.get(name, "")) for name in ItemId._fields))
    items = {item.id: item for item in prepared.chosen.items}
    if item_id not in items:
        raise UsageInvalid(f"The page does not show {item_id}.", hint="Reload it.")
    only = replace(flags, selection=Selection((item_id.category,), (item_id.key,), (item_id.locale,)))
    asks = wanted.get("what") == "regenerate"
    chosen = prepared_for(only, Needs(claude=asks, store=True))
    text = str(wanted.get("text") or "").strip()
    stored, version = bool(wanted.get("stored")), str(wanted.get("version") or "")
    over = version if stored else ""
    match wanted.get("what"):
        case "accept":
            return chosen, Accept(item_id.key, "" if stored else version)
        case "edit" if text:
            return chosen, WriteByHand([HumanText(items[item_id], Content(text), over)])
        case "reject" if stored:
            return chosen, TurnDown(item_id, over)
        case "regenerate":
            return chosen, AskAgain(item_id, over)
        case _:
            raise UsageInvalid("There is no such button.", hint="Reload the page.")


class _Failures:
    """A reporter that keeps the failure of a run, for the page."""

    def __init__(self) -> None:
        self.said = ""

    def report(self, event: object) -> None:
        """Keep a failure."""
        from seed_library.core.events import ItemConflicted, ItemFailed, RunFailed

        if isinstance(event, RunFailed):
            self.said = f"{event.error['message']} {event.error['hint']}".strip()
        elif isinstance(event, ItemConflicted):
            self.said = "Somebody has changed this text meanwhile. What is stored now is shown; nothing was replaced."
        elif isinstance(event, ItemFailed):
            self.said = event.reason
