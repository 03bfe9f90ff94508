"""Why an alert, or why not, in words."""

from detectors.scan import Scan
from streams.core.city import Direction, Size
from streams.core.evidence import BUILDS_UP, SHIFT_DETECTOR
from streams.core.explanation import Explanation, Test, Why
from streams.core.rules import THRESHOLD
from streams.wording.catalog import Speech
from streams.wording.cluster import cluster_seen
from streams.wording.figures import RAREST, hundredths, moment, number, odds, span, three_before
from streams.wording.names import Names, Naming
from streams.wording.sentence import Audience
from streams.wording.shares import based_on, counted_share, expected_share


def why(naming: Naming, given: Explanation, *, locale: str = "zh", audience: Audience = "desk") -> str | None:
    """An explanation as one paragraph in `zh` or `en`.

    None where the audience may not know of the signal (compartmented material).
    """
    speech = Speech(locale)
    names = Names(naming, speech)
    if audience == "county" and given.signal in names.hidden_signals:
        return None
    say = speech.say
    place = names.county(given.county)
    window = span(speech, given.window_start, given.window_end, naming.city.zone)
    size = {Size.HOUR: say("小时"), Size.DAY: say("日"), Size.WEEK: say("周")}[given.size]
    fields = {"place": place, "span": window, "signal": names.signal(given.signal), "size": size}
    if given.count is None:
        parts = [say("{place} {span} {signal}（{size}）", **fields)]
    else:
        if given.whole is None:
            count = names.counted(given.signal, number(speech, given.count))
        else:
            count = counted_share(speech, given.count, given.whole)
        parts = [say("{place} {span} {signal}（{size}）：{count}", count=count, **fields)]
    if given.exposure:
        parts.append(based_on(speech, names, given.signal, given.exposure))
    parts.append(_verdict(names, given))
    first = given.tests[0] if given.tests else None
    if first is not None and first.p is not None and first.detector != Scan.name:
        parts += _figures(names, given, first)
    for test in given.tests:
        parts += cluster_seen(speech, names, given.signal, test, alone=test is first)
    rule = first is not None and first.detector == THRESHOLD
    if first is not None and rule and first.turning_count is not None:
        limit = names.counted(given.signal, number(speech, first.turning_count))
        parts.append(say("限额为 {limit}", limit=limit))
    facts = names.facts(given.calendar, given.county, given.window_start, given.window_end)
    if facts:
        parts.append(say("日历：{facts}", facts=say("、").join(facts)))
    parts.append(say("不占误报额度") if rule else _budget(speech, given))
    return say("{text}。", text=say("；").join(parts))


def _verdict(names: Names, given: Explanation) -> str:
    speech = names.speech
    say = speech.say
    alert = given.alert or "—"
    minimum = number(speech, given.minimum_count)
    low = bool(given.tests) and given.tests[0].side is Direction.LOW
    texts = {
        Why.RAISED: lambda: say("已预警，编号 {alert}", alert=alert),
        Why.JOINED: lambda: say("并入已有的预警 {alert}，作为补充证据", alert=alert),
        Why.CONTINUED: lambda: say("属于尚未结束的预警 {alert}，不再重复预警", alert=alert),
        Why.EXPLAINED: lambda: say("预警 {alert} 已经说明了它，不再重复预警", alert=alert),
        Why.NOT_CORROBORATED: lambda: say("未预警：偏少，但没有别的信号、别的窗口或前一窗口佐证"),
        Why.CALENDAR: lambda: say("未预警：偏少，但这是特殊的日子，节假日偏少不算异常"),
        Why.PAST: lambda: say("未预警：此前几个窗口偏多，这个窗口并不偏多"),
        Why.VERDICT: lambda: say("异常"),
        Why.BREAK: lambda: say("未预警：归类口径刚调整过，新旧不可比"),
        Why.NEWCOMER: lambda: say("未预警：有县区刚开始报送，还在预热，全市合计的新旧不可比"),
        Why.BELOW_LIMIT: lambda: say("未预警：没有达到限额"),
        Why.MINIMUM_COUNT: lambda: (
            say("未预警：预期不足 {minimum}，偏少说明不了什么", minimum=minimum)
            if low
            else say("未预警：虽属异常，但不足最低数量 {minimum}", minimum=minimum)
        ),
        Why.DIRECTION: lambda: _other_side(speech, low=low, share=given.whole is not None),
        Why.OTHER_CLUSTER: lambda: say(
            "未预警：与它重叠的{counties}当日合起来更反常，报的是那一处", counties=_instead(names, given)
        ),
        Why.ABOVE_LEVEL: lambda: say("未预警：不够反常"),
        Why.WARMING_UP: lambda: say("未预警：积累的数据还不够，尚在预热"),
        Why.SILENT_FEED: lambda: say("没有收到报送，不是没有诉求：报送中断的预警 {alert} 已经说明了它", alert=alert),
        Why.NOT_HEARD: lambda: say("未预警：这里从未报送过任何事件，收到第一件之后才开始预热"),
        Why.MISSING: lambda: (
            say("未预警：此窗口没有数据")
            if given.whole is None
            else say("未预警：没有可比的总数（0/0），不是 0%，无从判断")
        ),
        Why.NO_EXPOSURE: lambda: say("未预警：此窗口没有可作分母的数，或不知道有多少，无从预期"),
        Why.NOT_TESTED: lambda: say("未预警：此信号在这里不按此窗口判断"),
        Why.NOT_CLOSED: lambda: _not_kept(names, given),
    }
    return texts[given.why]()


