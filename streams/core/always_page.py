"""Events that page by what they are (threats to life): one alert a ticket, at once, late or not.

They stand beside the judge's incidents: no window, no level, no key, no end. Ids come from the ticket alone,
so even a ticket that comes back after it has been forgotten here makes no second alert in a sink that
ignores ids it has.
"""

import msgspec

from streams.core.alert import Joined, Raised, Severity, Transition
from streams.core.evidence import EvidenceMaker, digest
from streams.core.instant import DAY, Instant
from streams.core.judge_state import JudgeState, TicketPage
from streams.core.outputs import AlwaysPage


def page(maker: EvidenceMaker, state: JudgeState, event: AlwaysPage) -> tuple[JudgeState, tuple[Transition, ...]]:
    """The alert of an always-page event, unless its ticket has one.

    An event of a known ticket that lies before the one that paged joins it: so the earliest event of a
    ticket is the same in the end whatever order they came in.
    """
    ticket = ["ticket", event.ticket] if event.ticket is not None else ["event", event.event]
    family = next(c.family for c in maker.city.categories if c.code == event.category)
    alert = digest("always_page", maker.city.name, event.county, family, *ticket)
    for day, pages in state.tickets.items():
        known = pages.get(alert)
        if known is None:
            continue
        if (event.at, event.category) >= (known.at, known.category):
            return state, ()
        earliest = TicketPage(known.raised_at, event.at, event.category)
        changed = {**state.tickets, day: {**pages, alert: earliest}}
        joined = Joined(alert=alert, at=known.raised_at, evidence=maker.of_always_page(event))
        return msgspec.structs.replace(state, tickets=changed), (joined,)
    # Partitions differ in pace: only window ends, which all counties have reached, say what may be forgotten.
    today = max(event.at, state.clock or event.at) // DAY
    added = {**state.tickets.get(today, {}), alert: TicketPage(event.at, event.at, event.category)}
    raised = Raised(
        alert=alert,
        at=event.at,
        county=event.county,
        family=family,
        severity=Severity.CRITICAL,
        evidence=maker.of_always_page(event),
    )
    return msgspec.structs.replace(state, tickets={**state.tickets, today: added}), (raised,)


def forget(maker: EvidenceMaker, state: JudgeState, at: Instant) -> JudgeState:
    """The state with its clock moved on to `at`, without the tickets that paged before the horizon."""
    if state.clock is not None and at <= state.clock:
        return state
    oldest = (at - maker.city.dedup_horizon) // DAY
    kept = {day: pages for day, pages in state.tickets.items() if day >= oldest}
    return msgspec.structs.replace(state, clock=at, tickets=kept if len(kept) < len(state.tickets) else state.tickets)
