"""The soak's campaigns come to what was asked for, and its report says what happened and no more."""

import pytest

from tests.faults.soak_plan import FULL, parts
from tests.faults.soak_report import summary, text

COUNTED = ("events", "kills", "zombies", "restarts", "brokers", "worst", "connections")


@pytest.mark.parametrize("share", [1.0, 0.1, 0.01])
def test_campaigns_of_a_share_come_to_that_share_of_every_row(share: float) -> None:
    cut = parts(FULL, share)
    for name in COUNTED:
        assert sum(getattr(part, name) for part in cut) == pytest.approx(getattr(FULL, name) * share, abs=1)
    assert [part.away for part in cut] == [min(600.0, 6000.0 * share), *[0.0] * (len(cut) - 1)]
    assert len({str(part) for part in cut}) == len(cut)  # by which an interrupted soak knows what is done


def test_the_report_adds_up_what_happened() -> None:
    def campaign(number: int, back: list[float]) -> dict[str, object]:
        counted = {"received": 100, "counted": 97, "duplicate": 1, "late": 1, "rejected": 1, "windows_closed": 9}
        told = {"part": f"{number} of 2", "share": 0.02, "commit": "abc", "seed": number, "workers": 2}
        faults = {"kill": len(back), "guest": 1, "restart": 2, "broker away": 1}
        return {
            **told,
            "faults": faults,
            "back_after": back,
            "accounting": counted,
            "longest_stall": 9.5 + number,
            "seconds": 60.0,
            "load_average": [1.0, 2.0, 3.0],
            "alert_log": "e51e404eb29e399c00eef683",
            "transitions": 24,
        }

    document = summary([campaign(1, [8.0, 12.0]), campaign(2, [10.0])], FULL)
    happened = {row["fault"]: row["happened"] for row in document["faults"]}
    assert happened["SIGKILL of workers"] == 3
    assert happened["rolling restarts, joining and leaving"] == 6
    assert document["accounting"]["received"] == 200
    assert document["balanced"]
    assert document["kill_to_first_new_record"] == {"kills": 3, "p50": 10.0, "p90": 12.0, "p99": 12.0, "p100": 12.0}
    said = text(document)
    assert "| SIGKILL of workers | 3 | 1,000 |" in said
    assert "received 200 = counted 194 + duplicate 2 + late 2 + rejected 2" in said
    assert "Longest stall 11.5 s" in said


def test_kinds_of_one_row_take_turns_over_all_campaigns() -> None:
    turns = [(part.connections_before + number) % 3 for part in parts(FULL, 0.1) for number in range(part.connections)]
    assert turns == [0, 1, 2, 0, 1]
