"""The commands: what is wrong is said at once and plainly, and a secret never."""

import socket
from pathlib import Path

import httpx
import pytest

from tests.cli.commands import Cli
from tests.cli.conftest import cli
from tests.paging.pagers import TOKEN, settings_in
from tests.paging.processes import Process
from tests.paging.receiver import Receiver
from tests.paging.samples import Filling, raised

__all__ = ["cli"]
DEADMAN = "webhook_token: {file: token}\nchannels: {phone: {url: {file: robot}}}\n"


@pytest.fixture
def config(tmp_path: Path, robot: Receiver) -> Path:
    """A pager's file beside a ledger in `data`; a dead man's beside it."""
    settings_in(tmp_path, robot)
    (tmp_path / "deadman.yaml").write_text(DEADMAN)
    Filling(tmp_path / "data")(raised(1))
    return tmp_path / "paging.yaml"


def test_check_looks_at_everything_and_stops(cli: Cli, config: Path, tmp_path: Path) -> None:
    ended = cli("paging", "-d", tmp_path / "data", "-p", "leshan", "-c", config, "--check")
    assert ended.code == 0
    assert "the settings are good" in ended.said
    assert cli("deadman", "-d", tmp_path / "dead", "-c", tmp_path / "deadman.yaml", "--check").code == 0


def test_a_ledger_that_is_not_there_yet_is_waited_for(cli: Cli, config: Path, tmp_path: Path) -> None:
    ended = cli("paging", "-d", tmp_path / "none", "-c", config, "--check")
    assert ended.code == 0
    assert "the settings are good" in ended.said
    assert "the pager will wait for it" in ended.said
    with Process(tmp_path, "pager", "paging", "-d", tmp_path / "none", "-c", config, "-p", "leshan") as pager:
        pager.wait()
        answer = httpx.get(f"{pager.url}/readyz")
        assert answer.status_code == 503
        assert "holds no ledger (jiantu.db) yet" in answer.json()["error"]
        assert httpx.get(f"{pager.url}/metrics").status_code == 503
        Filling(tmp_path / "none")(raised(1))
        assert httpx.get(f"{pager.url}/readyz").status_code == 200
        assert pager.end() == 0
    assert "it waits, and /readyz says so" in pager.log.read_text()


def test_what_cannot_be_used_is_said(cli: Cli, config: Path, tmp_path: Path) -> None:
    data = ("-d", tmp_path / "data", "-p", "leshan")
    assert "cannot be read" in cli.refused("paging", *data, "-c", tmp_path / "nothing.yaml")
    assert "no profile" in cli.refused("paging", *data[:2], "-p", "leshon", "-c", config)
    assert "HOST:PORT" in cli.refused("paging", *data, "-c", config, "--listen", "nowhere")
    config.write_text(config.read_text() + "chanels: {}\n")
    assert 'unknown key "chanels"; did you mean channels?' in cli.refused("paging", *data, "-c", config)


def test_a_port_in_use_is_said(cli: Cli, config: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        here = f"127.0.0.1:{taken.getsockname()[1]}"
        said = cli.refused("paging", "-d", tmp_path / "data", "-p", "leshan", "-c", config, "--listen", here)
        assert "another process listens there" in said
        said = cli.refused("deadman", "-d", tmp_path / "dead", "-c", tmp_path / "deadman.yaml", "--listen", here)
        assert "another process listens there" in said


def test_a_url_that_apprise_does_not_know_is_named_not_shown(cli: Cli, config: Path, tmp_path: Path) -> None:
    (tmp_path / "robot").write_text("dingtalk://very secret")
    said = cli.refused("paging", "-d", tmp_path / "data", "-p", "leshan", "-c", config)
    assert "channel robot" in said
    assert "very secret" not in said
    assert TOKEN not in said


def test_without_a_console_there_are_no_links(
    cli: Cli, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(config.read_text().replace("console_url: https://console.example", ""))
    call = ("paging", "-d", tmp_path / "data", "-p", "leshan", "-c", config, "--check")
    assert "JIANTU_CONSOLE_URL" in cli.refused(*call)
    monkeypatch.setenv("JIANTU_CONSOLE_URL", "https://console.example")
    assert cli(*call).code == 0
