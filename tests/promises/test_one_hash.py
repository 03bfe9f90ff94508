"""Same input, same alerts (law 2): whatever the batches, the restarts, the order, the repeats, the partitions.

The stream is Lake City's recording of six weeks. Its alert log is pinned; see pin.py for how to pin it again.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.core.decode import Batch
from streams.core.instant import SECOND
from streams.core.pipeline import PipelineOutputs
from streams.ledger.reader import LedgerReader
from streams.runtime.embedded import Progress
from tests.promises.lake import (
    Outcome,
    is_tick,
    open_store,
    pinned,
    recorded_lines,
    replay,
    runtime_on,
)


def test_the_recording_gives_the_pinned_alert_log(undisturbed: Outcome) -> None:
    sha256, log = pinned()
    assert hashlib.sha256(log).hexdigest() == sha256, "alert_log.jsonl and alert_log.sha256 do not belong together"
    assert undisturbed.log.decode().splitlines() == log.decode().splitlines(), (
        "the alerts of the recording changed. If a detector, the judge or the log was changed on purpose:\n"
        "    python -m tests.promises.pin\nand read the git diff of alert_log.jsonl"
    )
    assert undisturbed.log_sha256 == sha256


def test_the_recording_holds_all_that_the_promises_are_about(undisturbed: Outcome) -> None:
    accounting = undisturbed.accounting
    assert min(accounting.counted, accounting.duplicate, accounting.late, accounting.rejected) > 0
    lines = [msgspec.json.decode(line) for line in undisturbed.log.splitlines()]
    raised = [line for line in lines if line["transition"] == "raised"]
    assert {line["size"] for line in raised} >= {"event", "hour", "day"}
    assert {line["direction"] for line in raised} == {"high", "low"}
    assert len(raised) >= 8
    assert any(line["transition"] == "ended" and line["joined"] for line in lines)


@pytest.mark.parametrize("batch", [1, 7, 1000, 100_000])
def test_any_batch_size_gives_one_log_one_state_and_one_ledger(
    batch: int, undisturbed: Outcome, tmp_path: Path
) -> None:
    assert replay(tmp_path, batch=batch) == undisturbed


# ---- restarts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Life:
    """One process that works on the stream for a while."""

    batch: int
    records: int
    """After how many it ends."""
    every: int
    """Microseconds between two checkpoints."""
    dies: bool
    """Between two checkpoints, with nothing said; else it is stopped, and writes where it is."""


class DeadError(Exception):
    """The end of a life, in the middle of its work."""


@dataclass
class Until:
    """Ends a life when it has taken so many records in, and notes which it was given."""

    records: int
    dies: bool
    taken: list[range] = field(default_factory=list)

    def before(self, batch: Batch, /) -> bool:
        self.taken.append(range(batch.first, batch.first + len(batch.arrivals)))
        return True

    def after(self, progress: Progress, outputs: PipelineOutputs, /) -> bool:
        on = sum(map(len, self.taken)) < self.records
        if not on and self.dies:
            raise DeadError
        return on


lives = st.lists(
    st.builds(
        Life,
        batch=st.sampled_from([1, 7, 64, 500, 4000]),
        records=st.integers(1, 2500),
        every=st.sampled_from([5_000, 30_000, 200_000]),
        dies=st.booleans(),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=6, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(lives=lives)
def test_restarts_anywhere_give_one_log_one_state_and_one_ledger(
    lives: list[Life], undisturbed: Outcome, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data_dir = tmp_path_factory.mktemp("lives")
    for life in lives:
        until = Until(life.records, life.dies)
        with open_store(data_dir) as store:
            runtime = runtime_on(store, batch=life.batch, interval=life.every)
            begun = runtime.position
            try:
                run = runtime.run(until)
            except DeadError:
                continue
            assert until.taken[0].start == begun.record
            assert run.accounting.balanced()
        with LedgerReader(data_dir) as ledger:
            progress = ledger.progress()
        assert progress is not None
        assert progress.record == until.taken[-1].stop
    assert replay(data_dir) == undisturbed


def test_a_run_that_was_stopped_goes_on_at_its_checkpoints_own_position(tmp_path: Path, undisturbed: Outcome) -> None:
    given_out: list[range] = []
    for records in (1, 1499, 1500, 1501, 700, 10_000):
        until = Until(records, dies=False)
        with open_store(tmp_path) as store:
            runtime = runtime_on(store, batch=37, interval=60 * SECOND)
            assert runtime.position.record == (given_out[-1].stop if given_out else 0)
            run = runtime.run(until)
            assert run.stopped == (run.ending is None)
            assert run.processed == sum(1 for span in until.taken for i in span if not is_tick(recorded_lines()[i]))
        given_out += until.taken
    # Every record was taken in, in order, none twice: nothing was repeated, nothing passed over.
    assert [i for span in given_out for i in span] == list(range(len(recorded_lines())))
    assert replay(tmp_path) == undisturbed
