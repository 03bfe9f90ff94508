"""What Alertmanager sends: its webhook, version 4. https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"""

from collections.abc import Mapping

import msgspec

MOST_BYTES = 4 * 1024 * 1024
"""A notification of a thousand alerts is half of one."""

WATCHDOG = "Watchdog"
KIND = "kind"
"""Label of jiantu's rules; what the values mean follows."""
ANOMALY = "anomaly"
"""An alert of the ledger, named by the label `alert`."""
RESTRICTED = "restricted"
"""Alerts of the ledger that no label may name: how many there are is all that Prometheus knows."""


class NotificationError(ValueError):
    """A body that is no notification of version 4: what is wrong with it."""


class Notified(msgspec.Struct, frozen=True):
    """One alert of Prometheus in a notification."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str = msgspec.field(name="startsAt")
    fingerprint: str

    @property
    def firing(self) -> bool:
        """Whether it goes on."""
        return self.status == "firing"

    @property
    def kind(self) -> str:
        """anomaly, restricted, or what else is watched."""
        return self.labels.get(KIND, "")

    @property
    def severity(self) -> str:
        """critical, or else warning: who says nothing is not urgent."""
        return "critical" if self.labels.get("severity") == "critical" else "warning"


class Notification(msgspec.Struct, frozen=True):
    """A group of them."""

    version: str
    group_key: str = msgspec.field(name="groupKey")
    status: str
    alerts: tuple[Notified, ...]
    truncated: int = msgspec.field(name="truncatedAlerts", default=0)


_decode = msgspec.json.Decoder(Notification).decode


def read_notification(body: bytes) -> Notification:
    """The notification of a request. Raises NotificationError."""
    try:
        found = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotificationError(f"not a notification of Alertmanager, version 4: {error}") from None
    if found.version != "4":
        raise NotificationError(f"a notification of version {found.version}; this pager reads version 4")
    if found.truncated:
        raise NotificationError("alerts were left out (max_alerts); set max_alerts: 0 in alertmanager.yml")
    return found
