"""`jiantu send`: a recording into a live service."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli import ending
from streams.cli.options import JsonOption, ProfileOption, examples
from streams.cli.screen import out, print_json, say, warn

if TYPE_CHECKING:
    from streams.service.sending import Waited


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "send",
        epilog=examples(
            "JIANTU_TOKEN=jiantu_... jiantu send rec.jsonl.zst --to http://127.0.0.1:8080 --speed 60x",
            "jiantu send rec.jsonl.zst --to https://jiantu.example --token-file token --batch 500",
        ),
    )(send)


def send(  # noqa: PLR0913 - one parameter an option
    *,
    context: typer.Context,
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="记录，或 CSV(.gz) · a recording, or a CSV")],
    to: Annotated[str, typer.Option("--to", metavar="URL", help="服务的地址 · the service's address")],
    speed: Annotated[str, typer.Option("--speed", metavar="max|60x|1x", help="速度 · how fast")] = "max",
    profile: ProfileOption = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="令牌所在文件；默认取 JIANTU_TOKEN · default: $JIANTU_TOKEN"),
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=1, max=10_000, help="一次多少条 · records a request")] = 500,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE", help="记下发到哪里 · where it is kept how far it got"),
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", min=0.0, metavar="S", help="服务不在时等多久 · how long to wait for it")
    ] = 600.0,
    as_json: JsonOption = False,
) -> None:
    """发送 · Send a recording into a live service, in order; goes on where an earlier call stopped.

    To a service of `--clock stream` everything goes as it was recorded; to one of `--clock live` the events alone,
    which then come in now. Waits for a service that is busy or away.
    """
    from streams.cli.instants import speed as factor_of
    from streams.cli.interruption import Interruption
    from streams.cli.pacing import Pace
    from streams.cli.sending import Sending
    from streams.core.instant import SECOND
    from streams.service.sending import Remembered, Sender, SendStoppedError, state_file
    from streams.wiring.inputs import open_profile, open_source, recorded_profile

    factor, token = factor_of(speed), _token(token_file)
    named = profile or recorded_profile(recording)
    if named is None:
        raise ending.WrongInputError(
            "CSV 不说是哪座城市的，请加 --profile", "a CSV does not say whose it is; add --profile NAME|DIR"
        )
    made = open_profile(named)
    source = open_source(recording, made)
    with Interruption() as interruption:
        sender = Sender(to, token, round(patience * SECOND), lambda: interruption.asked, _say_waiting)
        pace = None if factor is None else Pace(factor, interruption)
        sending = Sending(sender, made, source, Remembered(state or state_file(recording)), pace, batch)
        try:
            sending.run(lambda: interruption.asked, quiet=as_json)
        except SendStoppedError:
            pass  # the wish to stop is told below
        finally:
            sender.close()
    sent = sending.sent
    stopped = interruption.asked
    totals = {name: getattr(sent, name) for name in ("record", "received", "counted", "duplicate", "late", "rejected")}
    if as_json:
        print_json(totals | {"stopped": stopped, "seconds": round(sending.seconds, 3)})
    else:
        words = "  ".join(f"{name} {total:,}" for name, total in totals.items())
        out.print(f"{words}  {sending.rate:,.0f} 件 events/s", soft_wrap=True, markup=False)
    if stopped:
        say("已停下；接着：", "stopped; to go on:")
        say(f"  {shlex.join(['jiantu', *context.obj])}", "")
        raise typer.Exit(interruption.exit_code)
    found = source.ending
    if found is not None and found.state != "complete":
        warn("记录不完整或被改动过", f"{found.state}: {found.message}")


def _token(path: Path | None) -> str:
    from streams.config import settings

    if path is not None:
        try:
            return path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ending.WrongInputError(f"{path} 读不了", f"{path} cannot be read ({error})") from None
    found = settings().token
    if found is None:
        raise ending.WrongInputError(
            "缺令牌：设 JIANTU_TOKEN 或加 --token-file",
            "no token: set JIANTU_TOKEN, or add --token-file; `jiantu token create --scope ingest` makes one",
        )
    return found.get_secret_value()


def _say_waiting(waited: "Waited") -> None:
    warn(f"{waited.seconds:g} 秒后重试", f"again in {waited.seconds:g} s: {waited.why}")
