"""Does a broker answer, and if none does, why: the clients themselves only say "unable to bootstrap" after ten seconds.

Step by step: the name, the connection, TLS, the password. The first three are done here; the password is tried by
librdkafka, which alone of the three clients tells what the broker answered.
"""

import socket
import ssl
import struct
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.broker.errors import BrokerError
from streams.broker.settings import CONNECT_SECONDS, PREFIX, BrokerSettings

_AT_ONCE = 4.0
"""Seconds for a connection, and for its TLS."""
_NOBODY_KNOWN = {18, 19, 20, 21}
_OTHER_NAME = {62, 64}
_NOT_NOW = {9, 10}
"""Codes of X509_verify_cert: who signed it, for whom, and when it is valid."""

_WHICH_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""A whole request: its length, ApiVersions, version 0, correlation 1, no client's name."""
_TLS_ALERT = 0x15


def reach(settings: BrokerSettings) -> None:
    """Return where a broker lets us in: 0.1 s. Raises BrokerError with the reason, within 20 s."""
    found: list[BrokerError] = []
    for address in settings.addresses:
        try:
            _connect(address, settings)
            break
        except BrokerError as error:
            found.append(error)
    else:
        raise max(found, key=lambda one: one.args[0].count("TLS"))  # who answers wrongly says more than who is away
    _log_in(settings)


def _connect(address: str, settings: BrokerSettings) -> None:
    """Name, connection and TLS of one broker."""
    host, port = address.rsplit(":", 1)
    host = host.strip("[]")
    try:
        connection = socket.create_connection((host, int(port)), timeout=_AT_ONCE)
    except socket.gaierror as error:
        what = f"主机名查不到 no such host ({error.strerror})"
        raise BrokerError(address, what, f"check {PREFIX}BROKERS (--brokers) and DNS") from error
    except ConnectionRefusedError as error:
        what = "没有程序在监听 nobody listens there"
        raise BrokerError(address, what, f"check {PREFIX}BROKERS (--brokers), and that the broker runs") from error
    except TimeoutError as error:
        what = f"{_AT_ONCE:.0f} 秒内连不上 no connection within {_AT_ONCE:.0f} s"
        raise BrokerError(address, what, "check the address, and firewalls on the way") from error
    except OSError as error:
        raise BrokerError(address, f"连不上 no connection ({error.strerror})", "check the network") from error
    with connection:
        context = settings.ssl_context()
        with connection if context is None else _greet(connection, context, address, host) as channel:
            _ask_versions(channel, address)


def _ask_versions(channel: socket.socket, address: str) -> None:
    """The one question that a broker answers to anybody: which requests it knows."""
    try:
        channel.sendall(_WHICH_VERSIONS)
        answer = channel.recv(4)
    except TimeoutError as error:
        what = f"接受连接，{_AT_ONCE:.0f} 秒内没有应答 takes connections, but does not answer within {_AT_ONCE:.0f} s"
        raise BrokerError(address, what, "is the broker hanging or still starting? see its log") from error
    except ssl.SSLError as error:
        what = f"TLS 被拒绝 it refuses our TLS ({error.reason})"
        raise BrokerError(
            address, what, f"does it ask for a certificate? {PREFIX}CERT_FILE, {PREFIX}KEY_FILE"
        ) from error
    except OSError:
        answer = b""
    if not answer or answer[0] == _TLS_ALERT:
        what = "不说 Kafka 明文 cuts the connection, as a TLS listener does when it is not spoken to in TLS"
        raise BrokerError(address, what, f"change {PREFIX}SECURITY_PROTOCOL, or name its plain listener")


def _greet(connection: socket.socket, context: ssl.SSLContext, address: str, host: str) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise BrokerError(address, *_distrusted(error, host)) from error
    except TimeoutError as error:
        what = f"接受连接，{_AT_ONCE:.0f} 秒内没有应答 TLS takes connections, but does not answer TLS"
        raise BrokerError(address, what, "is the broker hanging, or is this not a TLS listener?") from error
    except OSError as error:
        what = "不是 TLS does not speak TLS (" + (getattr(error, "reason", None) or type(error).__name__) + ")"
        instead = f"is this its plain listener? name its TLS listener, or change {PREFIX}SECURITY_PROTOCOL"
        raise BrokerError(address, what, instead) from error


