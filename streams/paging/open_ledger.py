"""A pager's ledger while it is there: opened with the profile that names what is in it, and anew where either changes.

A ledger may come later than its pager (a service that starts for the first time), and a profile may change under it:
the service is started with another one, and writes its version down with its next checkpoint.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from streams.clock import Clock
from streams.ledger.connection import FILE
from streams.ledger.errors import LedgerError, NotALedgerError
from streams.ledger.glance import Glance
from streams.ledger.pages import PageBook
from streams.ledger.place import Where
from streams.ledger.reader import LedgerReader
from streams.paging.card import CardMaker
from streams.paging.intake import Intake, is_replayed
from streams.paging.links import Links
from streams.paging.settings import LANGS, PagingSettings
from streams.wording.names import Naming


class OpenLedger:
    """One ledger, opened. One thread at a time."""

    def __init__(
        self, where: Where, naming: Callable[[], Naming], settings: PagingSettings, links: Links, clock: Clock
    ) -> None:
        """`naming` reads the profile; it raises LedgerError, ValueError or OSError where there is none.

        Raises LedgerError where there is no ledger, or none of this version, or no profile with it.
        """
        self._where = where
        self._file = _file_of(where)
        with ExitStack() as opened:
            self.book = opened.enter_context(PageBook(where))
            self._reader = opened.enter_context(LedgerReader(where))
            self._glance = opened.enter_context(Glance(where))
            self._version = self._profile_version()
            try:
                names = naming()
            except (ValueError, OSError) as error:
                raise LedgerError(f"配置读不出  its profile cannot be read: {error}") from None
            self._ends = opened.pop_all()
        self.cards = {lang: CardMaker(names, links, lang, settings.runbook_url) for lang in LANGS}
        self._intake = Intake(self.book, self._reader, names, settings.routes, clock)
        self.take = self._intake.take

    def close(self) -> None:
        """Give everything back."""
        self._ends.close()

    def is_current(self) -> bool:
        """Whether it is still what it was opened as. Raises LedgerError."""
        return self._file == _file_of(self._where) and self._version == self._profile_version()

    def look_after(self) -> tuple[int, int]:
        """Page what always pages, and the next level of what nobody acknowledged: how many pages each made.

        Raises LedgerError.
        """
        if self._glance.look(is_replayed):
            return 0, self._intake.escalate()
        return self._intake.always(), self._intake.escalate()

    def _profile_version(self) -> str:
        progress = self._reader.progress()
        return "" if progress is None else progress.profile_version


def _file_of(where: Where) -> tuple[int, int] | None:
    """Which file it is: another one may be put in its place, by a restored backup. None: it is a database."""
    if not isinstance(where, Path):
        return None
    try:
        status = (where / FILE).stat()
    except OSError:
        raise NotALedgerError(
            f"{where}: 这里还没有台账，服务启动后就有  holds no ledger ({FILE}) yet; the service makes it"
        ) from None
    return status.st_dev, status.st_ino
