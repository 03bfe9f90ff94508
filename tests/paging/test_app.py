"""The pager over HTTP: who may notify, what is durable before the answer, and a link that is only looked at by GET."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from streams.clock import FixedClock
from streams.core.instant import HOUR, SECOND
from streams.ledger.pages import PageBook
from streams.ledger.reader import LedgerReader
from streams.paging.app import paging_app
from streams.paging.links import PAGES
from streams.paging.pager import Pager
from streams.paging.webhook import MOST_BYTES, read_notification
from streams.profile import Profile
from tests.paging.pagers import TOKEN, anomaly, new_pager, notification, one, settings_in
from tests.paging.receiver import Receiver
from tests.paging.samples import Filling, alert_id, raised
from tests.paging.serving import served

NOW = 1_800_000_000 * SECOND
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A ledger with one alert."""
    Filling(tmp_path / "data")(raised(1))
    return tmp_path / "data"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def pager(data: Path, leshan: Profile, robot: Receiver, clock: FixedClock, tmp_path: Path) -> Iterator[Pager]:
    found = new_pager(data, leshan, settings_in(tmp_path, robot), clock)
    yield found
    found.__exit__(None, None, None)


@pytest.fixture
def client(pager: Pager) -> Iterator[httpx.Client]:
    with served(paging_app(pager)) as found:
        yield found


def steps(data: Path) -> list[tuple[str, str]]:
    """(alert, who) of everything that people did."""
    with LedgerReader(data) as ledger:
        assert ledger.verify_audit().intact
        return [(taken.alert, taken.step.who) for taken in ledger.steps()]


def link(pager: Pager, number: int = 1) -> str:
    """The acknowledge-link of an alert, from the host on."""
    return pager.links.acknowledge(alert_id(number), NOW).removeprefix("https://console.example")


# ---- the webhook -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_who_shows_no_token_is_refused(client: httpx.Client, pager: Pager, headers: dict[str, str]) -> None:
    answer = client.post("/v1/alertmanager", content=notification(anomaly(1)), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert pager.figures().backlog.pages == 0


def test_a_page_is_durable_before_it_is_answered(client: httpx.Client, data: Path) -> None:
    answer = client.post("/v1/alertmanager", content=notification(anomaly(1)), headers=SHOWN)
    assert (answer.status_code, answer.json()) == (202, {"pages": 1})
    with PageBook(data) as book:
        assert book.backlog().pages == 1


def test_a_ledger_that_cannot_be_written_is_no_answer_that_it_was_taken(client: httpx.Client, pager: Pager) -> None:
    assert pager._ledger is not None
    database = pager._ledger.book._database
    database._drop()
    database._writes = False  # type: ignore[attr-defined]  # as on a disk that went read-only
    answer = client.post("/v1/alertmanager", content=notification(anomaly(1)), headers=SHOWN)
    assert answer.status_code == 503
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b'{"version": "4"}', b"\x00" * 100])
def test_what_is_no_notification_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/alertmanager", content=body, headers=SHOWN)
    assert answer.status_code == 400
    assert "version 4" in answer.json()["error"]


def test_a_body_without_end_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/alertmanager", content=b" " * (MOST_BYTES + 1), headers=SHOWN)
    assert answer.status_code == 413


def test_it_tells_prometheus_what_waits(client: httpx.Client) -> None:
    assert "jiantu_paging_queue_pages 0.0" in client.get("/metrics").text
    assert "\njiantu_paging_oldest_timestamp_seconds" not in client.get("/metrics").text
    client.post("/v1/alertmanager", content=notification(anomaly(1)), headers=SHOWN)
    said = client.get("/metrics").text
    assert "jiantu_paging_queue_pages 1.0" in said
    assert "jiantu_paging_oldest_timestamp_seconds 1.8e+09" in said


