"""What the OpenAPI document says beyond what the code's own types say."""

from typing import Any

from streams.core.city import City
from streams.core.event import event_type
from streams.core.schema import event_schema
from streams.service import records

ABOUT = """监土实时服务：事件经 HTTP 进入，落盘之后才回答。

Events come in over HTTP and are answered for once they are durable. A record that was sent before is a duplicate,
never an error: send again whatever was not answered. 429 and 503 say when to come again; nothing of such a request
was taken in."""

_EVENT = """一个事实：何时何地发生了什么。 One fact: what happened, when, where it is about, and to which ticket.

Two things no schema says: `at` may be five minutes ahead of its receipt at most (future), and no field may as a whole
look like a phone or identity number (personal_number)."""
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_COUNT = {"type": "integer", "minimum": 0}
_REFUSAL: dict[str, Any] = {
    "type": "object",
    "properties": {"error": _TEXT, "zh": _TEXT, "en": _TEXT},
    "required": ["error", "zh", "en"],
}
_TOTALS = ("received", "counted", "duplicate", "late", "rejected")
_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(_TOTALS, _COUNT),
        "verdicts": {
            "type": "array",
            "items": {"enum": ["counted", "duplicate", "late", "rejected", None]},
            "description": "Of each record, in their order; null for what is none: a tick, a recording's header.",
        },
        "rejections": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"position": _COUNT, "reason": _TEXT, "place": _TEXT},
                "required": ["position", "reason", "place"],
            },
        },
    },
    "required": [*_TOTALS, "verdicts", "rejections"],
}


def _answers(description: str, *schemas: dict[str, Any]) -> dict[str, Any]:
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": list(schemas)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refused(description: str, *more: str) -> dict[str, Any]:
    headers = {name: {"schema": _TEXT} for name in more}
    return _answers(description, _REFUSAL) | ({"headers": headers} if headers else {})


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_OR_NOTHING = {"type": ["string", "null"]}
_READY = _object(
    ready={"type": "boolean"},
    recovered={"type": "boolean"},
    progressing={"type": "boolean"},
    room={"type": "boolean"},
    free_bytes=_COUNT,
    stopping={"type": "boolean"},
    waiting=_COUNT,
    record=_COUNT,
    reached=_OR_NOTHING,
    watermark=_OR_NOTHING,
    watermark_age_seconds={"type": ["number", "null"]},
)

EVERYWHERE: dict[int | str, dict[str, Any]] = {
    500: _refused("服务内部错误 · a mistake of the service"),
    503: _refused("稍后再来 · come again", "Retry-After"),
}
_TOKEN: dict[int | str, dict[str, Any]] = {
    401: _refused("没有令牌 · no valid token", "WWW-Authenticate"),
    403: _refused("令牌没有这个权限 · the token is for something else"),
}
INGEST_RESPONSES: dict[int | str, dict[str, Any]] = {
    202: _answers("全部落盘 · all durable, each with its verdict", _ANSWER),
    400: _answers("有拒收的；其余已收下 · some are rejected, the others are kept", _ANSWER, _REFUSAL),
    **_TOKEN,
    408: _refused("请求体来得太慢 · the body came too slowly"),
    413: _refused("请求太大 · too much at a time"),
    415: _refused("不认识的内容类型 · an unknown content type"),
    429: _refused("太快 · too fast", "Retry-After"),
}
ACCOUNTING_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answers("收支 · totals", _object(**dict.fromkeys((*_TOTALS, "windows_closed", "record"), _COUNT))),
    **_TOKEN,
}
_LIFE = _object(status={"enum": ["ok", "failing", "failed"]}, failures=_COUNT)
_LIFE["properties"] |= {"record": _COUNT, "why": _TEXT}
HEALTH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answers("在；failing：曾在同一记录失败 · it is there; failing: it failed at this record before", _LIFE),
    503: _answers("失败，即将结束 · it has failed, and ends", _LIFE),
}
READY_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answers("可用 · ready", _READY),
    503: _answers("不可用 · not ready, and why", _READY),
}
VERSION_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _answers(
        "版本 · versions",
        _object(
            version=_TEXT,
            profile=_TEXT,
            profile_version=_TEXT,
            clock=_TEXT,
            pages={"type": "boolean"},
            inbox=_OR_NOTHING,
        ),
    )
}

SECURED: dict[str, Any] = {"security": [{"token": []}]}
SECURITY: dict[str, Any] = {"token": {"type": "http", "scheme": "bearer"}}


def _event(city: City) -> dict[str, Any]:
    """An event in the words of a city: what the schema cannot say is in its description."""
    made = event_type(
        tuple(county.code for county in city.counties),
        tuple(city.points),
        tuple(category.code for category in city.categories),
        tuple(city.channels),
        tuple(city.sectors),
    )
    schema = {name: part for name, part in event_schema(made).items() if name not in {"$schema", "$id"}}
    return schema | {"title": "Event", "description": _EVENT}


def _cloud(data: dict[str, Any]) -> dict[str, Any]:
    attributes = {name: {"type": "string", "minLength": 1} for name in ("id", "source", "type")}
    made = _object(specversion={"const": "1.0"}, **attributes, data=data)
    made["properties"]["datacontenttype"] = {"enum": [records.EVENT, None]}
    return made


def _content(city: City) -> dict[str, Any]:
    event = _event(city)
    return {
        records.EVENT: {"schema": {"oneOf": [event, {"type": "array", "items": event}]}},
        records.LINES[0]: {"schema": {"type": "string", "description": "An event a line."}},
        records.CLOUDEVENT: {"schema": _cloud(event)},
        records.CLOUDEVENTS: {"schema": {"type": "array", "items": _cloud(event)}},
    }


def ingest(city: City) -> dict[str, Any]:
    """What a request to take events in says beyond its answers."""
    return {**SECURED, "requestBody": {"required": True, "content": _content(city)}}
