"""Replay Lake City's recording without haste, saying every batch: a process to stop, to wake and to look at.

python -m tests.crash.slow_life DATA_DIR
"""

import sys
import time
from pathlib import Path

from streams.core.decode import Batch
from streams.core.pipeline import PipelineOutputs
from streams.runtime.embedded import Progress
from tests.promises.lake import replay


class Talkative:
    """Says where it is, and rests a moment."""

    def before(self, batch: Batch, /) -> bool:
        time.sleep(0.002)
        return True

    def after(self, progress: Progress, outputs: PipelineOutputs, /) -> bool:
        print(progress.record, flush=True)
        return True


if __name__ == "__main__":
    outcome = replay(Path(sys.argv[1]), batch=50, interval=0, watcher=Talkative())
    print(outcome.log_sha256, outcome.state_sha256, outcome.ledger_sha256)
