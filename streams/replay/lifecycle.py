"""What happens to a ticket after it came in: the steps of the hotline, and of the other observation points.

Vectorised: all tickets of one batch take their steps at once. Times are whole seconds since the epoch.
Durations are tables of quantiles, in the unit that their name says.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.core.event import KINDS, OUTCOMES
from streams.replay.draws import Draws, Flags, Numbers, Quantiles, Whole

MOST_STEPS = 32
"""Steps per ticket, at most: an event's number is ticket * MOST_STEPS + step."""

ROW = np.dtype(
    [
        ("received", np.int64),  # milliseconds
        ("at", np.int64),  # seconds
        ("due", np.int64),  # seconds; 0: none
        ("ticket", np.uint64),
        ("caller", np.uint64),  # 0: none
        ("matter", np.uint64),
        ("county", np.int16),
        ("stream", np.int16),
        ("step", np.int16),
        ("kind", np.int16),
        ("channel", np.int16),  # -1: none
        ("sector", np.int16),
        ("outcome", np.int16),
    ]
)
"""One event, words as indices into the city's lists."""
Rows = NDArray[np.void]

_KIND = {kind: number for number, kind in enumerate(KINDS)}
_OUTCOME = {outcome: number for number, outcome in enumerate(OUTCOMES)}

_DISPATCH_MINUTES: Quantiles = ((0, 1), (0.5, 12), (0.9, 90), (1, 600))
_SIGN_MINUTES: Quantiles = ((0, 2), (0.5, 60), (0.9, 480), (1, 2000))
_RETURN_MINUTES: Quantiles = ((0, 20), (0.5, 180), (0.9, 900), (1, 2600))
_DIRECT_MINUTES: Quantiles = ((0, 1), (0.7, 8), (1, 45))
_WORK_SHARE: Quantiles = ((0, 0.02), (0.3, 0.2), (0.6, 0.5), (0.9, 0.95), (0.97, 1.15), (1, 2.2))
"""Time to the reply as a share of the time allowed: nine in ten are on time."""
_CALL_BACK_MINUTES: Quantiles = ((0, 30), (0.5, 480), (0.9, 2400), (1, 7200))
_CLOSE_MINUTES: Quantiles = ((0, 1), (0.5, 30), (0.9, 300), (1, 1440))
_REOPEN_MINUTES: Quantiles = ((0, 60), (0.5, 1440), (1, 7200))
_DUE_DAYS = (1, 3, 5, 10)
_DUE_SHARES = (0.15, 0.30, 0.40, 0.15)
_OUTCOMES = ("satisfied", "basically_satisfied", "dissatisfied", "unsolved", "no_response", "unreachable")
_OUTCOME_SHARES = (0.62, 0.15, 0.055, 0.05, 0.02, 0.105)
_SATISFIED = (_OUTCOME_SHARES[0] + _OUTCOME_SHARES[1]) / (1.0 - _OUTCOME_SHARES[5])
"""Of valid answers."""
_SECOND_OUTCOME_SHARES = (0.45, 0.25, 0.10, 0.08, 0.02, 0.10)
_DIRECT, _RETURNED, _EXTENDED, _CALLED_BACK, _REOPENED = 0.24, 0.06, 0.05, 0.93, 0.5

_SECONDS_A_DAY = 86_400
_MORNING, _EVENING, _MORNING_RUSH = 8 * 3600, 20 * 3600, 90 * 60


class Tickets(NamedTuple):
    """Tickets of one batch, arrays of one length."""

    number: Numbers
    at: Whole
    """When they came in, seconds."""
    county: Whole
    stream: Whole
    channel: Whole
    sector: Whole
    caller: Numbers
    matter: Numbers
    offset: Whole
    """The zone's offset, seconds: offices keep local hours."""

    def take(self, which: Flags | Whole) -> "Tickets":
        """Some of them."""
        return Tickets(
            self.number[which],
            self.at[which],
            self.county[which],
            self.stream[which],
            self.channel[which],
            self.sector[which],
            self.caller[which],
            self.matter[which],
            self.offset[which],
        )


