"""Recorded streams: simulating, labelling, evaluating and replaying them, and scenarios.

For test suites, in memory or into a data directory:

    from streams.replay import replay

    result = replay("recording.jsonl.zst", profile="leshan", expect="expected.log")
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.replay.expected import compare_logs
    from streams.replay.harness import AlertLogDiffersError, ReplayResult, replay

__all__ = ["AlertLogDiffersError", "ReplayResult", "compare_logs", "replay"]


def __getattr__(name: str) -> object:
    """The names above, when they are first asked for: every pytest run that has jiantu installed imports this package
    for its plugin, and should not wait for what runs the steps."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from streams.replay import expected, harness

    found: object = getattr(expected if name == "compare_logs" else harness, name)
    globals()[name] = found
    return found
