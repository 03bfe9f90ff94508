"""An alert's life: what the judge does to it (raised, ended) and what people do, as tables.

| last step of people | judge: raised | judge: ended |
|---|---|---|
| none | open 未处理 | ended 已消退 |
| acknowledged | acknowledged 已确认 | acknowledged |
| disposed | disposed 处置中 | disposed |
| discarded | discarded 已排除 | discarded |
| resolved | resolved 已办结 | resolved |

So an alert that ended by itself still waits for somebody to look at it, and one that people have in hand
stays theirs when what raised it is over.
"""

from enum import StrEnum

from msgspec import Struct

from streams.core.instant import Instant
from streams.ledger.errors import StepRefusedError
from streams.ledger.personal_text import holds_personal


class AlertState(StrEnum):
    """Where an alert is: the judge's part until people take it up, theirs from then on."""

    OPEN = "open"
    ENDED = "ended"
    ACKNOWLEDGED = "acknowledged"
    DISPOSED = "disposed"
    DISCARDED = "discarded"
    RESOLVED = "resolved"


STATE_NAMES: dict[AlertState, str] = {
    AlertState.OPEN: "未处理",
    AlertState.ENDED: "已消退",
    AlertState.ACKNOWLEDGED: "已确认",
    AlertState.DISPOSED: "处置中",
    AlertState.DISCARDED: "已排除",
    AlertState.RESOLVED: "已办结",
}


class StepKind(StrEnum):
    """What people do with an alert."""

    ACKNOWLEDGE = "acknowledge"
    DISPOSE = "dispose"
    DISCARD = "discard"
    RESOLVE = "resolve"


STEP_NAMES: dict[StepKind, str] = {
    StepKind.ACKNOWLEDGE: "确认",
    StepKind.DISPOSE: "处置",
    StepKind.DISCARD: "排除",
    StepKind.RESOLVE: "办结",
}

LEADS_TO: dict[StepKind, AlertState] = {
    StepKind.ACKNOWLEDGE: AlertState.ACKNOWLEDGED,
    StepKind.DISPOSE: AlertState.DISPOSED,
    StepKind.DISCARD: AlertState.DISCARDED,
    StepKind.RESOLVE: AlertState.RESOLVED,
}

POSSIBLE: dict[AlertState, tuple[StepKind, ...]] = {
    AlertState.OPEN: (StepKind.ACKNOWLEDGE, StepKind.DISPOSE, StepKind.DISCARD),
    AlertState.ENDED: (StepKind.ACKNOWLEDGE, StepKind.DISPOSE, StepKind.DISCARD),
    AlertState.ACKNOWLEDGED: (StepKind.DISPOSE, StepKind.DISCARD, StepKind.RESOLVE),
    AlertState.DISPOSED: (StepKind.DISPOSE, StepKind.DISCARD, StepKind.RESOLVE),
    AlertState.DISCARDED: (StepKind.ACKNOWLEDGE,),
    AlertState.RESOLVED: (),
}
"""State -> the steps that may follow. Disposing again gives another measure, owner or deadline; acknowledging
takes a mistaken discard back; what nobody has taken up cannot be resolved."""


class Measure(StrEnum):
    """What is decided when an alert is disposed of."""

    SUPERVISION = "supervision"
    RECTIFICATION = "rectification"
    INSPECTION = "inspection"
    WATCH = "watch"


MEASURE_NAMES: dict[Measure, str] = {
    Measure.SUPERVISION: "专项督导",
    Measure.RECTIFICATION: "专项整治",
    Measure.INSPECTION: "专项巡察",
    Measure.WATCH: "持续关注",
}


class DiscardReason(StrEnum):
    """Why an alert is put aside."""

    FALSE_PAGE = "false_page"
    """Nothing was the matter."""
    KNOWN_CAUSE = "known_cause"
    """Something was, and it was known and expected."""
    DATA_FAULT = "data_fault"
    """The feed was at fault, not what it reports on."""
    DUPLICATE = "duplicate"
    """Another alert is about the same matter."""
    EXERCISE = "exercise"


