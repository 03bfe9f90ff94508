"""What pydantic found wrong, said with a place in the YAML and with what to write instead."""

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from streams.profile.document import Document, Path
from streams.profile.problems import Words, instead, nearest, quoted
from streams.profile.schema import ProfilePart

_KEY = "[key]"


def explain(document: Document, error: ValidationError, root: type[BaseModel] = ProfilePart) -> None:
    """Add a problem to the document for every validation error; `root` is the schema that it was checked with."""
    for detail in error.errors(include_url=False):
        _add(document, detail, root)


def _add(document: Document, detail: ErrorDetails, root: type[BaseModel]) -> None:
    path: Path = tuple(step for step in detail["loc"] if step != _KEY)
    kind = detail["type"]
    if kind == "missing":
        if len(path) > 1 or not document.broken:
            document.at_key(path[:-1], _missing(path, root))
    elif kind == "extra_forbidden":
        document.at_key(path, _unknown_key(path, detail["input"], root))
    elif _KEY in detail["loc"] or detail["input"] is None:
        document.at_key(path, _words(detail, path, root))
    else:
        document.at_value(path, _words(detail, path, root))


def _missing(path: Path, root: type[BaseModel]) -> Words:
    name = path[-1]
    field = _field(path, root)
    example = f"{name}: {field.examples[0]}" if field is not None and field.examples else f"{name}: …"
    return f"缺少 {name}；请写，例如 {example}", f"{name} is missing; write for example {example}"


def _unknown_key(path: Path, given: object, root: type[BaseModel]) -> Words:
    model = _annotation(path[:-1], root)
    known = list(model.model_fields) if _is_part(model) else []
    if given is None and nearest(str(path[-1]), known) is None:  # {name: Water, power}
        zh = f"没有 {quoted(path[-1])} 这一项；若是前一个值的一部分，给那个值加引号"
        return zh, f"unknown key {quoted(path[-1])}; if it belongs to the value before it, put that value in quotes"
    zh, en = instead(path[-1], known)
    return f"没有 {quoted(path[-1])} 这一项；{zh}", f"unknown key {quoted(path[-1])}; {en}"


_NUMBER = "请写数字，例如 5", "write a number, for example 5"
_WHOLE = "请写整数，例如 5", "write a whole number, for example 5"
_MAPPING = "请写成“名称: 值”的对照", "write `key: value` lines"
_LIST = "请写成列表，例如 [a, b]", "write a list, for example [a, b]"
_TEXT = "请写文字，必要时加引号", "write text, in quotes where needed"
_INSTEAD: Mapping[str, Words] = {
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": ("请写 true 或 false", "write true or false"),
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "string_too_short": ("请写一个字符", "write one character"),
    "string_too_long": ("请只写一个字符", "write one character only"),
}
_LIMITS: Mapping[str, Callable[[Mapping[str, Any]], Words]] = {
    "greater_than": lambda ctx: (f"应大于 {ctx['gt']}", f"write a number greater than {ctx['gt']}"),
    "greater_than_equal": lambda ctx: (f"应不小于 {ctx['ge']}", f"write {ctx['ge']} or more"),
    "less_than_equal": lambda ctx: (f"应不大于 {ctx['le']}", f"write {ctx['le']} or less"),
}


def _words(detail: ErrorDetails, path: Path, root: type[BaseModel]) -> Words:
    kind, given, ctx = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "said":
        return ctx["zh"], ctx["en"]
    if kind == "too_short":
        zh, en = _example(path, root)
        return f"至少要有一项；{zh}", f"at least one is needed; {en}"
    if given is None:
        zh, en = _example(path, root)
        return f"{path[-1]} 后面是空的；{zh}", f"nothing is written after {path[-1]}; {en}"
    shown = _shown(given)
    if kind in _LIMITS:
        zh, en = _LIMITS[kind](ctx)
        return f"{shown[0]} 超出范围；{zh}", f"{shown[1]} is out of range; {en}"
    zh, en = _INSTEAD.get(kind, ("请改正", detail["msg"]))
    return f"{shown[0]} 的类型不对；{zh}", f"{shown[1]} has the wrong type; {en}"


def _example(path: Path, root: type[BaseModel]) -> Words:
    field = _field(path, root)
    if field is not None and field.examples:
        return f"例如 {path[-1]}: {field.examples[0]}", f"write for example {path[-1]}: {field.examples[0]}"
    return "请写上内容，或删去这一项", "write something, or remove the key"


def _shown(given: object) -> Words:
    if isinstance(given, Mapping | BaseModel):
        return "这个对照", "this mapping"
    if isinstance(given, list | tuple):
        return "这个列表", "this list"
    return quoted(given), quoted(given)


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _field(path: Path, root: type[BaseModel]) -> FieldInfo | None:
    """The field of the schema that a path is the value of."""
    if not path or not isinstance(path[-1], str):
        return None
    model = _annotation(path[:-1], root)
    return model.model_fields.get(path[-1]) if _is_part(model) else None


def _annotation(path: Iterable[str | int], root: type[BaseModel]) -> Any:
    """The schema's type at a path; None where it has none."""
    found: Any = root
    for step in path:
        if _is_part(found):
            field = found.model_fields.get(step)
            found = None if field is None else _plain(field.annotation)
        elif get_origin(found) is dict:
            found = _plain(get_args(found)[1])
        elif get_origin(found) in (list, tuple):
            found = _plain(get_args(found)[0])
        else:
            return None
    return found


def _plain(annotation: Any) -> Any:
    """An annotation without Annotated and Optional around it."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation
