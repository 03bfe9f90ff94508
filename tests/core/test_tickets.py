"""Tickets: what is open and since when, whether it was closed on time; and whatever comes late ends up the same."""

from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.county_metrics import rate
from streams.core.event import KINDS
from streams.core.instant import DAY, HOUR, Duration, Instant
from streams.core.tickets import (
    CLOSING_KINDS,
    OPENING_KINDS,
    REOPENING_KINDS,
    STEP_KINDS,
    Backlog,
    Role,
    role_of,
)
from tests.core import plain_tickets
from tests.core.flat_books import COUNTIES, Repeats, Tickets, fresh
from tests.core.towns import START

A = "a" * 32
B = "b" * 32


class Step(NamedTuple):
    """One step of a ticket's life: what, when, and the due time it sets."""

    kind: str
    at: Instant
    due: Instant | None = None
    ticket: str = A
    id: str = ""


def taken(*steps: Step, into: Tickets | None = None) -> tuple[Tickets, list[bool | None]]:
    """Tickets after some steps, in the order given, and what each step said of being on time."""
    tickets = Tickets() if into is None else into
    said = []
    for number, step in enumerate(steps):
        said.append(tickets.take(step.at, role_of(step.kind), step.ticket, step.id or f"{number:032x}", step.due))
    return tickets, said


def hour(n: float) -> Instant:
    return START + int(n * HOUR)


# ---- on time, against the due clock ----


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_closed_by_its_due_time_is_on_time(late: Duration) -> None:
    _, said = taken(Step("accepted", hour(0), due=hour(5)), Step("closed", hour(5) + late))
    assert said == [None, late <= 0]


def test_a_closing_without_a_due_time_is_neither_on_time_nor_late() -> None:
    assert taken(Step("accepted", hour(0)), Step("closed", hour(5)))[1] == [None, None]


def test_an_extension_moves_the_due_time() -> None:
    opened, extended = Step("accepted", hour(0), due=hour(5)), Step("extended", hour(4), due=hour(9))
    assert taken(opened, extended, Step("closed", hour(8)))[1][-1] is True
    assert taken(opened, extended, Step("closed", hour(10)))[1][-1] is False
    assert taken(opened, Step("extended", hour(4)), Step("closed", hour(5)))[1][-1] is True


def test_a_shorter_clock_counts_too() -> None:
    steps = Step("accepted", hour(0), due=hour(9)), Step("extended", hour(1), due=hour(2)), Step("closed", hour(3))
    assert taken(*steps)[1][-1] is False


def test_a_reopened_ticket_has_a_clock_of_its_own() -> None:
    first = Step("accepted", hour(0), due=hour(5)), Step("closed", hour(6))
    again = Step("reopened", hour(7), due=hour(12))
    assert taken(*first, again, Step("closed", hour(11)))[1] == [None, False, None, True]
    assert taken(*first, again, Step("closed", hour(13)))[1] == [None, False, None, False]


def test_a_ticket_is_closed_once_until_it_is_reopened() -> None:
    steps = Step("accepted", hour(0), due=hour(5)), Step("closed", hour(1)), Step("closed", hour(9))
    assert taken(*steps)[1] == [None, True, None]


def test_a_second_opening_does_not_move_the_due_time_but_gives_one_where_there_was_none() -> None:
    steps = Step("accepted", hour(0), due=hour(5)), Step("accepted", hour(1), due=hour(9)), Step("closed", hour(7))
    assert taken(*steps)[1][-1] is False
    assert taken(Step("accepted", hour(0)), *steps[1:])[1][-1] is True


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("accepted", "closed"),
        ("petition_filed", "petition_answered"),
        ("inspection_finding", "inspection_rectified"),
        ("supervision_task", "supervision_finished"),
        ("discipline_clue", "discipline_closed"),
    ],
)
def test_every_desk_opens_and_closes_its_tickets(opening: str, closing: str) -> None:
    tickets, said = taken(Step(opening, hour(0), due=hour(5)))
    assert tickets.backlog(hour(1)).open == 1
    tickets, said = taken(Step(closing, hour(2)), into=tickets)
    assert said == [True]
    assert tickets.backlog(hour(3)).open == 0


