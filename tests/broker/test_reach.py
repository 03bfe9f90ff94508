"""Why no broker lets us in: each reason is told apart, at once; the clients only say that they cannot bootstrap."""

import asyncio

import pytest
from aiokafka.client import AIOKafkaClient
from confluent_kafka.admin import AdminClient
from kafka.admin import KafkaAdminClient

from streams.broker.errors import BrokerError
from streams.broker.reach import reach
from streams.broker.settings import BrokerSettings
from tests.kafka.certificates import Authority
from tests.kafka.fixtures import SharedBroker, unreachable
from tests.kafka.secured import SecuredBroker
from tests.kafka.server import Server


def given(broker: SecuredBroker, **changed: object) -> BrokerSettings:
    """The administrator's settings, some of them changed."""
    named = {k.removeprefix("JIANTU_KAFKA_").lower(): v for k, v in broker.as_user("jiantu-admin").items()}
    return BrokerSettings(**{**named, **changed})


def why(settings: BrokerSettings) -> str:
    with pytest.raises(BrokerError) as caught:
        reach(settings)
    assert caught.value.instead
    assert "password" not in caught.value.instead.replace("SASL_PASSWORD_FILE", "")
    return str(caught.value)


def test_who_is_let_in(secured_broker: SecuredBroker, kafka_broker: SharedBroker) -> None:
    reach(given(secured_broker))
    reach(given(secured_broker, brokers=f"{unreachable()},{secured_broker.sasl}"))
    reach(BrokerSettings(brokers=kafka_broker.bootstrap))
    reach(BrokerSettings(brokers=secured_broker.ssl, security_protocol="SSL", ca_file=secured_broker.ca))


def test_all_three_clients_use_what_it_found(secured_broker: SecuredBroker) -> None:
    settings = given(secured_broker)
    with KafkaAdminClient(**settings.for_kafka_python()) as admin:
        assert admin.describe_cluster()["brokers"]
    assert AdminClient(settings.for_confluent()).list_topics(timeout=20).brokers

    async def starts() -> None:
        client = AIOKafkaClient(**settings.for_aiokafka())
        await client.bootstrap()
        await client.close()
        await asyncio.sleep(0.5)  # aiokafka does not wait for the connection it began with to say goodbye over TLS

    asyncio.run(starts())


def test_nobody_there(secured_broker: SecuredBroker) -> None:
    assert "nobody listens there" in why(given(secured_broker, brokers=unreachable()))
    assert "no such host" in why(given(secured_broker, brokers="kafka.invalid:9092"))


def test_wrong_password_and_wrong_user(secured_broker: SecuredBroker) -> None:
    for changed in ({"sasl_password": "guessed"}, {"sasl_user": "stranger"}):
        said = why(given(secured_broker, **changed))
        assert "or the password is refused" in said
        assert "guessed" not in said
    assert "does not take PLAIN, but SCRAM-SHA-512" in why(given(secured_broker, sasl_mechanism="PLAIN"))


def test_certificates_that_are_not_trusted(secured_broker: SecuredBroker) -> None:
    assert "not signed by whom we trust" in why(given(secured_broker, ca_file=secured_broker.stranger))
    other_name = secured_broker.sasl.replace("127.0.0.1", "localhost")
    assert "for another host than localhost" in why(given(secured_broker, brokers=other_name))


def test_the_wrong_listener(secured_broker: SecuredBroker) -> None:
    assert "does not speak TLS" in why(given(secured_broker, brokers=secured_broker.bootstrap))
    assert "as a TLS listener does" in why(BrokerSettings(brokers=secured_broker.sasl))
    assert "asks for no password" in why(given(secured_broker, brokers=secured_broker.ssl))


def test_a_listener_that_wants_a_password_and_gets_none(secured_broker: SecuredBroker) -> None:
    settings = BrokerSettings(brokers=secured_broker.sasl, security_protocol="SSL", ca_file=secured_broker.ca)
    assert "without a password" in why(settings)


def test_a_broker_that_hangs(own_broker: Server) -> None:
    own_broker.freeze()
    assert "does not answer within" in why(BrokerSettings(brokers=own_broker.bootstrap))
    own_broker.thaw()
    reach(BrokerSettings(brokers=own_broker.bootstrap))


def test_a_certificate_of_our_own(secured_broker: SecuredBroker, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The listener asks for one without insisting; what it gets must be of its authority."""
    strange = Authority(tmp_path_factory.mktemp("strange")).signs("worker")
    settings = BrokerSettings(
        brokers=secured_broker.ssl,
        security_protocol="SSL",
        ca_file=secured_broker.ca,
        cert_file=strange.certificate,
        key_file=strange.key,
    )
    assert "CERT_FILE" in why(settings)
