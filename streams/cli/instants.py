"""Instants and speeds as people type them."""

from datetime import date, datetime, time, timedelta, tzinfo

from streams.cli.ending import WrongInputError
from streams.core.instant import Instant, from_datetime, parse_instant


def instant(text: str | None, zone: tzinfo, option: str) -> Instant | None:
    """The instant that an option names: RFC 3339, or without a zone the city's local time, or a date alone (its
    midnight); None for None. Raises WrongInputError."""
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        pass
    try:
        local = datetime.fromisoformat(text) if len(text) > len("2025-03-01") else _midnight(text)
        return from_datetime(local if local.tzinfo else local.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise WrongInputError(
            f"{option} “{text}” 不是时间；写成 2025-03-01、2025-03-01T08:00 或带时区",
            f'"{text}" is no time; write 2025-03-01, 2025-03-01T08:00 (local to the city), or with an offset',
        ) from None


def deadline_instant(text: str, zone: tzinfo, option: str) -> Instant:
    """As `instant`, but a date alone is its end. Raises WrongInputError."""
    try:
        local = _midnight(text) + timedelta(days=1)
    except (ValueError, OverflowError):
        found = instant(text, zone, option)
        assert found is not None
        return found
    return from_datetime(local.replace(tzinfo=zone))


def _midnight(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time())


def speed(text: str) -> float | None:
    """How many seconds of event time a second of the clock is; None for as fast as possible."""
    if text == "max":
        return None
    number = text.removesuffix("x")
    try:
        factor = float(number)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf") or number == text:
        raise WrongInputError(
            f"--speed “{text}” 不对；写 max、60x 或 1x", f'--speed "{text}": write max, 60x (a minute a second) or 1x'
        )
    return factor
