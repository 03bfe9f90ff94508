"""How to reach the brokers: one block of settings, mapped to each of the three clients that jiantu speaks Kafka with.

Each is a variable named JIANTU_KAFKA_ and the field in capitals; a command's option, where it has one, goes first.
A secret may be in a file (systemd's LoadCredential, a mounted secret): the field with _FILE holds its path.
What cannot work is refused here, before anything connects. No error, log or repr shows a secret.
"""

import difflib
import os
import re
import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.broker.names import problem_with_prefix

PREFIX = "JIANTU_KAFKA_"
DEFAULT_PORT = 9092

CONNECT_SECONDS = 10
"""For a connection, with its TLS and its password. kafka-python and librdkafka give up, or go on to the next broker."""
REQUEST_SECONDS = 15
"""For an answer. Longer than a broker takes to notice that its peer is gone, shorter than a person waits."""
BACKOFF_SECONDS = 2
"""The longest rest between two attempts to connect: a broker that is back is found at once."""

_ONLY_FATAL = 2
"""librdkafka writes to stderr by itself, a line an attempt. What it says there of brokers that are away, its errors say
too, and whoever gets them says it in words, once."""

Protocol = Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"]


class BrokerSettingsError(Exception):
    """Settings that cannot be used: which, and what they may hold; one line each."""


