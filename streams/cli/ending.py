"""How a command ends: 0 done, 1 failed, 2 wrong input, 3 stopped for good, 130 and 143 by Ctrl-C and by SIGTERM.

No traceback reaches a user: what is known to go wrong is said in words, what is not is written to a file.
"""

import errno
import hashlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.markup import escape
from typer import TyperException

from streams.cli.screen import err, print_json

FAILED, WRONG_INPUT = 1, 2
STOPPED_FOR_GOOD = 3
"""The third failure at the same records: nobody is to start it again before somebody has looked."""
STOPPED_BY_CTRL_C, STOPPED_BY_SIGTERM = 130, 143
"""128 + the signal's number, as shells and systemd have it."""

EXIT_CODES = {
    "streams.config.SettingsError": WRONG_INPUT,
    "streams.profile.problems.ProfileError": WRONG_INPUT,
    "streams.sources.contract.SourceError": WRONG_INPUT,
    "streams.replay.labels.LabelError": WRONG_INPUT,
    "streams.replay.incidents.SimulationError": WRONG_INPUT,
    "streams.replay.expected.ExpectedLogError": WRONG_INPUT,
    "streams.runtime.embedded.ResumeError": WRONG_INPUT,
    "streams.wiring.reading.DataDirError": WRONG_INPUT,
    "streams.ledger.errors.StepRefusedError": WRONG_INPUT,
    "streams.ledger.errors.LedgerTooNewError": WRONG_INPUT,
    "streams.ledger.errors.NotALedgerError": WRONG_INPUT,
    "streams.ledger.errors.UnknownAlertError": WRONG_INPUT,
    "streams.ledger.errors.LedgerError": FAILED,
    "streams.paging.settings.PagingSettingsError": WRONG_INPUT,
    "streams.paging.channels.ChannelError": WRONG_INPUT,
    "streams.paging.deadman.StateError": FAILED,
    "streams.broker.settings.BrokerSettingsError": WRONG_INPUT,
    "streams.broker.topics_file.TopicsFileError": WRONG_INPUT,
    "streams.broker.errors.BrokerError": FAILED,
    "streams.service.settings.ServiceSettingsError": WRONG_INPUT,
    "streams.service.failing.StoppedForGoodError": STOPPED_FOR_GOOD,
    "streams.serving.tls.TlsError": WRONG_INPUT,
    "streams.serving.server.ListenError": WRONG_INPUT,
    "streams.service.sending.AddressError": WRONG_INPUT,
    "streams.service.sending.SendError": FAILED,
    "streams.service.running.StoppedLateError": FAILED,
    "streams.sources.inbox.InboxFullError": FAILED,
}
"""Errors that say themselves what is wrong and what to do, by name: so that nothing is imported to look them up."""


class CommandError(Exception):
    """A command that cannot do what it was asked for, in Chinese and in English: what, where, what to do."""

    exit_code = FAILED

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


class FailedError(CommandError):
    """It was tried and did not succeed."""


class WrongInputError(CommandError):
    """What was given cannot be used."""

    exit_code = WRONG_INPUT


def told(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong, and give the exit code for it."""
    code, lines = explained(error, arguments)
    if not any(lines):  # a group without a command: its help was shown
        return code
    if "--json" in arguments:
        print_json({"error": "\n".join(lines), "exit_code": code})
    for line in lines:
        err.print(f"[bold red]错误 error[/bold red] {escape(line)}", soft_wrap=True)
    if isinstance(error, TyperException):
        err.print(_where_to_look(error), style="dim", markup=False)
    return code


def explained(error: Exception, arguments: Sequence[str]) -> tuple[int, list[str]]:
    """(exit code, lines) for an error."""
    match error:
        case CommandError():
            return error.exit_code, [f"{error.zh}  {error.en}" if error.zh else error.en]
        case TyperException():
            return WRONG_INPUT, [error.format_message()]
    for kind in type(error).__mro__:
        code = EXIT_CODES.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code, str(error).splitlines()
    if isinstance(error, OSError):
        return FAILED, [_said_by_the_system(error)]
    return FAILED, [_unexpected(error, arguments)]


def _said_by_the_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}磁盘已满，腾出空间后再运行  no space left; free some and run the same command again"
    return f"{where}{error.strerror or error}"


def _where_to_look(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "jiantu")
    return f"用法见 usage: {command} --help"


def _unexpected(error: Exception, arguments: Sequence[str]) -> str:
    """One line on an error that nobody foresaw; its traceback goes to a file, or to stderr where that is asked for."""
    from streams.config import SettingsError, settings

    report = "".join(traceback.format_exception(error))
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    try:
        shown = settings().traceback
    except SettingsError:
        shown = False
    if shown:
        sys.stderr.write(report)
        return f"jiantu 内部错误 internal error: {what}"
    name = f"jiantu-report-{hashlib.sha256(report.encode()).hexdigest()[:12]}-{os.getpid()}.txt"
    path = Path(tempfile.gettempdir()) / name
    heading = f"jiantu {version('jiantu')}, Python {sys.version}\n{' '.join(['jiantu', *arguments])}\n\n"
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
            file.write(heading + report)
    except OSError:
        return f"jiantu 内部错误 internal error: {what} (JIANTU_TRACEBACK=1 shows where)"
    return f"jiantu 内部错误，请把 {path} 发给维护者  internal error: {what}; please report it with {path}"
