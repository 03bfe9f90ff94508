"""`jiantu token` and `jiantu send`: what they say, and what they say no to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.commands import RECORDING, Cli
from tests.service.living import living


def test_a_token_from_its_making_to_its_end(tmp_path: Path, cli: Cli) -> None:
    made = cli("token", "create", "-d", tmp_path, "--name", "12345", "--scope", "ingest", "--days", "3", "--json")
    assert made.code == 0
    assert made.document["token"].startswith("jiantu_")
    assert made.document["token"] not in (tmp_path / "jiantu.db").read_bytes().decode("latin-1")
    (listed,) = cli("token", "list", "-d", tmp_path, "--json").document
    assert (listed["name"], listed["scopes"], listed["state"]) == ("12345", ["ingest"], "valid")
    assert "12345" in cli("token", "list", "-d", tmp_path).out
    assert "a valid token is called" in cli.refused(
        "token", "create", "-d", tmp_path, "--name", "12345", "--scope", "read"
    )
    assert cli("token", "revoke", "12345", "-d", tmp_path, "--json").document["state"] == "revoked"
    assert "no token has the name" in cli.refused("token", "revoke", "nobody", "-d", tmp_path)
    shown = cli("token", "create", "-d", tmp_path, "--name", "desk", "--scope", "read", "--scope", "ingest")
    assert shown.out.startswith("jiantu_")
    assert "shown this once" in shown.err


def test_a_scope_that_does_not_exist_is_said(tmp_path: Path, cli: Cli) -> None:
    said = cli.refused("token", "create", "-d", tmp_path, "--name", "x", "--scope", "everything")
    assert "there are: ingest, read" in said


@contextmanager
def something_else() -> Iterator[str]:
    """A web server that is no service of jiantu."""

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hello)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_without_a_token_it_says_where_to_get_one(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIANTU_TOKEN", raising=False)
    assert "jiantu token create" in cli.refused("send", RECORDING, "--to", "http://127.0.0.1:1")


def test_a_wrong_url_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JIANTU_TOKEN", "jiantu_a_b")
    profile = RECORDING.parent
    send = ("send", RECORDING, "--profile", profile, "--state", tmp_path / "state", "--patience", "0.1", "--to")
    for url in ("127.0.0.1:8080", "ftp://x", "http://", "nonsense"):
        assert "write http://HOST:PORT" in cli.refused(*send, url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ended = cli(*send, f"http://127.0.0.1:{port}")
    assert ended.code == 1
    assert "gave up after 0 s (ConnectError" in ended.said
    assert "the same command goes on" in ended.said
    with something_else() as url:
        ended = cli(*send, url)
        assert ended.code == 1
        assert "is no live service of jiantu; check --to" in ended.said
    assert not (tmp_path / "state").exists()


def test_a_token_that_is_not_for_this_service_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JIANTU_TOKEN", "jiantu_a_b")
    with living(tmp_path / "data", clock="stream") as service:
        state = tmp_path / "state"
        ended = cli("send", RECORDING, "--profile", RECORDING.parent, "--to", service.url, "--state", state)
        assert (ended.code, "401" in ended.said, "no such token" in ended.said) == (1, True, True), ended
