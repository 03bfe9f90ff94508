"""Threats to life: one alert a ticket, at once, late or not, beside everything else."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.alert import Joined, Raised, Severity, Shape
from streams.core.alert_log import alert_log
from streams.core.instant import DAY, HOUR, MINUTE, Instant
from streams.core.judge_state import JudgeState, snapshot
from streams.core.outputs import AlwaysPage
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen

NINE = MONDAY + 9 * HOUR


def threat(event: str = "e1", ticket: str | None = "t1", at: Instant = NINE, county: str = "east") -> AlwaysPage:
    return AlwaysPage(event, ticket, at, county, "threat", "hotline")


def test_it_pages_at_once_and_critically() -> None:
    court = Courtroom()
    court.hear(threat())
    (raised,) = court.raised
    assert (raised.at, raised.county, raised.family) == (NINE, "east", "safety")
    assert raised.severity is Severity.CRITICAL
    case = raised.evidence
    assert (case.shape, case.signal, case.ticket, case.p, case.level) == (Shape.ALWAYS_PAGE, "threat", "t1", None, None)


def test_one_alert_a_ticket() -> None:
    court = Courtroom()
    court.hear(threat("e1"))
    assert court.hear(threat("e2", at=NINE + 5 * MINUTE)) == []
    assert court.hear(threat("e1")) == []
    court.hear(threat("e3", ticket="t2"))
    court.hear(threat("e4", county="west"))
    assert len(court.raised) == 3


def test_without_a_ticket_every_event_is_its_own() -> None:
    court = Courtroom()
    court.hear(threat("e1", ticket=None))
    court.hear(threat("e2", ticket=None))
    assert court.hear(threat("e1", ticket=None)) == []
    assert len(court.raised) == 2


def test_a_late_one_pages_too() -> None:
    court = Courtroom()
    court.quiet(MONDAY, 200)
    court.hear(threat(at=MONDAY - 20 * DAY))
    assert [one.at for one in court.raised] == [MONDAY - 20 * DAY]


def test_it_touches_nothing_else() -> None:
    plain, other = Courtroom(), Courtroom()
    burst = {("noise", "east"): Seen(58, 21.0, LEVEL / 4)}
    for court in (plain, other):
        for n in range(40):
            if court is other:
                court.hear(threat(f"e{n}", f"t{n}", MONDAY + n * HOUR))
            court.hour(MONDAY + (n + 1) * HOUR, burst if n == 8 else {})
    ordinary = [one for one in other.made if not isinstance(one, Raised) or one.family != "safety"]
    assert ordinary == plain.made
    assert other.state.open == plain.state.open
    assert other.state.account == plain.state.account


def test_an_earlier_event_of_the_ticket_joins_it() -> None:
    court = Courtroom()
    court.hear(threat("e2", at=NINE))
    (joined,) = court.hear(threat("e1", at=NINE - HOUR))
    assert isinstance(joined, Joined)
    assert joined.at == NINE  # never before its alert
    assert joined.evidence.window_end == NINE - HOUR
    assert court.hear(threat("e3", at=NINE - HOUR)) == []


def test_tickets_are_forgotten_after_the_horizon() -> None:
    court = Courtroom()
    for n in range(200):
        court.hear(threat(f"e{n}", f"t{n}", MONDAY + n * DAY))
    court.hour(MONDAY + 199 * DAY)
    kept = sum(len(pages) for pages in court.state.tickets.values())
    assert kept == court.city.dedup_horizon // DAY + 1
    assert len(snapshot(court.state)) < 10_000


def test_a_ticket_that_comes_back_after_it_was_forgotten_has_its_old_id() -> None:
    court = Courtroom()
    court.hear(threat())
    court.hour(MONDAY + 89 * DAY)
    court.hear(threat("e9", at=NINE + 90 * DAY))
    first, again = court.raised
    assert first.alert == again.alert
    assert len(alert_log(court.made).splitlines()) == 1


def test_a_partition_that_is_a_year_ahead_makes_nobody_forget_the_others_tickets() -> None:
    """Only window ends, which every county has reached, say what is past."""
    straight, ahead = Courtroom(), Courtroom()
    events = [threat("e2", at=NINE), threat("e1", at=NINE - HOUR)]
    far = threat("f", "t9", NINE + 365 * DAY, "west")
    for court, order in ((straight, [*events, far]), (ahead, [events[0], far, events[1]])):
        for event in order:
            court.hear(event)
    assert alert_log(ahead.made) == alert_log(straight.made)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(["t1", "t2", None]), st.sampled_from(["east", "west"])),
        min_size=1,
        max_size=4,
    )
)
def test_the_log_does_not_depend_on_the_order_of_arrival(drawn: list[tuple[int, str | None, str]]) -> None:
    events = [threat(f"e{n}", ticket, NINE + m * MINUTE, county) for n, (m, ticket, county) in enumerate(drawn)]
    logs = set()
    court = Courtroom()
    for order in permutations(events):
        court.state, court.made = JudgeState(), []
        for event in order:
            court.hear(event)
        logs.add(alert_log(court.made))
    assert len(logs) == 1
