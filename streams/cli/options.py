"""Options that several commands share, so that one name means one thing everywhere."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.ending import WrongInputError

if TYPE_CHECKING:
    from streams.config import Settings
    from streams.ledger.place import Where


def examples(*lines: str) -> str:
    """The end of a command's --help."""
    return "例 examples:\n\n" + "\n".join(f"  {line}" for line in lines)


def flag(*names: str, help: str, show_default: bool = True) -> Any:  # noqa: A002 - as typer has it
    """An option that is given or not: --help shows no value of it."""
    return typer.Option(*names, help=help, show_default=show_default, metavar="")


JsonOption = Annotated[bool, flag("--json", help="只输出一个 JSON 文档 · one JSON document on stdout, nothing else")]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", "-p", metavar="NAME|DIR", help="城市配置：名称或文件夹 · profile: a name, or a folder"),
]
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        "-d",
        metavar="DIR",
        help="数据目录；默认取 JIANTU_DATA_DIR · data directory; default: $JIANTU_DATA_DIR",
        show_default=False,
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="PostgreSQL 台账 postgresql://…，代替数据目录；默认取 JIANTU_LEDGER_URL(_FILE) · ledger in PostgreSQL; "
        "default: $JIANTU_LEDGER_URL, or in the file $JIANTU_LEDGER_URL_FILE",
        show_default=False,
    ),
]
LangOption = Annotated[
    str | None,
    typer.Option("--lang", metavar="zh|en", help="说明文字的语言 · language of sentences", show_default="zh"),
]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by", help="经办人；默认取 JIANTU_USER 或系统账号 · who does it; default: $JIANTU_USER or the account"
    ),
]
NoteOption = Annotated[str, typer.Option("--note", help="备注，不写个人信息 · a note; nothing personal")]


def environment() -> "Settings":
    """What the environment says. Raises SettingsError."""
    from streams.config import settings  # a third of a second that nobody waits for who only asks for --help

    return settings()


def data_dir_of(given: Path | None) -> Path:
    """The data directory that a command works on: the option's, or the environment's."""
    found = given or environment().data_dir
    if found is None:
        raise WrongInputError("缺数据目录，请加 --data-dir DIR", "no data directory; add --data-dir DIR")
    return found


def where_of(data_dir: Path | None, ledger: str | None) -> "Where":
    """The ledger that a command works on: what its options name, or the environment."""
    found = where_if_any(data_dir, ledger)
    if found is None:
        raise WrongInputError(
            "缺台账，请加 --data-dir DIR 或 --ledger URL", "no ledger; add --data-dir DIR, or --ledger URL"
        )
    return found


def where_if_any(data_dir: Path | None, ledger: str | None) -> "Where | None":
    """The ledger that options name, or the environment; None: nobody names one."""
    if data_dir is not None and ledger is not None:
        raise WrongInputError("--data-dir 和 --ledger 只能给一个", "--data-dir and --ledger: give one of them")
    if data_dir is not None:
        return data_dir
    url = ledger or _url_of_environment()
    if url is None:
        return environment().data_dir
    from streams.ledger.errors import LedgerError
    from streams.ledger.place import LedgerUrl

    try:
        return LedgerUrl.of(url)
    except LedgerError as error:
        raise WrongInputError("", str(error)) from None


def _url_of_environment() -> str | None:
    found = environment()
    if found.ledger_url is not None:
        return found.ledger_url.get_secret_value()
    if found.ledger_url_file is None:
        return None
    try:
        return found.ledger_url_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInputError(
            f"JIANTU_LEDGER_URL_FILE：{found.ledger_url_file} 读不了",
            f"JIANTU_LEDGER_URL_FILE: {found.ledger_url_file} cannot be read ({error})",
        ) from None


def lang_of(given: str | None) -> str:
    """The language of sentences: the option's, or the environment's."""
    found = given or environment().lang
    if found not in ("zh", "en"):
        raise WrongInputError(f"--lang “{found}” 不对，写 zh 或 en", f'--lang "{found}": write zh or en')
    return found


def who(given: str | None) -> str:
    """Who acts: the option's, the environment's, or the account's name."""
    try:
        return given or environment().user or getpass.getuser()
    except (KeyError, OSError):
        raise WrongInputError("缺经办人，请加 --by", "nobody is named; add --by NAME") from None
