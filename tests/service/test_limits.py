"""Too much, too slow, too many: each is refused in words and in time, nothing taken in is lost, and it stays ready."""

import asyncio
import json
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from streams.clock import Stopwatch
from streams.core.instant import MINUTE, SECOND
from streams.ledger.connection import FILE
from tests.service.certificates import certificate
from tests.service.living import START, Living, client, event, living, until

NOW = START + MINUTE
_CLIENTS = 1_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    folder = tmp_path_factory.mktemp("service")
    with living(folder, header_seconds=1, body_seconds=1, max_records=500) as made:
        yield made


def ready(service: Living) -> bool:
    with client(service.url, None) as nobody:
        return nobody.get("/readyz").status_code == 200


def connected(service: Living) -> socket.socket:
    host, _, port = service.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def heard(talk: socket.socket) -> bytes:
    """All that is said until the other side hangs up."""
    parts = []
    try:
        while part := talk.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def head(service: Living, length: int | None) -> bytes:
    token = service.client.headers["authorization"]
    size = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    kind = "content-type: application/x-ndjson"
    return f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n{kind}\r\n{size}\r\n\r\n".encode()


def pour(talk: socket.socket) -> None:
    """Send for ever."""
    while True:
        talk.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


# ---- too much ----------------------------------------------------------------------------------------------------


def test_a_body_of_ten_megabytes_is_refused_and_says_how_much_may_be(service: Living) -> None:
    before = service.accounting()
    answer = service.post(b" " * 10_000_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    assert str(8 * 1024 * 1024) in answer.json()["en"]
    assert service.accounting() == before
    assert ready(service)


def test_a_body_without_end_is_not_read_to_its_end(service: Living) -> None:
    with connected(service) as talk:
        talk.sendall(head(service, None))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            pour(talk)
    assert ready(service)


def test_so_many_records_at_once_and_no_more(service: Living) -> None:
    answer = service.post([event(n, NOW) for n in range(501)])
    assert (answer.status_code, answer.json()["error"]) == (413, "too_many")
    assert service.post([event(n, NOW) for n in range(500)]).json()["counted"] == 500


# ---- too slow ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"", b"POST /v1/events HTTP/1.1\r\nhost: x\r\nx-slow: "])
def test_a_head_that_does_not_end_is_cut_off(service: Living, said: bytes) -> None:
    with connected(service) as talk:
        talk.sendall(said)
        answer = heard(talk)
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert b"the head did not arrive" in answer


def test_a_head_that_drips_is_cut_off_too(service: Living) -> None:
    with connected(service) as talk:
        talk.settimeout(0.2)
        waited = Stopwatch()
        answer = b""
        try:
            while waited.elapsed() < 60 * SECOND:
                talk.sendall(b"x")
                try:
                    part = talk.recv(65536)
                except TimeoutError:
                    continue
                answer += part
                if not part:
                    break
        except OSError:
            pass
        assert waited.elapsed() < 60 * SECOND
    assert ready(service)


def test_the_second_head_of_a_connection_has_no_more_time_than_the_first(service: Living) -> None:
    with connected(service) as talk:
        talk.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert talk.recv(65536).startswith(b"HTTP/1.1 200 ")
        talk.sendall(b"GET /healthz HT")
        assert b"HTTP/1.1 408 " in heard(talk)


def test_a_body_that_drips_is_refused(service: Living) -> None:
    before = service.accounting()
    with connected(service) as talk:
        talk.sendall(head(service, 1000) + b'{"id":')
        answer = heard(talk)
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert b"connection: close" in answer
    assert service.accounting() == before


def test_what_is_no_http_is_refused(service: Living) -> None:
    for said in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"HELO x\r\n\r\n"):
        with connected(service) as talk:
            talk.sendall(said)
            assert heard(talk).startswith(b"HTTP/1.1 4"), said
    assert ready(service)


def test_a_client_that_hangs_up_in_the_middle_of_its_body_harms_nobody(service: Living) -> None:
    before = service.accounting()
    for _ in range(20):
        with connected(service) as talk:
            talk.sendall(head(service, 1000) + b'{"id":')
    assert ready(service)
    assert service.accounting() == before


# ---- too many ----------------------------------------------------------------------------------------------------


