"""The web page behind an acknowledge-link: which alert, one field, one button. It says no more than the page did.

A chat's preview sees it too, so it names no county and no count; who has to decide has them in the page itself.
"""

from html import escape

from streams.ledger.alerts import Alert
from streams.ledger.audit import StepTaken
from streams.ledger.lifecycle import LONGEST_NAME, POSSIBLE, STATE_NAMES, StepKind

_SHORT_ID = 8
_REFUSED = {
    "signature": ("链接不对，请从寻呼消息里重新打开", "This link is not right; open it from the page's message again"),
    "expired": ("链接已过期，请到控制台确认", "This link has expired; acknowledge the alert in the console"),
    "unknown": ("没有这条预警", "There is no such alert"),
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


def asking(alert: Alert, wrong: str) -> str:
    """Asks whether to acknowledge; `wrong`: why it did not work the last time."""
    said = [
        f"<p>预警 <strong>{_short(alert.id)}</strong> · {STATE_NAMES[alert.state]} <small>{alert.state}</small></p>"
    ]
    if wrong:
        said.append(f'<p class="wrong" role="alert">{escape(wrong)}</p>')
    if StepKind.ACKNOWLEDGE not in POSSIBLE[alert.state]:
        said.append("<p>已有人处理，无需再确认。<br><small>Somebody has taken it up; nothing to do here.</small></p>")
        return _LAYOUT.format(content="".join(said))
    said.append(
        '<form method="post"><label for="who">经办人 <small>Who are you?</small></label>'
        f'<input id="who" name="who" required maxlength="{LONGEST_NAME}" autocomplete="name">'
        '<button type="submit">确认 · Acknowledge</button></form>'
        "<p><small>确认表示有人接手，会记入审计链。"
        "Acknowledging says that somebody has taken it up; it is written to the audit chain.</small></p>"
    )
    return _LAYOUT.format(content="".join(said))


def done(taken: StepTaken, repeated: bool) -> str:
    """It is acknowledged."""
    words = ("此前已确认", "was acknowledged before") if repeated else ("已确认", "is acknowledged")
    who = escape(taken.step.who)
    return _LAYOUT.format(
        content=f"<p>预警 <strong>{_short(taken.alert)}</strong> {words[0]}：{who}。</p>"
        f"<p><small>Alert {_short(taken.alert)} {words[1]} by {who}.</small></p>"
    )


def refused(why: str) -> str:
    """It cannot be looked at: signature, expired, unknown, away."""
    zh, en = _REFUSED[why]
    return _LAYOUT.format(content=f"<p>{zh}。</p><p><small>{en}.</small></p>")


def _short(alert: str) -> str:
    return escape(alert[:_SHORT_ID])
