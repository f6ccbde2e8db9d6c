"""The entry point."""

import os
import sys

_HELP_PAGE = os.path.join(os.path.dirname(__file__), "data", "help.txt")  # noqa: PTH118, PTH120  no imports: see below


def main() -> None:
    """Run the command line and exit with a documented code."""
    _hold_standard_streams()
    if sys.argv[1:] in (["--help"], ["-h"]):
        sys.exit(_show_help_page())
    from seed_library.cli.failures import run_command_line

    sys.exit(run_command_line())


def _hold_standard_streams() -> None:
    """Let a stream that was closed before the start take everything, to nowhere.

    Else the next file that is opened would take its place, a journal for instance, and be printed into.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _show_help_page() -> int:
    """Print what click would print, at once: importing click takes three times as long as starting Python.

    A test holds the page against the command line.
    """
    with open(_HELP_PAGE, encoding="utf-8") as page:  # noqa: PTH123
        text = page.read()
    try:
        print(text, end="", flush=True)  # noqa: T201
    except OSError as error:
        from seed_library.cli.output import report_loss

        return report_loss(error)
    return 0


if __name__ == "__main__":
    main()
