"""One measure on one core: python -m tests.benchmarks.child NAME '{"argument": value}' prints its figures as JSON."""

import json
import os
import sys


def main() -> None:
    """Pin, then import: what numpy and others start must be pinned as well."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    from tests.benchmarks.measures import MEASURES

    name, arguments = sys.argv[1:]
    print(json.dumps(MEASURES[name](**json.loads(arguments))))


if __name__ == "__main__":
    main()
