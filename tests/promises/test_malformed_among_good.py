"""Malformed records among good ones, end to end: each rejected with its reason, the good ones as if alone (law 4)."""

from collections import Counter
from pathlib import Path

from streams.core.record import Reason
from streams.ledger.connection import FILE
from streams.ledger.reader import LedgerReader
from streams.sources.recorder import RecordingWriter
from streams.sources.recording import RecordingReader
from tests.promises.lake import RECORDING, Outcome, check_accounts, replay
from tests.promises.spoiling import PHONE, SECRET, mixed

SPOILED = 100_000


def test_malformed_records_are_rejected_each_with_its_reason_and_harm_nobody(
    undisturbed: Outcome, tmp_path: Path
) -> None:
    lines, bad = mixed(SPOILED, seed=7)
    recording = tmp_path / "mixed.jsonl.zst"
    with RecordingWriter(recording, RecordingReader(RECORDING).header) as writer:
        writer.write_lines(b"".join(lines))
    data_dir = tmp_path / "data"
    outcome = replay(data_dir, RecordingReader(recording), batch=997)

    check_accounts(outcome.accounting, lines)
    before, after = undisturbed.accounting, outcome.accounting
    assert after.rejected == before.rejected + SPOILED
    assert (after.counted, after.duplicate, after.late) == (before.counted, before.duplicate, before.late)
    assert after.windows_closed == before.windows_closed
    assert outcome.log == undisturbed.log

    with LedgerReader(data_dir) as ledger:
        rejections = {rejection.position: rejection for _, rejection in ledger.rejections(last=after.rejected + 1)}
        totals = ledger.rejection_totals()
    assert len(rejections) == after.rejected
    found = {number: (rejections[number].digest, rejections[number].reason) for number in bad}
    assert found == bad
    assert totals == Counter(rejection.reason for rejection in rejections.values())
    assert set(totals) == set(Reason) - {Reason.WRONG_PARTITION}

    kept = b"".join((data_dir / name).read_bytes() for name in (FILE, f"{FILE}-wal") if (data_dir / name).exists())
    assert SECRET.encode() not in kept
    assert PHONE.encode() not in kept
