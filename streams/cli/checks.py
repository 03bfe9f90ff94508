"""What `jiantu doctor` looks at: each check is a function that gives one finding and never raises."""

import os
import platform
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Literal

from streams.clock import Clock
from streams.core.instant import format_instant, to_datetime
from streams.ledger.connection import FILE
from streams.ledger.errors import LedgerError
from streams.ledger.place import Where
from streams.ledger.schema import VERSION
from streams.profile import ProfileError, bundled
from streams.profile.kept import kept_profile
from streams.wiring.inputs import open_profile
from streams.wiring.reading import open_ledger, zone_of
from streams.wiring.warming import compiled_code_folder

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 37, 0)
"""The first with STRICT tables."""
AHEAD = timedelta(days=45)
"""How long before the calendar runs out to say so: next year's holidays are announced in November."""
LEAST_FREE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    todo: str = ""
    """What to do about it; empty where there is nothing to do."""


def all_checks(profile: str | None, where: Where | None, clock: Clock) -> list[Check]:
    """Every check, in the order in which they are shown. Without a profile: all that come with jiantu."""
    found = [_python(), _packages(), _sqlite(), _compiler(), _encoding()]
    found += [_profile(which, clock) for which in ([profile] if profile else bundled())]
    if where is not None:
        found += _ledger(where)
    return found


def _python() -> Check:
    words = f"Python {platform.python_version()} ({sys.executable})"
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "fail", words, "换用 3.11 或更新的 install 3.11 or newer, then run `make setup`")
    return Check("python", "ok", words)


def _packages() -> Check:
    missing: list[str] = []
    needed = metadata.requires("jiantu") or []
    for requirement in needed:
        name = re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", "fail", f"缺 missing: {', '.join(missing)}", "make setup")
    return Check("packages", "ok", f"jiantu {metadata.version('jiantu')}, {len(needed)} 个依赖包齐全 packages present")


def _sqlite() -> Check:
    words = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        return Check(
            "sqlite", "fail", words, f"需要 {oldest} 以上 a Python built with SQLite {oldest} or newer is needed"
        )
    return Check("sqlite", "ok", words)


def _compiler() -> Check:
    """numba keeps machine code beside the modules, or where NUMBA_CACHE_DIR says."""
    todo = "令 NUMBA_CACHE_DIR 指向可写的文件夹 set NUMBA_CACHE_DIR to a folder that can be written to"
    try:
        folder = Path(compiled_code_folder())
    except (RuntimeError, OSError) as error:
        return Check("numba", "warn", f"编译结果无处可存 compiled code cannot be kept ({error})", todo)
    place = folder
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        return Check(
            "numba", "warn", f"{folder} 不可写，每次都要重新编译 is not writable: compiles at every start", todo
        )
    return Check("numba", "ok", f"编译结果存于 compiled code is kept in {folder}")


def _encoding() -> Check:
    encoding = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "").replace("_", "")
    if encoding == "utf8":
        return Check("terminal", "ok", "UTF-8 中文 ▁▂▃")
    todo = "export LANG=C.UTF-8"
    return Check(
        "terminal", "warn", f"输出编码 encoding {encoding or 'unknown'}: 有些字显示不出 some characters are lost", todo
    )


def _profile(which: str, clock: Clock) -> Check:
    """Loads, its zone is known, and how long its holidays are known for."""
    name = f"profile {which}"
    try:
        profile = open_profile(which)
    except ProfileError as error:
        count = len(error.problems)
        return Check(name, "fail", f"{count} 处错误 problems", f"jiantu profile check {which}")
    city = profile.city
    words = f"{city.title} {city.title_en}, {city.zone}"
    until = profile.calendar.sure_until()
    if until is None:
        return Check(name, "ok", f"{words}, 节假日按规则 holidays by rule")
    today = to_datetime(clock.now(), city.zone).date()
    words = f"{words}, 节假日已知到 holidays known until {until}"
    if until - today <= AHEAD:
        todo = f"在它的 calendar.yaml 里补上 {until.year + 1} 年的安排 add that year's arrangement to its calendar.yaml"
        return Check(name, "warn", words, todo)
    return Check(name, "ok", words)


def _ledger(where: Where) -> Iterator[Check]:
    """Schema, damage, accounting, audit chain; of a data directory also its profile, and room on its disk."""
    name = f"data {where}" if isinstance(where, Path) else f"ledger {where}"
    if isinstance(where, Path) and not (where / FILE).is_file():
        yield Check(name, "fail", "没有运行记录 holds no run", "给出 jiantu replay 用的 --data-dir")
        return
    try:
        with open_ledger(where) as ledger:
            damage = ledger.damage()
            progress = ledger.progress()
            alerts = len(ledger.alerts())
            steps = ledger.audit_head().count
    except LedgerError as error:
        yield Check(name, "fail", str(error))
        return
    for problem in damage:
        yield Check(name, "fail", problem, "停用，从备份恢复或重新回放 stop using it; restore a backup, or replay")
    if not damage:
        yield Check(name, "ok", f"台账完好 sound: schema {VERSION}, {alerts} 条预警 alerts, {steps} 步处理 steps")
    if progress is not None:
        totals = progress.accounting
        words = (
            f"{totals.received:,} = {totals.counted:,} + {totals.duplicate:,} + {totals.late:,} + {totals.rejected:,}"
        )
        if progress.watermark is not None:
            words += f", 到 up to {format_instant(progress.watermark, zone_of(where))}"
        todo = "" if totals.balanced() else "停用，从备份恢复或重新回放 stop using it; restore a backup, or replay"
        yield Check("accounting", "ok" if totals.balanced() else "fail", words, todo)
    if isinstance(where, Path):
        yield from _folder(where)


def _folder(data_dir: Path) -> Iterator[Check]:
    if kept_profile(data_dir) is None:
        yield Check(
            "kept profile", "warn", "没有配置副本 its profile is not with it", "读取时加 --profile when reading"
        )
    free = shutil.disk_usage(data_dir).free
    words = f"{free / 1e9:.1f} GB 可用 free"
    yield Check("disk", "ok", words) if free >= LEAST_FREE else Check("disk", "warn", words, "腾出空间 free some")
