"""OpenMetrics text into blocks of Prometheus' database, by promtool: a Prometheus finds them in its folder."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from streams.core.instant import HOUR
from streams.exporter.history import BLOCK, Block


class BlocksError(Exception):
    """Blocks that cannot be made: why, and what to do."""


def promtool(given: Path | None = None) -> Path:
    """The program: the one given, or the one on the path. Raises BlocksError."""
    found = shutil.which(str(given or "promtool"))
    if found is None:
        raise BlocksError(
            f"{given or 'promtool'}: no such program; it comes with Prometheus (Debian, Ubuntu: "
            "`apt-get install prometheus`), or say where it is with --promtool"
        )
    return Path(found)


def write_block(tool: Path, block: Block, folder: Path) -> None:
    """Make one block in a folder, whole or not at all. Raises BlocksError."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".jiantu-", dir=folder) as made:
        text, blocks = Path(made, "openmetrics.txt"), Path(made, "blocks")
        text.write_bytes(block.text)
        command = [str(tool), "tsdb", "create-blocks-from", f"--max-block-duration={BLOCK // HOUR}h", "openmetrics"]
        done = subprocess.run(  # noqa: S603 - a program that the caller names, and files of our own
            [*command, str(text), str(blocks)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            words = " ".join((done.stderr or done.stdout).split())[-400:]
            raise BlocksError(f"{tool}: ended with status {done.returncode}: {words}")
        for one in sorted(blocks.iterdir()):
            if (one / "meta.json").is_file():
                one.rename(folder / one.name)
