"""Robots, by apprise: what they answer decides, not only the status; nothing secret is ever said."""

import logging
import subprocess
import sys

import apprise
import pytest
from pydantic import SecretStr

from streams.paging.card import Card
from streams.paging.channels import Answer, Channel, ChannelError
from tests.kafka.fixtures import unreachable
from tests.paging.receiver import Receiver

CARD = Card("【预警】市中区 预警 1 条", "● 市中区\n计数 58，预期 21")
TOKEN = "a" * 32


def channel(robot: Receiver, url: str, monkeypatch: pytest.MonkeyPatch) -> Channel:
    """A robot's channel, whose plugin speaks to the receiver instead of the vendor."""
    made = Channel("robot", SecretStr(url))
    here = f"http://127.0.0.1:{robot.port}/robot"
    for name in ("notify_url", "api_url"):
        if hasattr(made._plugin, name):
            monkeypatch.setattr(made._plugin, name, here, raising=False)
    return made


ROBOTS = [f"dingtalk://{TOKEN}/", "wecombot://00000000-0000-0000-0000-000000000000/", f"feishu://{TOKEN}/"]


@pytest.mark.parametrize("url", ROBOTS)
def test_every_robot_is_told_title_and_body(robot: Receiver, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    robot.answer = b'{"errcode": 0, "errmsg": "ok", "code": 0}'
    assert channel(robot, url, monkeypatch).tell(CARD) == Answer(True, "HTTP 200")
    (heard,) = robot.taken
    for part in ("【预警】市中区 预警 1 条", "计数 58，预期 21"):
        assert part in str(heard.document)


@pytest.mark.parametrize("url", ROBOTS)
@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b'{"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}', "HTTP 200, errcode 130101"),
        (b'{"errcode": 310000, "errmsg": "keywords not in content"}', "HTTP 200, errcode 310000"),
        (b'{"code": 19024, "msg": "Key Words Not Found"}', "HTTP 200, code 19024"),
    ],
)
def test_a_robot_that_refuses_with_status_200_has_not_delivered(
    robot: Receiver, url: str, answer: bytes, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot.answer = answer
    assert channel(robot, url, monkeypatch).tell(CARD) == Answer(False, detail)


def test_a_webhook_that_fails_has_not_delivered(robot: Receiver) -> None:
    robot.status = 500
    assert Channel("robot", SecretStr(robot.url)).tell(CARD) == Answer(False, "HTTP 500")


def test_a_webhook_may_answer_what_it_likes(robot: Receiver) -> None:
    for robot.answer in (b"", b"thank you", b"[1]", b'{"code": "A7"}', b'{"code": true}'):
        assert Channel("robot", SecretStr(robot.url)).tell(CARD) == Answer(True, "HTTP 200")


def test_nobody_there() -> None:
    assert Channel("robot", SecretStr(f"json://{unreachable()}/")).tell(CARD) == Answer(False, "no connection")


def test_what_is_no_url_is_refused_and_not_shown() -> None:
    with pytest.raises(ChannelError, match="channel robot") as refused:
        Channel("robot", SecretStr("dingtalk://not a token!/"))
    assert "not a token" not in str(refused.value)


def test_no_token_reaches_a_log(robot: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    robot.status = 403
    with caplog.at_level(logging.DEBUG):
        Channel("robot", SecretStr(f"{robot.url}?token=very-secret")).tell(CARD)
    assert "very-secret" not in caplog.text


def test_other_programs_keep_their_requests() -> None:
    """Only apprise's own modules are overheard."""
    code = "import requests, streams.paging.channels as c; assert type(requests).__name__ == 'module'"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert apprise.__version__
