"""Starts a program that lives no longer than its owner, whatever becomes of the owner, and says the program's id.

    python keeper.py OWNER_PID LOG [--remove FOLDER] -- PROGRAM ARGUMENTS...

The keeper goes into the background and prints two process ids: its own and the program's. It ends when the program
has ended. Where the owner ends first, even by SIGKILL, the program is killed; where the keeper itself is killed, the
kernel kills the program. FOLDER is removed when all is over. Standard library only: it starts in 30 ms.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_ASKED_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _die_with_the_keeper() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for one in _ASKED_TO_END:  # Java does not listen to a signal that was ignored when it started
        signal.signal(one, signal.SIG_DFL)


def keep(owner: int, log: Path, command: list[str]) -> None:
    """Run the command until it ends or the owner does."""
    try:
        owner_ended = os.pidfd_open(owner)
    except ProcessLookupError:
        return
    with log.open("ab") as out:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            preexec_fn=_die_with_the_keeper,  # noqa: PLW1509 - the keeper has one thread
        )
    program_ended = os.pidfd_open(program.pid)
    print(os.getpid(), program.pid, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who reads the two numbers sees the end of them
    ended, _, _ = select.select([owner_ended, program_ended], [], [])
    if program_ended not in ended:
        program.kill()
    program.wait()


def main(arguments: list[str]) -> None:
    """Go into the background, keep, tidy up."""
    split = arguments.index("--")
    owner, log, *options = arguments[:split]
    if os.fork():
        os._exit(0)
    os.setsid()
    for one in _ASKED_TO_END:  # Ctrl-C is the owner's; it tells us by ending
        signal.signal(one, signal.SIG_IGN)
    keep(int(owner), Path(log), arguments[split + 1 :])
    if options[:1] == ["--remove"]:
        with contextlib.suppress(OSError):
            shutil.rmtree(options[1])


if __name__ == "__main__":
    main(sys.argv[1:])
