"""`jiantu boards list|push`: the Grafana boards that come with jiantu."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.ending import CommandError, FailedError, WrongInputError
from streams.cli.options import JsonOption, examples, flag

if TYPE_CHECKING:
    from dashboards.library import Built
    from dashboards.provision import GrafanaError, Pushed

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Grafana 的地址，连同子路径 · address of Grafana, with its path",
        envvar="JIANTU_GRAFANA_URL",
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="服务账号令牌；别人看得到命令行，宁可用 --token-file · service account token; others see command lines",
        envvar="JIANTU_GRAFANA_TOKEN",
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="令牌文件 · file with the token", envvar="JIANTU_GRAFANA_TOKEN_FILE"
    ),
]
LangsOption = Annotated[
    str, typer.Option("--lang", metavar="zh|en|both", help="推送哪种语言的仪表盘 · boards of which language")
]
DryRunOption = Annotated[bool, flag("--dry-run", help="只说会做什么 · only say what would be done")]
OverwriteOption = Annotated[
    bool, flag("--overwrite", help="覆盖别人刚做的修改 · over changes that somebody made meanwhile")
]
_STYLES = {
    "created": ("+ 新建 create", "green"),
    "changed": ("~ 更新 update", "yellow"),
    "moved": ("→ 移动 move", "yellow"),
    "unchanged": ("= 一致 as it is", "dim"),
}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    boards = typer.Typer(
        help="Grafana 仪表盘：列出、推送 · The boards for Grafana: list, push.",
        epilog=examples("jiantu boards push --url https://grafana.example.cn --token-file token --dry-run"),
        no_args_is_help=True,
    )
    boards.command("list", epilog=examples("jiantu boards list", "jiantu boards list --json"))(list_)
    shown = examples(
        "jiantu boards push --url https://grafana.example.cn --token-file token",
        "jiantu boards push --url http://127.0.0.1:3000 --token glsa_... --lang both --dry-run",
    )
    boards.command("push", epilog=shown)(push)
    app.add_typer(boards, name="boards")


def list_(*, as_json: JsonOption = False) -> None:
    """列出 · The boards, in both languages, and the uids by which links and bookmarks hold on to them."""
    from rich.table import Table

    from streams.cli.screen import print_json, show

    found = _boards("both")
    if as_json:
        print_json([{"uid": one.uid, "lang": one.lang, "title": one.title} for one in found])
        return
    table = Table(box=None)
    for heading in ("uid", "名称 title", "说明 description"):
        table.add_column(heading)
    for one in found:
        table.add_row(one.uid, one.title, str(one.document["description"]))
    show(table)


def push(
    *,
    url: UrlOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    lang: LangsOption = "both",
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """推送 · Bring the boards into a Grafana through its API, by uid; the same again changes nothing.

    Where Grafana can read files, provision them instead: deploy/grafana/provisioning.
    """
    from dashboards.provision import Grafana, GrafanaError, Outcome
    from streams.cli.screen import out, print_json

    if url is None:
        raise WrongInputError("缺 Grafana 地址，请加 --url URL", "no address of Grafana; add --url URL")
    secret, boards = _token(token, token_file), _boards(lang)
    try:
        grafana = Grafana(url, secret)
        version = grafana.check()
        done: list[Pushed] = []
        for one in grafana.push(boards, does=not dry_run, overwrite=overwrite):
            done.append(one)
            if not as_json:
                _show(one)
    except GrafanaError as error:
        raise _told(error) from None
    changed = sum(one.outcome is not Outcome.UNCHANGED for one in done)
    if as_json:
        pushed = [
            {
                "kind": one.kind,
                "uid": one.uid,
                "title": one.title,
                "outcome": one.outcome.value,
                "changes": [{"what": change.en, "which": change.which} for change in one.changes],
            }
            for one in done
        ]
        print_json({"grafana": version, "applied": not dry_run, "pushed": pushed})
    elif not changed:
        out.print("一致，无需改动  as it should be")
    elif dry_run:
        out.print(f"有 {changed} 处待改，什么都没有做  {changed} to do, nothing was done")
    else:
        out.print(f"已完成 {changed} 处  {changed} done")


def _token(token: str | None, file: Path | None) -> str:
    if token is not None and file is not None:
        raise WrongInputError("--token 和 --token-file 只能给一个", "--token and --token-file: give one of them")
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongInputError(f"读不了令牌文件 {file}", f"cannot read the file of the token: {error}") from None
    if not token:
        raise WrongInputError(
            "缺令牌，请加 --token-file FILE", "no token; add --token-file FILE (a service account's, role Editor)"
        )
    if not token.isascii() or not token.isprintable():
        raise WrongInputError("令牌里有不可用的字符", "the token holds characters that no token has")
    return token


def _boards(lang: str) -> "tuple[Built, ...]":
    from dashboards.library import LANGS, built

    if lang not in {*LANGS, "both"}:
        raise WrongInputError(f"--lang {lang}：可用 zh、en、both", f"--lang {lang}: zh, en or both")
    return tuple(board for one in LANGS if lang in {one, "both"} for board in built(one))


def _show(one: "Pushed") -> None:
    from rich.markup import escape

    from streams.cli.screen import out

    mark, style = _STYLES[one.outcome.value]
    out.print(f"[{style}]{mark}[/{style}]  [bold]{one.uid}[/bold]  {escape(one.title)}", soft_wrap=True)
    for change in one.changes:
        out.print(f"    {change.zh} {change.en}: {escape(change.which)}", soft_wrap=True)


def _told(error: "GrafanaError") -> CommandError:
    kind = WrongInputError if error.wrong_input else FailedError
    return kind(error.zh, error.en)
