"""One writer per data directory: a kernel lock, gone with the process that held it however that ended."""

import errno
import fcntl
import os
from pathlib import Path

from streams.ledger.errors import DiskFullError, LedgerBusyError, LedgerError

NAME = "jiantu.lock"


class WriterLock:
    """Held from construction until `release`. Raises LedgerBusyError where another process that is alive holds it.

    People's steps on alerts need no lock: they are short transactions of their own beside the writer's.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / NAME
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFullError(f"{path}: no space left on the device; free some and try again") from error
            raise LedgerError(
                f"{path}: cannot be opened ({error.strerror}); the data directory must be writable"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 64, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise LedgerBusyError(
                f"{directory}: process {holder} is writing this data directory; "
                "wait until it ends, stop it, or give another --data-dir"
            ) from error
        try:  # for whoever is refused meanwhile; on a full disk the lock holds without the note
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise

    def release(self) -> None:
        """Let others write. The file stays: removing it would let two processes lock two files."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
