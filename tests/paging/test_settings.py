"""The files of pager and dead man: every mistake is told at its place, and no secret ever."""

from pathlib import Path

import pytest

from streams.paging.pager import Secrets
from streams.paging.settings import PagingSettingsError, read_deadman, read_paging
from tests.paging.pagers import FILE, settings_in
from tests.paging.receiver import Receiver
from tests.rules.files import ALERTMANAGER

WRONG = [
    ("link_key: {file: key}", "link_key: {}", r"paging.yaml:4:\d+: 只写 file 或 env 之一 \| give either file or env"),
    (
        "a_minute: 600",
        "a_minut: 600",
        r'paging.yaml:6:31: 没有 "a_minut" 这一项；.* unknown key "a_minut"; did you mean a_minute',
    ),
    ("a_minute: 600", "a_minute: 0", r"paging.yaml:6:\d+: .*write 1 or more"),
    ("link_key: {file: key}\n", "", "link_key is missing"),
    ("[robot, lead]", "[robot, laed]", "no channel laed; did you mean lead"),
    ("after: 10, ", "", "level 2 needs after, minutes"),
    ("https://console.example", "ftp://x", r"paging.yaml:2:14: .*ftp://x is no url; write https://HOST/PATH"),
    ("https://console.example", "console.example", "write https://HOST/PATH"),
    ("link_key: {file: key}", "link_key: hush-hush", "secrets are not written here; write {file: PATH} or {env: NAME}"),
    ("link_key: {file: key}", "lang: fr", "no language fr; write zh or en"),
    ("channels:", "channels: [", "is not closed"),
]


@pytest.mark.parametrize(("there", "written", "said"), WRONG)
def test_a_mistake_is_told_where_it_is(tmp_path: Path, robot: Receiver, there: str, written: str, said: str) -> None:
    assert there in FILE
    with pytest.raises(PagingSettingsError, match=said) as refused:
        settings_in(tmp_path, robot, FILE.replace(there, written))
    assert "hush" not in str(refused.value)


def test_secrets_are_read_from_files_and_variables(
    tmp_path: Path, robot: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "from-the-environment-0123456789")
    settings = settings_in(tmp_path, robot, FILE.replace("link_key: {file: key}", "link_key: {env: THE_KEY}"))
    secrets = Secrets.read(settings)
    assert secrets.link_key.get_secret_value() == "from-the-environment-0123456789"
    assert secrets.channels["robot"].get_secret_value() == robot.url
    assert robot.url not in repr(secrets) + repr(settings)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "key: 读不了|key cannot be read"), ("", "is empty"), ("hush!", "too short: at least 24 characters")],
)
def test_a_secret_that_cannot_be_used_is_named_not_shown(
    tmp_path: Path, robot: Receiver, content: str | None, said: str
) -> None:
    settings = settings_in(tmp_path, robot)
    (tmp_path / "key").unlink()
    if content is not None:
        (tmp_path / "key").write_text(content)
    with pytest.raises(PagingSettingsError, match=said) as refused:
        Secrets.read(settings)
    assert not content or content not in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PagingSettingsError, match=r"nothing.yaml: 读不了"):
        read_paging(tmp_path / "nothing.yaml")


def test_the_examples_can_be_used() -> None:
    assert set(read_paging(ALERTMANAGER / "paging.yaml").channels) == {"duty-dingtalk", "duty-wecom", "lead-mail"}
    assert read_deadman(ALERTMANAGER / "deadman.yaml").expect == ("watchdog", "pager")
