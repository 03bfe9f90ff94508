"""From a notification to pages: durable in the ledger before Alertmanager hears that they were taken.

What Alertmanager says is a reason to look; what is so is in the ledger (law 7). An alert that nobody has taken up is
paged once a level however often it is announced. "Resolved" of an alert is ignored: a scrape that failed resolves
nothing, and people do not say there what they did. What else is watched (feeds, budget, exporter) begins and ends as
Prometheus says.

Threats to life are never held back: `always` takes them from the ledger itself, whatever Prometheus, Alertmanager, its
inhibitions and silences do. No label could say which alerts those are: it would tell that one event was behind (law 6).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import rfc8785
from msgspec.structs import replace

from streams.clock import Clock
from streams.core.alert import Severity
from streams.core.instant import MINUTE, Instant
from streams.ledger.alerts import AlertFilter
from streams.ledger.glance import Look
from streams.ledger.pages import ALERT, FIRING, RESOLVED, SERVICE, Page, PageBook
from streams.ledger.reader import LedgerReader
from streams.paging.settings import ALERT_ROUTES, SERVICE_ROUTE, Level, RouteSettings
from streams.paging.webhook import ANOMALY, RESTRICTED, WATCHDOG, Notification, Notified
from streams.sources.inbox import is_live
from streams.wording.catalog import Speech
from streams.wording.names import Names, Naming

MOST_ALERTS = 4
"""Alerts a page: more would not fit into the 2,048 bytes of a WeCom robot with a sentence each."""
_NAMED = ("alertname", "point")
"""Labels that a page about jiantu itself keeps."""
_SHOWN = (*_NAMED, "summary", "summary_en", "description", "description_en", "runbook_url")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a notification came to."""

    pages: int
    """New ones; 0: everything in it was known."""


class Intake:
    """Makes pages. One thread at a time."""

    def __init__(
        self, book: PageBook, ledger: LedgerReader, naming: Naming, routes: RouteSettings, clock: Clock
    ) -> None:
        self._book = book
        self._ledger = ledger
        self._routes = routes
        self._clock = clock
        names = Names(naming, Speech("zh"))
        self._hidden = names.hidden_signals | names.hidden_categories

    def take(self, notification: Notification) -> Taken:
        """Make the pages of a notification; they are durable when this returns. Raises LedgerError."""
        made, now = 0, self._clock.now()
        wanted = [one for one in notification.alerts if _pages(one)]
        named = [one for one in wanted if one.kind == ANOMALY and one.labels.get("alert")]
        strange = set(self._book.unknown(one.labels["alert"] for one in named))
        known = [one for one in named if one.firing and one.labels["alert"] not in strange]
        for county, severity in sorted({(one.labels.get("county", ""), one.severity) for one in known}):
            alerts = [
                one.labels["alert"]
                for one in known
                if (one.labels.get("county", ""), one.severity) == (county, severity)
            ]
            made += self._page(notification.group_key, county, severity, alerts, 0, now)
        if any(one.kind == RESTRICTED and one.firing for one in wanted):
            made += self._page_restricted(notification.group_key, now)
        for one in wanted:
            if one.kind not in {ANOMALY, RESTRICTED} or (one.firing and one.labels.get("alert") in strange):
                made += self._page_service(notification.group_key, one, now)
        return Taken(made)

    def always(self) -> int:
        """Page what always pages, by county, as soon as it is in the ledger; how many pages that made."""
        found, made, now = self._book.unpaged_events(), 0, self._clock.now()
        places = [("" if signal in self._hidden else county, alert) for alert, county, signal in found]
        for county in sorted({county for county, _ in places}):
            alerts = [alert for place, alert in places if place == county]
            made += self._page(f"always/{county}", county, Severity.CRITICAL.value, alerts, 0, now)
        return made

    def escalate(self) -> int:
        """Page the next level of what nobody has acknowledged in time; how many pages that made."""
        made, now = 0, self._clock.now()
        for severity in ALERT_ROUTES:
            for level in range(1, len(self._levels(severity))):
                until = now - round(self._levels(severity)[level].after * MINUTE)
                for county, alerts in self._book.unanswered(level - 1, severity, until).items():
                    made += self._page(f"escalation/{county}", county, severity, alerts, level, now)
        for level, told in enumerate(self._routes.service[1:], 1):
            for about, page in self._book.unanswered_service(level - 1, now - round(told.after * MINUTE)):
                made += self._book.page_service(replace(page, level=level, made_at=now), about, told.channels)
        return made

    def _levels(self, route: str) -> tuple[Level, ...]:
        return {"critical": self._routes.critical, "warning": self._routes.warning}.get(route, self._routes.service)

    def _page(self, group: str, county: str, severity: str, alerts: Iterable[str], level: int, now: Instant) -> int:
        asked = Page(
            id="",
            group_key=group,
            status=FIRING,
            kind=ALERT,
            county=county,
            severity=severity,
            level=level,
            made_at=now,
        )
        channels = self._levels(severity)[level].channels
        return len(self._book.page_alerts(asked, alerts, channels, MOST_ALERTS))

    def _page_restricted(self, group: str, now: Instant) -> int:
        """Prometheus knows how many; which ones they are is in the ledger, and stays there."""
        made = 0
        waiting = [
            one
            for one in self._ledger.alerts(AlertFilter())
            if one.step is None and one.raised.evidence.signal in self._hidden
        ]
        for severity in ALERT_ROUTES:
            alerts = [one.id for one in waiting if one.raised.severity.value == severity]
            made += self._page(group, "", severity, alerts, 0, now) if alerts else 0
        return made

    def _page_service(self, group: str, one: Notified, now: Instant) -> int:
        """One page when it begins, one when it ends; the fingerprint and the beginning tell it from the next time."""
        said = {**one.annotations, **{name: one.labels[name] for name in _NAMED if name in one.labels}}
        page = Page(
            id="",
            group_key=group,
            status=FIRING if one.firing else RESOLVED,
            kind=SERVICE,
            county=one.labels.get("county", ""),
            severity=one.severity,
            document=rfc8785.dumps({name: said[name] for name in _SHOWN if name in said}).decode(),
            made_at=now,
        )
        about = hashlib.sha256(f"{one.fingerprint} {one.starts_at}".encode()).hexdigest()
        levels = self._levels(SERVICE_ROUTE)
        if one.firing:
            return int(self._book.page_service(page, about, levels[0].channels))
        # Whoever was told that it began is told that it ended; nobody else.
        told = [
            channel
            for level in self._book.service_levels(about)
            for channel in levels[min(level, len(levels) - 1)].channels
        ]
        return int(self._book.page_service(page, about, list(dict.fromkeys(told)))) if told else 0


def is_replayed(look: Look) -> bool:
    """Whether a ledger holds replayed data, of which nobody is told: as the exporter sees it."""
    progress = look.progress()
    return progress is not None and not is_live(progress.source) and not look.from_topics()


def _pages(one: Notified) -> bool:
    """Whether anybody is to be told at all: nobody of replayed data, nobody that Prometheus is alive."""
    return one.labels.get("replayed") != "true" and one.labels.get("alertname") != WATCHDOG
