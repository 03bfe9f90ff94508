"""Whether the feeds are alive: the panel that the boards of the city and of the pipeline share."""

from dashboards import colours
from dashboards.frame import Tongue
from dashboards.panels import Builder, Query, bars
from dashboards.queries import age, with_name
from streams import metrics


def feeds(say: Tongue) -> Builder:
    """A bar for each observation point."""
    return bars(
        say.words(
            "观测点来件距今",
            "Feeds: time since the last event",
            "各观测点最近一次有来件的窗口结束至今的时间。",
            "Time since the end of the last window in which events came from each observation point.",
        ),
        "s",
        Query(
            with_name(age(metrics.POINT_LAST_EVENT, "point"), "point", metrics.POINT_INFO, say.name),
            f"{{{{{say.name}}}}}",
        ),
        steps=[(None, colours.CALM), (36 * 3600, colours.NOTICE), (3 * 86_400, colours.ALARM)],
    )