DISCARD_REASON_NAMES: dict[DiscardReason, str] = {
    DiscardReason.FALSE_PAGE: "误报",
    DiscardReason.KNOWN_CAUSE: "原因已知",
    DiscardReason.DATA_FAULT: "数据故障",
    DiscardReason.DUPLICATE: "重复预警",
    DiscardReason.EXERCISE: "演练",
}

LONGEST_NAME = 64
LONGEST_NOTE = 1000


class Step(Struct, frozen=True, omit_defaults=True):
    """One step that one person took on one alert."""

    kind: StepKind
    who: str
    """Staff account or name."""
    measure: Measure | None = None
    """dispose only, with owner and deadline."""
    owner: str | None = None
    """Who is to carry the measure out."""
    deadline: Instant | None = None
    reason: DiscardReason | None = None
    """discard only."""
    note: str = ""


def state_of(step: AlertState | None, ended: bool) -> AlertState:
    """An alert's state from the last step of people, None where there was none, and what the judge did."""
    if step is not None:
        return step
    return AlertState.ENDED if ended else AlertState.OPEN


def check_possible(kind: StepKind, state: AlertState, alert: str) -> None:
    """Raise StepRefusedError, saying what is possible, where a step may not follow a state."""
    possible = POSSIBLE[state]
    if kind in possible:
        return
    can = "、".join(STEP_NAMES[one] for one in possible) or "无"
    raise StepRefusedError(
        f"预警 {alert} {STATE_NAMES[state]}，不能{STEP_NAMES[kind]}；现在可以：{can}  "
        f"alert {alert} is {state}: cannot {kind} it; possible now: {', '.join(possible) or 'nothing'}"
    )


def check_said(step: Step, now: Instant) -> None:
    """Raise StepRefusedError where a step does not say what it has to, or says what must not be written down."""
    _check_text("经办人", "who", step.who, LONGEST_NAME)
    if step.kind is StepKind.DISPOSE:
        if step.measure is None or step.owner is None or step.deadline is None:
            raise StepRefusedError("处置要写明措施、责任人和期限  a disposal needs a measure, an owner and a deadline")
        _check_text("责任人", "owner", step.owner, LONGEST_NAME)
        if step.deadline <= now:
            raise StepRefusedError("处置期限已过，请给出将来的时间  the deadline has passed; give one to come")
    elif step.measure is not None or step.owner is not None or step.deadline is not None:
        raise StepRefusedError(
            "只有处置才有措施、责任人和期限  a measure, an owner and a deadline belong to a disposal"
        )
    if (step.kind is StepKind.DISCARD) != (step.reason is not None):
        raise StepRefusedError(
            "排除要写明理由，其他步骤没有理由  discarding needs a reason, and nothing else has one: "
            + ", ".join(f"{reason} {name}" for reason, name in DISCARD_REASON_NAMES.items())
        )
    _check_text("备注", "note", step.note, LONGEST_NOTE, may_be_empty=True)


def _check_text(field: str, field_en: str, text: str, longest: int, *, may_be_empty: bool = False) -> None:
    if not text.strip() and not may_be_empty:
        raise StepRefusedError(f"{field}不能为空  {field_en} must not be empty")
    if len(text) > longest:
        raise StepRefusedError(
            f"{field}最多 {longest} 字，现有 {len(text)} 字  {field_en}: at most {longest} characters, not {len(text)}"
        )
    if any(not (letter.isprintable() or letter in "\n\t") for letter in text):
        raise StepRefusedError(f"{field}里有不可见字符  {field_en} holds characters that cannot be printed")
    if holds_personal(text):
        raise StepRefusedError(
            f"{field}里像有电话或证件号码，台账不记个人信息，请删去  "
            f"{field_en} seems to hold a phone or identity number; the ledger keeps none, take it out"
        )