class _Steps:
    """Collects the rows of tickets that go the same way."""

    def __init__(self, tickets: Tickets, draws: Draws) -> None:
        self.tickets = tickets
        self.draws = draws
        self.rows: list[Rows] = []
        self._step = 0

    def add(
        self, kind: str, at: Whole, which: Whole, *, due: Whole | None = None, outcome: Whole | None = None
    ) -> None:
        """One step of the tickets `which`; the arrays are as long as `which`."""
        row = np.zeros(len(which), ROW)
        tickets = self.tickets
        row["at"], row["ticket"] = at, tickets.number[which]
        row["county"], row["stream"], row["sector"] = (
            tickets.county[which],
            tickets.stream[which],
            tickets.sector[which],
        )
        row["step"], row["kind"] = self._step, _KIND[kind]
        row["channel"], row["outcome"] = -1, -1
        if self._step == 0:
            row["caller"], row["matter"] = tickets.caller[which], tickets.matter[which]
            row["channel"] = tickets.channel[which]
        if due is not None:
            row["due"] = due
        if outcome is not None:
            row["outcome"] = outcome
        self._step += 1
        self.rows.append(row)

    def chosen(self, which: Whole, probability: float) -> Flags:
        """A draw for each of `which`."""
        return self.draws.chance(len(which), probability)

    def after(self, at: Whole, which: Whole, minutes: Quantiles) -> Whole:
        """Some time later, in office hours."""
        later = at + 1 + self.draws.times(minutes, len(which), 60)
        rush = self.draws.whole(0, _MORNING_RUSH, len(which))
        second = (later + self.tickets.offset[which]) % _SECONDS_A_DAY
        wait = np.where(second < _MORNING, _MORNING - second + rush, 0)
        wait = np.where(second >= _EVENING, _SECONDS_A_DAY + _MORNING - second + rush, wait)
        return later + wait


def dissatisfied(rows: Rows, asked: Flags, points: float, draws: Draws) -> Flags:
    """Of the answers `asked`, which satisfied ones are to become dissatisfied ones, so that the satisfied share of the
    valid ones falls by `points` (0.15: by 15 of a hundred)."""
    satisfied = np.isin(rows["outcome"], (_OUTCOME["satisfied"], _OUTCOME["basically_satisfied"]))
    return asked & satisfied & draws.chance(len(rows), points / _SATISFIED)


def joined(parts: Sequence[Rows]) -> Rows:
    """Some rows behind each other; numpy's own concatenation of records looks at every field of every part."""
    if not parts:
        return np.zeros(0, ROW)
    plain = np.dtype((np.void, ROW.itemsize))
    return np.concatenate([part.view(plain) for part in parts]).view(ROW)


def steps_of(tickets: Tickets, intake: Whole, draws: Draws) -> Rows:
    """All events that ever come of some tickets; `intake[i]` is the kind (an index) that ticket i came in by."""
    rows: list[Rows] = []
    for kind, live in _LIVES.items():
        # Every way of life draws from a stream of its own length, in a fixed order.
        mine = tickets.take(intake == _KIND[kind])
        if len(mine.number):
            steps = _Steps(mine, draws)
            live(steps)
            rows += steps.rows
    return joined(rows)