def test_all_other_kinds_leave_tickets_alone() -> None:
    others = sorted(set(KINDS) - STEP_KINDS | {"opinion_post"})
    tickets, said = taken(*(Step(kind, hour(n)) for n, kind in enumerate(others)))
    assert said == [None] * len(others)
    assert (tickets.open, tickets.done) == ({}, {})


def test_a_step_without_a_ticket_opens_none() -> None:
    tickets = Tickets()
    assert tickets.take(START, Role.OPENING, None, "1", None) is None
    assert tickets.open == {}


# ---- backlog ----


def test_an_empty_backlog_has_no_age() -> None:
    assert Tickets().backlog(START) == Backlog(0, 0, None)


def test_the_backlog_is_what_is_open_what_is_overdue_and_its_median_age() -> None:
    ages = [1, 2, 30]
    tickets, _ = taken(
        *(Step("accepted", hour(-age), due=hour(-age + 5), ticket=f"{age:032}") for age in ages),
        Step("accepted", hour(-50), ticket=A),
        Step("closed", hour(-1), ticket=A),
    )
    assert tickets.backlog(hour(0)) == Backlog(3, 1, 2.0)
    assert tickets.backlog(hour(3)).overdue == 1  # two are due at this very instant
    assert tickets.backlog(hour(3) + 1).overdue == 2
    tickets, _ = taken(Step("accepted", hour(-4), ticket=B), into=tickets)
    assert tickets.backlog(hour(0)).median_age_hours == 3.0


def test_a_reopened_ticket_is_as_old_as_its_first_opening() -> None:
    tickets, _ = taken(Step("accepted", hour(-9)), Step("closed", hour(-5)), Step("reopened", hour(-1)))
    assert tickets.backlog(hour(0)) == Backlog(1, 0, 9.0)


def test_a_rate_of_nothing_is_no_data() -> None:
    assert rate(0, 0) is None
    assert rate(0, 5) == 0.0


# ---- late steps ----


def shown(tickets: Tickets) -> list[tuple[str, bool, Instant, Instant | None]]:
    """(ticket, whether it is open, since when, due when)."""
    known = [(name, True, ticket) for name, ticket in tickets.open.items()]
    known += [(name, False, ticket) for name, ticket in tickets.done.items()]
    assert len({name for name, _, _ in known}) == len(known)
    return sorted((name, is_open, ticket.opened, ticket.due) for name, is_open, ticket in known)


lives = st.lists(
    st.tuples(
        st.sampled_from(["accepted", "closed", "reopened", "extended"]),
        st.integers(0, 6),
        st.none() | st.integers(0, 20),
    ),
    max_size=7,
)


@given(lives, st.randoms(use_true_random=False), st.none() | st.integers(1, 20))
def test_late_steps_lead_where_they_would_have_led_in_order(
    life: list[tuple[str, int, int | None]], shuffle: st.DataObject, first_due: int | None
) -> None:
    """Of a ticket that is known: its first step is its opening. Many steps fall on the same instant."""
    ids = count(1)
    opening = Step("accepted", hour(0), None if first_due is None else hour(first_due), id=f"{0:032}")
    later = [Step(kind, hour(at), None if due is None else hour(due), id=f"{next(ids):032}") for kind, at, due in life]
    in_order = sorted(later, key=lambda step: (step.at, step.id))
    shuffle.shuffle(later)  # type: ignore[attr-defined]
    assert shown(taken(opening, *later)[0]) == shown(taken(opening, *in_order)[0])


