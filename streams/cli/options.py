"""Options that several commands share, so that one name means one thing everywhere."""

from pathlib import Path
from typing import Annotated

import typer


def examples(*lines: str) -> str:
    """The end of a command's --help."""
    return "例 examples:\n\n" + "\n".join(f"  {line}" for line in lines)


JsonOption = Annotated[
    bool, typer.Option("--json", help="只输出一个 JSON 文档 · one JSON document on stdout, nothing else")
]
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
LangOption = Annotated[
    str | None,
    typer.Option("--lang", metavar="zh|en", help="说明文字的语言 · language of sentences", show_default="zh"),
]
