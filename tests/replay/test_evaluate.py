"""Found, missed, false: by the definitions, at their edges."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.alert import Ended, Evidence, Joined, Raised, Severity, Shape, Transition
from streams.core.city import City
from streams.core.instant import DAY, HOUR, WEEK, Instant
from streams.replay.evaluate import GRACE, Evaluation, evaluate
from streams.replay.labels import Label
from tests.replay.river_town import river_town

START = 1_700_000_000_000_000 // DAY * DAY
WARM = START + 4 * WEEK
END = START + 14 * WEEK
BURST = Label("b", "burst", ("101", "102"), "noise", ("order", "total"), WARM + WEEK, WARM + WEEK + DAY, 40)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return river_town(tmp_path_factory.mktemp("town")).city


def evidence(signal: str = "order", shape: Shape = Shape.BURST, county: str = "") -> Evidence:
    return Evidence(
        signal=signal, size="day", detector="counts", detector_version="1", profile_version="1", window_start=0,
        window_end=1, known_at=1, shape=shape, direction="high", count=9, expected=1.0, low=0.0, high=3.0, p=0.001,
        level=0.01, history=(), calendar=(), by_category=(), by_point=(), county=county,
    )  # fmt: skip


def page(at: Instant, county: str = "101", signal: str = "order", shape: Shape = Shape.BURST) -> Raised:
    return Raised(f"{at}-{county}-{signal}", at, county, "order", Severity.WARNING, evidence(signal, shape))


def judged(city: City, *transitions: Transition, labels: tuple[Label, ...] = (BURST,)) -> Evaluation:
    return evaluate(transitions, labels, city, WARM, END)


def test_an_incident_is_found_by_the_first_page_on_its_county_and_signal(city: City) -> None:
    first, second = page(BURST.start + 30 * HOUR), page(BURST.start + 60 * HOUR, "102", "total")
    told = judged(city, second, first)
    assert (told.incidents, told.found, told.median_delay_hours) == (1, 1, 30.0)
    assert told.verdicts[0].alert == first.alert
    assert told.false_pages == 0


@pytest.mark.parametrize(
    ("after_start", "is_found"), [(-1, False), (0, True), (DAY + GRACE, True), (DAY + GRACE + 1, False)]
)
def test_a_page_finds_an_incident_from_its_start_to_seven_days_after_its_end(
    city: City, after_start: int, is_found: bool
) -> None:
    told = judged(city, page(BURST.start + after_start))
    assert told.found == is_found
    assert told.false_pages == (not is_found)


def test_another_county_is_a_false_page_and_another_signal_finds_nothing_but_is_not_false(city: City) -> None:
    elsewhere = judged(city, page(BURST.start + DAY, county="103"))
    assert (elsewhere.found, elsewhere.false_pages) == (0, 1)
    assert elsewhere.false[0].county == "103"
    other = judged(city, page(BURST.start + DAY, signal="work"))
    assert (other.found, other.false_pages) == (0, 0)


def test_a_signal_that_joined_counts_as_the_alerts_own(city: City) -> None:
    raised = page(BURST.start + DAY, signal="work")
    told = judged(city, raised, Joined(raised.alert, raised.at + DAY, evidence("total")), Ended(raised.alert, END, ()))
    assert (told.found, told.median_delay_hours) == (1, 24.0)


def test_a_whole_city_alert_is_on_every_county(city: City) -> None:
    told = judged(city, page(BURST.start + DAY, county=city.code))
    assert (told.found, told.false_pages) == (1, 0)
    late = judged(city, page(BURST.end + GRACE + DAY, county=city.code))
    assert (late.found, late.false_pages) == (0, 1)
    assert late.by_county[-1].name == city.code


def test_threats_to_life_are_no_pages(city: City) -> None:
    told = judged(city, page(BURST.start + DAY, shape=Shape.ALWAYS_PAGE), page(END - DAY, shape=Shape.ALWAYS_PAGE))
    assert (told.found, told.pages, told.false_pages, told.always_page) == (0, 0, 0, 2)


def test_weeks_and_false_pages_count_after_warm_up(city: City) -> None:
    told = judged(city, page(WARM - 1), page(WARM), page(END - 1), labels=())
    assert (told.pages, told.false_pages, told.weeks, told.false_pages_per_week) == (3, 2, 10.0, 0.2)
    assert told.budget_per_week == city.budget_per_week
    short = evaluate([], [], city, WARM, WARM - DAY)
    assert (short.weeks, short.false_pages_per_week, short.median_delay_hours) == (0.0, None, None)


def test_what_was_missed_says_why_it_may_have_been(city: City) -> None:
    early = msgspec.structs.replace(BURST, id="early", start=START, end=START + DAY)
    beyond = msgspec.structs.replace(BURST, id="beyond", start=END, end=END + DAY)
    told = judged(city, labels=(early, BURST, beyond))
    assert [verdict.outcome for verdict in told.verdicts] == ["warming_up", "missed", "not_reached"]
    assert (told.incidents, told.found) == (3, 0)


def test_figures_per_shape_and_county_add_up(city: City) -> None:
    shift = msgspec.structs.replace(BURST, id="s", shape="shift", counties=("103",), end=BURST.start + 4 * WEEK)
    told = judged(city, page(BURST.start + DAY), page(BURST.start + DAY, "104"), labels=(BURST, shift))
    assert [(g.name, g.incidents, g.found) for g in told.by_shape] == [("burst", 1, 1), ("shift", 1, 0)]
    assert [(g.name, g.incidents, g.found, g.false_pages) for g in told.by_county] == [
        ("101", 1, 1, 0),
        ("102", 1, 1, 0),
        ("103", 1, 0, 0),
        ("104", 0, 0, 1),
    ]


def test_the_median_is_over_what_was_found(city: City) -> None:
    labels = tuple(
        msgspec.structs.replace(BURST, id=str(i), start=WARM + 2 * i * WEEK, end=WARM + 2 * i * WEEK + DAY)
        for i in range(4)
    )
    pages = [page(label.start + hours * HOUR) for label, hours in zip(labels, (10, 20, 50), strict=False)]
    assert judged(city, *pages, labels=labels).median_delay_hours == 20.0


def test_the_document_is_json_with_the_keys_that_harnesses_read(city: City) -> None:
    told = judged(city, page(BURST.start + DAY), page(END - DAY, "104"))
    document = msgspec.json.decode(msgspec.json.encode(told.document(city)))
    assert {"incidents", "found", "median_delay_hours", "false_pages_per_week", "budget_per_week"} <= set(document)
    assert document["labels"][0]["delay_hours"] == 24.0
    assert document["false"][0]["county"] == "104"
    assert document["labels"][0]["start"].endswith("+08:00")


@given(data=st.data())
def test_the_order_and_repetition_of_transitions_do_not_matter(data: st.DataObject, city: City) -> None:
    pages = [page(BURST.start + i * 7 * HOUR, county) for i, county in enumerate(("101", "104", city.code, "102"))]
    joins = [Joined(one.alert, one.at + HOUR, evidence("repeats")) for one in pages]
    transitions: list[Transition] = [*pages, *joins]
    shuffled = data.draw(st.permutations([*transitions, *data.draw(st.lists(st.sampled_from(transitions)))]))
    assert judged(city, *shuffled) == judged(city, *transitions)


def test_an_evaluation_needs_no_more_of_a_city_than_its_counties_code_and_budget(city: City, tmp_path: Path) -> None:
    poorer = replace(city, signals=(), categories=())
    assert judged(poorer, page(BURST.start)) == judged(city, page(BURST.start))
