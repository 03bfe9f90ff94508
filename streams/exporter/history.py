"""What an exporter would have shown, had it been scraped all the time: a ledger's past as OpenMetrics.

A value is told from the moment at which it was known (a window's end + allowed lateness) until another one was, once a
step. It is written block by block: nothing holds a year. What only the last checkpoint knows (records received,
duplicates, rejected) has no past and is told at the end alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from streams import metrics
from streams.core.city import Size
from streams.core.instant import DAY, HOUR, SECOND, WEEK, Duration, Instant
from streams.core.outputs import ScoredWindow
from streams.exporter.alerts import RECENT, AlertSpan, by_severity
from streams.exporter.collector import Family, family, ledger_families, name_families, window_families
from streams.exporter.figures import FigureMaker
from streams.exporter.past import Totals
from streams.exporter.state import LedgerState, plan_of, seconds
from streams.ledger.glance import Glance, Look
from streams.ledger.place import Where
from streams.metrics import NAMES
from streams.metrics.metric import Kind, Metric
from streams.profile.model import Profile

BLOCK: Duration = 162 * HOUR
"""Time of one block: 2 h x 3^4, as Prometheus makes them, aligned to the epoch."""
STEP: Duration = HOUR


@dataclass(frozen=True, slots=True)
class Block:
    """One block's samples as OpenMetrics text."""

    start: Instant
    end: Instant
    samples: int
    text: bytes


@dataclass(frozen=True, slots=True)
class _Span:
    """Samples that stand from one moment until before another, by metric: lines without their time."""

    since: Instant
    until: Instant
    lines: tuple[tuple[str, tuple[str, ...]], ...]


