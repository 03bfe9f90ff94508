"""A cluster of neighbouring counties in words."""

from streams.core.alert import Evidence
from streams.core.clusters import cluster_in
from streams.core.explanation import Test
from streams.wording.catalog import Speech
from streams.wording.figures import number
from streams.wording.names import Names

UNREMARKABLE = 0.5
"""A cluster that chance makes so often is not worth a word."""


def cluster_case(speech: Speech, names: Names, evidence: Evidence, fields: dict[str, str]) -> str:
    """What is seen in which counties, and how often chance alone would show as much."""
    return speech.say(
        "{counties}相邻 {n} 个县区 {span} {signal}合计 {count}，{expected}；"
        "像这样的聚集平均约 {days} 天才会偶然出现一次",
        **_counties(speech, names, evidence),
        **{name: fields[name] for name in ("span", "signal", "count", "expected")},
        days=_days_between(speech, evidence.p or 0.0),
    )


def cluster_seen(speech: Speech, names: Names, signal: str, test: Test, *, alone: bool) -> list[str]:
    """What the scan saw in a county and its neighbours, and what it would have taken; `alone`: nothing is said of the
    county's own tests beside it."""
    seen = test.cluster
    if seen is None or test.p is None or not test.level or (test.p > UNREMARKABLE and not alone):
        return []
    fields = {
        "counties": speech.say("、").join(names.county(code) for code in seen.counties),
        "when": speech.say("当日") if seen.days == 1 else speech.say("{n} 日", n=number(speech, seen.days)),
        "count": names.counted(signal, number(speech, seen.count)),
        "expected": number(speech, test.expected or 0.0),
        "low": number(speech, test.low or 0.0),
        "high": number(speech, test.high or 0.0),
        "days": _days_between(speech, test.p),
        "needed": _days_between(speech, test.level),
    }
    seldom = (
        speech.say("这样的聚集随时都会偶然出现")
        if test.p > UNREMARKABLE
        else speech.say("偶然聚成这样平均约 {days} 天一次，{needed} 天以上一次才会预警", **fields)
    )
    parts = [
        speech.say(
            "连同邻县看，{counties} {when}合计 {count}，预期 {expected}（95% 区间 {low}–{high}），{seldom}",
            seldom=seldom,
            **fields,
        )
    ]
    if alone and test.turning_count is not None:
        count = names.counted(signal, number(speech, test.turning_count))
        parts.append(speech.say("合计达到 {count}就会预警", count=count))
    return parts


def _days_between(speech: Speech, p: float) -> str:
    """Days between two clusters by chance, on average, to two digits."""
    return number(speech, float(f"{1.0 / p if p else 0.0:.2g}"))


def cluster_item(speech: Speech, names: Names, evidence: Evidence, fields: dict[str, str]) -> str:
    """The same, shortly."""
    return speech.say(
        "{counties}相邻 {n} 个县区{signal}（{length} 日）合计 {count}，{expected}",
        **_counties(speech, names, evidence),
        **{name: fields[name] for name in ("signal", "count", "expected")},
        length=number(speech, (cluster_in(evidence.notes) or ((), 1))[1]),
    )


def _counties(speech: Speech, names: Names, evidence: Evidence) -> dict[str, str]:
    codes, _ = cluster_in(evidence.notes) or ((), 0)
    return {"counties": speech.say("、").join(names.county(code) for code in codes), "n": number(speech, len(codes))}