def test_a_thousand_clients_at_once_are_all_answered_and_nothing_is_lost(tmp_path: Path) -> None:
    with living(tmp_path) as service:
        answers = asyncio.run(_all_at_once(service, _CLIENTS))
        taken = sum(status == 202 for status, _ in answers)
        assert {status for status, _ in answers} <= {202, 429, 503}
        assert all("retry-after" in headers for status, headers in answers if status != 202)
        assert taken >= 512
        assert service.accounting()["counted"] == taken
        assert ready(service)


async def _all_at_once(service: Living, clients: int) -> list[tuple[int, str]]:
    """Each opens a connection of its own, waits until all have, and sends one event; (status, headers) of each."""
    host, _, port = service.url.removeprefix("http://").partition(":")
    all_there = asyncio.Barrier(clients)

    async def one(number: int) -> tuple[int, str]:
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            body = json.dumps(event(number, NOW)).encode() + b"\n"
            await all_there.wait()
            writer.write(head(service, len(body)) + body)
            said = (await reader.readuntil(b"\r\n\r\n")).decode()
            return int(said.split()[1]), said.lower()
        finally:
            writer.close()

    async with asyncio.timeout(120):
        return await asyncio.gather(*(one(number) for number in range(clients)))


def test_connections_without_number_are_refused_and_those_that_are_there_go_on(tmp_path: Path) -> None:
    with living(tmp_path, max_connections=20) as service:
        assert ready(service)
        talks = [connected(service) for _ in range(60)]
        try:
            refused = 0
            for talk in talks[25:]:
                answer = heard(talk)
                refused += answer.startswith(b"HTTP/1.1 503 ") and b"retry-after" in answer
            assert refused == len(talks) - 25
            assert service.client.get("/healthz").status_code in (200, 503)
        finally:
            for talk in talks:
                talk.close()
        until(lambda: ready(service))


def test_bodies_that_do_not_fit_together_come_again(tmp_path: Path) -> None:
    with living(tmp_path, max_waiting_bytes=100_000, body_seconds=30) as service:
        with connected(service) as talk:
            talk.sendall(head(service, 90_000) + b"{")
            until(lambda: service.post(b" " * 20_000).status_code == 429)
            answer = service.post(b" " * 20_000)
            assert answer.headers["retry-after"] == "1"
            assert ready(service)
        until(lambda: service.post(event(1, NOW)).status_code == 202)


def test_a_writer_that_is_held_up_makes_senders_wait_and_then_takes_everything(tmp_path: Path) -> None:
    """Somebody holds the ledger: what waits is bounded, the rest comes again, and nothing is lost."""
    with living(tmp_path, max_waiting_records=50, checkpoint_seconds=0.01) as service, ThreadPoolExecutor(8) as senders:
        assert service.post(event(0, NOW)).status_code == 202

        def send(first: int) -> int:
            return httpx.post(
                f"{service.url}/v1/events",
                json=[event(first + n, NOW) for n in range(20)],
                headers=dict(service.client.headers) | {"content-type": "application/json"},
                timeout=60,
                trust_env=False,
            ).status_code

        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as held:
            held.execute("BEGIN IMMEDIATE")
            sent = [senders.submit(send, 1000 * (n + 1)) for n in range(8)]
            until(lambda: sum(one.done() for one in sent) >= 4)
            assert {one.result() for one in sent if one.done()} <= {202, 429}
            assert any(one.result() == 429 for one in sent if one.done())
            held.execute("ROLLBACK")
        taken = sum(one.result() == 202 for one in sent)
        assert service.accounting()["counted"] == 1 + 20 * taken
        for n in range(8):
            until(lambda n=n: send(1000 * (n + 1)) == 202)
        assert service.accounting()["counted"] == 1 + 20 * 8


# ---- TLS ---------------------------------------------------------------------------------------------------------


def test_tls_speaks_and_plain_http_is_not_heard(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, days=30)
    with living(tmp_path / "data", tls_cert=cert, tls_key=key) as service:
        trusting = ssl.create_default_context(cafile=str(cert))
        with httpx.Client(verify=trusting, trust_env=False) as secure:
            assert secure.get(f"{service.url}/healthz").status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{service.url.replace('https', 'http')}/healthz", trust_env=False)
