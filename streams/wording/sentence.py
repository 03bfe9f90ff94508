"""One plain sentence for an alert: what is seen, what was expected, how unlikely, where from, what day it was.

The sentence is for staff behind access control: the alert's own count stands as it is, the cells that made it
up are never shown below the profile's k (law 6). The county that accusation material is about is another
audience: for it such an alert does not exist, and evidence and contributors of that kind are left out.
"""

from collections.abc import Callable, Sequence
from typing import Literal, overload

from streams.core.alert import Ended, Evidence, Joined, Raised, Shape
from streams.core.city import Direction, Size
from streams.core.drought import HEARTBEAT, silent_points_in, witness_in
from streams.core.evidence import BUILDS_UP
from streams.core.instant import Instant
from streams.core.level_change import RECLASSIFICATION, SINCE, change_at
from streams.core.rules import limit_in
from streams.core.window import NOMINAL
from streams.wording.catalog import Speech
from streams.wording.cluster import cluster_case, cluster_item
from streams.wording.contributors import contributors
from streams.wording.crowd import crowd
from streams.wording.figures import RAREST, moment, number, odds, span, three_before, times
from streams.wording.names import Names, Naming
from streams.wording.shares import based_on, counted_share, expected_share

Audience = Literal["desk", "county"]
"""desk: the city's own staff. county: people of the county that the alert is about."""

MOST_JOINED = 4
NOTHING_BEFORE = 0.05
"""Where fewer than this were expected, growth has no ratio: it is new."""


@overload
def sentence(
    naming: Naming,
    raised: Raised,
    joined: Sequence[Joined] = (),
    ended: Ended | None = None,
    *,
    locale: str = "zh",
    audience: Literal["desk"] = "desk",
) -> str: ...
@overload
def sentence(
    naming: Naming,
    raised: Raised,
    joined: Sequence[Joined] = (),
    ended: Ended | None = None,
    *,
    locale: str = "zh",
    audience: Audience,
) -> str | None: ...
def sentence(
    naming: Naming,
    raised: Raised,
    joined: Sequence[Joined] = (),
    ended: Ended | None = None,
    *,
    locale: str = "zh",
    audience: Audience = "desk",
) -> str | None:
    """The sentence of an alert with all that has joined it, in `zh` or `en`.

    None where the audience may not know that the alert exists: show nothing at all then, not even its id.
    """
    told = Telling(naming, locale, audience)
    if told.hides(raised.evidence):
        return None
    parts = [told.case(raised.evidence, raised.county), *told.contributors(raised.evidence)]
    if raised.evidence.exposure is not None:
        parts.append(based_on(told.speech, told.names, raised.evidence.signal, raised.evidence.exposure))
    seen = [one for one in (raised.evidence, *(one.evidence for one in joined)) if not told.hides(one)]
    parts += crowd(told.speech, [one.notes for one in seen], naming.city.privacy_k)
    if raised.evidence.shape is Shape.DROUGHT:
        parts += told.witnessed(raised.evidence)
    parts += told.day(raised.evidence, raised.county)
    parts += told.also(raised, [one.evidence for one in joined])
    if ended is not None:
        at = moment(told.speech, ended.at, naming.city.zone)
        parts.append(told.speech.say("已于 {at} 结束", at=at))
    return told.speech.say("{text}。", text=told.speech.say("；").join(parts))


