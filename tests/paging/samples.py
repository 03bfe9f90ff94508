"""Alerts of Leshan in ledgers, for pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from streams.clock import WallClock
from streams.core.alert import Ended, Evidence, Joined, Raised, Severity, Shape, Transition
from streams.core.instant import HOUR
from streams.core.outputs import Accounting
from streams.ledger.place import Where
from streams.ledger.store import LedgerStore
from streams.ports import Checkpoint, Outputs, SeriesLayout
from tests.wording.samples import CASE, NOON

LAYOUT = SeriesLayout("p", ("city_order",), ("511102",))

SENTENCE = "市中区 2026-03-01 12:00 至 2026-03-02 12:00"
"""What the sentence of CASE begins with."""


def alert_id(number: int) -> str:
    """As the judge makes them: 20 hexadecimal digits."""
    return f"{number:020x}"


def raised(
    number: int,
    county: str = "511102",
    family: str = "city_order",
    severity: Severity = Severity.WARNING,
    evidence: Evidence = CASE,
) -> Raised:
    """An alert; later numbers are raised later."""
    return Raised(alert_id(number), NOON + HOUR + number, county, family, severity, evidence)


def ended(number: int) -> Ended:
    """The end of an alert."""
    return Ended(alert_id(number), NOON + 2 * HOUR + number, ())


def joined(number: int, evidence: Evidence) -> Joined:
    """More evidence."""
    return Joined(alert_id(number), NOON + HOUR + number, evidence)


THREAT = replace(
    CASE, shape=Shape.ALWAYS_PAGE, signal="life_threat", size="event", count=1, expected=None, low=None, high=None
)
"""One ticket about a threat to life."""

FEW = replace(CASE, count=7, expected=0.6, by_category=(("street_order", 7),), by_point=(("hotline", 7),))
"""Fewer than k."""


class Filling:
    """Writes alerts into a ledger, as a live service does; the watermark moves as it does there."""

    def __init__(self, where: Where, source: str = "live:test", record: int = 0) -> None:
        """`record`: how many the ledger has of its source."""
        self._where = where
        self._source = source
        self._record = record
        self._clock = WallClock()
        self._lock = threading.Lock()
        self.profile_version = "p"

    def __call__(self, *transitions: Transition) -> None:
        with self._lock, LedgerStore(self._where, LAYOUT) as store:
            self._record += 1
            checkpoint = Checkpoint(
                source=self._source,
                profile_version=self.profile_version,
                record=self._record,
                place=b"",
                watermark=self._clock.now() - 2 * HOUR,
                accounting=Accounting(self._record, self._record, 0, 0, 0, 0),
            )
            store.commit(checkpoint, Outputs(transitions=transitions))

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """A worker that is alive: the watermark moves twice a second."""
        stop = threading.Event()

        def tick() -> None:
            while not stop.wait(0.5):
                self()

        thread = threading.Thread(target=tick)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
