"""What must agree in a profile's CSV mapping."""

from streams.core.event import KINDS, OUTCOMES
from streams.profile.document import Document, Path
from streams.profile.references import WORD_SECTIONS, must_be_known, must_be_one_of


def check_mapping(document: Document) -> None:
    """Add a problem for everything of the mapping that does not agree."""
    if not document.mapping("mapping"):
        return
    columns, constants = document.mapping("mapping", "columns"), document.mapping("mapping", "constants")
    for field in constants:
        _check_code(document, ("mapping", "constants", field), field)
        if field in columns:
            zh = f"{field} 既有列又有固定值；删去一处"
            document.at_key(("mapping", "constants", field), (zh, f"{field} has a column and a constant; remove one"))
    for field, texts in document.mapping("mapping", "values").items():
        for text in texts if isinstance(texts, dict) else ():
            _check_code(document, ("mapping", "values", field, text), field)
        _needs_column(document, ("mapping", "values", field), field)
    for field in document.mapping("mapping", "otherwise"):
        _check_code(document, ("mapping", "otherwise", field), field)
        _needs_column(document, ("mapping", "otherwise", field), field)
    for field in ("county", "category", "point"):
        if field not in columns and field not in constants and columns:
            if field == "point" and len(document.mapping("points")) <= 1:
                continue  # there is only one that it can be
            zh = f"没有说明 {field} 从哪里来；在 columns 中写列名，或在 constants 中写代码"
            en = f"nothing says where {field} comes from; write its column in columns, or its code in constants"
            document.at_key(("mapping",), (zh, en))
    _check_closing(document)
    for index, text in enumerate(document.sequence("mapping", "time_formats")):
        if isinstance(text, str) and not ("%" in text and "Y" in text.upper()):
            zh = "时间格式应用 strptime 写法，例如 %Y/%m/%d %H:%M"
            en = "a time format is written as for strptime, for example %Y/%m/%d %H:%M"
            document.at_value(("mapping", "time_formats", index), (zh, en))


def _check_closing(document: Document) -> None:
    closed = document.text("mapping", "closed")
    if closed is None and "closed" in document.mapping("mapping", "kinds"):
        zh = "写了办结环节，却没有办结时间的列；补上 closed: 列名"
        en = "a kind for closing but no column of its time; write closed: COLUMN"
        document.at_key(("mapping", "kinds", "closed"), (zh, en))
    if closed is not None and closed == document.text("mapping", "opened"):
        zh = "开始与办结是同一列；改写其中一个"
        document.at_value(("mapping", "closed"), (zh, "opened and closed are the same column; write another one"))
    if closed is not None and "kind" in document.mapping("mapping", "columns"):
        zh = "有环节列（kind）时一行只是一个事件；删去 closed"
        en = "with a column for kind a row is one event; remove closed"
        document.at_key(("mapping", "closed"), (zh, en))


def _needs_column(document: Document, path: Path, field: str) -> None:
    if field not in document.mapping("mapping", "columns"):
        zh, en = f"{field} 没有列；在 columns 中写上", f"{field} has no column; write it in columns"
        document.at_key(path, (zh, en))


def _check_code(document: Document, path: Path, field: str) -> None:
    if field in WORD_SECTIONS:
        must_be_known(document, path, WORD_SECTIONS[field], (field, field))
    elif field == "kind":
        must_be_one_of(document, path, KINDS, ("环节", "kind"))
    elif field == "outcome":
        must_be_one_of(document, path, OUTCOMES, ("回访结果", "outcome"))