class Telling:
    """How one audience is told of one city's alerts in one language."""

    def __init__(self, naming: Naming, locale: str, audience: Audience) -> None:
        self.speech = Speech(locale)
        self.names = Names(naming, self.speech)
        self.city = naming.city
        self.guarded = audience == "county"

    def hides(self, evidence: Evidence) -> bool:
        """Whether this evidence must not be known to exist."""
        hidden = self.names.hidden_signals | self.names.hidden_categories
        return self.guarded and evidence.signal in hidden

    def case(self, evidence: Evidence, county: str) -> str:
        """What is seen and what was expected."""
        say = self.speech.say
        place = self.names.county(evidence.county or county)
        if evidence.shape is Shape.ALWAYS_PAGE:
            point = self.names.point(evidence.by_point[0][0]) if evidence.by_point else ""
            at = moment(self.speech, evidence.window_start, self.city.zone)
            category = self.names.category(evidence.signal)
            return say(
                "{place} {at} {point}收到“{category}”一件，按规定立即报告",
                place=place,
                at=at,
                point=point,
                category=category,
            )
        fields = {
            "place": place,
            "span": span(self.speech, evidence.window_start, evidence.window_end, self.city.zone),
            "signal": self.names.signal(evidence.signal),
            "count": self._counted(evidence, evidence.count),
            "expected": self._expectation(evidence),
            "odds": self._odds(evidence),
        }
        if evidence.shape is Shape.SHIFT:
            return self._shift(evidence, fields)
        if evidence.shape is Shape.RATE:
            if evidence.direction == Direction.LOW:
                return say("{place} {span} {signal} {count}，{expected}，这样低的机会{odds}", **fields)
            return say("{place} {span} {signal} {count}，{expected}，这样高的机会{odds}", **fields)
        if evidence.shape is Shape.RULE:
            fields["at"] = moment(self.speech, evidence.window_end, self.city.zone)
            limit = limit_in(evidence.notes) or 0
            return say(
                "{place} {at} {signal} {count}，达到规定的限额 {limit}",
                limit=self._counted(evidence, limit),
                **fields,
            )
        if evidence.shape is Shape.CLUSTER:
            return cluster_case(self.speech, self.names, evidence, fields)
        if evidence.shape is Shape.SILENT_FEED:
            fields["expected"] = self._counted(evidence, evidence.expected or 0.0)
            silent = silent_points_in(evidence.notes)
            if silent:
                fields["points"] = say("、").join(self.names.point(point) for point in silent)
                return say(
                    "{place} {span} 没有收到来自{points}的任何记录（{signal}本应约 {expected}），"
                    "这样少的机会{odds}：可能是报送中断，请先查数据来源",
                    **fields,
                )
            return say(
                "{place} {span} 没有收到任何事件（{signal}本应约 {expected}），"
                "这样少的机会{odds}：可能是报送中断，请先查数据来源",
                **fields,
            )
        if evidence.direction == Direction.LOW:
            return say("{place} {span} {signal}仅 {count}，{expected}，这样少的机会{odds}", **fields)
        together = three_before(self.speech, evidence.size) if evidence.detector == BUILDS_UP else ""
        return (
            say(
                "{place} {span} {signal} {count}，{expected}；连同{before}一起看，这样多的机会{odds}",
                before=together,
                **fields,
            )
            if together
            else say("{place} {span} {signal} {count}，{expected}，这样多的机会{odds}", **fields)
        )

    def _shift(self, evidence: Evidence, fields: dict[str, str]) -> str:
        """A lasting change: since when, to how many times the level before, where its history tells."""
        say = self.speech.say
        down = evidence.direction == Direction.LOW
        start, before, after = self._levels(evidence)
        fields["since"] = moment(self.speech, start, self.city.zone)
        if down:
            change = say("自 {since} 起水平持续下降", **fields)
        elif before < NOTHING_BEFORE:
            change = say("自 {since} 起从无到有", **fields)
        else:
            change = say("自 {since} 起水平持续上升至约 {ratio} 倍", ratio=times(self.speech, after / before), **fields)
        text = (
            say(
                "{place} {signal}{change}，{span} 为 {count}，{expected}，"
                "这样持续偏少的机会{odds}；这是持续的变化，不是一时偏少",
                change=change,
                **fields,
            )
            if down
            else say(
                "{place} {signal}{change}，{span} 为 {count}，{expected}，"
                "这样持续偏多的机会{odds}；这是持续的变化，不是一次突发",
                change=change,
                **fields,
            )
        )
        return say("；").join([text, *self._reclassified(evidence)])

    def _levels(self, evidence: Evidence) -> tuple[Instant, float, float]:
        """(since when, mean count before, mean count from then on): from the history, as the note says, else the
        window itself against its expected value."""
        for note in evidence.notes:
            if note.startswith(SINCE):
                start = int(note.removeprefix(SINCE))
                windows = round((evidence.window_end - start) / NOMINAL[Size(evidence.size)])
                counts = (*evidence.history, evidence.count)
                if 0 < windows < len(counts):
                    change = change_at(counts, windows)
                    return start, change.before, change.after
        return evidence.window_start, evidence.expected or 0.0, float(evidence.count)

    def _reclassified(self, evidence: Evidence) -> list[str]:
        others = [note.removeprefix(RECLASSIFICATION) for note in evidence.notes if note.startswith(RECLASSIFICATION)]
        hidden = self.names.hidden_categories | self.names.hidden_signals if self.guarded else frozenset()
        down = evidence.direction == Direction.LOW
        return [
            self.speech.say("同期“{other}”相应增加，可能是归类口径变化", other=self.names.signal(other))
            if down
            else self.speech.say("同期“{other}”相应减少，可能是归类口径变化", other=self.names.signal(other))
            for other in others
            if other not in hidden
        ]

    def _counted(self, evidence: Evidence, value: float) -> str:
        if evidence.whole is not None:
            return counted_share(self.speech, evidence.count, evidence.whole)
        return self.names.counted(evidence.signal, number(self.speech, value))

    def _expectation(self, evidence: Evidence) -> str:
        if evidence.expected is None:
            return self.speech.say("无预期值可比")
        if evidence.whole and evidence.low is not None and evidence.high is not None:
            return expected_share(self.speech, evidence.expected, evidence.low, evidence.high, evidence.whole)
        expected = self._counted(evidence, evidence.expected)
        if evidence.low is None or evidence.high is None:
            return self.speech.say("预期 {expected}", expected=expected)
        low, high = number(self.speech, evidence.low), number(self.speech, evidence.high)
        return self.speech.say("预期 {expected}（95% 区间 {low}–{high}）", expected=expected, low=low, high=high)

    def _odds(self, evidence: Evidence) -> str:
        if evidence.p is None:
            return self.speech.say("无法估计")
        one_in = odds(self.speech, evidence.p)
        if one_in is None:
            return self.speech.say("不到 1/{odds}", odds=number(self.speech, RAREST))
        return self.speech.say("约为 1/{odds}", odds=one_in)

    def contributors(self, evidence: Evidence) -> list[str]:
        """Which categories and points the count came from; nothing where it says nothing."""
        silent = (Shape.ALWAYS_PAGE, Shape.SILENT_FEED, Shape.RATE, Shape.CLUSTER, Shape.RULE)
        if evidence.shape in silent or evidence.count == 0:
            return []
        categories = list(evidence.by_category)
        if self.guarded:
            categories = [cell for cell in categories if cell[0] not in self.names.hidden_categories]
        total = evidence.count if self.names.events_only(evidence.signal) else 0

        def listed(cells: Sequence[tuple[str, int]], name: Callable[[str], str]) -> str:
            named = contributors(
                self.speech, cells, total, self.city.privacy_k, name, lambda n: self.speech.say("{n} 件", n=n)
            )
            return self.speech.say("、").join(named)

        what = "" if self.names.one_category(evidence.signal) else listed(categories, self.names.category)
        where = listed(evidence.by_point, self.names.point) if len(self.city.points) > 1 else ""
        if what and where:
            return [self.speech.say("主要来自 {what}（经 {where}）", what=what, where=where)]
        if what:
            return [self.speech.say("主要来自 {what}", what=what)]
        return [self.speech.say("主要经 {where}", where=where)] if where else []

    def witnessed(self, evidence: Evidence) -> list[str]:
        """What makes a drought more than a quiet window, and that its feed is alive."""
        say = self.speech.say
        sizes = {Size.HOUR: say("小时"), Size.DAY: say("日"), Size.WEEK: say("周")}
        remarks = []
        found = witness_in(evidence.notes)
        if found is not None and found.signal not in self.names.hidden_signals:
            fields = {"signal": self.names.signal(found.signal), "size": sizes.get(Size(found.size or "day"), "")}
            if found.kind == "before":
                remarks.append(say("前一窗口也偏少"))
            elif found.kind == "low" and found.signal:
                remarks.append(say("{signal}（{size}）也偏少", **fields))
            elif found.kind == "high" and found.signal:
                remarks.append(say("而{signal}（{size}）偏多：诉求可能没有减少，只是换了渠道", **fields))
        silent = silent_points_in(evidence.notes)
        if silent:
            points = say("、").join(self.names.point(point) for point in silent)
            remarks.append(say("其间没有收到来自{points}的任何记录，平时从不间断：可能是报送中断", points=points))
        elif HEARTBEAT in evidence.notes and evidence.size == Size.WEEK:
            remarks.append(say("其间有其他记录报送，但不排除中途中断"))
        elif HEARTBEAT in evidence.notes:
            remarks.append(say("其间仍有其他记录报送，不是报送中断"))
        return remarks

    def day(self, evidence: Evidence, county: str) -> list[str]:
        """What kind of day it was."""
        say = self.speech.say
        start, end = evidence.window_start, evidence.window_end
        facts = self.names.facts(evidence.calendar, evidence.county or county, start, max(end, start + 1))
        if evidence.size == Size.WEEK:
            return [say("其间有{facts}", facts=say("、").join(facts))] if facts else []
        if facts:
            return [say("当日为{facts}", facts=say("、").join(facts))]
        return [say("当日为周末") if self.names.is_weekend(start, end) else say("当日为工作日")]

    def also(self, raised: Raised, evidence: Sequence[Evidence]) -> list[str]:
        """What has joined since, shortly."""
        known = [one for one in evidence if not self.hides(one)]
        if not known:
            return []
        items = [self._item(raised, one) for one in known[:MOST_JOINED]]
        text = self.speech.say("；").join(items)
        if len(known) > MOST_JOINED:
            return [self.speech.say("另有 {list}，共 {n} 项", list=text, n=number(self.speech, len(known)))]
        return [self.speech.say("另有 {list}", list=text)]

    def _item(self, raised: Raised, evidence: Evidence) -> str:
        say = self.speech.say
        if evidence.shape is Shape.ALWAYS_PAGE:
            return say("同一工单更早的一件（{at}）", at=moment(self.speech, evidence.window_start, self.city.zone))
        signal = self.names.signal(evidence.signal)
        if evidence.county and evidence.county != raised.county:
            signal = say("{place}{signal}", place=self.names.county(evidence.county), signal=signal)
        size = {Size.HOUR: say("小时"), Size.DAY: say("日"), Size.WEEK: say("周")}[Size(evidence.size)]
        fields = {"signal": signal, "size": size, "count": self._counted(evidence, evidence.count)}
        if evidence.shape is Shape.SHIFT:
            down = evidence.direction == Direction.LOW
            fields["since"] = moment(self.speech, self._levels(evidence)[0], self.city.zone)
            item = (
                say("{signal}（{size}）自 {since} 起水平持续下降，是持续的变化", **fields)
                if down
                else say("{signal}（{size}）自 {since} 起水平持续上升，是持续的变化", **fields)
            )
            return say("，").join([item, *self._reclassified(evidence)])
        if evidence.shape is Shape.CLUSTER:
            return cluster_item(self.speech, self.names, evidence, fields | {"expected": self._expectation(evidence)})
        if evidence.direction == Direction.LOW and evidence.shape is not Shape.RATE:
            return say("{signal}（{size}）仅 {count}，{expected}", expected=self._expectation(evidence), **fields)
        return say("{signal}（{size}）{count}，{expected}", expected=self._expectation(evidence), **fields)
