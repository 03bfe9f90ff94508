"""`jiantu tail`: what happened to alerts, each once, with or without the city's names."""

import json

from streams.core.outputs import Correction
from streams.core.wire import Alerted, encode_alert, id_of
from streams.ledger.reader import LedgerReader
from tests.cli.commands import LAKE, Cli, Lake
from tests.kafka.fixtures import SharedBroker
from tests.sinks.topics import make_topics, send

CORRECTION = Correction("e1", "north", 0, 0, 0, ("complaints_total",))


def filled(broker: SharedBroker, prefix: str, lake: Lake) -> list[Alerted]:
    """A topic with every transition of Lake City twice, as a worker that was killed leaves it, and a correction."""
    topics = make_topics(broker.bootstrap, prefix, 1)
    with LedgerReader(lake.data) as ledger:
        transitions: list[Alerted] = list(ledger.transitions())
    twice = [encode_alert(one) for one in transitions for _ in range(2)]
    send(broker.bootstrap, topics.alerts, *((one, None, 0, {}) for one in (encode_alert(CORRECTION), *twice)))
    return transitions


def test_every_transition_is_shown_once(cli: Cli, lake: Lake, kafka_broker: SharedBroker, topic_prefix: str) -> None:
    transitions = filled(kafka_broker, topic_prefix, lake)
    where = ("tail", "--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix, "--once")
    shown = cli(*where, "--from", "start", "--json")
    documents = [json.loads(line) for line in shown.out.splitlines()]
    assert [one["id"] for one in documents] == [id_of(one) for one in transitions]
    assert "sentence" not in documents[0]
    # from where one was seen, only what comes behind it
    last = documents[-2]
    behind = cli(*where, "--from", f"{last['partition']}:{last['offset'] + 1}", "--json")
    assert [json.loads(line)["id"] for line in behind.out.splitlines()] == [documents[-1]["id"]]
    assert cli(*where).out == ""
    assert "write end, start" in cli.refused(*where, "--from", "yesterday")


def test_with_a_profile_it_speaks(cli: Cli, lake: Lake, kafka_broker: SharedBroker, topic_prefix: str) -> None:
    filled(kafka_broker, topic_prefix, lake)
    where = ("tail", "--brokers", kafka_broker.bootstrap, "--prefix", topic_prefix, "--once", "--from", "start")
    spoken = cli(*where, "-p", LAKE, "--lang", "en")
    told = [one["sentence_en"] for one in cli("alerts", "list", "-d", lake.data, "--json").document]
    assert spoken.code == 0
    assert len([line for line in spoken.out.splitlines() if "ended" not in line and "joined" not in line]) == len(told)
    plain = cli(*where)
    assert "raised" in plain.out
