"""A small town's profile in one file, and a way to spoil it: `§` marks where the problem must be reported."""

from pathlib import Path

SMALL_TOWN = """\
name: small_town
code: town
title: 小城
zone: Asia/Shanghai
day_start: "12:00"
allowed_lateness: 2h
budget: {pages_per_week: 2}
retention:
  scores: 400d

counties:
  east: {name: 东区, population: 1000, neighbours: [west]}
  west: {name: 西区, neighbours: [east], aliases: [Westend]}

points:
  hotline: {name: 热线, intake: accepted}
channels:
  phone: {name: 电话}

families:
  order: {name: 秩序}
  conduct: {name: 作风}
categories:
  noise: {name: 噪声, family: order, points: [hotline]}
  danger: {name: 险情, family: order, always_page: true}
  accusation: {name: 检举, family: conduct, compartmented: true}

signals:
  total:
    title: 总量
    family: order
    where: {kind: accepted, family: order}
    sizes: [hour, day]
    direction: both
    minimum_count: 5
    weight: 1.5
    detectors: [counts]

calendar:
  country: CN
  classes:
    ordinary: {title: 平常日}
    fair: {title: 庙会, days: [fair]}
  events:
    fair: {name: 庙会, yearly: 04-01/04-03, counties: [east]}
  overlay:
    2027:
      source: 通知
      holidays: {spring_festival: 2027-02-05/2027-02-11}
      make_up_workdays: [2027-01-30]

mapping:
  opened: created
  closed: done
  ticket: id
  columns: {county: area, category: topic}
  constants: {channel: phone}
"""


def write(folder: Path, text: str | bytes = SMALL_TOWN, name: str = "profile.yaml") -> Path:
    """A profile folder with one file."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def spoil(*changes: str) -> tuple[str, int, int]:
    """The text with every old part replaced by the new one after it, and the line and column of the §."""
    text = SMALL_TOWN
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    before = text[: text.index("§")]
    return text.replace("§", ""), before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