@given(lives, st.randoms(use_true_random=False))
def test_a_late_opening_makes_its_ticket_what_it_would_have_been(
    life: list[tuple[str, int, int | None]], shuffle: st.DataObject
) -> None:
    """Closings and reopenings are kept for a ticket that nobody has heard of; extensions need one that is known."""
    ids = count(1)
    steps = [Step("accepted", hour(0), hour(3), id=f"{0:032}")]
    steps += [
        Step(kind, hour(at), None if due is None else hour(due), id=f"{next(ids):032}")
        for kind, at, due in life
        if kind != "extended"
    ]
    in_order = sorted(steps, key=lambda step: (step.at, step.id))
    shuffle.shuffle(steps)  # type: ignore[attr-defined]
    assert shown(taken(*steps)[0]) == shown(taken(*in_order)[0])


def test_a_closing_whose_clock_ran_behind_the_openings_still_closes() -> None:
    for id_of_closing in ("0" * 32, "f" * 32):
        for at in (hour(1), hour(1) - 1):
            steps = Step("accepted", hour(1), id="5" * 32), Step("closed", at, id=id_of_closing)
            assert taken(*steps)[0].open == taken(*reversed(steps))[0].open == {}


def test_a_late_reopening_does_not_open_what_was_closed_again_since() -> None:
    steps = [Step("accepted", hour(0)), Step("closed", hour(2)), Step("closed", hour(4)), Step("reopened", hour(3))]
    assert taken(*steps)[0].backlog(hour(5)).open == 0


def test_of_two_extensions_at_one_instant_the_greater_id_counts_whichever_comes_first() -> None:
    opened, one, other = (
        Step("accepted", hour(0)),
        Step("extended", hour(1), hour(5), id="1"),
        Step("extended", hour(1), hour(7), id="2"),
    )
    for steps in ((opened, one, other), (opened, other, one)):
        assert taken(*steps)[0].open[A].due == hour(7)


def test_a_late_closing_older_than_the_reopening_closes_nothing() -> None:
    steps = [Step("accepted", hour(0)), Step("reopened", hour(3)), Step("closed", hour(2))]
    tickets, said = taken(*steps)
    assert tickets.backlog(hour(5)).open == 1
    assert said[-1] is None


def test_the_kinds_of_steps_do_not_overlap() -> None:
    groups = [OPENING_KINDS, CLOSING_KINDS, REOPENING_KINDS, {"extended", "opinion_post"}]
    assert sum(map(len, groups)) == len(STEP_KINDS)


# ---- bounded memory ----


def test_memory_is_bounded_by_what_is_kept_for_how_long() -> None:
    """A year: 5 tickets a day, of which 2 stay open for ever, 1 is closed by somebody who never opened it; one
    old ticket is reopened again and again, one comes a week late."""
    tickets = Tickets()
    for day in range(365):
        now = START + day * DAY
        for n in range(5):
            name = f"{day:016}{n:016}"
            if n != 4:
                taken(Step("accepted", now - (7 * DAY if n == 3 else 0), ticket=name), into=tickets)
            if n > 1:
                taken(Step("closed", now + HOUR, ticket=name), into=tickets)
        taken(Step("reopened", now, ticket=A, id=f"{day:032}"), into=tickets)
        tickets.forget(now + DAY - 10 * DAY, now + DAY - 30 * DAY)
        assert len(tickets.done) <= 3 * 10
        assert len(tickets.open) <= 2 * 30 + 1
    assert A in tickets.open


def test_what_is_touched_is_not_forgotten_and_what_is_not_is() -> None:
    tickets, _ = taken(Step("accepted", hour(0)), Step("accepted", hour(1), ticket=B), Step("reopened", hour(9)))
    tickets.forget(hour(5), hour(5))
    assert list(tickets.open) == [A]


# ---- repeats ----


@pytest.mark.parametrize(("later", "repeat"), [(0, True), (30 * DAY, True), (30 * DAY + 1, False)])
def test_a_caller_who_raises_a_matter_again_within_the_span_is_a_repeat(later: Duration, repeat: bool) -> None:
    repeats = Repeats(30 * DAY)
    assert not repeats.take(START, A, B)
    assert repeats.take(START + later, A, B) is repeat
    assert not repeats.take(START + later, B, B)
    assert not repeats.take(START + later, A, A)


