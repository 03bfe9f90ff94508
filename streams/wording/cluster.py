"""A cluster of neighbouring counties in words."""

from streams.core.alert import Evidence
from streams.core.clusters import cluster_in
from streams.wording.catalog import Speech
from streams.wording.figures import number
from streams.wording.names import Names


def cluster_case(speech: Speech, names: Names, evidence: Evidence, fields: dict[str, str]) -> str:
    """What is seen in which counties, and how often chance alone would show as much."""
    days = 1.0 / evidence.p if evidence.p else 0.0
    return speech.say(
        "{counties}相邻 {n} 个县区 {span} {signal}合计 {count}，{expected}；"
        "像这样的聚集平均约 {days} 天才会偶然出现一次",
        **_counties(speech, names, evidence),
        **{name: fields[name] for name in ("span", "signal", "count", "expected")},
        days=number(speech, float(f"{days:.2g}")),
    )


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
