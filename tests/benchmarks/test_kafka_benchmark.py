"""The benchmark over Kafka measures what it says and believes no job; nothing here looks at how long anything took."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import kafka
from tests.benchmarks import kafka_report as report
from tests.benchmarks.kafka_embedded import write_recording
from tests.benchmarks.kafka_events import Occurrence, Stream, Tick
from tests.benchmarks.kafka_full import FullJob
from tests.benchmarks.kafka_peers import LIMIT, PEERS, Command, plain_jiantu
from tests.benchmarks.kafka_runs import closed_window, cores_here, free, pinned, run_embedded, run_plain, two_cores
from tests.benchmarks.kafka_topics import Topics
from tests.benchmarks.kafka_watch import Outcome, Processes
from tests.kafka.fixtures import SharedBroker

EVENTS = 6_000
PATIENCE = 120.0


@pytest.fixture
def topics(kafka_broker: SharedBroker) -> Topics:
    return Topics(kafka_broker.bootstrap)


def outcome(warm: float, *, exact: bool = True) -> dict[str, Any]:
    return Outcome(10, exact, "", warm, warm, 1.0, 1.0, 1.0)._asdict()


# ---- the stream ----------------------------------------------------------------------------------------------


def test_the_stream_is_the_same_every_time_and_its_truth_is_of_all_its_events() -> None:
    stream = Stream(EVENTS)
    once, again = list(stream), list(stream)

    assert once == again
    events = [sent for sent in once if isinstance(sent, Occurrence)]
    assert len(events) == stream.truth.total() == EVENTS
    assert stream.hours.total() == EVENTS - stream.resent
    assert stream.resent > 0
    assert any(isinstance(sent, Tick) for sent in once)


def test_no_event_trails_the_newest_by_more_than_the_jobs_wait_and_all_are_closed_at_the_end() -> None:
    stream = Stream(EVENTS)
    newest = 0
    for sent in stream:
        if isinstance(sent, Occurrence):
            newest = max(newest, sent.at)
            assert newest - sent.at <= 15 * 60_000
    closing = list(stream.closing())
    assert {sent.place for sent in closing} == {(county, category) for county, category, _ in stream.truth}
    assert all(sent.at > newest + 24 * 3_600_000 for sent in closing)


# ---- jobs ----------------------------------------------------------------------------------------------------


def test_the_plain_count_on_jiantus_transport_is_exact(topics: Topics, topic_prefix: str) -> None:
    written = topics.write_plain(topic_prefix, Stream(EVENTS))

    done = run_plain(plain_jiantu(), topics, written, free(cores_here()), PATIENCE)

    assert (done.exact, done.fault) == (True, "")
    assert done.events == EVENTS
    assert min(done.warm, done.cold, done.megabytes, done.started) > 0


def test_a_job_that_counts_wrong_or_dies_has_no_speed(topics: Topics, topic_prefix: str) -> None:
    written = topics.write_plain(topic_prefix, Stream(EVENTS))
    window = next(iter(written.truth))
    other_truth = written._replace(truth=written.truth + type(written.truth)({window: 1}))

    wrong = run_plain(plain_jiantu(), topics, other_truth, free(cores_here()), PATIENCE)
    dead = run_plain(
        Command([sys.executable, "-c", "raise SystemExit('no such luck')"]),
        topics,
        written,
        free(cores_here()),
        PATIENCE,
    )

    assert not wrong.exact
    assert "1 of" in wrong.fault
    assert not dead.exact
    assert "no such luck" in dead.fault
    assert report.rate([wrong._asdict(), dead._asdict()]) == 0


def test_the_worker_and_the_embedded_runtime_count_what_is_true(
    topics: Topics, topic_prefix: str, tmp_path: Path
) -> None:
    stream = Stream(EVENTS)
    job = FullJob(topics, topic_prefix.rstrip("."), stream)
    recording = tmp_path / "stream.jsonl.zst"
    write_recording(stream, recording)

    worker, back = job.recover(free(cores_here()), PATIENCE)
    embedded = run_embedded(recording, stream, free(cores_here()))

    assert (worker.exact, worker.fault) == (True, "")
    assert worker.events == EVENTS - stream.resent
    assert (embedded.exact, embedded.fault) == (True, "")
    assert back["seconds"] is not None
    assert (back["megabytes"] or 0) > 0


def test_processes_are_looked_at_with_their_children_and_do_not_outlive_the_job(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'while True: pass']); time.sleep(60)"
    )
    job = Processes([sys.executable, "-c", script], tmp_path / "log", {})
    while job.looks[-1].cpu < 0.3:
        pass
    job.stop()

    assert job.ended
    assert job.looks[-1].peak > 10
    assert job.cpu_at(job.looks[-1].at) == job.looks[-1].cpu


def test_a_result_may_say_its_hour_in_milliseconds_or_as_sql_does() -> None:
    plain = b'{"county":"511102","category":"noise","start":1735689600000,"count":3}'
    of_sql = b'{"county":"511102","category":"noise","start":"2025-01-01 00:00:00","count":3}'

    assert closed_window(plain) == closed_window(of_sql) == [(("511102", "noise", 1_735_689_600_000), 3)]


def test_a_pinned_job_has_a_core_of_its_own_and_a_free_one_has_all() -> None:
    assert pinned(frozenset({0, 1, 2})).prefix == ["taskset", "--cpu-list", "2"]
    assert pinned(frozenset({0, 1, 2})).others == {0, 1}
    assert free(frozenset({0, 1})).prefix == []
    pair, broker_apart = two_cores(frozenset({0, 1}))
    assert [cores.prefix[-1] for cores in pair] == ["0", "1"]
    assert not broker_apart


# ---- peers, report -------------------------------------------------------------------------------------------


def test_the_command_line_makes_the_plan() -> None:
    assert kafka.asked([])[1] == kafka.FULL
    assert kafka.asked(["--quick", "--rounds", "2"])[1] == kafka.QUICK._replace(rounds=2)
    small = kafka.asked(["--events", "1000", "--pinned"])[1]
    assert (small.events, small.slow_events, small.free_rounds) == (1_000, 1_000, 0)
    assert kafka.asked(["--only", "faust", "--only", "bytewax"])[0].only == ["faust", "bytewax"]


def test_every_peer_has_a_version_that_is_pinned() -> None:
    assert all(peer.version[0].isdigit() for peer in (LIMIT, *PEERS))


def test_the_report_names_what_was_met_what_was_not_and_what_is_missing() -> None:
    jobs = {
        report.PLAIN: [outcome(300_000.0)], "faust": [outcome(10_000.0)], "bytewax": [outcome(200_000.0)],
        "Flink SQL": [outcome(1.0, exact=False)], report.TALLY: [outcome(100_000.0)],
        report.EMBEDDED: [outcome(110_000.0)],
    }  # fmt: skip
    figures: dict[str, Any] = {
        "stream": {
            "events": 10, "events_of_slow_jobs": 5, "bytes_an_event": 250.0, "windows": 3, "resent": 0, "partitions": 4,
            "times_leshan": 12.0,
        },
        "versions": {"faust": "0.15.3"},
        "left_out": {"Kafka Streams": "mvn: no network"},
        "pinned": jobs,
        "free": {},
        "two_workers": {"cores_free": False, "ratio": 1.5, "busier": 0.5, "outcomes": []},
        "checkpoints": {"ids": 1_000_000, "cost": 0.02, "cost_of_cpu": None, "with": [], "without": []},
        "recovery": {"seconds": None, "megabytes": 50.0},
    }  # fmt: skip
    met = {line.name: (line.value, line.met) for line in report.lines(figures)}

    assert met["jiantu, plain count / faust"] == ("30.00", True)
    assert met["jiantu, plain count / bytewax"] == ("1.50", False)
    assert met["jiantu worker --steps tally / faust"] == ("10.00", False)
    assert met["jiantu worker --steps tally / embedded runtime"] == ("0.91", True)
    assert met["Flink SQL, events a second"] == ("wrong", None)
    assert "jiantu, plain count / Flink SQL" not in met
    page = report.markdown(
        {
            "command": "c", "commit": "d", "load": (1.0, 1.0, 1.0), "figures": figures,
            "machine": {"cores": 2, "processor": "p", "python": "3.11"},
        }
    )  # fmt: skip
    assert "| faust | 0.15.3 |" in page
    assert "Kafka Streams is left out, for it cannot be had here: mvn: no network" in page
    assert "| failed | < 10 |" in page
