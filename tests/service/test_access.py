"""Who may send and who may read: by a token that is valid now, and for that alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.clock import WallClock
from streams.core.instant import DAY, MINUTE, SECOND
from streams.ledger.connection import FILE
from streams.ledger.tokens import Scope, TokenDesk, parts_of
from tests.service.living import START, Living, client, event, living, new_token, until


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    with living(tmp_path_factory.mktemp("service"), at=WallClock().now()) as made:
        yield made


def test_without_a_token_nobody_gets_in_and_is_told_how(service: Living) -> None:
    wrong = ("", "Basic eDp5", "Bearer", "Bearer x", "Bearer jiantu_", "Bearer jiantu_aaaa_bbbb", "jiantu_a_b")
    with client(service.url, None) as nobody:
        for header in wrong:
            for answer in (
                nobody.post("/v1/events", json=[], headers={"authorization": header}),
                nobody.get("/v1/accounting", headers={"authorization": header}),
            ):
                assert (answer.status_code, answer.json()["error"]) == (401, "no_token"), header
                assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_secret_counts_not_the_id(service: Living) -> None:
    token = new_token(service.data_dir, Scope.INGEST)
    found = parts_of(token)
    assert found is not None
    with client(service.url, f"jiantu_{found[0]}_{found[1][:-1]}") as almost:
        assert almost.post("/v1/events", json=[]).status_code == 401


def test_who_may_send_cannot_read_and_who_may_read_cannot_send(service: Living) -> None:
    answer = service.client.get("/v1/accounting")
    assert (answer.status_code, answer.json()["error"]) == (403, "wrong_scope")
    answer = service.reader.post("/v1/events", json=event(1, START))
    assert (answer.status_code, answer.json()["error"]) == (403, "wrong_scope")
    assert service.accounting()["received"] == 0


def test_one_token_may_be_for_both(service: Living) -> None:
    with client(service.url, new_token(service.data_dir, Scope.READ, Scope.INGEST)) as both:
        until(lambda: both.get("/v1/accounting").status_code == 200)
        assert both.post("/v1/events", json=[]).status_code == 202


def test_a_token_that_is_revoked_is_none_within_moments(service: Living) -> None:
    with client(service.url, new_token(service.data_dir, Scope.READ, name="to be revoked")) as soon_out:
        until(lambda: soon_out.get("/v1/accounting").status_code == 200)
        with TokenDesk(service.data_dir, WallClock()) as desk:
            assert desk.revoke("to be revoked", "tests").revoked_at is not None
        until(lambda: soon_out.get("/v1/accounting").status_code == 401, within=20 * SECOND)


def test_a_token_ends_with_its_life(service: Living) -> None:
    with client(service.url, new_token(service.data_dir, Scope.READ, days=1)) as guest:
        until(lambda: guest.get("/v1/accounting").status_code == 200)
        service.clock.advance(DAY + MINUTE)
        assert guest.get("/v1/accounting").status_code == 401


def test_probes_need_no_token_and_say_nothing_of_anybody(service: Living) -> None:
    with client(service.url, None) as nobody:
        assert nobody.get("/healthz").json() == {"status": "ok", "failures": 0}
        about = nobody.get("/version").json()
        assert (about["profile"], about["clock"], about["pages"]) == ("lake_city", "live", True)
        ready = nobody.get("/readyz").json()
        assert (ready["ready"], ready["recovered"], ready["progressing"], ready["room"]) == (True,) * 4


def test_a_token_lies_nowhere(service: Living) -> None:
    token = service.client.headers["authorization"].removeprefix("Bearer ")
    found = parts_of(token)
    assert found is not None
    for name in (FILE, f"{FILE}-wal"):
        path: Path = service.data_dir / name
        assert not path.exists() or found[1].encode() not in path.read_bytes()
