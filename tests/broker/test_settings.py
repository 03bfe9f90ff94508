"""Settings that cannot work are refused at once, in words; no secret shows in any of them."""

import logging
from pathlib import Path

import pytest

from streams.broker.settings import BrokerSettings, BrokerSettingsError
from tests.kafka.certificates import Authority

SECRET = "tiger-and-dragon"


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BrokerSettings.model_fields:
        monkeypatch.delenv(f"JIANTU_KAFKA_{name.upper()}", raising=False)


def refused(**given: object) -> str:
    with pytest.raises(BrokerSettingsError) as caught:
        BrokerSettings(**given)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_the_environment_is_read_and_options_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANTU_KAFKA_BROKERS", "kafka1:9093, kafka2")
    monkeypatch.setenv("JIANTU_KAFKA_TOPIC_PREFIX", "leshan.")
    assert BrokerSettings().addresses == ("kafka1:9093", "kafka2:9092")
    assert BrokerSettings(brokers=None).topic_prefix == "leshan."
    assert BrokerSettings(brokers="kafka3").addresses == ("kafka3:9092",)


def test_no_address() -> None:
    with pytest.raises(BrokerSettingsError, match="--brokers"):
        _ = BrokerSettings().addresses


@pytest.mark.parametrize("brokers", ["kafka1:x", "kafka1:70000", "http://kafka1:9092", "kafka1:9092,,kafka2:0", "a b"])
def test_what_is_no_address(brokers: str) -> None:
    assert "HOST:PORT" in refused(brokers=brokers)


def test_sasl_without_tls_is_refused_unless_said() -> None:
    given = {"security_protocol": "SASL_PLAINTEXT", "sasl_user": "u", "sasl_password": SECRET}
    assert "ALLOW_PLAINTEXT_SASL" in refused(**given)
    assert BrokerSettings(**given, allow_plaintext_sasl=True).password() == SECRET


def test_a_password_that_would_not_be_used_is_refused() -> None:
    assert "SECURITY_PROTOCOL is PLAINTEXT" in refused(sasl_user="u", sasl_password=SECRET)
    assert "SECURITY_PROTOCOL is PLAINTEXT" in refused(ca_file=Path("ca.pem"))


def test_a_variable_that_nobody_reads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIANTU_KAFKA_SASL_PASWORD", SECRET)
    assert "JIANTU_KAFKA_SASL_PASSWORD?" in refused()


def test_half_of_a_login_is_refused(tmp_path: Path) -> None:
    assert "SASL_USER" in refused(security_protocol="SASL_SSL", sasl_password=SECRET)
    assert "SASL_PASSWORD_FILE" in refused(security_protocol="SASL_SSL", sasl_user="u")
    file = tmp_path / "secret"
    file.write_text(SECRET)
    both = {"sasl_password": SECRET, "sasl_password_file": file}
    assert "both given" in refused(security_protocol="SASL_SSL", sasl_user="u", **both)


def test_secrets_from_files(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    settings = BrokerSettings(security_protocol="SASL_SSL", sasl_user="u", sasl_password_file=file)
    assert settings.password() == SECRET
    file.write_text("renewed")
    assert settings.password() == "renewed"
    file.unlink()
    with pytest.raises(BrokerSettingsError, match="no such file"):
        settings.password()


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such file"), (b"", "empty"), (b"a\nb\n", "one line"), (b"\xff\xfe", "UTF-8")]
)
def test_secret_files_that_are_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    assert said in refused(security_protocol="SASL_SSL", sasl_user="u", sasl_password_file=file)


def test_certificates_are_read_before_anything_connects(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ours")
    pair = authority.signs("worker", password=SECRET)
    assert "no such file" in refused(security_protocol="SSL", ca_file=tmp_path / "none.pem")
    assert "PEM" in refused(security_protocol="SSL", ca_file=pair.key)
    assert "needs its key" in refused(security_protocol="SSL", cert_file=pair.certificate)
    own = {"security_protocol": "SSL", "ca_file": authority.ca, "cert_file": pair.certificate, "key_file": pair.key}
    assert "CERT_FILE" in refused(**own)  # its key is encrypted: nobody is asked on the terminal
    assert "KEY_PASSWORD_FILE right?" in refused(**own, key_password="wrong")
    other = authority.signs("ledger")
    assert "its own key" in refused(**{**own, "key_file": other.key})
    assert BrokerSettings(**own, key_password=SECRET).ssl_context()


def test_no_secret_is_shown_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    settings = BrokerSettings(brokers="b", security_protocol="SASL_SSL", sasl_user="u", sasl_password=SECRET)
    logging.getLogger("kafka").warning("configuration: %s", settings.for_kafka_python())
    shown = [repr(settings), str(settings), caplog.text, str(settings.for_aiokafka()), repr(settings.for_confluent())]
    assert SECRET not in " ".join(shown)
    assert settings.for_kafka_python()["sasl_plain_password"] == SECRET


def test_names_of_topics() -> None:
    assert "TOPIC_PREFIX" in refused(topic_prefix="乐山.")
    assert "TOPIC_PREFIX" in refused(topic_prefix="x" * 201)
