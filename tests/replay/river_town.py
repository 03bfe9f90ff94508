"""A small city for these tests: four counties, twenty-fold apart, two points, five categories, one day off a week."""

from pathlib import Path

from streams.profile.load import load
from streams.profile.model import Profile

PROFILE = """
name: river_town
code: "100"
title: 河镇
zone: Asia/Shanghai
allowed_lateness: 2h
budget: {pages_per_week: 2}
counties:
  "101": {name: 东, population: 400000, neighbours: ["102", "103"]}
  "102": {name: 西, population: 200000, neighbours: ["101"]}
  "103": {name: 南, population: 60000, neighbours: ["101"]}
  "104": {name: 北, population: 20000}
points:
  hotline: {name: 热线, share: 95}
  opinion: {name: 网信, intake: opinion_post, share: 5}
sectors: {school: {name: 学校}, village: {name: 村社, share: 3}}
channels: {phone: {name: 电话, share: 9}, app: {name: 应用}}
families: {all: {name: 全部}, order: {name: 秩序}, work: {name: 劳动}, life: {name: 生命}}
categories:
  noise: {name: 噪声, family: order, share: 40}
  parking: {name: 停车, family: order, share: 25}
  wages: {name: 欠薪, family: work, share: 25}
  training: {name: 培训, family: work, share: 10}
  threat: {name: 威胁, family: life, share: 1, always_page: true, points: [hotline]}
signals:
  total: {title: 总量, family: all, where: {kind: accepted}, sizes: [day, week], minimum_count: 5, direction: both}
  order: {title: 秩序, family: order, where: {kind: accepted, family: order}, sizes: day, minimum_count: 5}
  work: {title: 劳动, family: work, where: {kind: accepted, family: work}, sizes: day, minimum_count: 5}
  callers: {title: 人数, family: all, measure: distinct_callers, where: {kind: accepted}, sizes: day, minimum_count: 5}
  repeats: {title: 重复, family: all, measure: repeats, where: {kind: accepted}, sizes: day, minimum_count: 5}
  unhappy: {title: 不满, family: all, where: {outcome: dissatisfied}, sizes: day, minimum_count: 5}
  posts: {title: 舆情, family: all, where: {point: opinion}, sizes: day, minimum_count: 5}
calendar: {country: CN}
simulation: {tickets_per_day: 120}
"""


def river_town(folder: Path) -> Profile:
    """The profile, written to a folder and loaded like any other."""
    (folder / "profile.yaml").write_text(PROFILE, encoding="utf-8")
    return load(folder)
