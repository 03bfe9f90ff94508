"""`jiantu token`: who may speak to the live service."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.ending import WrongInputError
from streams.cli.options import ByOption, DataDirOption, JsonOption, data_dir_of, examples, who
from streams.cli.screen import out, print_json, say

if TYPE_CHECKING:
    from streams.ledger.tokens import Token

_app = typer.Typer(
    help="令牌 · Tokens of the live service: made, listed, revoked.",
    epilog=examples("jiantu token create --data-dir data --name 12345 --scope ingest"),
    no_args_is_help=True,
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_app, name="token")


@_app.command(
    "create",
    epilog=examples(
        "jiantu token create --data-dir data --name 12345 --scope ingest --days 365",
        "jiantu token create --data-dir data --name desk --scope read --json",
    ),
)
def create(
    *,
    data_dir: DataDirOption = None,
    name: Annotated[str, typer.Option("--name", help="给谁用 · whom it is for")],
    scope: Annotated[
        list[str], typer.Option("--scope", metavar="ingest|read", help="权限，可多次 · what for; may be repeated")
    ],
    days: Annotated[
        float | None, typer.Option("--days", help="有效天数；默认不过期 · life in days; default: for good")
    ] = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """新建令牌，只显示这一次 · Make a token. It is shown this once: only its digest is kept."""
    from streams.clock import WallClock
    from streams.core.instant import DAY
    from streams.ledger.tokens import Scope, TokenDesk
    from streams.service.token_secret import new_secret

    unknown = [word for word in scope if word not in set(Scope)]
    if unknown:
        raise WrongInputError(f"没有权限 {unknown[0]}", f"no scope {unknown[0]}; there are: {', '.join(Scope)}")
    life = None if days is None else round(days * DAY)
    with TokenDesk(data_dir_of(data_dir), WallClock()) as desk:
        made = desk.create(name, frozenset(map(Scope, scope)), who(by), new_secret(), life)
    if as_json:
        print_json({"name": name, "token": made})
        return
    out.print(made, soft_wrap=True, markup=False)
    say("只显示这一次，请存好", "shown this once: keep it")


@_app.command("list", epilog=examples("jiantu token list --data-dir data"))
def list_tokens(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """列出令牌 · List tokens, revoked ones too; none of them can be read back."""
    from streams.clock import WallClock
    from streams.ledger.tokens import tokens

    now = WallClock().now()
    documents = [_document(token, now) for token in tokens(data_dir_of(data_dir))]
    if as_json:
        print_json(documents)
        return
    for one in documents:
        words = (
            one["id"],
            one["name"],
            ",".join(one["scopes"] or ()),
            one["state"],
            one["created_at"],
            one["created_by"],
        )
        out.print("  ".join(map(str, words)), soft_wrap=True, markup=False)
    if not documents:
        say("还没有令牌", "no tokens yet: jiantu token create")


@_app.command("revoke", epilog=examples("jiantu token revoke 12345 --data-dir data"))
def revoke(
    *,
    which: Annotated[str, typer.Argument(metavar="NAME|ID", help="名称或编号 · its name or id")],
    data_dir: DataDirOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """撤销令牌，两秒内生效 · Revoke a token; a running service knows within two seconds."""
    from streams.clock import WallClock
    from streams.ledger.tokens import TokenDesk

    clock = WallClock()
    with TokenDesk(data_dir_of(data_dir), clock) as desk:
        found = desk.revoke(which, who(by))
    if as_json:
        print_json(_document(found, clock.now()))
        return
    say(f"已撤销 {found.name}（{found.id}）", f"revoked {found.name} ({found.id})")


def _document(token: "Token", now: int) -> dict[str, str | list[str] | None]:
    """What may be known of a token."""
    from streams.core.instant import format_instant

    state = "revoked" if token.revoked_at is not None else "valid" if token.valid(now) else "expired"
    times = {
        name: None if at is None else format_instant(at)
        for name, at in (
            ("created_at", token.created_at),
            ("expires_at", token.expires_at),
            ("revoked_at", token.revoked_at),
        )
    }
    return {
        "id": token.id,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "state": state,
        "created_by": token.created_by,
        "revoked_by": token.revoked_by,
        **times,
    }