class History:
    """The past of one ledger."""

    def __init__(self, where: Where, profile: Profile, *, step: Duration = STEP, replayed: bool | None = None) -> None:
        self._where = where
        self._profile = profile
        self._step = step
        self._city = profile.city
        self._state = LedgerState(profile, replayed=replayed)
        self._figures = FigureMaker(profile.city)
        self._past = Totals(profile.city, plan_of(profile.city))
        self._signals = tuple(signal.name for signal in self._city.signals)
        self._series = (*(county.code for county in self._city.counties), self._city.code)

    def span(self) -> tuple[Instant, Instant] | None:
        """From when until when there is something to tell; None: nothing was scored. Raises LedgerError."""
        with Glance(self._where) as glance:
            return glance.look(self._span)

    def _span(self, look: Look) -> tuple[Instant, Instant] | None:
        ends = [end for size in Size for end in (look.first_scored(size), look.last_scored(size)) if end is not None]
        if not ends:
            return None
        lateness = self._city.allowed_lateness
        start = -(-(min(ends) + lateness) // self._step) * self._step
        return start, max(ends) + lateness

    def blocks(self, since: Instant | None = None, until: Instant | None = None) -> Iterator[Block]:
        """Every block, oldest first, of the whole span or of a part of it. Raises LedgerError."""
        with Glance(self._where) as glance:
            whole = glance.look(self._span)
            if whole is None:
                return
            first, last = max(whole[0], since or whole[0]), min(whole[1], until or whole[1])
            start = first // BLOCK * BLOCK
            while start <= last:
                end = start + BLOCK
                times = range(-(-max(start, first) // self._step) * self._step, min(end, last + 1), self._step)
                if times:
                    yield glance.look(partial(self._block, start, times, last=last < end and last == whole[1]))
                start = end

    # ---- one block ----

    def _block(self, start: Instant, times: range, look: Look, *, last: bool) -> Block:
        first, end = times[0], times[-1] + 1
        spans = [
            *self._always(first, end, look),
            *self._windows(look, first, end),
            *self._alerts(look, first, end),
            *self._points(look, first, end),
            *self._clock(times),
            *self._totals(look, first, times[-1] if last else end),
        ]
        if last:
            state = self._state.read_in(look, self._where)
            at_last = [one for one in ledger_families(self._profile, state) if _name(one) in _ONLY_AT_LAST]
            spans.append(_span(times[-1], end, at_last))
        lines: dict[str, list[str]] = {}
        count = 0
        for span in spans:
            stamps = [f" {at / SECOND:.3f}" for at in times if span.since <= at < span.until]
            for name, prefixes in span.lines:
                into = lines.setdefault(name, [])
                for prefix in prefixes:
                    into.extend([prefix + stamp for stamp in stamps])
                    count += len(stamps)
        text = [part for name in NAMES if name in lines for part in (*_head(NAMES[name]), *lines[name])]
        return Block(start, start + BLOCK, count, ("\n".join([*text, "# EOF"]) + "\n").encode())

    def _always(self, first: Instant, end: Instant, look: Look) -> Iterator[_Span]:
        progress = look.progress()
        replayed = self._state.is_replayed(look, progress)
        yield _span(
            first,
            end,
            [
                *name_families(self._profile, replayed=replayed),
                family(metrics.PRIVACY_K, [((), self._city.privacy_k)]),
                family(metrics.BUDGET_PER_WEEK, [((), self._city.budget_per_week)]),
                family(metrics.WATCHDOG, [((), 1)]),
                family(metrics.EXPORTER_UP, [((), 1)]),
            ],
        )

    def _windows(self, look: Look, first: Instant, end: Instant) -> Iterator[_Span]:
        """The windows that were the last ones known in a time, each size for itself."""
        lateness = self._city.allowed_lateness

        def read(size: Size, at: Instant) -> ScoredWindow | None:
            window = look.scored_window(size, at, self._signals, self._series)
            if window is not None and at + lateness >= first:
                self._past.note(window)
            return window

        for size in Size:
            before = look.scored_ends(size, first - lateness - 8 * DAY, first - lateness)[-1:]
            known = [*before, *look.scored_ends(size, first - lateness, end - lateness)]
            for place, window_end in enumerate(known):
                until = known[place + 1] + lateness if place + 1 < len(known) else end
                figures = self._figures.figures(read, size, window_end)
                if figures is not None and until > first:
                    shown = window_families(self._profile, [figures])
                    own = [one for one in shown if one.name != metrics.PRIVACY_K.name]
                    yield _span(max(first, window_end + lateness), until, own)

    def _totals(self, look: Look, first: Instant, end: Instant) -> Iterator[_Span]:
        """What was spent, counted and closed; and how many pages the 7 days before had."""
        for since, until, families in self._past.told(look, first, end):
            yield _span(since, until, families)
        raised = self._state.alerts.pages_raised(look)
        changes = sorted({first, *(at for one in raised for at in (one, one + WEEK) if first < at < end)})
        for since, until in zip(changes, [*changes[1:], end], strict=True):
            pages = sum(since - WEEK < at <= since for at in raised)
            yield _span(since, until, [family(metrics.PAGES_LAST_WEEK, [((), pages)])])

    def _clock(self, times: range) -> Iterator[_Span]:
        """What moves with the time: the watermark, and how long the calendar still lasts."""
        covered = self._state.covered_until()
        for at in times:
            watermark = at - self._city.allowed_lateness
            told = [family(metrics.WATERMARK, [((), seconds(watermark))])]
            told.append(family(metrics.CHECKPOINT, [((), seconds(at))]))
            if covered is not None:
                told.append(family(metrics.CALENDAR_UNTIL, [((), seconds(covered))]))
                told.append(family(metrics.CALENDAR_COVERAGE, [((), (covered - watermark) // DAY)]))
            yield _span(at, at + 1, told)

    def _alerts(self, look: Look, first: Instant, end: Instant) -> Iterator[_Span]:
        """Alerts while nobody had taken them up, and how many there were."""
        lives, hidden = self._state.alerts.lives(look)
        replayed = str(self._state.is_replayed(look, look.progress())).lower()
        for one in lives:
            alert = one.alert
            labels = (alert.id, alert.county, alert.category, alert.signal, alert.size, alert.severity, replayed)
            shown_until = _later(one.decided_at, alert.raised_at + RECENT, end)
            for until, told in (
                (one.taken_up_at or end, family(metrics.ALERT_OPEN, [(labels, 1)])),
                (shown_until, family(metrics.ALERT_RAISED, [(labels, seconds(alert.raised_at))])),
            ):
                if alert.raised_at < end and until > first:
                    yield _span(max(first, alert.raised_at), min(until, end), [told])
        moments = sorted({at for one in lives for at in _moments(one)} | {at for pair in hidden for at in pair if at})
        changes = [first, *(at for at in moments if first < at < end)]
        for since, until in zip(changes, [*changes[1:], end], strict=True):
            yield _span(since, until, self._counted(lives, hidden, since, replayed))

    def _counted(
        self,
        lives: Iterable[AlertSpan],
        hidden: Iterable[tuple[Instant, Instant | None]],
        at: Instant,
        replayed: str,
    ) -> list[Family]:
        def is_open(since: Instant, until: Instant | None) -> bool:
            return since <= at and (until is None or at < until)

        raised = [one for one in lives if one.alert.raised_at <= at]
        waiting = self._state.alerts.by_county(one.alert for one in raised if is_open(0, one.taken_up_at))
        undecided = self._state.alerts.by_county(one.alert for one in raised if is_open(0, one.decided_at))
        severities = by_severity(one.alert.severity for one in raised)
        return [
            family(metrics.ALERTS_UNACKNOWLEDGED, waiting.items()),
            family(metrics.ALERTS_UNDISPOSED, undecided.items()),
            family(metrics.ALERTS_RAISED, [((severity,), count) for severity, count in severities.items()]),
            family(metrics.COMPARTMENTED_UNACKNOWLEDGED, [((replayed,), sum(is_open(*one) for one in hidden))]),
        ]

    def _points(self, look: Look, first: Instant, end: Instant) -> Iterator[_Span]:
        """When something had last come from each point, as the days closed."""
        lateness = self._city.allowed_lateness
        seen: dict[str, Instant] = {}
        days: dict[Instant, dict[str, Instant]] = {}
        for day, told in look.day_metrics(first - lateness - 8 * DAY):
            if day + lateness >= end:
                break
            seen |= {point: day for point, events in told.by_point.items() if events > 0}
            days[day + lateness] = dict(seen)
        known = sorted(days)
        for since, until in zip(known, [*known[1:], end], strict=True):
            if until > first:
                samples = [((point,), seconds(at)) for point, at in days[since].items() if point in self._city.points]
                yield _span(max(since, first), until, [family(metrics.POINT_LAST_EVENT, samples)])


_ONLY_AT_LAST = frozenset(
    one.name
    for one in (
        metrics.RECORDS_RECEIVED,
        metrics.RECORDS,
        metrics.RECORDS_REJECTED,
        metrics.WINDOWS_CLOSED,
        metrics.BUDGET_SPENT,
        metrics.BUDGET_REMAINING,
        metrics.PAGES,
        metrics.PAGES_LAST_WEEK,
        metrics.FALSE_PAGE_RATIO,
        metrics.FALSE_PAGES_PER_WEEK,
        metrics.STEPS,
        metrics.ACKNOWLEDGE_SECONDS,
        metrics.DISPOSE_SECONDS,
    )
)


def _name(one: Family) -> str:
    """The name in the names' file: prometheus-client takes _total off."""
    return one.name if one.name in NAMES else f"{one.name}_total"


def _span(since: Instant, until: Instant, families: Iterable[Family]) -> _Span:
    return _Span(since, until, tuple((_name(one), tuple(_lines(one))) for one in families))


def _lines(one: Family) -> Iterator[str]:
    """Samples as OpenMetrics writes them, up to their time."""
    for sample in one.samples:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
        yield f"{sample.name}{{{labels}}} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _head(metric: Metric) -> tuple[str, str]:
    name = metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name
    return f"# HELP {name} {_escaped(metric.help)}", f"# TYPE {name} {metric.kind}"


def _later(decided: Instant | None, recent: Instant, end: Instant) -> Instant:
    return end if decided is None else max(decided, recent)


def _moments(one: AlertSpan) -> list[Instant]:
    return [at for at in (one.alert.raised_at, one.taken_up_at, one.decided_at) if at is not None]
