"""After the rehearsal no stream waits for machine code: nothing it calls is called for the first time."""

import subprocess
import sys
from pathlib import Path


def overloads_after_rehearsal_and_after_a_stream(data_dir: str) -> tuple[dict[str, int], dict[str, int]]:
    """Of every compiled function: for how many combinations of argument types there is machine code."""
    from streams.wiring.warming import warm_up
    from tests.promises import lake

    warm_up(lake.city_profile().city)
    before = _overloads()
    lake.replay(Path(data_dir))
    return before, _overloads()


def _overloads() -> dict[str, int]:
    import gc

    from numba.core.registry import CPUDispatcher

    made = [one for one in gc.get_objects() if isinstance(one, CPUDispatcher) and hasattr(one, "jiantu_function")]
    return {f"{one.__module__}.{one.py_func.__name__}": len(one.overloads) for one in made}


def test_a_stream_calls_no_machine_code_that_the_rehearsal_did_not(tmp_path: Path) -> None:
    """In a process of its own: in this one other tests may have called it."""
    program = (
        f"from {__name__} import *; before, after = overloads_after_rehearsal_and_after_a_stream({str(tmp_path)!r}); "
    )
    program += "assert len(before) > 20; assert before == after, {k: after[k] for k in after if after[k] != before[k]}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
