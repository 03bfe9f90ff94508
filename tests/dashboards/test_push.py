"""`jiantu boards push`: by uid, twice is once, and every way in which a Grafana can say no is told in words."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards import provision
from dashboards.library import LANGS, built, folder_uid
from tests.cli.commands import Cli
from tests.dashboards.grafana import TOKEN, FakeGrafana, serving
from tests.kafka.certificates import Authority
from tests.kafka.server import free_ports

BOTH = {board.uid: board for lang in LANGS for board in built(lang)}


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with serving(FakeGrafana()) as running:
        yield running
    assert running.faults == []


def push(cli: Cli, grafana: FakeGrafana, *more: str, token: str = TOKEN) -> tuple[int, str]:
    ended = cli("boards", "push", "--url", grafana.url, "--token", token, *more)
    return ended.code, ended.said


def test_everything_is_created_and_lies_in_its_language_s_folder(cli: Cli, grafana: FakeGrafana) -> None:
    code, said = push(cli, grafana)
    assert code == 0, said
    assert "已完成 12 处 12 done" in said
    assert {uid: folder["title"] for uid, folder in grafana.folders.items()} == {
        "jiantu-zh": "监土",
        "jiantu-en": "jiantu (English)",
    }
    assert set(grafana.boards) == set(BOTH)
    for uid, kept in grafana.boards.items():
        own = {name: value for name, value in kept["dashboard"].items() if name not in {"id", "version"}}
        assert own == BOTH[uid].document
        assert kept["meta"]["folderUid"] == folder_uid(BOTH[uid].lang)


def test_the_same_again_writes_nothing(cli: Cli, grafana: FakeGrafana) -> None:
    push(cli, grafana)
    grafana.writes.clear()
    code, said = push(cli, grafana)
    assert (code, grafana.writes) == (0, [])
    assert "一致，无需改动 as it should be" in said


def test_what_differs_is_brought_up_to_date_and_nothing_else(cli: Cli, grafana: FakeGrafana) -> None:
    push(cli, grafana)
    grafana.boards["jiantu-desk-zh"]["dashboard"]["title"] = "somebody's"
    grafana.boards["jiantu-city-en"]["meta"]["folderUid"] = "general"
    grafana.folders["jiantu-zh"]["title"] = "old"
    del grafana.boards["jiantu-signal-zh"]
    grafana.writes.clear()
    code, said = push(cli, grafana, "--json")
    assert code == 0
    done = {one["uid"]: one["outcome"] for one in json.loads(said)["pushed"] if one["outcome"] != "unchanged"}
    assert done == {
        "jiantu-zh": "changed",
        "jiantu-desk-zh": "changed",
        "jiantu-signal-zh": "created",
        "jiantu-city-en": "moved",
    }
    assert grafana.writes == ["PUT /api/folders/jiantu-zh", *["POST /api/dashboards/db"] * 3]
    assert grafana.boards["jiantu-city-en"]["meta"]["folderUid"] == "jiantu-en"


def test_a_dry_run_says_what_it_would_do_and_does_nothing(cli: Cli, grafana: FakeGrafana) -> None:
    code, said = push(cli, grafana, "--dry-run", "--lang", "en")
    assert code == 0
    assert "有 6 处待改，什么都没有做 6 to do, nothing was done" in said
    assert "jiantu-city-en" in said
    assert "jiantu-city-zh" not in said
    assert grafana.writes == []


def test_a_dry_run_says_in_words_how_boards_differ(cli: Cli, grafana: FakeGrafana) -> None:
    push(cli, grafana, "--lang", "zh")
    desk = grafana.boards["jiantu-desk-zh"]["dashboard"]
    desk["title"] = "somebody's"
    gone = next(panel for panel in desk["panels"] if panel["title"] == "误报比例")
    desk["panels"].remove(gone)
    desk["panels"].append({"title": "我的图", "type": "text"})
    next(panel for panel in desk["panels"] if panel["title"] == "等了多久")["description"] = "?"
    next(panel for panel in desk["panels"] if panel["title"] == "处理步骤")["gridPos"]["x"] = 3
    desk["templating"]["list"] = desk["templating"]["list"][1:]
    grafana.boards["jiantu-city-zh"]["meta"]["folderUid"] = "general"
    grafana.folders["jiantu-zh"]["title"] = "old"
    grafana.writes.clear()
    code, said = push(cli, grafana, "--lang", "zh", "--dry-run")
    assert (code, grafana.writes) == (0, [])
    for words in (
        "图表新增 panels added: 误报比例",
        "图表去掉 panels removed: 我的图",
        "图表改动 panels changed: 等了多久",
        "图表挪动 panels moved: 处理步骤",
        "变量新增 variables added: datasource",
        "标题 title: “somebody's” → “监土 · 预警台”",
        "文件夹 folder: “general” → “jiantu-zh”",
        "标题 title: “old” → “监土”",
        "有 3 处待改，什么都没有做 3 to do, nothing was done",
    ):
        assert words in said, words
    _, said = push(cli, grafana, "--lang", "zh", "--dry-run", "--json")
    changes = {one["uid"]: one["changes"] for one in json.loads(said)["pushed"]}
    assert {"what": "panels removed", "which": "我的图"} in changes["jiantu-desk-zh"]
    assert changes["jiantu-signal-zh"] == []


def test_a_change_that_somebody_makes_meanwhile_is_not_overwritten_unasked(cli: Cli, grafana: FakeGrafana) -> None:
    push(cli, grafana)
    grafana.boards["jiantu-desk-zh"]["dashboard"]["title"] = "somebody's"
    grafana.changed_meanwhile = True
    code, said = push(cli, grafana)
    assert code == 1
    assert "有人刚刚改过它（412）" in said
    assert "--overwrite" in said
    code, said = push(cli, grafana, "--overwrite")
    assert code == 0
    assert grafana.boards["jiantu-desk-zh"]["dashboard"]["title"] == "监土 · 预警台"


def test_a_grafana_below_a_path_and_one_that_hides_its_version(cli: Cli) -> None:
    with serving(FakeGrafana(prefix="/monitor/grafana", hides_version=True, version="12.1.0")) as grafana:
        code, said = push(cli, grafana)
        assert code == 0, said
        assert len(grafana.boards) == len(BOTH)
        assert cli("boards", "push", "--url", grafana.url.removesuffix("/grafana"), "--token", TOKEN).code == 2


def test_boards_that_came_from_files_are_left_to_the_files(cli: Cli, grafana: FakeGrafana) -> None:
    push(cli, grafana)
    grafana.provisioned.add("jiantu-city-zh")
    assert push(cli, grafana)[0] == 0, "they are the same"
    grafana.boards["jiantu-city-zh"]["dashboard"]["title"] = "older"
    code, said = push(cli, grafana)
    assert code == 1
    assert "jiantu-city-zh 由文件提供" in said


def refusal(cli: Cli, grafana: FakeGrafana, expected: int, *more: str, token: str = TOKEN) -> str:
    code, said = push(cli, grafana, *more, token=token)
    assert code == expected, said
    assert grafana.boards == {}
    return said


def test_a_wrong_token(cli: Cli, grafana: FakeGrafana) -> None:
    said = refusal(cli, grafana, 2, token="glsa_other")
    assert "不认这个令牌（401）" in said
    assert "glsa_other" not in said


@pytest.mark.parametrize("call", ["POST /api/folders", "GET /api/folders/jiantu-zh", "POST /api/dashboards/db"])
def test_a_token_that_may_not(call: str, cli: Cli) -> None:
    with serving(FakeGrafana(forbids={call})) as grafana:
        said = refusal(cli, grafana, 2)
    assert "令牌权限不够（403" in said
    assert "Editor" in said


def test_a_grafana_that_is_too_old(cli: Cli) -> None:
    with serving(FakeGrafana(version="10.4.2")) as grafana:
        assert "Grafana 10.4.2, too old: the boards need 11 or newer" in refusal(cli, grafana, 1)


@pytest.mark.parametrize("page", [b"<html>It works!</html>", b'{"status": "ok"}', b"[]"])
def test_something_else_than_grafana(page: bytes, cli: Cli) -> None:
    with serving(FakeGrafana(page=page)) as grafana:
        assert "不像是 Grafana" in refusal(cli, grafana, 2)


def test_a_redirect_is_not_followed_as_a_get(cli: Cli) -> None:
    with serving(FakeGrafana(redirect="https://elsewhere.example/")) as grafana:
        assert "redirects to https://elsewhere.example/" in refusal(cli, grafana, 2)


SAVE, FOLDER = "POST /api/dashboards/db", "POST /api/folders"


@pytest.mark.parametrize(
    ("call", "status", "answer", "said"),
    [
        (SAVE, 400, {"message": "Cannot save provisioned dashboard"}, "由文件提供"),
        (SAVE, 400, {"message": "Dashboard title cannot be empty", "status": "empty-name"}, "title cannot be empty"),
        (SAVE, 412, {"message": "A dashboard with the same name", "status": "name-exists"}, "另一个同名的仪表盘"),
        (SAVE, 412, {"message": "changed by someone else", "status": "version-mismatch"}, "有人刚刚改过它（412）"),
        (SAVE, 409, {"message": "the object has been modified"}, "有人刚刚改过它（409）"),
        (SAVE, 500, {"message": "Failed to save dashboard"}, "answered 500: Failed to save dashboard"),
        (SAVE, 502, b"<html>Bad Gateway</html>", "answered 502: no reason given"),
        (SAVE, 503, b"<html>no message today</html>", "不像是 Grafana"),
        (FOLDER, 409, {"message": "a folder with the same name already exists"}, "建不了文件夹（409）"),
        (FOLDER, 412, {"message": "the folder has been changed by someone else"}, "建不了文件夹（412）"),
        (FOLDER, 400, {"message": "folder title cannot be empty"}, "answered 400: folder title cannot be empty"),
        (FOLDER, 500, {"message": "Folder API error"}, "answered 500: Folder API error"),
        ("GET /api/folders/jiantu-zh", 404, b"<html>404</html>", "不像是 Grafana"),
        ("GET /api/org", 500, {"message": "Failed to get organization"}, "answered 500: Failed to get organization"),
    ],
)
def test_every_way_to_say_no_is_told_in_words(call: str, status: int, answer: object, said: str, cli: Cli) -> None:
    with serving(FakeGrafana(answers={call: (status, answer)})) as grafana:
        code, told = push(cli, grafana)
    assert code in {1, 2}
    assert said in told
    assert "内部错误" not in told


def test_a_grafana_that_does_not_answer(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "_PATIENCE", 0.2)
    grafana = FakeGrafana()
    grafana.silent.set()
    with serving(grafana):
        code, said = push(cli, grafana)
    assert code == 1
    assert "did not answer within" in said


def test_a_certificate_is_checked_and_an_authority_of_one_s_own_can_be_named(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    pair = authority.signs("grafana")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with serving(FakeGrafana(), tls) as grafana:
        code, said = push(cli, grafana)
        assert code == 1
        assert "证书不可信" in said
        assert "REQUESTS_CA_BUNDLE" in said
        assert grafana.boards == {}
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca))
        assert push(cli, grafana)[0] == 0


def test_a_slash_at_the_end_of_the_address_is_nothing(cli: Cli, grafana: FakeGrafana) -> None:
    assert cli("boards", "push", "--url", f"{grafana.url}/", "--token", TOKEN, "--dry-run").code == 0


def test_nobody_there(cli: Cli) -> None:
    ended = cli("boards", "push", "--url", f"http://127.0.0.1:{free_ports(1)[0]}", "--token", TOKEN)
    assert ended.code == 1
    assert "连不上" in ended.said
    assert "refused" in ended.said.lower()


@pytest.mark.parametrize(
    "url", ["grafana.example.cn", "ftp://x", "http://", "http://h:99999", "http://me:pw@h", "http://h/?a"]
)
def test_an_address_that_is_none(url: str, cli: Cli) -> None:
    assert "地址不对" in cli.refused("boards", "push", "--url", url, "--token", TOKEN)


def test_tokens(cli: Cli, grafana: FakeGrafana, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")
    assert cli("boards", "push", "--url", grafana.url, "--token-file", secret, "--lang", "zh").code == 0
    monkeypatch.setenv("JIANTU_GRAFANA_URL", grafana.url)
    assert "缺令牌" in cli.refused("boards", "push")
    assert "只能给一个" in cli.refused("boards", "push", "--token", "x", "--token-file", secret)
    assert "读不了令牌文件" in cli.refused("boards", "push", "--token-file", tmp_path / "none")
    assert "不可用的字符" in cli.refused("boards", "push", "--token", "令牌")
    assert "--lang xx" in cli.refused("boards", "push", "--token", TOKEN, "--lang", "xx")
    monkeypatch.setenv("JIANTU_GRAFANA_TOKEN_FILE", str(secret))
    assert cli("boards", "push").code == 0
    monkeypatch.delenv("JIANTU_GRAFANA_URL")
    assert "缺 Grafana 地址" in cli.refused("boards", "push")


def test_the_list_names_every_board(cli: Cli) -> None:
    assert [one["uid"] for one in cli("boards", "list", "--json").document] == list(BOTH)
    assert "jiantu-county-en" in cli("boards", "list").said
