"""The alert log: canonical, sorted, and the same whatever order things came in."""

import hashlib
import json
from itertools import permutations

from streams.core.alert import Transition
from streams.core.alert_log import alert_log, alert_log_sha256, log_lines
from streams.core.instant import HOUR, MINUTE
from streams.core.outputs import AlwaysPage
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen

FIRE = LEVEL / 4


def burst_and_end() -> list[Transition]:
    court = Courtroom()
    court.hour(MONDAY + HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})
    court.hour(MONDAY + 2 * HOUR, {("dust", "east"): Seen(31, 9.5, FIRE)})
    court.quiet(MONDAY + 2 * HOUR, 24)
    return court.made


def test_a_silent_city_has_an_empty_log() -> None:
    assert alert_log([]) == b""
    assert alert_log_sha256(b"") == hashlib.sha256(b"").hexdigest()


def test_the_log_says_what_was_raised_and_ended_and_leaves_people_and_versions_out() -> None:
    raised, ended = (json.loads(line) for line in alert_log(burst_and_end()).splitlines())
    assert (raised["transition"], raised["county"], raised["family"]) == ("raised", "east", "environment")
    assert (raised["count"], raised["expected"], raised["p"]) == (58, 21, FIRE)
    assert raised["window_end"] == "2026-03-02T01:00:00+00:00"
    assert (ended["transition"], ended["alert"]) == ("ended", raised["alert"])
    assert ended["joined"] == [["dust", "hour", "burst"]]
    assert not [key for key in raised if "version" in key or "sentence" in key]


def test_the_log_is_canonical_json() -> None:
    raised, ended = alert_log(burst_and_end()).decode().splitlines()
    for line in (raised, ended):
        keys = list(json.loads(line))
        assert keys == sorted(keys)
        assert ", " not in line
        assert ": " not in line
    assert '"expected":21,' in raised  # numbers as ECMAScript writes them, RFC 8785
    assert '"level":0.00005,' in raised


def test_repeating_and_reordering_transitions_changes_nothing() -> None:
    made = burst_and_end()
    assert alert_log([*reversed(made), *made]) == alert_log(made)


def test_lines_are_sorted_by_event_time_then_id() -> None:
    court = Courtroom()
    court.hour(MONDAY + HOUR, {("noise", "west"): Seen(58, 21.0, FIRE), ("road", "east"): Seen(58, 21.0, FIRE)})
    court.hear(AlwaysPage("e1", "t1", MONDAY, "east", "threat", "hotline"))
    order = [(line["at"], line["alert"]) for line in log_lines(court.made)]
    assert order == sorted(order)
    assert len(order) == 3


def test_the_events_of_one_ticket_in_any_order_give_one_log() -> None:
    events = [
        AlwaysPage("e1", "t1", MONDAY + 3 * MINUTE, "east", "threat", "hotline"),
        AlwaysPage("e2", "t1", MONDAY + 2 * MINUTE, "east", "threat", "petitions"),
        AlwaysPage("e3", "t1", MONDAY + 9 * MINUTE, "east", "threat", "hotline"),
    ]
    logs = set()
    for order in permutations(events):
        court = Courtroom()
        for event in order:
            court.hear(event)
        logs.add(alert_log(court.made))
    (log,) = logs
    (line,) = (json.loads(text) for text in log.splitlines())
    assert line["at"] == "2026-03-02T00:02:00+00:00"
