"""`jiantu run` as a process: killed, stopped, refused. What it answered for is there, once."""

import json
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from streams.clock import pause
from streams.core.instant import SECOND
from streams.ledger.tokens import Scope
from streams.sources.inbox import FOLDER
from streams.sources.recording import RecordingReader
from tests.cli.commands import RECORDING, Cli, command, environment
from tests.cli.commands import process as ended_process
from tests.promises.lake import piped, recorded_lines, stored_log
from tests.service.certificates import certificate
from tests.service.living import PROFILE, Process, client, new_token, process, until

SEED = 20260718
KILLS = 3
NDJSON = {"content-type": "application/x-ndjson"}


class Sending(threading.Thread):
    """Sends the recording, and again whatever was not answered for; notes what was."""

    def __init__(self, token: str, where: Callable[[], str], batch: int) -> None:
        super().__init__(name="sending", daemon=True)
        self._token = token
        self._where = where
        self._batch = batch
        self.answered = 0
        """Lines that were answered for."""
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._send_all()
        except BaseException as error:  # noqa: BLE001 - raised by the test
            self.error = error

    def _send_all(self) -> None:
        head = RecordingReader(RECORDING).header.line()
        lines = list(recorded_lines())
        while self.answered < len(lines):
            part = lines[self.answered : self.answered + self._batch]
            try:
                with client(self._where(), self._token) as sender:
                    answer = sender.post("/v1/events", content=head + b"".join(part), headers=NDJSON)
            except httpx.TransportError:
                pause(SECOND // 5)
                continue
            if answer.status_code in (202, 400):
                self.answered += len(part)
            else:
                assert answer.status_code in (429, 503), answer.text
                assert int(answer.headers["retry-after"]) > 0
                pause(SECOND // 5)


def test_killed_again_and_again_nothing_answered_for_is_lost_and_nothing_counts_twice(tmp_path: Path, cli: Cli) -> None:
    """SIGKILL at random moments; the last life is told to stop, and its inbox replays to its alert log."""
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    data, log = tmp_path / "data", tmp_path / "log"
    token = new_token(data, Scope.INGEST)
    reading = new_token(data, Scope.READ)
    port = _free_port()
    life = Process(data, "--clock", "stream", log=log, port=port).wait_ready()
    sending = Sending(token, lambda: f"http://127.0.0.1:{port}", 60)
    sending.start()
    try:
        for kill in range(KILLS):
            share = (kill + 1) * len(recorded_lines()) // (KILLS + 2)
            until(lambda share=share: sending.answered >= share or not sending.is_alive())
            pause(int(random.integers(0, SECOND // 10)))
            life.kill()
            life = Process(data, "--clock", "stream", log=log, port=port).wait_ready()
        until(lambda: not sending.is_alive())
        assert sending.error is None, sending.error
        with client(life.url, reading) as reader:
            until(lambda: reader.get("/v1/accounting").status_code == 200)
            counted = reader.get("/v1/accounting").json()["counted"]
        assert life.stop() == 0, life.said
    finally:
        if life.popen.poll() is None:
            life.kill()
    expected = piped(recorded_lines())
    assert counted == expected.accounting.counted
    assert stored_log(data) == expected.log
    ended = cli("replay", data / FOLDER, "--profile", PROFILE, "--data-dir", tmp_path / "again", "--json")
    assert ended.document["alert_log_sha256"] == expected.log_sha256
    assert ended.document["counted"] == counted


def test_send_waits_for_a_service_that_was_killed_and_goes_on(tmp_path: Path) -> None:
    data, log, port = tmp_path / "data", tmp_path / "log", _free_port()
    token, reading = new_token(data, Scope.INGEST), new_token(data, Scope.READ)
    url = f"http://127.0.0.1:{port}"
    options = ("--profile", PROFILE, "--to", url, "--state", tmp_path / "state", "--batch", 40, "--json")
    life = Process(data, "--clock", "stream", log=log, port=port).wait_ready()
    sending = subprocess.Popen(
        command("send", RECORDING, *options), env=environment(JIANTU_TOKEN=token), stdout=subprocess.PIPE
    )
    try:
        with client(url, reading) as reader:
            until(lambda: reader.get("/v1/accounting").json().get("received", 0) > 500)
        life.kill()
        life = Process(data, "--clock", "stream", log=log, port=port).wait_ready()
        out, _ = sending.communicate(timeout=120)
        assert sending.returncode == 0
        assert life.stop() == 0, life.said
    finally:
        for one in (sending, life.popen):
            one.kill()
            one.wait()
    expected = piped(recorded_lines())
    assert json.loads(out)["record"] == len(recorded_lines())
    assert json.loads(out)["counted"] in range(expected.accounting.counted - 40, expected.accounting.counted + 1)
    assert stored_log(data) == expected.log


def test_told_to_stop_it_answers_what_it_took_in_and_ends_in_time(tmp_path: Path) -> None:
    data = tmp_path / "data"
    token = new_token(data, Scope.INGEST)
    with process(data, "--clock", "stream", log=tmp_path / "log") as life:
        sending = Sending(token, lambda: life.url, 20)
        sending.start()
        until(lambda: sending.answered > 500)
        slow = socket.create_connection(("127.0.0.1", int(life.url.rpartition(":")[2])))
        slow.sendall(f"POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n".encode())
        slow.sendall(b"content-length: 100\r\n\r\n{")
        assert life.stop() == 0, life.said
        slow.close()
        assert "nothing is lost" in life.said
        answered = sending.answered
    with process(data, "--clock", "stream", log=tmp_path / "log 2") as again:
        sending._where = lambda: again.url
        until(lambda: not sending.is_alive())
        assert sending.error is None, sending.error
        assert again.stop() == 0, again.said
    assert answered > 500
    expected = piped(recorded_lines())
    assert stored_log(data) == expected.log


def test_no_second_service_writes_the_same_directory(tmp_path: Path) -> None:
    with process(tmp_path / "data", log=tmp_path / "log"):
        ended = ended_process("run", "--profile", PROFILE, "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0")
    assert ended.code == 1
    assert "is writing this data directory" in ended.said


# ---- refused at the start: what is wrong, where, and what to do; exit 2, no traceback ----------------------------


def test_a_port_that_is_in_use_is_said(tmp_path: Path, cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = cli.refused("run", "--data-dir", tmp_path / "data", "--listen", address)
    assert f"{address}: another process listens there" in said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "address", ["8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "192.0.2.1:8080", "no such:1"]
)
def test_an_address_that_is_none_is_said(tmp_path: Path, address: str, cli: Cli) -> None:
    assert address in cli.refused("run", "--data-dir", tmp_path / "data", "--listen", address)


def test_a_setting_that_does_not_exist_is_named_with_what_was_meant(tmp_path: Path, cli: Cli) -> None:
    settings = tmp_path / "service.toml"
    settings.write_text('lissten = "127.0.0.1:0"\nmax_body = 5\nfoo = 1\n')
    said = cli.refused("run", "--data-dir", tmp_path / "data", "--config", settings)
    assert f'{settings}: unknown key "lissten"; did you mean "listen"?' in said
    assert "max_body: Input should be greater than or equal to 1024" in said
    assert 'unknown key "foo"; there are: listen, clock,' in said
    settings.write_text("listen = ")
    assert "is no TOML" in cli.refused("run", "--data-dir", tmp_path / "data", "--config", settings)
    assert "cannot be read" in cli.refused("run", "--data-dir", tmp_path / "data", "--config", tmp_path / "none.toml")
    assert "clock: Input should be" in cli.refused("run", "--data-dir", tmp_path / "data", "--clock", "sun")


def test_a_certificate_that_has_expired_or_does_not_fit_is_said(tmp_path: Path, cli: Cli) -> None:
    old, key = certificate(tmp_path, days=-1, name="old")
    new, other = certificate(tmp_path, days=1, name="new")
    for options, said in (
        ((old, key), f"{old}: certificate has expired; give a certificate that is valid now"),
        ((new, key), f"{new}: no certificate and key that belong together"),
        ((other, other), f"{other}: no certificate and key that belong together"),
        ((tmp_path / "none.pem", key), "none.pem: no such file"),
    ):
        cert, its = options
        assert said in cli.refused(
            "run", "--data-dir", tmp_path / "data", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", its
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
