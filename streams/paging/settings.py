"""What a pager is told by its file: channels, who is told when, and where the secrets are. Secrets are never in it.

Every mistake is told at its line and column, as a profile's are.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator

from streams.profile import document
from streams.profile.document import Place
from streams.profile.explain import explain
from streams.profile.problems import Problem, instead
from streams.profile.written import wrong

SHORTEST_SECRET = 24
"""Characters: what nobody guesses."""
ALERT_ROUTES = ("critical", "warning")
SERVICE_ROUTE = "service"


def _as_url(given: object) -> object:
    """Of a web page or a webhook."""
    if not isinstance(given, str) or not re.fullmatch(r"https?://[^\s?#/]+[^\s?#]*", given):
        raise wrong(f"{given} 不是网址；请写 https://主机/路径", f"{given} is no url; write https://HOST/PATH")
    return given


Url = Annotated[str, BeforeValidator(_as_url)]
Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = get_args(Lang)


def _as_lang(given: object) -> object:
    if given not in LANGS:
        raise wrong(f"没有 {given} 这种语言；请写 zh 或 en", f"no language {given}; write zh or en")
    return given


WrittenLang = Annotated[Lang, BeforeValidator(_as_lang)]
T = TypeVar("T", bound=BaseModel)


class PagingSettingsError(ValueError):
    """A pager's file, or a secret that it names, that cannot be used: what, where, what to write."""

    def __init__(self, problems: Sequence[Problem | str]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretPlace(_Strict):
    """Where a secret is: in a file (systemd's LoadCredential, a mounted secret), or in a variable."""

    file: Path | None = None
    env: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_a_place(cls, given: object) -> object:
        if not isinstance(given, Mapping | SecretPlace):  # perhaps the secret itself: it is not shown
            raise wrong(
                "密钥不写在这里；请写 {file: 路径} 或 {env: 变量名}",
                "secrets are not written here; write {file: PATH} or {env: NAME}",
            )
        return given

    @model_validator(mode="after")
    def _one(self) -> "SecretPlace":
        if (self.file is None) == (self.env is None):
            raise wrong("只写 file 或 env 之一", "give either file or env")
        return self

    def read(self, what: str) -> SecretStr:
        """The secret. Raises PagingSettingsError, which never shows it."""
        if self.env is not None:
            found = os.environ.get(self.env, "").strip()
            if not found:
                raise PagingSettingsError([f"{what}: 环境变量 {self.env} 没有设置 | ${self.env} is not set"])
            return SecretStr(found)
        assert self.file is not None
        try:
            found = self.file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            words = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise PagingSettingsError([f"{what}: 读不了 {self.file} | {self.file} cannot be read ({words})"]) from None
        if not found:
            raise PagingSettingsError([f"{what}: {self.file} 是空的 | {self.file} is empty"])
        return SecretStr(found)

    def read_key(self, what: str) -> SecretStr:
        """A secret of our own making, which must be long enough."""
        found = self.read(what)
        if len(found.get_secret_value()) < SHORTEST_SECRET:
            zh = f"太短，至少 {SHORTEST_SECRET} 个字符，例如 openssl rand -hex 32"
            en = f"too short: at least {SHORTEST_SECRET} characters, for example openssl rand -hex 32"
            raise PagingSettingsError([f"{what}: {zh} | {en}"])
        return found


class ChannelSettings(_Strict):
    """One way to tell staff: a robot, a mailbox, a webhook."""

    url: SecretPlace
    """Where its apprise URL is: it holds the robot's token."""
    a_minute: Annotated[int, Field(ge=1, le=600)] = 20
    """Messages that it takes in any 60 seconds; 20 is DingTalk's and WeCom's, 100 Feishu's."""
    a_second: Annotated[int, Field(ge=1, le=100)] = 5
    """Messages that it takes in any second; 5 is Feishu's."""
    lang: WrittenLang | None = None


class Level(_Strict):
    """Who is told at one level."""

    after: Annotated[float, Field(ge=0, le=60 * 24 * 7)] = 0
    """Minutes after the level before without acknowledgement; 0 at the first level."""
    channels: Annotated[tuple[str, ...], Field(min_length=1)]


Levels = Annotated[tuple[Level, ...], Field(min_length=1, max_length=10)]


class RouteSettings(_Strict):
    """Who is told of what."""

    critical: Levels
    warning: Levels
    service: Levels
    """Of what is about jiantu itself: a silent feed, a pipeline that is down, the budget, the exporter."""


class ChannelsSettings(_Strict):
    """What a dead man's file and a pager's have in common."""

    lang: WrittenLang = "zh"
    channels: Annotated[dict[str, ChannelSettings], Field(min_length=1)]
    webhook_token: SecretPlace
    """Bearer token that Alertmanager shows."""


class RetrySettings(_Strict):
    """How long a channel that fails is left alone, seconds: twice as long each time."""

    first: Annotated[float, Field(gt=0, le=3600)] = 5
    longest: Annotated[float, Field(gt=0, le=3600)] = 60


class HeartbeatSettings(_Strict):
    """Where a dead man listens."""

    url: Url
    """For example http://deadman:9096/v1/alive/pager."""
    token: SecretPlace
    """The bearer token that it asks for: its own webhook_token."""
    every: Annotated[float, Field(gt=0, le=3600)] = 30
    """Seconds between two."""


class PagingSettings(ChannelsSettings):
    """A pager's file."""

    console_url: Url | None = None
    """Where links to alerts go; JIANTU_CONSOLE_URL where it is left out."""
    runbook_url: Url | None = None
    """Where RUNBOOK.md can be read; without it cards name the section only."""
    link_key: SecretPlace
    """Signs acknowledge-links."""
    link_hours: Annotated[float, Field(gt=0, le=24 * 31)] = 72
    """How long an acknowledge-link holds."""
    routes: RouteSettings
    retry: RetrySettings = RetrySettings()
    heartbeat: HeartbeatSettings | None = None
    """The dead man that this pager tells that it lives."""

    @model_validator(mode="after")
    def _channels_are_known(self) -> "PagingSettings":
        for name in (*ALERT_ROUTES, SERVICE_ROUTE):
            for number, level in enumerate(getattr(self.routes, name)):
                unknown = [one for one in level.channels if one not in self.channels]
                if unknown:
                    zh, en = instead(unknown[0], self.channels)
                    raise wrong(
                        f"routes.{name}: 没有渠道 {unknown[0]}；{zh}", f"routes.{name}: no channel {unknown[0]}; {en}"
                    )
                if number and level.after == 0:
                    which = number + 1
                    raise wrong(
                        f"routes.{name}: 第 {which} 级要写 after（分钟）",
                        f"routes.{name}: level {which} needs after, minutes",
                    )
        return self


class DeadmanSettings(ChannelsSettings):
    """A dead man's file: independent of the ledger and of the pager."""

    expect: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")], ...], Field(min_length=1)] = (
        "watchdog",
    )
    """Names of heartbeats; the Watchdog's is `watchdog`, a pager's own `pager`."""
    silence: Annotated[float, Field(gt=0, le=60 * 24)] = 5
    """Minutes without one before it pages."""
    again: Annotated[float, Field(gt=0, le=60 * 24 * 7)] = 60
    """Minutes until it pages again while the silence lasts."""


def read_paging(path: Path) -> PagingSettings:
    """Read a pager's file. Raises PagingSettingsError with everything that is wrong, at line and column."""
    return _read(path, PagingSettings)


def read_deadman(path: Path) -> DeadmanSettings:
    """Read a dead man's file; as read_paging."""
    return _read(path, DeadmanSettings)


def _read(path: Path, model: type[T]) -> T:
    name = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PagingSettingsError([f"{path}: 读不了 | cannot be read ({error.strerror})"]) from None
    written = document.read([(name, content)], Place(name, 1, 1))
    if written.problems:
        raise PagingSettingsError(sorted(written.problems))
    try:
        return model.model_validate(_relative(written.data, path.parent))
    except ValidationError as error:
        explain(written, error, model)
        raise PagingSettingsError(sorted(written.problems)) from None


def _relative(data: object, folder: Path) -> object:
    """Secret files are named as seen from the settings file."""
    if isinstance(data, Mapping):
        made = {key: _relative(value, folder) for key, value in data.items()}
        if isinstance(made.get("file"), str):
            made["file"] = folder / str(made["file"])
        return made
    return [_relative(one, folder) for one in data] if isinstance(data, list) else data