def _not_kept(names: Names, given: Explanation) -> str:
    """Why a window is not stored: it has not ended, or is from before what is kept."""
    say, zone = names.speech.say, names.city.zone
    if given.kept is None:
        return say("没有这个窗口的记录：尚未结束，或早于数据的起点，或已过保存期")
    first, last = (moment(names.speech, at, zone) for at in given.kept)
    if given.window_end > given.kept[1]:
        return say("没有这个窗口的记录：尚未结束，数据到 {last} 为止", last=last)
    return say("没有这个窗口的记录：早于数据的起点，或已过保存期；保存的最早窗口始于 {first}", first=first)


def _instead(names: Names, given: Explanation) -> str:
    """The counties of the cluster that was told instead."""
    cluster = given.tests[0].cluster if given.tests else None
    return names.speech.say("、").join(names.county(code) for code in (cluster.instead if cluster else ()))


def _other_side(speech: Speech, *, low: bool, share: bool) -> str:
    say = speech.say
    if share:
        return say("未预警：偏低，而此信号只关注偏高") if low else say("未预警：偏高，而此信号只关注偏低")
    return say("未预警：偏少，而此信号只关注偏多") if low else say("未预警：偏多，而此信号只关注偏少")


def _figures(names: Names, given: Explanation, test: Test) -> list[str]:
    """What was expected, how improbable the count was, and where the turning point lay."""
    speech = names.speech
    say = speech.say
    parts = []
    if given.whole and test.expected is not None and test.low is not None and test.high is not None:
        parts.append(expected_share(speech, test.expected, test.low, test.high, given.whole))
    elif test.expected is not None:
        expected = names.counted(given.signal, number(speech, test.expected))
        if test.low is not None and test.high is not None:
            low, high = number(speech, test.low), number(speech, test.high)
            parts.append(say("预期 {expected}（95% 区间 {low}–{high}）", expected=expected, low=low, high=high))
        else:
            parts.append(say("预期 {expected}", expected=expected))
    low_side = test.side is Direction.LOW
    if test.p is not None:
        parts.append(_so_improbable(speech, given, test, test.p))
    if test.level:
        parts.append(say("机会不超过 {level} 才会预警", level=_one_in(speech, test.level)))
        if test.turning_count is not None:
            count = names.counted(given.signal, number(speech, test.turning_count))
            parts.append(
                say("不超过 {count}就会预警", count=count) if low_side else say("达到 {count}就会预警", count=count)
            )
        elif low_side and test.tells_counts:
            parts.append(say("即使一件也没有，也不会预警"))
    return parts


def _so_improbable(speech: Speech, given: Explanation, test: Test, p: float) -> str:
    """How improbable what the test looked at was."""
    say, chance, low = speech.say, _chance(speech, p), test.side is Direction.LOW
    if given.whole is not None:
        return say("这样低的机会{odds}", odds=chance) if low else say("这样高的机会{odds}", odds=chance)
    if test.detector == BUILDS_UP:
        return say("连同{before}一起看，这样多的机会{odds}", before=three_before(speech, given.size), odds=chance)
    if test.detector == SHIFT_DETECTOR:
        few = say("最近几周合计，这样少的机会{odds}", odds=chance)
        return few if low else say("最近几周合计，这样多的机会{odds}", odds=chance)
    return say("这样少的机会{odds}", odds=chance) if low else say("这样多的机会{odds}", odds=chance)


def _one_in(speech: Speech, p: float) -> str:
    return speech.say("1/{odds}", odds=odds(speech, p) or number(speech, RAREST))


def _chance(speech: Speech, p: float) -> str:
    if p > 0.5:
        return speech.say("超过一半")
    one_in = odds(speech, p)
    if one_in is None:
        return speech.say("不到 1/{odds}", odds=number(speech, RAREST))
    return speech.say("约为 1/{odds}", odds=one_in)


def _budget(speech: Speech, given: Explanation) -> str:
    budget = number(speech, given.budget_per_week)
    if given.spent is None or given.left is None:
        return speech.say("误报额度每周 {budget} 次", budget=budget)
    spent, left = hundredths(speech, given.spent), hundredths(speech, given.left)
    return speech.say("误报额度每周 {budget} 次，前七天已用 {spent}，余 {left}", budget=budget, spent=spent, left=left)
