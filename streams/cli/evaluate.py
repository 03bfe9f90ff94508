"""`jiantu evaluate`: alerts held against what really happened."""

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import DataDirOption, JsonOption, LedgerOption, ProfileOption, examples, where_of
from streams.cli.screen import print_json, show


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "evaluate",
        epilog=examples(
            "jiantu evaluate --data-dir data --labels labels.jsonl",
            "jiantu evaluate -d data --labels labels.jsonl --json",
        ),
    )(evaluate)


def evaluate(
    *,
    labels: Annotated[Path, typer.Option("--labels", metavar="FILE", help="标签 · what really happened")],
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """评估 · What was found of labelled incidents, and how fast.

    Found: a page on one of the label's counties and signals, from its start until 7 days after its end.
    False: a page that no label covers. Always-page alerts are no pages; weeks count after warm-up.
    """
    from streams.cli.evaluation import parts
    from streams.replay.labels import read_labels
    from streams.wiring.evaluating import evaluated
    from streams.wiring.reading import open_reading

    known = read_labels(labels)
    with open_reading(where_of(data_dir, ledger), profile) as reading:
        found = evaluated(reading, known)
        made = reading.profile
    if as_json:
        print_json(found.document(made.city))
    else:
        show(*parts(found, made))
