"""Options of the commands that speak to a broker, so that one name means one thing everywhere."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import flag

if TYPE_CHECKING:
    from streams.broker.settings import BrokerSettings

BrokersOption = Annotated[
    str | None,
    typer.Option(
        "--brokers",
        "-b",
        metavar="HOST:PORT[,…]",
        help="Kafka 的地址；默认取 JIANTU_KAFKA_BROKERS · brokers; default: $JIANTU_KAFKA_BROKERS",
        show_default=False,
    ),
]
PrefixOption = Annotated[
    str | None,
    typer.Option(
        "--prefix",
        metavar="TEXT",
        help="主题名的前缀 · what the names of all topics begin with; default: $JIANTU_KAFKA_TOPIC_PREFIX",
        show_default=False,
    ),
]
OnceOption = Annotated[bool, flag("--once", help="到现有的末尾为止 · stop at the end as it is now")]


def broker_settings(brokers: str | None, prefix: str | None, group: str | None = None) -> "BrokerSettings":
    """How to reach the brokers: the environment's settings, with what the command line says in their place."""
    from streams.broker.settings import BrokerSettings

    given = {"brokers": brokers, "topic_prefix": prefix, "group": group}
    return BrokerSettings(**{name: value for name, value in given.items() if value is not None})


def reached(brokers: str | None, prefix: str | None) -> "BrokerSettings":
    """As `broker_settings`, of brokers that let us in. Raises BrokerError, which says why they do not."""
    from streams.broker.reach import reach

    settings = broker_settings(brokers, prefix)
    reach(settings)
    return settings