def test_probes(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    for path in ("/docs", "/openapi.json", "/"):
        assert client.get(path).status_code == 404


# ---- the acknowledge-link ----------------------------------------------------------------------------------------


def test_looking_at_the_link_does_nothing(client: httpx.Client, pager: Pager, data: Path) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = client.request(method, link(pager))
        assert answer.status_code in (200, 405)
    page = client.get(link(pager))
    assert '<form method="post">' in page.text
    assert "确认" in page.text
    assert "市中区" not in page.text, "a preview sees no more than it must"
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert steps(data) == []


def test_the_button_acknowledges_on_the_audit_chain(client: httpx.Client, pager: Pager, data: Path) -> None:
    answer = client.post(link(pager), data={"who": "王敏"})
    assert answer.status_code == 200
    assert "已确认" in answer.text
    assert steps(data) == [(alert_id(1), "王敏")]
    assert "此前已确认" in client.post(link(pager), data={"who": "王敏"}).text
    another = client.post(link(pager), data={"who": "李强"})
    assert another.status_code == 409
    assert "无需再确认" in another.text
    assert steps(data) == [(alert_id(1), "王敏")]
    assert client.post("/v1/alertmanager", content=notification(anomaly(1)), headers=SHOWN).json() == {"pages": 0}


@pytest.mark.parametrize("who", ["", "   ", "x" * 65, "13812345678", "王\u202e敏"])
def test_who_says_nothing_proper_is_asked_again(client: httpx.Client, pager: Pager, data: Path, who: str) -> None:
    answer = client.post(link(pager), data={"who": who})
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert steps(data) == []


def test_what_people_write_is_shown_as_text(client: httpx.Client, pager: Pager) -> None:
    said = client.post(link(pager), data={"who": "<b>王&敏</b>"}).text
    assert "<b>" not in said
    assert "<b>王&敏</b>" in unescape(said)


def test_a_link_of_another_alert_or_of_nobody_does_nothing(client: httpx.Client, pager: Pager, data: Path) -> None:
    mine = link(pager)
    for wrong in (
        mine.replace(alert_id(1), alert_id(2)),
        re.sub(r"signature=.", "signature=x", mine),
        re.sub(r"expires=\d", "expires=9", mine),
        mine.partition("?")[0],
    ):
        assert client.get(wrong).status_code == 403
        assert client.post(wrong, data={"who": "王敏"}).status_code == 403
    assert client.post(link(pager, 2), data={"who": "王敏"}).status_code == 404
    assert steps(data) == []


def test_a_link_holds_for_a_time(client: httpx.Client, pager: Pager, clock: FixedClock, data: Path) -> None:
    clock.advance(73 * HOUR)
    assert client.get(link(pager)).status_code == 410
    assert client.post(link(pager), data={"who": "王敏"}).status_code == 410
    assert steps(data) == []


# ---- the link of a page about jiantu itself ----------------------------------------------------------------------


def trouble(pager: Pager) -> str:
    """The acknowledge-link of a silent feed, from the host on."""
    labels = {"alertname": "JiantuFeedSilent", "kind": "feed", "severity": "warning"}
    pager.take(read_notification(notification(one("firing", labels))))
    assert pager._ledger is not None
    due = pager._ledger.book.take_due("robot", NOW)
    assert due is not None
    return pager.links.acknowledge(due.about, NOW, PAGES).removeprefix("https://console.example")


def test_a_page_about_jiantu_itself_is_taken_up_by_its_link_once(client: httpx.Client, pager: Pager) -> None:
    link = trouble(pager)
    assert "JiantuFeedSilent" in client.get(link).text
    assert '<form method="post">' in client.get(link).text
    assert client.post(link, data={"who": " "}).status_code == 409
    assert "已确认" in client.post(link, data={"who": "王敏"}).text
    assert "此前已确认" in client.post(link, data={"who": "王敏"}).text
    assert client.post(link, data={"who": "李强"}).status_code == 409
    assert "无需再确认" in client.get(link).text


def test_a_link_is_good_for_its_kind_only(client: httpx.Client, pager: Pager) -> None:
    about = trouble(pager)
    for wrong in (
        about.replace("/pages/", "/alerts/"),
        link(pager).replace("/alerts/", "/pages/"),
        re.sub(r"/pages/.", "/pages/x", about),
    ):
        assert client.get(wrong).status_code == 403
        assert client.post(wrong, data={"who": "王敏"}).status_code == 403
    nobodys = pager.links.acknowledge("0" * 64, NOW, PAGES).removeprefix("https://console.example")
    assert client.get(nobodys).status_code == 404
    assert client.get(about.replace("/pages/", "/others/")).status_code == 404


def test_a_form_without_end_is_refused(client: httpx.Client, pager: Pager) -> None:
    assert client.post(link(pager), data={"who": "x" * 10_000}).status_code == 413
