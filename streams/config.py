"""Settings of a process, from the environment: what is neither a city's (the profile) nor one command's (its options).

Each is a variable named JIANTU_ and the field in capitals; a command's option, where it has one, goes first.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "JIANTU_"


class SettingsError(Exception):
    """Variables of the environment that cannot be used: which, and what they may hold."""


class Settings(BaseSettings):
    """What the environment says."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    data_dir: Path | None = None
    """Data directory where a command's --data-dir is left out."""
    ledger_url: SecretStr | None = Field(default=None, min_length=1)
    """PostgreSQL database of the ledger, where a command's --ledger is left out; goes before data_dir."""
    ledger_url_file: Path | None = None
    """File that holds that url, with its password (systemd's LoadCredential, a mounted secret)."""
    lang: Literal["zh", "en"] = "zh"
    """Language of sentences where a command's --lang is left out."""
    user: str | None = Field(default=None, min_length=1, max_length=80)
    """Who acts on alerts where a command's --by is left out; without it the account's name."""
    token: SecretStr | None = Field(default=None, min_length=1)
    """Token of a live service, for `jiantu send`."""
    checkpoint_seconds: float = Field(default=5.0, gt=0, le=3600, allow_inf_nan=False)
    """Interval between checkpoints."""
    console_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    """Where staff reach the console: links to alerts begin with it."""
    runbook_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    """Where RUNBOOK.md can be read: links to its sections begin with it."""
    traceback: bool = False
    """Show Python's traceback of an unexpected error, instead of writing it to a file."""


def settings() -> Settings:
    """The environment's settings, read now. Raises SettingsError."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{PREFIX}{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
        raise SettingsError(f"环境变量不对 {'; '.join(wrong)}") from None
