"""Numbers of persons are found in the middle of what people write; other numbers are left in peace."""

import pytest

from streams.ledger.personal_text import holds_personal


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "来电人13800138000要求回复",
        "请拨 138 0013 8000。",
        "tel:+86-138-0013-8000",
        "座机 0833-2112345 无人接听",
        "座机(0833)2112345",
        "身份证 511102199001011234",
        "身份证号51110219900101123X,已核",
        "5111 0219 9001 0112 34",
        "全角 １３８００１３８０００",
        "两个 13800138000 13900139000",
        "20 件 13800138000",
        "2026-11-22 13800138000",
        "call 415-555-2671 back",
        "ssn 219-09-9999",
    ],
)
def test_found(text: str) -> None:
    assert holds_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "已到现场，共 20 件，3 件未办",
        "2026-11-22 13:00 已核实",
        "2026-11-22 13:00:05 与 2026-11-23 08:30 各一次",
        "2026/11/22 至 2026.12.01",
        "工单 20261122000123",
        "参见 d41d8cd98f00b204e9800998ecf8427e",
        "参见 5f13800138000aab13800138000cdef0",
        "预算 1,250,000 元，同比 +12.5%",
        "限 30 日内，15 个工作日",
        "511102 市中区，511181 峨眉山市",
    ],
)
def test_left_in_peace(text: str) -> None:
    assert not holds_personal(text)
