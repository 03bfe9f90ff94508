"""The command line: thin commands, each a file, over what `streams.wiring` builds. Start reading in `app`."""

import sys


def main() -> None:
    """Run `jiantu` with the process's arguments, and end the process with its exit code."""
    from streams.cli.app import run

    sys.exit(run(sys.argv[1:]))
