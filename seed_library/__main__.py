"""The entry point."""

import os
import sys

_HELP_PAGE = os.path.join(os.path.dirname(__file__), "data", "help.txt")  # noqa: PTH118, PTH120  no imports: see below


def main() -> None:
    """Run the command line and exit with a documented code."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        sys.exit(_show_help_page())
    from seed_library.cli.failures import run_command_line

    sys.exit(run_command_line())


def _show_help_page() -> int:
    """Print what click would print, at once: importing click takes three times as long as starting Python.

    A test holds the page against the command line.
    """
    with open(_HELP_PAGE, encoding="utf-8") as page:  # noqa: PTH123
        text = page.read()
    try:
        print(text, end="", flush=True)  # noqa: T201
    except BrokenPipeError:
        sys.stderr.close()  # the reader is gone; there is nobody to complain to
        return 1
    return 0


if __name__ == "__main__":
    main()
