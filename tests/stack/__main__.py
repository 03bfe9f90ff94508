"""`make stack`: everything that there is, on this machine, fed by the simulator. Ctrl-C stops all that it started."""

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from streams.clock import Stopwatch, pause
from streams.core.instant import SECOND
from tests.debian import NotFetchedError
from tests.prometheus.programs import program
from tests.prometheus.server import NotStartedError
from tests.stack.parts import Feed, Stack


def main() -> int:
    """Start, say where, wait."""
    options = argparse.ArgumentParser(prog="make stack ARGS=...", description=__doc__)
    options.add_argument("--folder", type=Path, help="keep everything here; default: a folder that goes with it")
    options.add_argument("--history", type=int, default=Feed.history, help="days of the past that are there at once")
    options.add_argument("--ahead", type=int, default=Feed.ahead, help="days that are fed then")
    options.add_argument("--scale", type=float, default=Feed.scale, help="of the city's volume")
    options.add_argument("--speed", type=int, default=Feed.speed, help="times as fast as time")
    options.add_argument("--seconds", type=float, help="end by itself after so long; default: at Ctrl-C")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    feed = Feed(chosen.history, chosen.ahead, chosen.scale, chosen.speed)
    with ExitStack() as ends:
        made = ends.enter_context(tempfile.TemporaryDirectory(prefix="jiantu-stack-"))
        try:
            for needed in ("prometheus", "alertmanager"):  # before a minute is spent on anything else
                program(needed)
            stack = ends.enter_context(Stack(chosen.folder or Path(made) / "stack", feed, _say))
            for name, where in stack.addresses().items():
                _say(f"  {name:<16}{where}")
            _say("Grafana: deploy/grafana/provisioning, or jiantu boards push --url ... --token-file ...")
            _say("Ctrl-C 全部停止 stops everything")
            ran = Stopwatch()
            while chosen.seconds is None or ran.elapsed() < chosen.seconds * SECOND:
                pause(SECOND // 2)
        except KeyboardInterrupt:
            _say("停止 stopping")
        except (NotFetchedError, NotStartedError, FileExistsError, AssertionError) as error:
            print(f"没有启动 it did not start: {error}", file=sys.stderr)
            return 1
    return 0


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
