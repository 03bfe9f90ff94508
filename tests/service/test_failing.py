"""Law 4: what no record may do ends the service before anything is committed; the third time, at the same record, for
good. It says so at /healthz, in its ledger, and by its exit code."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from streams.cli.ending import explained
from streams.core.decode import Batch, RecordDecoder
from streams.core.instant import SECOND
from streams.ledger.glance import Glance
from streams.runtime.failures import Failure
from streams.service.failing import Failures, StoppedForGoodError
from tests.service.living import START, event, living, until

BAD = event(7, START)


class UnforeseenError(Exception):
    """A mistake of the program."""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A version of the steps that one record breaks."""
    lines = RecordDecoder.lines

    def failing(self: RecordDecoder, text: bytes, first: int, count: int) -> Batch:
        if str(BAD["id"]).encode() in text:
            raise UnforeseenError("with what a record held")
        return lines(self, text, first, count)

    with monkeypatch.context() as patched:
        patched.setattr(RecordDecoder, "lines", failing)
        yield patched


def fail(data_dir: Path, error: type[Exception]) -> str:
    """A life that ends while it recovers; what it ended by."""
    with pytest.raises(error) as ended, living(data_dir):
        pass
    return str(ended.value)


def test_the_third_failure_at_one_record_is_the_last(tmp_path: Path, broken: pytest.MonkeyPatch) -> None:
    first, then = (
        [event(1, START), event(2, START)],
        [event(3, START), BAD, event(4, START)],
    )
    record = 0
    with suppress(UnforeseenError), living(tmp_path) as service:
        assert service.post(first).status_code == 202
        record = service.running.service.writer.health.record + 1
        assert service.post(then).status_code == 503
    found = Failures(tmp_path)
    assert found.last is not None
    assert (found.last.first, found.last.last, found.last.error) == (record, record, "UnforeseenError")
    fail(tmp_path, UnforeseenError)
    assert "the third failure at record" in fail(tmp_path, StoppedForGoodError)
    with Glance(tmp_path) as glance:
        assert glance.look(lambda look: look.stopped()) == [("run", 0, "UnforeseenError")]
    fail(tmp_path, StoppedForGoodError)  # who starts it again has it try once
    broken.undo()
    with living(tmp_path) as service:
        assert service.accounting()["counted"] == 5  # what came with it is not lost
        assert service.client.get("/healthz").json() == {"status": "ok", "failures": 0}
    with Glance(tmp_path) as glance:
        assert glance.look(lambda look: look.stopped()) == []


def test_who_failed_before_says_so_while_it_recovers(tmp_path: Path) -> None:
    with living(tmp_path) as service:
        inbox = service.client.get("/version").json()["inbox"]
        Failures(tmp_path).add(Failure("run", inbox, 0, 10**6, 10**6, "Unforeseen"))
    with living(tmp_path) as service:
        said = service.client.get("/healthz")
        assert said.status_code == 200
        assert said.json() == {"status": "failing", "failures": 1, "record": 10**6, "why": "Unforeseen"}


def test_a_third_failure_has_an_exit_code_of_its_own() -> None:
    assert explained(StoppedForGoodError(Failure("run", "inbox", 0, 5, 5, "KeyError")), [])[0] == 3


def test_failures_at_other_records_are_counted_anew(tmp_path: Path) -> None:
    failures = Failures(tmp_path)
    for record in (5, 5, 90, 90):
        assert not failures.add(Failure("run", "inbox", 0, record, record, "Unforeseen"))
    assert Failures(tmp_path).add(Failure("run", "inbox", 0, 64, 1087, "Unforeseen"))
    assert not failures.passed(90)
    assert failures.passed(1088)
    assert len(Failures(tmp_path)) == 0


def test_a_service_that_makes_no_progress_counts_it_once(tmp_path: Path) -> None:
    with living(tmp_path, stall_seconds=0.3) as service:
        made = service.running.service
        intake = made.writer._intake
        keep = intake.keep

        def stuck(*, now: bool = False) -> None:
            until(lambda: made.stalls > 0)
            intake.keep = keep  # type: ignore[method-assign]
            keep(now=now)

        intake.keep = stuck  # type: ignore[method-assign]
        until(lambda: intake.keep == keep, within=30 * SECOND)
        until(lambda: service.client.get("/readyz").status_code == 200)
        assert made.stalls == 1
