"""The state of the steps as named chunks: what a checkpoint holds, and the one digest that stands for all of it."""

import hashlib
from collections.abc import Mapping

FORMAT = 3
"""Of the tally's state. 1 had tickets as records, and knew no format; 2 wrote open steps with their county's books."""


class StateError(Exception):
    """State that this version does not read: what is wrong with it."""


def state_sha256(chunks: Mapping[str, bytes]) -> str:
    """SHA-256 over the whole state, hex: names and contents with their lengths, in the order of the names."""
    whole = hashlib.sha256()
    for name in sorted(chunks):
        for part in (name.encode(), chunks[name]):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
    return whole.hexdigest()
