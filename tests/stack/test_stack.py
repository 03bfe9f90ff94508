"""`make stack`: everything comes up and speaks to everything, and Ctrl-C leaves nothing behind."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.cli.commands import environment

PATIENCE = 180.0
SMALL = ("--history", "3", "--ahead", "5", "--scale", "0.02")


def test_everything_speaks_to_everything_until_ctrl_c(tmp_path: Path) -> None:
    stack = subprocess.Popen(
        [sys.executable, "-m", "tests.stack", "--folder", str(tmp_path / "stack"), *SMALL],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert stack.stdout is not None
    said = ""
    try:
        while "Ctrl-C" not in said:
            line = stack.stdout.readline()
            assert line, said
            said += line
        urls = dict(re.findall(r"(service|exporter|Prometheus|Alertmanager|pager)\s+(http://\S+)", said))
        assert len(urls) == 5, said
        assert httpx.get(f"{urls['service']}/healthz").is_success
        assert "jiantu_exporter_up 1" in httpx.get(urls["exporter"]).text.replace(".0", "")
        health: dict[str, str] = {}
        until = time.monotonic() + PATIENCE
        while set(health.values()) != {"up"} and time.monotonic() < until:
            targets = httpx.get(f"{urls['Prometheus']}/api/v1/targets").json()["data"]["activeTargets"]
            health = {one["labels"]["job"]: one["health"] for one in targets}
            time.sleep(0.5)
        assert health == {"jiantu": "up", "jiantu-run": "up", "jiantu-paging": "up"}
        found = httpx.get(f"{urls['Prometheus']}/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]
        assert [one["url"].startswith(urls["Alertmanager"]) for one in found] == [True]
        groups = httpx.get(f"{urls['Prometheus']}/api/v1/rules").json()["data"]["groups"]
        assert groups, "the rules of deploy/ are read"
    finally:
        stack.send_signal(signal.SIGINT)
        rest, _ = stack.communicate(timeout=120)
    assert stack.returncode == 0, said + rest
    assert "stopping" in rest
    for url in urls.values():
        try:
            httpx.get(url, timeout=5)
        except httpx.TransportError:
            continue
        raise AssertionError(f"{url} still answers")


def test_without_prometheus_it_says_what_to_install(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.stack", *SMALL],
        env={"PYTHONPATH": environment()["PYTHONPATH"], "HOME": str(tmp_path), "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert said.returncode == 1
    assert "install it: apt-get install prometheus prometheus-alertmanager (as root)" in said.stderr
    assert "Traceback" not in said.stderr
