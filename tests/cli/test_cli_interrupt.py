"""Ctrl-C and SIGTERM: a running replay stops at a checkpoint, says how to go on, and goes on to the same result."""

import signal
import subprocess
from pathlib import Path

import pytest

from streams.cli.interruption import Interruption
from streams.clock import FixedClock
from streams.core.instant import HOUR, SECOND
from tests.cli.commands import LAKE, RECORDING, Cli, Lake, command, environment

SLOW = ("--speed", "300000x")
"""Six weeks in twelve seconds: slow enough to be stopped in the middle."""


def started(data_dir: Path) -> "subprocess.Popen[str]":
    """A replay that has shown its first alert, and has far to go."""
    replay = subprocess.Popen(
        command("replay", RECORDING, "-p", LAKE, "-d", data_dir, *SLOW),
        env=environment(JIANTU_CHECKPOINT_SECONDS="0.2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert replay.stderr is not None
    assert "● " in replay.stderr.readline()
    return replay


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_at_a_checkpoint_and_the_next_call_goes_on(
    cli: Cli, lake: Lake, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    replay = started(tmp_path / "d")
    replay.send_signal(number)
    out, err = replay.communicate(timeout=120)
    assert replay.returncode == code
    assert "stopped at a checkpoint" in err
    assert "Traceback" not in out + err
    assert f"jiantu replay {RECORDING} -p {LAKE} -d {tmp_path / 'd'} --speed" in err  # the exact command to go on with
    rest = cli("replay", RECORDING, "-d", tmp_path / "d", "--json").document
    assert 0 < rest["processed"] < rest["received"]
    assert rest["alert_log_sha256"] == lake.sha256


def test_the_second_signal_does_not_wait() -> None:
    before = signal.getsignal(signal.SIGINT)  # ignored where the tests run in a shell's background
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGTERM)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interruption.exit_code == 143
    assert signal.getsignal(signal.SIGINT) is before


def test_pacing_waits_for_event_time_and_changes_nothing_else(
    cli: Cli, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock(0)

    class Watch:
        """A stopwatch that only waiting moves."""

        def elapsed(self) -> int:
            return clock.now()

        def seconds(self) -> float:
            return clock.now() / SECOND

        def restart(self) -> int:
            assert not clock.now()
            return 0

    monkeypatch.setattr("streams.cli.pacing.Stopwatch", Watch)
    monkeypatch.setattr("streams.cli.pacing.pause", clock.advance)
    paced = cli("replay", RECORDING, "-p", LAKE, "-d", tmp_path / "d", "--speed", "60x", "--json").document
    assert paced["alert_log_sha256"] == lake.sha256
    # 42 days, an hour less in March, and 2 hours of lateness, from the first record on
    assert abs(clock.now() - (42 * 24 + 1) * HOUR / 60) < 2 * HOUR / 60
