"""`review` and `report`: the library as a page, to act on or to pass on."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seed_library.cli.numbers import whole
from seed_library.cli.options import catalog_options, global_options, invocation, price_options
from seed_library.cli.paths import result_path
from seed_library.cli.run import prepared_for

if TYPE_CHECKING:
    from seed_library.bootstrap.preparing import Flags


@click.command()
@catalog_options
@price_options
@click.option(
    "--port", type=whole(0, 65535), metavar="N", default=0, help="A port of 127.0.0.1; any free one by default."
)
@global_options
def review(flags: Flags, port: int) -> None:
    """Open a local page to read, accept, reject, edit and regenerate texts."""
    from seed_library.adapters.process import ended_by_signals
    from seed_library.adapters.review import ReviewServer, listen
    from seed_library.bootstrap.review_desk import ReviewDesk
    from seed_library.settings import Needs

    output = invocation().output
    desk = ReviewDesk(flags, prepared_for(flags, Needs(store=True)), prepared_for, output.last_word)
    listening = listen(port)
    desk.look()  # what cannot be read is said here, not in the browser
    with ended_by_signals():
        server = ReviewServer(desk, listening)
        if output.as_json:
            output.document({"address": server.address})
        else:
            output.result(f"{server.address}\nOpen it in a browser. Ctrl-C ends it.")
        server.serve()


@click.command()
@click.argument("path", metavar="FILE", type=result_path)
@catalog_options
@global_options
def report(flags: Flags, path: Path) -> None:
    """Write the page of `review` as one static HTML file."""
    from seed_library.adapters.destinations import is_stdout, write_result
    from seed_library.adapters.review import document
    from seed_library.bootstrap.review_desk import shown
    from seed_library.settings import Needs

    output = invocation().output
    prepared = prepared_for(flags, Needs(store=True))
    lines = [document({**shown(prepared), "token": ""}, secrets.token_urlsafe(16))]
    if is_stdout(path):
        output.data(lines)
        return
    write_result(path, lines)
    if output.as_json:
        output.document({"file": str(path)})
    else:
        output.result(f"{path} is written; it needs nothing else and changes nothing.")
