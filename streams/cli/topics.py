"""`jiantu topics plan|apply`: the topics of Kafka as `topics.yaml` wants them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from streams.cli import ending
from streams.cli.options import JsonOption, examples, flag
from streams.cli.screen import out, print_json
from streams.cli.topic_options import BrokersOption, PrefixOption

if TYPE_CHECKING:
    from streams.broker.plan import Change

FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file", "-f", metavar="YAML", help="主题文件；默认用自带的 · topics; default: the file that comes along"
    ),
]
ReplayOption = Annotated[
    bool,
    flag("--replay", help="供回放：保留原时间，永不过期 · for recordings: their times are kept, nothing expires"),
]
ReplicationOption = Annotated[
    int | None, typer.Option("--replication", metavar="N", min=1, max=10, help="副本数 · copies of every record")
]
PartitionsOption = Annotated[
    int | None,
    typer.Option("--partitions", metavar="N", min=1, max=1000, help="events 的分区数 · partitions of events"),
]
MayDeleteOption = Annotated[
    bool, flag("--may-delete", help="允许缩短保存期 · retention may become shorter, which deletes records")
]
_STYLES = {
    "create": ("+ 新建 create", "green"),
    "alter": ("~ 修改 change", "yellow"),
    "allow": ("+ 授权 allow", "green"),
    "refused": ("✗ 拒绝 refused", "bold red"),
    "note": ("· 说明 note", "dim"),
}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    topics = typer.Typer(
        help="Kafka 主题：比对、建立 · The topics of Kafka: compare, make.",
        epilog=examples("jiantu topics plan --brokers kafka1:9092"),
        no_args_is_help=True,
    )
    shown = examples("jiantu topics plan --brokers kafka1:9092", "jiantu topics plan -b kafka1:9092 --json")
    topics.command("plan", epilog=shown)(plan)
    shown = examples(
        "jiantu topics apply --brokers kafka1:9092,kafka2:9092,kafka3:9092",
        "jiantu topics apply -b 127.0.0.1:9092 --replication 1",
        "jiantu topics apply -b 127.0.0.1:9092 --replication 1 --replay --prefix year2025.",
    )
    topics.command("apply", epilog=shown)(apply)
    app.add_typer(topics, name="topics")


def plan(
    *,
    brokers: BrokersOption = None,
    file: FileOption = None,
    prefix: PrefixOption = None,
    replay: ReplayOption = False,
    replication: ReplicationOption = None,
    partitions: PartitionsOption = None,
    may_delete: MayDeleteOption = False,
    as_json: JsonOption = False,
) -> None:
    """比对 · What differs between the file and the brokers? Changes nothing.

    Exit code 1 where something differs that cannot be changed without breaking state.
    """
    _run(brokers, prefix, file, (replication, partitions), replay, may_delete, as_json, does=False)


def apply(
    *,
    brokers: BrokersOption = None,
    file: FileOption = None,
    prefix: PrefixOption = None,
    replay: ReplayOption = False,
    replication: ReplicationOption = None,
    partitions: PartitionsOption = None,
    may_delete: MayDeleteOption = False,
    as_json: JsonOption = False,
) -> None:
    """建立 · Make what is missing, change what can be changed; again changes nothing.

    Where something would break state (partitions, copies, what a record's time means), nothing at all is done.
    """
    _run(brokers, prefix, file, (replication, partitions), replay, may_delete, as_json, does=True)


def _run(
    brokers: str | None,
    prefix: str | None,
    path: Path | None,
    counts: tuple[int | None, int | None],
    replay: bool,
    may_delete: bool,
    as_json: bool,
    *,
    does: bool,
) -> None:
    from streams.broker.administration import Administration
    from streams.broker.plan import Planner
    from streams.broker.settings import BrokerSettings
    from streams.broker.topics_file import read_topics_file

    settings = BrokerSettings(brokers=brokers, topic_prefix=prefix)
    replication, partitions = counts
    file = read_topics_file(path).changed(replication=replication, partitions=partitions)
    with Administration(settings) as broker:
        planner = Planner(broker, settings, file, replay=replay, may_delete=may_delete)
        found = planner.plan()
        done = does and not found.refused
        if done:
            planner.apply(found)
    if as_json:
        print_json(
            {
                "ok": not found.refused,
                "applied": done,
                "changes": [{"kind": c.kind, "what": c.what, "words": c.words, "todo": c.todo} for c in found.changes],
            }
        )
    else:
        for change in found.changes:
            _show(change)
        out.print(_in_short(len(found.todo), len(found.refused), does=does), markup=False, soft_wrap=True)
    if found.refused:
        raise typer.Exit(ending.FAILED)


def _show(change: "Change") -> None:
    mark, style = _STYLES[change.kind]
    words = f"[bold]{escape(change.what)}[/bold]  {escape(change.words)}"
    out.print(f"[{style}]{mark}[/{style}]  {words}", soft_wrap=True)
    if change.todo:
        out.print(f"       → {change.todo}", markup=False, soft_wrap=True)


def _in_short(todo: int, refused: int, *, does: bool) -> str:
    if refused:
        return f"{refused} 处不能改，什么都没有改  {refused} refused; nothing was changed"
    if not todo:
        return "一致，无需改动  as it should be"
    if does:
        return f"已完成 {todo} 处  {todo} done"
    return f"有 {todo} 处待改：jiantu topics apply  {todo} to do"
