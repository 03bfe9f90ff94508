"""A service whose disk fills up under it, and that goes on when there is room again.

    unshare --mount python -m tests.service.full_disk FOLDER

does it on a file system of 48 MB that is mounted on FOLDER and is gone with this process, and prints what came of it
as JSON.
"""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from streams.sources.recording import RecordingReader
from tests.cli.commands import RECORDING
from tests.promises.lake import recorded_lines, stored_log
from tests.service.living import living, until

SIZE = "48m"
NDJSON = {"content-type": "application/x-ndjson"}
_PART = 300


class Survival(msgspec.Struct):
    """What came of it."""

    refused: list[str]
    """What was said while there was no room: status and word."""
    retry_after: list[str]
    ready: list[int]
    """Status of /readyz: before, while, after."""
    counted: int
    log: str


def fill(ballast: Path) -> None:
    """Take all the room there is."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def survive(folder: Path, fill: Callable[[], None], free: Callable[[], None]) -> Survival:
    """Send the recording; twice on the way there is no room."""
    lines = [RecordingReader(RECORDING).header.line(), *recorded_lines()]
    parts = [b"".join(lines[first : first + _PART]) for first in range(0, len(lines), _PART)]
    survival = Survival([], [], [], 0, "")
    with living(folder / "data", clock="stream", checkpoint_seconds=0.1, least_free=4 * 1024 * 1024) as service:

        def ready() -> int:
            return service.client.get("/readyz").status_code

        for number, part in enumerate(parts):
            if number in (len(parts) // 3, 2 * len(parts) // 3):
                survival.ready.append(ready())
                fill()
                for _ in range(3):
                    answer = service.post(part, **NDJSON)
                    survival.refused.append(f"{answer.status_code} {answer.json().get('error')}")
                    survival.retry_after.append(answer.headers.get("retry-after", ""))
                survival.ready.append(ready())
                free()
                until(lambda: ready() == 200)
                survival.ready.append(ready())
            answer = service.post(part, **NDJSON)
            assert answer.status_code in (202, 400), answer.text
        survival.counted = service.accounting()["counted"]
    survival.log = stored_log(folder / "data").decode()
    return survival


def on_a_small_disk(folder: Path) -> Survival:
    """With a ballast that takes all the room there is."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "jiantu-test", str(folder)], check=True)
    ballast = folder / "ballast"
    return survive(folder, lambda: fill(ballast), ballast.unlink)


if __name__ == "__main__":
    print(msgspec.json.encode(on_a_small_disk(Path(sys.argv[1]))).decode())
