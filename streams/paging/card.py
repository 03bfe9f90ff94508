"""The card of a page: what staff read on a phone. Chinese or English, from evidence that was frozen in the ledger.

A chat robot is somebody else's server: what counts fewer than k people is not said in figures there (law 6), and of
material of accusation not even the county. The ledger, behind its access control, has the rest.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.core.alert import Evidence, Severity, Shape
from streams.core.city import Direction, Measure
from streams.core.instant import Instant
from streams.ledger.alerts import AlertLife
from streams.ledger.pages import RESOLVED, SERVICE, Page
from streams.paging.links import PAGES, Links
from streams.wording.catalog import Speech
from streams.wording.figures import number, span
from streams.wording.names import Naming
from streams.wording.sentence import Telling, sentence

_TEXTS: Mapping[str, tuple[str, str]] = {
    "critical": ("紧急", "critical"),
    "warning": ("预警", "warning"),
    "title": ("【{severity}】{place} 预警 {n} 条", "[{severity}] {place}: {n} alert(s)"),
    "again": ("【升级 {level}】", "[escalation {level}] "),
    "heading": ("● {place} · {family}（{severity}）", "● {place} · {family} ({severity})"),
    "figures": ("计数 {count}，预期 {expected}", "count {count}, expected {expected}"),
    "figures_alone": ("计数 {count}", "count {count}"),
    "hours": ("时长 {count} 小时", "{count} hours"),
    "few": ("不足 {k}", "fewer than {k}"),
    "more": (
        "{place} {span} {signal}不足 {k} 件，多于预期；数目太小，此处不写明",
        "{place}, {span}: {signal} fewer than {k}, more than expected; too few to be said here",
    ),
    "fewer": (
        "{place} {span} {signal}不足 {k} 件，少于预期；数目太小，此处不写明",
        "{place}, {span}: {signal} fewer than {k}, less than expected; too few to be said here",
    ),
    "restricted": (
        "● 限制知悉：请有权限的人员到台账查看",
        "● Restricted: those who may see it find it in the ledger",
    ),
    "restricted_place": ("限制知悉", "Restricted"),
    "look": ("查看：{link}", "Look: {link}"),
    "acknowledge": ("确认：{link}", "Acknowledge: {link}"),
    "firing": ("【{severity}】{summary}", "[{severity}] {summary}"),
    "resolved": ("【已解除】{summary}", "[resolved] {summary}"),
    "point": ("观测点：{name}", "Observation point: {name}"),
    "runbook": ("处置手册：{link}", "Runbook: {link}"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """What one channel is told."""

    title: str
    body: str
    """Plain text, lines; at most so many bytes of UTF-8 as was asked for."""


class CardMaker:
    """Makes cards of one city's pages in one language."""

    def __init__(self, naming: Naming, links: Links, lang: str, runbook_url: str | None = None) -> None:
        self._naming = naming
        self._links = links
        self._zh = lang == "zh"
        self._speech = Speech(lang)
        self._telling = Telling(naming, lang, "desk")
        self._runbook_url = runbook_url

    def card(self, page: Page, alerts: Sequence[AlertLife], now: Instant, most_bytes: int, about: str = "") -> Card:
        """The card of a page and those of its alerts that nobody has taken up; `about`: a service page's trouble."""
        if page.kind == SERVICE:
            return self._service(page, about, now, most_bytes)
        places = list(dict.fromkeys(self._place(one) for one in alerts))
        title = self._say(
            "title",
            severity=self._severity(page.severity),
            place=("、" if self._zh else ", ").join(places),
            n=str(len(alerts)),
        )
        title = self._escalated(page) + title
        parts = [self._alert(one, now) for one in alerts]
        return Card(title, _fitted(parts, most_bytes - len(title.encode()) - 2))

    # ---- of alerts ----

    def _alert(self, life: AlertLife, now: Instant) -> "_Part":
        raised, case = life.alert.raised, life.alert.raised.evidence
        links = (
            self._say("look", link=self._links.alert(life.alert.id)),
            self._say("acknowledge", link=self._links.acknowledge(life.alert.id, now)),
        )
        severity = self._severity(raised.severity)
        if self._restricted(case):
            return _Part((self._say("restricted"),), "", links)
        place, family = self._place(life), self._telling.names.family(raised.family)
        heading = self._say("heading", place=place, family=family, severity=severity)
        return _Part((heading, *self._figures(case)), self._sentence(life), links)

    def _restricted(self, case: Evidence) -> bool:
        names = self._telling.names
        return case.signal in names.hidden_signals | names.hidden_categories

    def _place(self, life: AlertLife) -> str:
        if self._restricted(life.alert.raised.evidence):
            return self._say("restricted_place")
        return self._telling.names.county(life.alert.raised.county)

    def _figures(self, case: Evidence) -> tuple[str, ...]:
        if case.shape is Shape.ALWAYS_PAGE:
            return ()
        k = self._naming.city.privacy_k
        few = self._say("few", k=number(self._speech, k))
        count = few if self._small(case) else number(self._speech, case.count)
        if case.expected is None:
            return (self._say("hours" if self._is_a_duration(case.signal) else "figures_alone", count=count),)
        return (self._say("figures", count=count, expected=number(self._speech, case.expected)),)

    def _small(self, case: Evidence) -> bool:
        """Whether the count, or what it leaves of its whole, is a cell of fewer than k."""
        if case.shape is Shape.ALWAYS_PAGE or self._is_a_duration(case.signal):
            return False  # one ticket is what such an alert is about
        cells = [case.count] if case.whole is None else [case.count, case.whole - case.count]
        return any(0 < cell < self._naming.city.privacy_k for cell in cells)

    def _is_a_duration(self, signal: str) -> bool:
        return any(one.name == signal and one.measure is Measure.BACKLOG_AGE for one in self._naming.city.signals)

    def _sentence(self, life: AlertLife) -> str:
        raised, case = life.alert.raised, life.alert.raised.evidence
        if not self._small(case):
            told = [one for one in life.joined if not self._small(one.evidence) and not self._restricted(one.evidence)]
            return sentence(self._naming, raised, told, life.ended, locale=self._speech.locale)
        names, city = self._telling.names, self._naming.city
        return self._say(
            "fewer" if case.direction == Direction.LOW else "more",
            place=names.county(case.county or raised.county),
            span=span(self._speech, case.window_start, case.window_end, city.zone),
            signal=names.signal(case.signal),
            k=number(self._speech, city.privacy_k),
        )

    # ---- of what else is watched ----

    def _service(self, page: Page, about: str, now: Instant, most_bytes: int) -> Card:
        said: dict[str, str] = json.loads(page.document)
        ending = "" if self._zh else "_en"
        summary = said.get(f"summary{ending}") or said.get("summary") or said.get("alertname", "")
        kind = "resolved" if page.status == RESOLVED else "firing"
        title = self._escalated(page) + self._say(kind, severity=self._severity(page.severity), summary=summary)
        runbook = said.get("runbook_url", "")
        if runbook and self._runbook_url is not None:
            runbook = self._runbook_url + runbook[runbook.find("#") :] if "#" in runbook else runbook
        links = [self._say("runbook", link=runbook)] if runbook else []
        if about and page.status != RESOLVED:
            links.append(self._say("acknowledge", link=self._links.acknowledge(about, now, PAGES)))
        description = said.get(f"description{ending}") or said.get("description", "")
        point = said.get("point", "")
        lines = (self._say("point", name=self._telling.names.point(point)),) if point else ()
        part = _Part(lines, description, tuple(links))
        return Card(title, _fitted([part], most_bytes - len(title.encode()) - 2))

    def _escalated(self, page: Page) -> str:
        return self._say("again", level=str(page.level)) if page.level else ""

    def _severity(self, severity: str) -> str:
        known = Severity.CRITICAL.value if severity == Severity.CRITICAL else Severity.WARNING.value
        return self._say(known)

    def _say(self, text: str, **fields: str) -> str:
        return _TEXTS[text][0 if self._zh else 1].format(**fields)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is said of one alert: the sentence may be cut where there is no room, the rest may not."""

    lines: tuple[str, ...]
    sentence: str
    links: tuple[str, ...]

    def text(self, room: int | None = None) -> str:
        """Lines, the sentence in at most `room` bytes of it."""
        said = self.sentence if room is None else _cut(self.sentence, room)
        return "\n".join([*self.lines, *([said] if said else []), *self.links])


def _fitted(parts: Sequence[_Part], most_bytes: int) -> str:
    """All parts, their sentences cut evenly where they are too long together."""
    body = "\n\n".join(part.text() for part in parts)
    if len(body.encode()) <= most_bytes:
        return body
    fixed = len("\n\n".join(part.text(0) for part in parts).encode()) + len(parts)
    room = max(0, most_bytes - fixed) // len(parts)
    return "\n\n".join(part.text(room) for part in parts)


def _cut(text: str, most_bytes: int) -> str:
    """The beginning of a text that is too long, and dots.

    >>> _cut("市中区 31 件", 14), _cut("31", 14), _cut("市中区", 2)
    ('市中区 3…', '31', '')
    """
    if len(text.encode()) <= most_bytes:
        return text
    if most_bytes < len("…".encode()):
        return ""
    return text.encode()[: most_bytes - len("…".encode())].decode(errors="ignore") + "…"
