"""The SDK's builders and models, imported once.

Its classes for boards of the first schema warn, while they are imported, that a second one is preferred; Grafana 11
reads only the first, and warnings are errors here.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        bargauge,
        common,
        dashboard,
        prometheus,
        stat,
        statetimeline,
        table,
        text,
        timeseries,
    )
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models import common as common_model
    from grafana_foundation_sdk.models import dashboard as model
    from grafana_foundation_sdk.models import prometheus as prometheus_model

__all__ = [
    "JSONEncoder",
    "bargauge",
    "common",
    "common_model",
    "dashboard",
    "model",
    "prometheus",
    "prometheus_model",
    "register_default_plugins",
    "stat",
    "statetimeline",
    "table",
    "text",
    "timeseries",
]
