"""`python -m dashboards.build`: write the boards' JSON; with --check only say which files are not as they would be."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from dashboards.frame import Tongue
from dashboards.library import LANGS, NAMES
from dashboards.sdk import JSONEncoder

BUILT = Path(__file__).parent / "built"


def documents() -> Iterator[tuple[Path, bytes]]:
    """Every file, and what belongs into it."""
    for lang in LANGS:
        for name in NAMES:
            board = import_module(f"dashboards.boards.{name}").build(Tongue(lang))
            document = json.loads(json.dumps(board, cls=JSONEncoder))
            _put_links_where_people_look(document)
            text = json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True)
            yield BUILT / lang / f"{name}.json", text.encode() + b"\n"


def _put_links_where_people_look(document: dict[str, Any]) -> None:
    """The SDK puts links and switches into a menu that opens on a click; without a place they stand above the board."""
    for part in (*document["links"], *document["annotations"]["list"]):
        del part["placement"]


def main(arguments: list[str]) -> int:
    """Exit code: 1 where --check finds a difference."""
    stale = 0
    for path, content in documents():
        if path.is_file() and path.read_bytes() == content:
            continue
        stale += 1
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        sys.stdout.write(f"{path.relative_to(BUILT.parent.parent)}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
