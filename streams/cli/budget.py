"""`jiantu budget`: how the page budget was kept."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import DataDirOption, JsonOption, LedgerOption, ProfileOption, examples, flag, where_of
from streams.cli.screen import print_json, show

if TYPE_CHECKING:
    from streams.core.worth import Proposal


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "budget",
        epilog=examples(
            "jiantu budget --data-dir data", "jiantu budget -d data --json", "jiantu budget -d data --propose-weights"
        ),
    )(budget)


def budget(
    *,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    propose_weights: Annotated[
        bool,
        flag(
            "--propose-weights",
            help="按预警属实的多少，建议各信号、各窗口的份量；只是建议 · Weights by how often pages were right: "
            "a proposal, nothing is changed.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """误报额度 · How the page budget was kept: what was spent, what people made of the pages.

    Beside it what procedures that control the false discovery rate would have called a discovery.
    """
    from streams.cli.asking import proposed_weights, realised
    from streams.cli.figures import rows_text
    from streams.wiring.reading import open_reading

    with open_reading(where_of(data_dir, ledger), profile) as reading:
        if propose_weights:
            _propose(proposed_weights(reading), as_json=as_json)
            return
        found = realised(reading)
    judged, share = found.judged, found.judged.false_share
    if as_json:
        more = {
            "pages_per_week": round(found.pages_per_week, 6),
            "false_pages_per_week": round(found.false_pages_per_week, 6),
            "false_share": share,
        }
        print_json(asdict(found) | more)
        return
    told = "还没有人处置过 none judged yet"
    if share is not None:
        told = f"{share[0]:.0%} (95% {share[1]:.0%}–{share[2]:.0%})"
    rows = [
        ("额度 budget", f"{found.budget_per_week:g} / 周 week"),
        ("已用 spent", f"{found.spent_per_week:.3g} / 周 week，最多 at most {found.most_in_a_week:.3g}"),
        ("周数 weeks", f"{found.weeks:.1f}"),
        ("检验 tests", f"{found.tests:,}"),
        ("反常 verdicts", f"{found.verdicts:,}，偶然不超过 by chance at most {found.false_verdicts_at_most:.3g}"),
        ("预警 pages", f"{judged.pages:,} = {found.pages_per_week:.2f} / 周 week"),
        ("属实 right", f"{judged.right:,}"),
        ("排除 false", f"{judged.false:,} = {found.false_pages_per_week:.2f} / 周 week"),
        ("误报比例 false share", told),
    ]
    rows += [
        (f"{name} (FDR {found.rate:.0%})", f"{discoveries:,} 项 discoveries")
        for name, discoveries in found.discoveries.items()
    ]
    show(rows_text(rows))


def _propose(found: "Proposal", *, as_json: bool) -> None:
    """Print weights that follow how often pages were right; the profile is left as it is."""
    from streams.cli.figures import rows_text

    if as_json:
        kinds = {"signals": found.signals, "sizes": found.sizes}
        print_json({"judged": found.judged} | {kind: [one._asdict() for one in some] for kind, some in kinds.items()})
        return
    rows = [("已判 judged", f"{found.judged:,}")]
    for one in (*found.signals, *found.sizes):
        if one.judged:
            change = "" if one.proposed == one.weight else f" → {one.proposed:g}"
            rows.append((one.name, f"属实 right {one.right} / {one.judged}，weight: {one.weight:g}{change}"))
    show(rows_text(rows))
    if not found.says_something:
        show("无可建议：判过的预警太少，或都一样 nothing to propose: too few pages were judged, or all alike")
    else:
        show("同意的话，写进配置的 weight 和 size_weights if you agree, write them into the profile")
