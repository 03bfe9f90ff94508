"""The web page behind an acknowledge-link: which alert or rule, one field, one button. It says no more than was told.

A chat's preview sees it too, so it names no county and no count; who has to decide has them in the page itself.
"""

from html import escape

from streams.ledger.alerts import Alert
from streams.ledger.lifecycle import LONGEST_NAME, POSSIBLE, STATE_NAMES, StepKind
from streams.ledger.service_pages import Trouble

_SHORT_ID = 8
_REFUSED = {
    "signature": ("链接不对，请从寻呼消息里重新打开", "This link is not right; open it from the page's message again"),
    "expired": ("链接已过期，请到控制台确认", "This link has expired; acknowledge the alert in the console"),
    "unknown": ("没有这条预警", "There is no such alert"),
    "forgotten": ("没有这条寻呼，可能已过保存期限", "There is no such page; it may be older than pages are kept"),
    "away": ("台账暂时连不上，请稍后再试", "The ledger cannot be reached now; try again in a moment"),
}
_LAYOUT = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>监土 jiantu</title>
<style>body{{font:16px/1.6 sans-serif;max-width:32em;margin:2em auto;padding:0 1em;color:#1a1a1a;background:#fff}}
small{{color:#595959}}input,button{{font:inherit;padding:.5em;width:100%;box-sizing:border-box;margin:.5em 0}}
button{{background:#0b5cad;color:#fff;border:0;border-radius:4px}}.wrong{{color:#b00020}}</style></head>
<body><h1>监土 jiantu</h1>{content}</body></html>
"""


_FORM = (
    '<form method="post"><label for="who">经办人 <small>Who are you?</small></label>'
    f'<input id="who" name="who" required maxlength="{LONGEST_NAME}" autocomplete="name">'
    '<button type="submit">确认 · Acknowledge</button></form>'
)
_TAKEN_UP = "<p>已有人处理，无需再确认。<br><small>Somebody has taken it up; nothing to do here.</small></p>"


def asking(alert: Alert, wrong: str) -> str:
    """Asks whether to acknowledge; `wrong`: why it did not work the last time."""
    said = [
        f"<p>预警 <strong>{_short(alert.id)}</strong> · {STATE_NAMES[alert.state]} <small>{alert.state}</small></p>",
        _wrong(wrong),
    ]
    if StepKind.ACKNOWLEDGE not in POSSIBLE[alert.state]:
        return _LAYOUT.format(content="".join([*said, _TAKEN_UP]))
    note = "确认表示有人接手，会记入审计链。Acknowledging says that somebody has taken it up; the audit chain keeps it."
    return _LAYOUT.format(content="".join([*said, _FORM, f"<p><small>{note}</small></p>"]))


def asking_of(trouble: Trouble, wrong: str) -> str:
    """The same of something about jiantu itself."""
    said = [f"<p>监测服务 <strong>{escape(trouble.name)}</strong></p>", _wrong(wrong)]
    if trouble.taken_up is not None:
        said.append(_TAKEN_UP)
    elif trouble.over:
        said.append("<p>已自行解除。<br><small>It is over by itself; nothing to do here.</small></p>")
    else:
        note = "确认表示有人接手，不再升级。Acknowledging says that somebody has taken it up; nobody else is told then."
        said += [_FORM, f"<p><small>{note}</small></p>"]
    return _LAYOUT.format(content="".join(said))


def done(name: str, who: str, *, repeated: bool) -> str:
    """An alert is acknowledged."""
    return _done(f"预警 <strong>{_short(name)}</strong> ", f"Alert {_short(name)} ", who, repeated=repeated)


def done_of(trouble: Trouble, who: str, *, repeated: bool) -> str:
    """So is something about jiantu itself."""
    name = escape(trouble.name)
    return _done(f"<strong>{name}</strong> ", f"{name} ", who, repeated=repeated)


def refused(why: str) -> str:
    """It cannot be looked at: signature, expired, unknown, away."""
    zh, en = _REFUSED[why]
    return _LAYOUT.format(content=f"<p>{zh}。</p><p><small>{en}.</small></p>")


def _wrong(words: str) -> str:
    return f'<p class="wrong" role="alert">{escape(words)}</p>' if words else ""


def _done(zh: str, en: str, who: str, *, repeated: bool) -> str:
    words = ("此前已确认", "was acknowledged before") if repeated else ("已确认", "is acknowledged")
    who = escape(who)
    return _LAYOUT.format(content=f"<p>{zh}{words[0]}：{who}。</p><p><small>{en}{words[1]} by {who}.</small></p>")


def _short(alert: str) -> str:
    return escape(alert[:_SHORT_ID])
