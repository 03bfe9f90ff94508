"""Replays in another team's test suite: the fixture `jiantu_replay`, and `--jiantu-update` to keep what came out.

    def test_our_march_gives_the_alerts_it_gave(jiantu_replay):
        jiantu_replay("march.jsonl.zst", profile="leshan", expect="march.log")

Loaded by every pytest run wherever jiantu is installed: so it imports nothing heavy until a test asks for it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from streams.profile import Profile
    from streams.replay.harness import Log, Recorded, ReplayResult

UPDATED = "jiantu_updated"
"""Key of a test's user properties: an expected log that it wrote. They travel from xdist's workers to the terminal."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option, in a group of its own."""
    parser.getgroup("jiantu", "jiantu: replays of recorded events").addoption(
        "--jiantu-update",
        action="store_true",
        help="write the alert logs that `jiantu_replay(..., expect=FILE)` finds, instead of comparing with them",
    )


class JiantuReplay:
    """`streams.replay.replay` for one test: relative paths are beside the test's file, and a log that is not the
    expected one fails the test with a readable diff."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._beside = request.path.parent
        self._properties: list[tuple[str, Any]] = request.node.user_properties
        self._update: bool = request.config.getoption("--jiantu-update")

    def __call__(
        self,
        recording: "Recorded",
        *,
        profile: "str | Path | Profile | None" = None,
        expect: "Log | None" = None,
        batch: int = 1024,
        data_dir: str | Path | None = None,
    ) -> "ReplayResult":
        """Replay, and compare with the alert log `expect` where one is given; see `streams.replay.replay`."""
        __tracebackhide__ = True
        from streams.profile import bundled

        if isinstance(recording, str | Path):
            recording = self._beside / recording
        if isinstance(profile, str | Path) and profile not in bundled():
            profile = self._beside / profile
        if expect is not None and not isinstance(expect, bytes):
            expect = self._beside / expect
            if not self._update and not expect.is_file():
                pytest.fail(f"there is no expected log {expect}; `pytest --jiantu-update` writes it", pytrace=False)
        from streams.replay.expected import ExpectedLogError
        from streams.replay.harness import replay

        result = replay(recording, profile=profile, batch=batch, data_dir=data_dir)
        if result.ending != "complete":
            pytest.fail(f"the recording is {result.ending}: {result.message}", pytrace=False)
        if expect is None:
            return result
        if self._update and isinstance(expect, Path):
            self._keep(expect, result.alert_log)
        try:
            diff = result.diff(expect)
        except ExpectedLogError as error:
            pytest.fail(f"{expect if isinstance(expect, Path) else 'expect'}: {error}", pytrace=False)
        if diff:
            hint = (
                ""
                if isinstance(expect, bytes)
                else f"\n\n{expect} is what was expected; if this is right now: pytest --jiantu-update"
            )
            pytest.fail(f"the alert log is not the expected one\n\n{diff}{hint}", pytrace=False)
        return result

    def _keep(self, path: Path, log: bytes) -> None:
        if path.is_file() and path.read_bytes() == log:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(log)
        self._properties.append((UPDATED, str(path)))


@pytest.fixture
def jiantu_replay(request: pytest.FixtureRequest) -> JiantuReplay:
    """Replays a recording, or some events, through jiantu, and compares the alert log with a kept one."""
    return JiantuReplay(request)


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Say which expected logs were written."""
    reports: Iterable[Any] = (one for listed in terminalreporter.stats.values() for one in listed)
    written = {value for one in reports for key, value in getattr(one, "user_properties", ()) if key == UPDATED}
    if written:
        terminalreporter.section("jiantu: expected logs written")
        for path in sorted(written):
            terminalreporter.line(path)
