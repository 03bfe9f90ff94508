"""At which records a live service failed, kept in its data directory from one life to the next (law 4).

An error that nobody foresaw ends the process before anything is committed, and what starts it again has it take the
same records from the inbox. The third failure at them stops it for good: its exit code says that to systemd, its ledger
to whoever exports it.
"""

import os
from pathlib import Path

import msgspec

from streams.runtime.failures import MOST_FAILURES, Failure, with_another

_FILE = "failures.json"
STEP = "run"


class StoppedForGoodError(Exception):
    """The third failure at the same records: somebody has to look before it is started again."""

    def __init__(self, failure: Failure) -> None:
        records = str(failure.first) if failure.first == failure.last else f"{failure.first} to {failure.last}"
        super().__init__(
            f"收件箱记录 {records} 处第 {MOST_FAILURES} 次失败，已停止，待人处理  "
            f"stopped for good: the third failure at record {records} of the inbox ({failure.error}); nothing is lost: "
            "install a version that takes it and start again, which tries once"
        )


class Failures:
    """Those at the records that failed last."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _FILE
        try:
            self._found = msgspec.json.decode(self._path.read_bytes(), type=list[Failure])
        except (OSError, msgspec.DecodeError):
            self._found = []

    @property
    def last(self) -> Failure | None:
        """The last one; None where none is left behind."""
        return self._found[-1] if self._found else None

    def __len__(self) -> int:
        return len(self._found)

    def add(self, failure: Failure) -> bool:
        """Write one more down; whether it is the third at its records. Raises OSError."""
        self._found = with_another(self._found, failure)[-MOST_FAILURES:]
        unfinished = self._path.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.write(msgspec.json.encode(self._found))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
        return len(self._found) >= MOST_FAILURES

    def passed(self, record: int) -> bool:
        """Forget them once everything before a record is durable; whether there was something to forget."""
        if not self._found or record <= self._found[-1].last:
            return False
        self._found = []
        self._path.unlink(missing_ok=True)
        return True