class _Hidden(str):
    """A secret as the clients take it: kafka-python writes its whole configuration to the log."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class BrokerSettings(BaseSettings):
    """What the environment says, and in its place what is given. Raises BrokerSettingsError, which names variables."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    brokers: str = Field(default="", max_length=4000)
    """host:port, separated by commas; some of them are enough."""
    security_protocol: Protocol = "PLAINTEXT"
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    sasl_user: str | None = Field(default=None, min_length=1)
    sasl_password: SecretStr | None = Field(default=None, min_length=1)
    sasl_password_file: Path | None = None
    allow_plaintext_sasl: bool = False
    """Passwords over connections that anyone can read: only on purpose."""
    ca_file: Path | None = None
    """PEM: who signed the brokers' certificates; without it the system's own list."""
    cert_file: Path | None = None
    """PEM: the client's own certificate, where brokers ask for one."""
    key_file: Path | None = None
    """PEM: its key."""
    key_password: SecretStr | None = None
    key_password_file: Path | None = None
    topic_prefix: str = ""
    """What the names of all topics begin with."""
    group: str = Field(default="jiantu", min_length=1, max_length=200)
    """What the names of the consumer groups begin with."""

    def __init__(self, **given: Any) -> None:
        """`given` goes before the environment; what is None there is not given."""
        if misspelt := _misspelt():
            raise BrokerSettingsError("\n".join(misspelt))
        try:
            super().__init__(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            raise BrokerSettingsError("\n".join(_lines(error))) from None

    # ---- what is refused ----------------------------------------------------------------------------------------

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = [*self._problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> list[str]:
        found = [*_problems_with_addresses(self.brokers)]
        if problem := problem_with_prefix(self.topic_prefix):
            found.append(f"{PREFIX}TOPIC_PREFIX: {problem}")
        found += self._problems_with_sasl()
        found += self._problems_with_tls()
        return found

    def _problems_with_sasl(self) -> list[str]:
        found = []
        named = self.sasl_user is not None or self.sasl_password is not None or self.sasl_password_file is not None
        if self.security_protocol == "SASL_PLAINTEXT" and not self.allow_plaintext_sasl:
            found.append(
                f"{PREFIX}SECURITY_PROTOCOL: SASL_PLAINTEXT sends who you are over a connection that anyone on the way "
                f"can read and change; use SASL_SSL, or set {PREFIX}ALLOW_PLAINTEXT_SASL=true where that is meant"
            )
        if self._by_password and self.sasl_user is None:
            found.append(f"{PREFIX}SASL_USER: {self.security_protocol} needs a user")
        if self._by_password and self.sasl_password is None and self.sasl_password_file is None:
            found.append(f"{PREFIX}SASL_PASSWORD_FILE: {self.security_protocol} needs the user's password, in a file")
        if named and not self._by_password:
            found.append(
                f"{PREFIX}SASL_*: a user or a password is given, but {PREFIX}SECURITY_PROTOCOL is "
                f"{self.security_protocol}, which uses none; set it to SASL_SSL"
            )
        if self.sasl_password is not None and self.sasl_password_file is not None:
            found.append(f"{PREFIX}SASL_PASSWORD and {PREFIX}SASL_PASSWORD_FILE are both given; leave one out")
        return found + _problems_with_secret("SASL_PASSWORD_FILE", self.sasl_password_file)

    def _problems_with_tls(self) -> list[str]:
        files = {"CA_FILE": self.ca_file, "CERT_FILE": self.cert_file, "KEY_FILE": self.key_file}
        given = [f"{PREFIX}{name}" for name, path in files.items() if path is not None]
        if given and not self._by_tls:
            protocol = f"{PREFIX}SECURITY_PROTOCOL is {self.security_protocol}, which uses none"
            return [f"{', '.join(given)}: certificates are given, but {protocol}; set it to SSL or SASL_SSL"]
        found = [
            f"{PREFIX}{name}: {path}: {problem}"
            for name, path in files.items()
            if path is not None and (problem := _problem_with_file(path))
        ]
        if (self.cert_file is None) != (self.key_file is None):
            found.append(
                f"{PREFIX}CERT_FILE and {PREFIX}KEY_FILE: a certificate needs its key, and a key its certificate"
            )
        if self.key_password is not None and self.key_password_file is not None:
            found.append(f"{PREFIX}KEY_PASSWORD and {PREFIX}KEY_PASSWORD_FILE are both given; leave one out")
        found += _problems_with_secret("KEY_PASSWORD_FILE", self.key_password_file)
        if not found and self._by_tls:
            found += self._problems_with_certificates()
        return found

    def _problems_with_certificates(self) -> list[str]:
        try:
            _trusting(self.ca_file)
        except (ssl.SSLError, OSError) as error:
            return [f"{PREFIX}CA_FILE: {self.ca_file}: no certificate in PEM can be read from it ({_short(error)})"]
        try:
            self.ssl_context()
        except (ssl.SSLError, OSError) as error:
            hint = f"; is {PREFIX}KEY_PASSWORD_FILE right?" if self._key_password() else ""
            files = f"{PREFIX}CERT_FILE, {PREFIX}KEY_FILE: {self.cert_file}, {self.key_file}"
            return [f"{files}: not a certificate in PEM and its own key ({_short(error)}){hint}"]
        return []

    # ---- what they say ------------------------------------------------------------------------------------------

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every broker as host:port. Raises BrokerSettingsError where none is given."""
        if not self.brokers:
            raise BrokerSettingsError(
                f"没有给出 Kafka 的地址，请加 --brokers HOST:PORT 或设 {PREFIX}BROKERS  "
                f"no broker is named; add --brokers HOST:PORT, or set {PREFIX}BROKERS"
            )
        return tuple(_address(one) for one in self.brokers.split(",") if one.strip())

    @property
    def _by_tls(self) -> bool:
        return self.security_protocol in ("SSL", "SASL_SSL")

    @property
    def _by_password(self) -> bool:
        return self.security_protocol in ("SASL_SSL", "SASL_PLAINTEXT")

    def password(self) -> str:
        """The user's password, read now: a file may have been renewed. Empty where none is used."""
        if not self._by_password:
            return ""
        return _Hidden(_secret(self.sasl_password, self.sasl_password_file, "SASL_PASSWORD_FILE"))

    def _key_password(self) -> str:
        return _Hidden(_secret(self.key_password, self.key_password_file, "KEY_PASSWORD_FILE"))

    def ssl_context(self) -> ssl.SSLContext | None:
        """What TLS is done with, None without TLS: at least 1.2, the broker's certificate and name are checked."""
        if not self._by_tls:
            return None
        context = _trusting(self.ca_file)
        if self.cert_file is not None:
            # Where a key turns out to be encrypted, OpenSSL would otherwise ask for the password on the terminal.
            context.load_cert_chain(self.cert_file, self.key_file, password=self._key_password() or (lambda: ""))
        return context

    # ---- for each client ----------------------------------------------------------------------------------------

    def for_kafka_python(self) -> dict[str, Any]:
        """Arguments that KafkaConsumer, KafkaProducer and KafkaAdminClient of kafka-python all take."""
        return {
            "bootstrap_servers": ",".join(self.addresses),
            "client_id": "jiantu",
            **self._for_python_clients(),
            "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
            "request_timeout_ms": REQUEST_SECONDS * 1000,
            "reconnect_backoff_max_ms": BACKOFF_SECONDS * 1000,
        }

    def for_aiokafka(self) -> dict[str, Any]:
        """Arguments that AIOKafkaConsumer and AIOKafkaProducer of aiokafka both take."""
        return {
            "bootstrap_servers": ",".join(self.addresses),
            "client_id": "jiantu",
            **self._for_python_clients(),
            "request_timeout_ms": REQUEST_SECONDS * 1000,
        }

    def for_confluent(self) -> dict[str, Any]:
        """Settings that Consumer, Producer and AdminClient of confluent-kafka (librdkafka) all take."""
        found: dict[str, Any] = {
            "bootstrap.servers": ",".join(self.addresses),
            "client.id": "jiantu",
            "security.protocol": self.security_protocol,
            "socket.timeout.ms": REQUEST_SECONDS * 1000,
            "socket.connection.setup.timeout.ms": CONNECT_SECONDS * 1000,
            "reconnect.backoff.max.ms": BACKOFF_SECONDS * 1000,
            "log_level": _ONLY_FATAL,
        }
        if self._by_tls:
            found["ssl.endpoint.identification.algorithm"] = "https"
            found["ssl.ca.location"] = str(self.ca_file) if self.ca_file else _system_certificates()
            if self.cert_file is not None:
                found["ssl.certificate.location"] = str(self.cert_file)
                found["ssl.key.location"] = str(self.key_file)
                if key_password := self._key_password():
                    found["ssl.key.password"] = key_password
        if self._by_password:
            found["sasl.mechanisms"] = self.sasl_mechanism
            found["sasl.username"] = self.sasl_user
            found["sasl.password"] = self.password()
        return found

    def _for_python_clients(self) -> dict[str, Any]:
        found: dict[str, Any] = {"security_protocol": self.security_protocol, "ssl_context": self.ssl_context()}
        if self._by_password:
            found["sasl_mechanism"] = self.sasl_mechanism
            found["sasl_plain_username"] = self.sasl_user
            found["sasl_plain_password"] = self.password()
        return found


# ---- addresses, files, words ---------------------------------------------------------------------------------------

_HOST_AND_PORT = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?)(?::(?P<port>\d{1,5}))?\Z"
)


