"""A profile as the rest of jiantu uses it: the compiled city, and what of a city is not the core's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from streams.core.city import City
from streams.core.instant import Duration
from streams.profile.calendar import CityCalendar


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the ledger keeps what, by event time."""

    scores: Duration
    corrections: Duration
    rejections: Duration
    tickets: Duration
    """How long after its last event a ticket is remembered."""
    inbox: Duration
    """How long the segments of a live service's inbox are kept after their last record came, once they are counted."""
    receipts: Duration
    """How long pages that were delivered or withdrawn are kept, with their receipts, after they were made."""


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """How a row of the city's CSV export becomes one event, or two: opened, and closed where it says when."""

    opened: str
    """Column of the opening time; also the time of a row that has no closing column."""
    closed: str | None
    """Column of the closing time; a row with nothing in it gives one event."""
    ticket: str
    """Column of the ticket's identifier, unique among rows."""
    columns: Mapping[str, str]
    """Event field -> column, beside the times and the ticket."""
    constants: Mapping[str, str]
    """Event field -> code that every event gets."""
    values: Mapping[str, Mapping[str, str]]
    """Event field -> text in the CSV -> code. Codes, names and aliases of the profile are in it."""
    otherwise: Mapping[str, str]
    """Event field -> code for a text that `values` does not know; without it the text goes through, for the
    decoder to reject as unknown."""
    opening_kind: str
    closing_kind: str
    zone: tzinfo
    """Of times without a zone."""
    time_formats: tuple[str, ...]
    """strptime formats, tried in order; (): ISO 8601."""
    delimiter: str
    encoding: str

    def code(self, field_name: str, text: str) -> str:
        """The code of a text in the column of an event field; the text itself where nobody knows it."""
        text = text.strip()
        known = self.values.get(field_name, {})
        return known[text] if text in known else self.otherwise.get(field_name, text)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulator goes by, beside the populations."""

    tickets_per_day: float
    """Of the whole city."""
    category_share: Mapping[str, float]
    """Code -> share of the volume; the shares of one mapping sum to 1."""
    point_share: Mapping[str, float]
    sector_share: Mapping[str, float]
    channel_share: Mapping[str, float]
    category_points: Mapping[str, tuple[str, ...]]
    """Category -> the observation points that it comes from."""


@dataclass(frozen=True)
class Profile:
    """One city, validated."""

    city: City
    calendar: CityCalendar
    """The same object as city.calendar, with all that it can say."""
    retention: Retention
    csv: CsvMapping | None
    simulation: Simulation
    english: Mapping[str, Mapping[str, str]]
    """points, sectors, channels, families -> code -> English name."""
    families: Mapping[str, str]
    """Code -> Chinese name of a category family."""
    intake: Mapping[str, str]
    """Point -> the kind by which a matter first reaches it."""
    always_page: tuple[str, ...]
    """Categories whose accepted events page at once."""
    compartmented: tuple[str, ...]
    """Categories of accusation material."""
    tiles: Mapping[str, tuple[int, int]]
    """County -> column and row of its tile on a map; by the order of counties where none is written."""
    version: str
    """Digest of the data: the same however the files are split, ordered, commented and spaced."""
    origin: str = field(compare=False)
    """Where it was read from."""

    @property
    def name(self) -> str:
        """The profile's name, for example leshan."""
        return self.city.name
