"""The shape of a profile's YAML: which keys there are, of what type, in what range. What must agree between values
is in `crosscheck`.

Every required key has an example, which the message about its absence shows.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from streams.core.city import FILTER_FIELDS, Direction, Measure, Size
from streams.core.instant import DAY
from streams.profile.written import (
    Clock,
    Code,
    CodeList,
    DayList,
    DaysList,
    KindName,
    Label,
    LunarList,
    OneOrMany,
    PositiveSpan,
    Share,
    Slug,
    SlugList,
    Span,
    Text,
    TextList,
    Weight,
    YearlyList,
    ZoneName,
    one_of,
)

MAPPED_FIELDS = (
    "county", "point", "category", "channel", "sector", "caller", "matter", "outcome", "due", "kind",
)  # fmt: skip
"""The event fields that a CSV column may fill; the times and the ticket have keys of their own."""

SizeName = Annotated[str, one_of(lambda: [size.value for size in Size])]
DirectionName = Annotated[str, one_of(lambda: [direction.value for direction in Direction])]
MeasureName = Annotated[str, one_of(lambda: [measure.value for measure in Measure])]
FilterName = Annotated[str, one_of(lambda: (*FILTER_FIELDS, "family"))]
FieldName = Annotated[str, one_of(lambda: MAPPED_FIELDS)]


People = Annotated[int, Field(gt=0, le=100_000_000)]
TileNumber = Annotated[int, Field(ge=0, le=99)]


class Part(BaseModel):
    """A mapping of the YAML: no key that is not known, no type that is not the right one."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NamePart(Part):
    name: Label = Field(examples=["城市管理"])
    name_en: Label | None = None
    """Left out: the same as `name`."""


class WordPart(NamePart):
    """A sector or a channel."""

    share: Share = 1.0
    """Usual share of the volume, relative to its siblings: what the simulator goes by."""


class PointPart(WordPart):
    """An observation point."""

    intake: KindName = "accepted"
    """The kind by which a matter first reaches it."""


class CountyPart(NamePart):
    population: People | None = None
    residents_by_year: dict[Text, People] = Field(default_factory=dict, exclude_if=lambda value: not value)
    """From that year on, for what is counted out of residents; left out: `population`, for ever."""
    neighbours: CodeList = ()
    aliases: TextList = ()
    """Other ways in which a CSV writes it."""
    tile: Annotated[list[TileNumber], Field(min_length=2, max_length=2)] | None = Field(
        default=None, exclude=True, examples=["[2, 0]"]
    )
    """Column and row of its tile on a map of tiles, from the north-west. Shown only: no part of the version."""


class CategoryPart(NamePart):
    family: Code = Field(examples=["city_order"])
    always_page: bool = False
    compartmented: bool = False
    points: CodeList = ()
    """The observation points that it comes from; none named: all."""
    share: Share = 1.0
    aliases: TextList = ()


class DetectorsPart(Part):
    """Who looks at a signal's windows, by their size; none: counted only, for a share to be taken of it."""

    hour: SlugList = ("counts",)
    day: SlugList = ("counts",)
    week: SlugList = ("outbreak", "shift")
    """The set that finds most of what is simulated, at the same rate of false alarms (`make bench-detectors`)."""


def _at_every_size(value: object) -> object:
    """A list, or one name, is for all sizes."""
    if value is None or isinstance(value, dict | DetectorsPart):
        return value
    return dict.fromkeys(DetectorsPart.model_fields, value)


class SignalPart(Part):
    title: Label = Field(examples=["诉求总量"])
    title_en: Label | None = None
    family: Code = Field(examples=["total"])
    measure: MeasureName = "events"
    where: dict[FilterName, TextList] = Field(default_factory=dict)
    sizes: Annotated[tuple[SizeName, ...], OneOrMany, Field(min_length=1)] = Field(examples=["[day, week]"])
    direction: DirectionName = "high"
    minimum_count: Annotated[int, Field(ge=0, le=1_000_000)] = Field(examples=["5"])
    weight: Weight = 1.0
    detectors: Annotated[DetectorsPart, BeforeValidator(_at_every_size)] = Field(
        default=DetectorsPart(), examples=["{day: [counts, shift]}"]
    )
    citywide: bool = False
    compartmented: bool = False
    of: Slug | None = None
    """The signal that this one is a part of: its share is judged."""
    offset: Slug | None = Field(default=None, exclude_if=lambda value: value is None)
    """What it is counted out of: `population`, or a signal that need not contain it. No part of the version where it is
    left out."""
    breaks: DayList = ()
    """Days on which what it counts was filed anew."""
    threshold: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    """From this count on a rule holds."""
    per_residents: Annotated[int, Field(ge=1, le=100_000_000)] | None = None


class ClassPart(Part):
    title: Label = Field(examples=["调休上班"])
    title_en: Label | None = None
    days: TextList = ()


class LocalEventPart(NamePart):
    dates: DaysList = ()
    yearly: YearlyList = ()
    lunar: LunarList = ()
    solar_term: str | None = None
    day_off: bool = False
    """A legal local holiday: offices are closed."""
    counties: CodeList = ()


