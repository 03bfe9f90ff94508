"""Write streams/core/event.schema.json anew, after the event type has changed: python -m tests.core.write_schema"""

import json
from pathlib import Path

from streams.core import schema

PATH = Path(schema.__file__).with_name("event.schema.json")


def text() -> str:
    """The file's contents as they should be."""
    return json.dumps(schema.event_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    print(f"written: {PATH.name}")
