"""A small scenario in one text, and ways to change it: `§` marks where a problem must be reported."""

from streams.replay.scenario import Scenario, read_scenario

SMALL = """\
title: 小场景
title_en: A small scenario
profile:
  name: small_town
  code: town
  title: 小城
  zone: Asia/Shanghai
  day_start: "12:00"
  allowed_lateness: 2h
  budget: {pages_per_week: 0.1}
  counties:
    east: {name: 东区, name_en: East}
    west: {name: 西区, name_en: West}
  points: {hotline: {name: 热线}, desk: {name: 窗口, intake: petition_filed}}
  channels: {phone: {name: 电话}}
  families: {order: {name: 秩序, name_en: Order}, safety: {name: 安全}}
  categories:
    noise: {name: 噪声, family: order, points: [hotline, desk]}
    danger: {name: 险情, family: safety, always_page: true, points: [desk]}
  signals:
    total:
      {title: 总量, title_en: All, family: order, where: {kind: [accepted, petition_filed]}, sizes: [hour, day],
       direction: both, minimum_count: 5, citywide: true}
  calendar: {country: CN}
start: 2026-05-12
end: 2026-06-18
seed: 7
background:
  - {county: all, category: noise, per_day: 20, spread: 1.05}
events:
  - {name: burst, at: 2026-06-10T13:00, over: 4h, county: east, category: noise, count: 80}
resend:
  - {events: burst, at: 2026-06-11T09:00}
raw:
  - {at: 2026-06-11T10:00, text: hello}
alerts:
  - {county: east, family: order, signal: total, raised: 2026-06-10T15:00/2026-06-10T20:00, direction: high}
silences:
  - {county: west}
counts:
  - {county: east, signal: total, size: day, at: 2026-06-11, count: 90..120}
accounting: {duplicate: 80, late: 0, rejected: 1, reasons: {not_json: 1}}
"""


def changed(*changes: str) -> str:
    """The text with every old part replaced by the new one after it."""
    text = SMALL
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text


def marked(text: str) -> tuple[str, int, int]:
    """The text without its §, and the line and column of that."""
    before = text[: text.index("§")]
    return text.replace("§", ""), before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def scenario(*changes: str) -> Scenario:
    """The small scenario with changes."""
    return read_scenario("small.yaml", changed(*changes).encode())
