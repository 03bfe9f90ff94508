"""A disk that fills up under the service: refused in words, nothing lost, and it goes on when there is room again."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.promises.lake import piped, recorded_lines
from tests.service.full_disk import Survival
from tests.service.living import START, event, living, until

ROOT = Path(__file__).parents[2]


def test_no_more_disk(tmp_path: Path) -> None:
    """A real file system without room; mounted for one process, and gone with it however that ends."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    mount = [*unshare, "mount", "-t", "tmpfs", "none", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        if os.geteuid() == 0 and "CI" in os.environ:
            pytest.fail("root may not mount a tmpfs here: give the container CAP_SYS_ADMIN")
        pytest.skip("mounting a small file system is not allowed here; tests/sources/test_inbox.py has a disk refuse")
    run = subprocess.run(
        [*unshare, sys.executable, "-W", "error", "-m", "tests.service.full_disk", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    survival = msgspec.json.decode(run.stdout, type=Survival)
    assert survival.refused == ["503 no_room"] * 6
    assert all(int(text) > 0 for text in survival.retry_after)
    assert survival.ready == [200, 503, 200] * 2
    expected = piped(recorded_lines())
    assert survival.counted == expected.accounting.counted
    assert survival.log.encode() == expected.log


def test_too_little_room_is_said_before_anything_is_refused(tmp_path: Path) -> None:
    with living(tmp_path, least_free=1 << 60) as service:
        until(lambda: service.client.get("/readyz").status_code == 503)
        facts = service.client.get("/readyz").json()
        assert (facts["room"], facts["progressing"], facts["recovered"]) == (False, True, True)
        assert 0 < facts["free_bytes"] < 1 << 60
        refused = service.post(event(1, START))
        assert refused.status_code == 503
        assert refused.json()["error"] == "no_room"
        assert int(refused.headers["retry-after"]) > 0
    with living(tmp_path) as service:
        assert service.client.get("/readyz").status_code == 200
        assert service.post(event(1, START)).json()["counted"] == 1