class OverlayPart(Part):
    source: Label = Field(examples=["国办发明电〔2026〕…号"])
    holidays: dict[Slug, DaysList] = Field(examples=["{spring_festival: 2027-02-05/2027-02-12}"])
    make_up_workdays: DayList = ()


def _classes() -> dict[str, ClassPart]:
    return {
        "ordinary": ClassPart(title="平常日", title_en="Ordinary day"),
        "make_up_workday": ClassPart(title="调休上班", title_en="Make-up workday", days=("make_up_workday",)),
        "holiday_on_weekday": ClassPart(
            title="假日（周一至周五）", title_en="Holiday on a weekday", days=("public_holiday_on_weekday",)
        ),
        "holiday_on_weekend": ClassPart(
            title="假日（周末）", title_en="Holiday on a weekend", days=("public_holiday_on_weekend",)
        ),
    }


class CalendarPart(Part):
    country: str = Field(examples=["CN"])
    subdivision: str | None = None
    classes: dict[Slug, ClassPart] = Field(default_factory=_classes, min_length=1)
    holiday_names: dict[Text, Label] = Field(default_factory=dict)
    """Chinese names of a foreign country's holidays, by their English name."""
    events: dict[Slug, LocalEventPart] = Field(default_factory=dict)
    overlay: dict[Text, OverlayPart] = Field(default_factory=dict)


class SizeWeightsPart(Part):
    hour: Weight = 1.0
    day: Weight = 1.0
    week: Weight = 1.0


class BudgetPart(Part):
    pages_per_week: Annotated[Weight, Field(le=10_000)] = Field(examples=["7"])
    size_weights: SizeWeightsPart = SizeWeightsPart()


class RetentionPart(Part):
    scores: PositiveSpan = 400 * DAY
    corrections: PositiveSpan = 400 * DAY
    rejections: PositiveSpan = 180 * DAY
    tickets: PositiveSpan = 120 * DAY
    # What is kept beside the histories changes nothing that is counted: no part of the version.
    inbox: PositiveSpan = Field(default=180 * DAY, exclude=True)
    receipts: PositiveSpan = Field(default=800 * DAY, exclude=True)


class KindsPart(Part):
    opened: KindName = "accepted"
    closed: KindName = "closed"


class MappingPart(Part):
    """How a row of the city's CSV export becomes events."""

    opened: Text = Field(examples=["created"])
    closed: Text | None = None
    ticket: Text = Field(examples=["id"])
    columns: dict[FieldName, Text] = Field(examples=["{county: area, category: category}"])
    constants: dict[FieldName, Text] = Field(default_factory=dict)
    values: dict[FieldName, dict[Text, Text]] = Field(default_factory=dict)
    otherwise: dict[FieldName, Text] = Field(default_factory=dict)
    kinds: KindsPart = KindsPart()
    zone: ZoneName | None = None
    time_formats: TextList = ()
    delimiter: Annotated[Text, Field(min_length=1, max_length=1)] = ","
    encoding: Annotated[str, one_of(lambda: ("utf-8-sig", "utf-8", "gb18030", "latin-1"))] = "utf-8-sig"


class SimulationPart(Part):
    """What the simulator goes by, beside populations and shares."""

    tickets_per_day: Weight = Field(examples=["1759"])


class ProfilePart(Part):
    """A whole profile."""

    name: Slug = Field(examples=["leshan"])
    code: Code = Field(examples=["511100"])
    title: Label = Field(examples=["乐山市"])
    title_en: Label | None = None
    zone: ZoneName = Field(examples=["Asia/Shanghai"])
    day_start: Clock = Field(default="00:00", validate_default=True)
    allowed_lateness: Span = Field(examples=["2h"])
    dedup_horizon: PositiveSpan = 35 * DAY
    repeat_span: PositiveSpan = 30 * DAY
    privacy_k: Annotated[int, Field(ge=2, le=1000)] = 10
    budget: BudgetPart = Field(examples=["{pages_per_week: 7}"])
    retention: RetentionPart = RetentionPart()
    counties: dict[Code, CountyPart] = Field(min_length=1, examples=['{"511102": {name: 市中区}}'])
    points: dict[Code, PointPart] = Field(min_length=1, examples=["{hotline: {name: 市心连心服务中心}}"])
    sectors: dict[Code, WordPart] = Field(default_factory=dict)
    channels: dict[Code, WordPart] = Field(default_factory=dict)
    families: dict[Code, NamePart] = Field(min_length=1, examples=["{city_order: {name: 城市管理}}"])
    categories: dict[Code, CategoryPart] = Field(
        min_length=1, examples=["{noise: {name: 噪声扰民, family: environment}}"]
    )
    signals: dict[Slug, SignalPart] = Field(
        min_length=1, examples=["{total: {title: 诉求总量, family: all, sizes: day, minimum_count: 5}}"]
    )
    drought_witnesses: SlugList = ()
    """Signals that, being high, corroborate that others are low for want of a way in."""
    calendar: CalendarPart = Field(examples=["{country: CN}"])
    mapping: MappingPart | None = None
    simulation: SimulationPart | None = None