def _distrusted(error: ssl.SSLCertVerificationError, host: str) -> tuple[str, str]:
    code = error.verify_code
    if code in _NOBODY_KNOWN:
        what = f"TLS 证书不是所给的 CA 签发的 its certificate is not signed by whom we trust ({error.verify_message})"
        return what, f"{PREFIX}CA_FILE: the certificate of the authority that signed the broker's"
    if code in _OTHER_NAME:
        what = f"TLS 证书是另一台主机的 its certificate is for another host than {host} ({error.verify_message})"
        return what, "name the broker as its certificate does, or give it a certificate with this name"
    if code in _NOT_NOW:
        what = f"TLS 证书不在有效期内 its certificate is not valid now ({error.verify_message})"
        return what, "renew it; or this machine's clock is wrong"
    return f"TLS 证书不可信 its certificate is refused ({error.verify_message})", f"check {PREFIX}CA_FILE"


def _log_in(settings: BrokerSettings) -> None:
    """Ask for the metadata, as whoever the settings say."""
    where = ",".join(settings.addresses)
    told: list[KafkaError] = []
    config: dict[str, Any] = {**settings.for_confluent(), "error_cb": told.append}
    client = AdminClient(config)
    last = KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001 - librdkafka's own names
    for _ in range(CONNECT_SECONDS * 2):
        try:
            client.list_topics(timeout=0.5)
            return
        except KafkaException as error:
            last = error.args[0]
        client.poll(0)
        for one in told:
            if one.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL):  # noqa: SLF001
                raise _refused(where, one, settings)
    words = [one.str() for one in told if one.code() != KafkaError._ALL_BROKERS_DOWN] or [last.str()]  # noqa: SLF001
    raise _silent(where, words[0], settings)


def _refused(where: str, error: KafkaError, settings: BrokerSettings) -> BrokerError:
    said = error.str()
    if error.code() == KafkaError._SSL:  # noqa: SLF001
        what = f"TLS 被拒绝 TLS is refused ({said})"
        return BrokerError(where, what, f"check {PREFIX}CA_FILE, and {PREFIX}CERT_FILE where it asks for a certificate")
    if "Unsupported SASL mechanism" in said:
        offered = said.rsplit("mechanisms:", 1)[-1].split("(")[0].strip()
        what = f"不支持 {settings.sasl_mechanism} does not take {settings.sasl_mechanism}, but {offered}"
        return BrokerError(where, what, f"set {PREFIX}SASL_MECHANISM to one of these")
    if "handshake failed" in said and settings.sasl_user is not None:
        what = f"不用口令登录 this listener asks for no password ({said.split('failed: ')[-1].split('(')[0].strip()})"
        return BrokerError(where, what, f"name its SASL listener, or change {PREFIX}SECURITY_PROTOCOL")
    what = f"用户 {settings.sasl_user} 或口令被拒绝 the user {settings.sasl_user} or the password is refused"
    return BrokerError(where, what, f"check {PREFIX}SASL_USER and {PREFIX}SASL_PASSWORD_FILE")


def _silent(where: str, said: str, settings: BrokerSettings) -> BrokerError:
    if settings.sasl_user is None:
        what = "没有口令就不应答 it is a broker, but tells us nothing without a password"
        return BrokerError(where, what, f"is this its SASL listener? set {PREFIX}SECURITY_PROTOCOL, {PREFIX}SASL_USER")
    what = f"{CONNECT_SECONDS} 秒内没有应答 does not answer within {CONNECT_SECONDS} s ({said.partition(' (')[0]})"
    return BrokerError(where, what, "is the broker hanging or still starting? see its log")