def _problems_with_addresses(brokers: str) -> list[str]:
    found = []
    for one in brokers.split(",") if brokers else []:
        match = _HOST_AND_PORT.match(one.strip())
        if match is None or (match["port"] and not 0 < int(match["port"]) < 65536):
            found.append(
                f"{PREFIX}BROKERS (--brokers): {one.strip()!r} is not HOST:PORT; write 10.0.0.1:9092,10.0.0.2:9092"
            )
    return found


def _address(one: str) -> str:
    match = _HOST_AND_PORT.match(one.strip())
    assert match is not None  # validated
    return f"{match['host']}:{match['port'] or DEFAULT_PORT}"


def _problem_with_file(path: Path) -> str:
    if not path.is_file():
        return "no such file"
    if not os.access(path, os.R_OK):
        return "this account may not read it"
    return ""


def _problems_with_secret(name: str, path: Path | None) -> list[str]:
    if path is None:
        return []
    if problem := _problem_with_file(path):
        return [f"{PREFIX}{name}: {path}: {problem}"]
    try:
        secret = _read(path)
    except UnicodeDecodeError:
        return [f"{PREFIX}{name}: {path}: not text in UTF-8"]
    if not secret:
        return [f"{PREFIX}{name}: {path}: empty"]
    if "\n" in secret:
        return [f"{PREFIX}{name}: {path}: more than one line; a secret is one"]
    return []


def _read(path: Path) -> str:
    """A secret from its file; the newline with which editors end a file is not part of it."""
    return path.read_text(encoding="utf-8").rstrip("\r\n")


def _secret(given: SecretStr | None, path: Path | None, name: str) -> str:
    if given is not None:
        return given.get_secret_value()
    if path is None:
        return ""
    if problems := _problems_with_secret(name, path):  # it was there when the settings were read
        raise BrokerSettingsError("\n".join(problems))
    return _read(path)


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _system_certificates() -> str:
    """What Python trusts, for a librdkafka with an OpenSSL of its own."""
    return ssl.get_default_verify_paths().cafile or "probe"


def _short(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def _misspelt() -> list[str]:
    """Variables that nobody would read: a password that is not used is worse than one that is wrong."""
    known = {f"{PREFIX}{name}".upper() for name in BrokerSettings.model_fields}
    found = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
            found.append(f"{name}: there is no such setting" + (f"; {near[0]}?" if near else ""))
    return found


def _lines(error: ValidationError) -> list[str]:
    """Each problem with the variable it is about; never what was given."""
    found: list[str] = []
    for one in error.errors(include_input=False, include_url=False):
        if one["loc"]:
            found.append(f"{PREFIX}{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}")
        else:
            found += str(one["msg"]).removeprefix("Value error, ").splitlines()
    return found
