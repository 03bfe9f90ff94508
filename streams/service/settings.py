"""Settings of a live service: a TOML file, and options of the command that go before it. Unknown keys are refused."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_MEGABYTE = 1024 * 1024


class ServiceSettingsError(Exception):
    """A settings file that cannot be used: where, what, and what may stand there."""


class ServiceSettings(BaseModel):
    """What may be set; sizes in bytes, times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = "127.0.0.1:8080"
    """HOST:PORT; port 0: any that is free."""
    clock: Literal["live", "stream"] = "live"
    """live: the service's clock tells what time it is; stream: what is sent tells it, for replays."""
    page_replayed: bool = False
    """Page on what a stream's own clock raised too."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tick_seconds: float = Field(default=10.0, ge=0.1, le=3600)
    """Between two ticks of the service's clock; they fall on whole multiples of it."""
    checkpoint_seconds: float = Field(default=5.0, gt=0, le=3600)
    """Between two checkpoints; an alert does not wait for it."""
    max_body: int = Field(default=8 * _MEGABYTE, ge=1024, le=64 * _MEGABYTE)
    max_records: int = Field(default=10_000, ge=1, le=100_000)
    """Of one request."""
    max_waiting_records: int = Field(default=50_000, ge=1)
    """Taken in and not yet durable; more are asked to come again."""
    max_waiting_bytes: int = Field(default=64 * _MEGABYTE, ge=1024)
    """Of bodies in memory at once."""
    max_requests: int = Field(default=512, ge=1, le=10_000)
    """Being answered at once, probes aside."""
    max_connections: int = Field(default=2_000, ge=1, le=100_000)
    header_seconds: float = Field(default=10.0, gt=0, le=600)
    """For the head of a request to come in."""
    body_seconds: float = Field(default=20.0, gt=0, le=600)
    """For its body."""
    drain_seconds: float = Field(default=25.0, gt=0, le=600)
    """For everything taken in to be done, when it is told to stop."""
    least_free: int = Field(default=64 * _MEGABYTE, ge=0)
    """Of the disk under the data directory; where less is free, nothing is taken in."""
    stall_seconds: float = Field(default=60.0, gt=0, le=3600)
    """Without progress, from then on it is not ready."""

    @property
    def pages(self) -> bool:
        """Whether what it raises is for people to act on."""
        return self.clock == "live" or self.page_replayed


def service_settings(path: Path | None, options: Mapping[str, object]) -> ServiceSettings:
    """The settings of a file, and of options that are not None. Raises ServiceSettingsError."""
    given = {} if path is None else _read(path)
    where = "options" if path is None else str(path)
    chosen = given | {name: value for name, value in options.items() if value is not None}
    try:
        return ServiceSettings.model_validate(chosen)
    except ValidationError as error:
        raise ServiceSettingsError(
            "\n".join(f"{where}: {_said(one['loc'], one['msg'])}" for one in error.errors())
        ) from None


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ServiceSettingsError(f"{path}: cannot be read ({error.strerror}); give another --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ServiceSettingsError(f"{path}: is no TOML ({error})") from None


def _said(place: tuple[int | str, ...], message: str) -> str:
    key = ".".join(map(str, place))
    known = list(ServiceSettings.model_fields)
    if key in known:
        return f"{key}: {message}"
    near = difflib.get_close_matches(key, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known)}"
    return f'unknown key "{key}"; {hint}'