def test_the_span_runs_from_the_last_time_not_from_the_first() -> None:
    repeats = Repeats(30 * DAY)
    assert [repeats.take(START + n * 20 * DAY, A, B) for n in range(4)] == [False, True, True, True]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 2), st.integers(0, 2)), max_size=60))
def test_forgetting_what_is_past_the_span_changes_nothing(calls: list[tuple[int, int, int]]) -> None:
    keeps, forgets = Repeats(30 * DAY), Repeats(30 * DAY)
    for day, caller, matter in sorted(calls):
        at = START + day * DAY
        forgets.forget(at - 30 * DAY)
        assert keeps.take(at, str(caller), str(matter)) == forgets.take(at, str(caller), str(matter))
        assert all(last >= at - 30 * DAY for last in forgets.last.values())


# ---- against the same in dicts ----

texts = st.one_of(
    st.integers(0, 4).map(str), st.integers(0, 3).map("{:032}".format), st.sampled_from(["é", "马", "x" * 128])
)
happenings = st.lists(
    st.tuples(
        st.integers(0, COUNTIES - 1),
        st.integers(0, 40),
        st.sampled_from(["accepted", "closed", "reopened", "extended", "opinion_post"]),
        st.none() | texts,
        st.none() | st.integers(0, 60),
    ),
    max_size=60,
)


@given(happenings, st.lists(st.tuples(st.integers(0, 59), st.integers(0, 40), st.integers(0, 40)), max_size=4))
def test_flat_tickets_say_what_tickets_in_dicts_say(
    steps: list[tuple[int, int, str, str | None, int | None]], forgets: list[tuple[int, int, int]]
) -> None:
    """Of several counties, in any order, with the same instants, forgetting in between, and after a restart."""
    books = fresh()
    flat = [Tickets(books, county) for county in range(COUNTIES)]
    plain = [plain_tickets.Tickets() for _ in range(COUNTIES)]
    for number, (county, at, kind, name, due) in enumerate(steps):
        step = hour(at), role_of(kind), name, f"{number * 7 % 60:02}", None if due is None else hour(due)
        assert flat[county].take(*step) == plain[county].take(*step)
        for when, closed, opened in forgets:
            if when == number:
                for ours, theirs in zip(flat, plain, strict=True):
                    ours.forget(hour(closed), hour(opened))
                    theirs.forget(hour(closed), hour(opened))
    again = fresh()
    for county, (ours, theirs) in enumerate(zip(flat, plain, strict=True)):
        assert list(ours.open.items()) == list(theirs.open.items())
        assert list(ours.done.items()) == list(theirs.done.items())
        assert ours.backlog(hour(30)) == theirs.backlog(hour(30))
        state = books.state(county)
        again.restore(county, books.steps(county), state)
        assert again.state(county) == state
        assert list(Tickets(again, county).done.items()) == list(theirs.done.items())


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.none() | texts, st.none() | texts), max_size=12), max_size=8))
def test_flat_repeats_say_what_repeats_in_dicts_say(days: list[list[tuple[int, str | None, str | None]]]) -> None:
    """Calls of an hour come in any order; many are at the same instant."""
    flat, plain = Repeats(3 * DAY), plain_tickets.Repeats(3 * DAY)
    for day, calls in enumerate(days):
        now = START + day * DAY
        expected = 0
        for at, caller, matter in sorted(calls, key=lambda call: call[0]):
            if caller is not None and matter is not None:
                expected += plain.take(now + at, caller, matter)
        assert flat.take_all([(now + at, caller, matter) for at, caller, matter in calls]) == expected
        flat.forget(now - 3 * DAY)
        plain.forget(now - 3 * DAY)
        assert list(flat.last.items()) == list(plain.last.items())