def _hotline(steps: _Steps) -> None:
    tickets, draws = steps.tickets, steps.draws
    everyone = np.arange(len(tickets.number))
    direct = steps.chosen(everyone, _DIRECT)
    days = np.array(_DUE_DAYS)[draws.pick(_DUE_SHARES, len(everyone))]
    due = np.where(direct, 0, tickets.at + days * _SECONDS_A_DAY)
    steps.add("accepted", tickets.at, everyone, due=due)
    # A question answered on the phone is closed by who took the call.
    answered = everyone[direct]
    steps.add("closed", tickets.at[answered] + 30 + draws.times(_DIRECT_MINUTES, len(answered), 60), answered)
    which = everyone[~direct]
    due = due[which]
    at = steps.after(tickets.at[which], which, _DISPATCH_MINUTES)
    steps.add("dispatched", at, which)
    back = steps.chosen(which, _RETURNED)
    again = steps.after(at[back], which[back], _RETURN_MINUTES)
    steps.add("returned", again, which[back])
    again = steps.after(again, which[back], _DISPATCH_MINUTES)
    steps.add("dispatched", again, which[back])
    at[back] = again
    at = steps.after(at, which, _SIGN_MINUTES)
    steps.add("signed", at, which)
    allowed = due - tickets.at[which]
    worked = tickets.at[which] + (draws.times(_WORK_SHARE, len(which), 1000) * allowed) // 1000
    longer = steps.chosen(which, _EXTENDED)
    asked = np.maximum(at[longer], due[longer] - allowed[longer] // 5)
    more = np.maximum(asked, due[longer]) + np.array(_DUE_DAYS)[draws.pick(_DUE_SHARES, len(asked))] * _SECONDS_A_DAY
    steps.add("extended", asked, which[longer], due=more)
    worked[longer] = asked + (draws.times(_WORK_SHARE, len(asked), 1000) * (more - asked)) // 1000
    _replied_to_closed(steps, np.maximum(at + 300, worked), which, _OUTCOME_SHARES, again=True)


def _replied_to_closed(steps: _Steps, at: Whole, which: Whole, shares: tuple[float, ...], *, again: bool) -> None:
    """From the reply on; a caller who was not content may be taken up again, once."""
    draws = steps.draws
    steps.add("replied", at, which)
    called = steps.chosen(which, _CALLED_BACK)
    heard = np.array([_OUTCOME[name] for name in _OUTCOMES])[draws.pick(shares, int(called.sum()))]
    back_at = steps.after(at[called], which[called], _CALL_BACK_MINUTES)
    steps.add("called_back", back_at, which[called], outcome=heard)
    at = at.copy()
    at[called] = back_at
    at = at + 60 + draws.times(_CLOSE_MINUTES, len(which), 60)
    steps.add("closed", at, which)
    if not again:
        return
    unhappy = np.zeros(len(which), np.bool_)
    unhappy[called] = (heard == _OUTCOME["dissatisfied"]) | (heard == _OUTCOME["unsolved"])
    unhappy &= steps.chosen(which, _REOPENED)
    redone = which[unhappy]
    at = steps.after(at[unhappy], redone, _REOPEN_MINUTES)
    allowed = np.full(len(redone), 5 * _SECONDS_A_DAY)
    steps.add("reopened", at, redone, due=at + allowed)
    sent = steps.after(at, redone, _DISPATCH_MINUTES)
    steps.add("dispatched", sent, redone)
    worked = at + (draws.times(_WORK_SHARE, len(redone), 1000) * allowed) // 1000
    _replied_to_closed(steps, np.maximum(sent + 300, worked), redone, _SECOND_OUTCOME_SHARES, again=False)


def _days(*quantiles: tuple[float, float]) -> Quantiles:
    return tuple((p, days * 1440) for p, days in quantiles)


_TRANSFER = _days((0, 0.1), (0.5, 4), (0.95, 14), (1, 22))
_OBJECT = _days((0, 0.5), (1, 6))
_ANSWER = _days((0, 4), (0.5, 32), (0.9, 56), (1, 88))
_REVIEW = _days((0, 5), (1, 30))
_RECTIFY = _days((0, 20), (0.5, 60), (1, 150))
_FINISH = _days((0, 1), (0.5, 10), (0.9, 28), (1, 60))
_CASE = _days((0, 5), (0.5, 30), (1, 80))
_CLOSE_CASE = _days((0, 30), (1, 120))
_REPLY = _days((0, 0.05), (0.5, 1.5), (1, 6))


def _petition(steps: _Steps) -> None:
    """Clocks of the 信访工作条例: passed on within 15 days, answered within 60."""
    everyone = np.arange(len(steps.tickets.number))
    steps.add("petition_filed", steps.tickets.at, everyone, due=steps.tickets.at + 60 * _SECONDS_A_DAY)
    at = steps.after(steps.tickets.at, everyone, _TRANSFER)
    steps.add("petition_transferred", at, everyone)
    objected = steps.chosen(everyone, 0.03)
    steps.add("petition_objected", steps.after(at[objected], everyone[objected], _OBJECT), everyone[objected])
    at = steps.after(at, everyone, _ANSWER)
    steps.add("petition_answered", at, everyone)
    for kind, share in (("petition_reviewed", 0.05), ("petition_rereviewed", 0.3)):
        on = steps.chosen(everyone, share)
        everyone, at = everyone[on], at[on]
        at = steps.after(at, everyone, _REVIEW)
        steps.add(kind, at, everyone)


def _one_answer(first: str, second: str, wait: Quantiles, share: float, due_days: int) -> Callable[[_Steps], None]:
    """A life of two steps, of which the second may never come."""

    def live(steps: _Steps) -> None:
        tickets = steps.tickets
        everyone = np.arange(len(tickets.number))
        due = tickets.at + due_days * _SECONDS_A_DAY if due_days else None
        steps.add(first, tickets.at, everyone, due=due)
        on = everyone[steps.chosen(everyone, share)]
        steps.add(second, steps.after(tickets.at[on], on, wait), on)

    return live


def _discipline(steps: _Steps) -> None:
    everyone = np.arange(len(steps.tickets.number))
    steps.add("discipline_clue", steps.tickets.at, everyone)
    on = everyone[steps.chosen(everyone, 0.2)]
    at = steps.after(steps.tickets.at[on], on, _CASE)
    steps.add("discipline_case", at, on)
    steps.add("discipline_closed", steps.after(at, on, _CLOSE_CASE), on)


_LIVES: dict[str, Callable[[_Steps], None]] = {
    "accepted": _hotline,
    "petition_filed": _petition,
    "inspection_finding": _one_answer("inspection_finding", "inspection_rectified", _RECTIFY, 0.95, 90),
    "supervision_task": _one_answer("supervision_task", "supervision_finished", _FINISH, 0.98, 20),
    "discipline_clue": _discipline,
    "opinion_post": _one_answer("opinion_post", "opinion_reply", _REPLY, 0.7, 0),
}
