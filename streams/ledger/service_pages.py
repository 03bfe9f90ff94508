"""Pages about jiantu itself (a silent feed, a pipeline that is down): what belongs to one trouble, who has taken it up.

A trouble begins and ends as Prometheus says. While it lasts and nobody has taken it up it is told to one level after
another. It is no alert of the ledger; who took it up stands here and on the audit chain.
"""

from dataclasses import dataclass

from msgspec import json
from sqlalchemy import Connection, exists, select

from streams.core.instant import Instant
from streams.ledger import audit, rows, tables

_page, _service, _taken_up = tables.page, tables.page_service, tables.page_taken_up


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Who takes care of a trouble."""

    who: str
    at: Instant
    """Wall time."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about jiantu itself that staff were told of."""

    about: str
    name: str
    """Of its rule."""
    over: bool
    taken_up: TakenUp | None


def put(db: Connection, page: str, about: str) -> None:
    """A page is about a trouble."""
    rows.append(db, _service, [{"page": page, "about": about}])


def levels(db: Connection, about: str) -> list[int]:
    """The levels that were told that it began."""
    begun = select(_page.c.level).select_from(_service.join(_page)).where(_service.c.about == about)
    return list(db.execute(begun.where(_page.c.status == "firing").order_by(_page.c.level)).scalars())


def unanswered(db: Connection, level: int, until: Instant) -> list[tuple[str, str]]:
    """(trouble, page) of what a level was told by an instant, the next level was not, nobody took up, and goes on."""
    other, of_it = _service.alias(), _page.alias()
    pages = select(other.c.page).select_from(other.join(of_it)).where(other.c.about == _service.c.about)
    later = pages.where(of_it.c.status == "firing", of_it.c.level > level).exists()
    over = pages.where(of_it.c.status == "resolved").exists()
    answered = exists().where(_taken_up.c.about == _service.c.about)
    wanted = (
        select(_service.c.about, _page.c.id)
        .select_from(_service.join(_page))
        .where(_page.c.status == "firing", _page.c.level == level, _page.c.made_at <= until)
        .where(~later, ~over, ~answered)
        .order_by(_page.c.made_at, _page.c.id)
    )
    return [(about, page) for about, page in db.execute(wanted)]


def about_of(db: Connection, page: str) -> str:
    """The trouble of a page; "" of one that was made before troubles were known."""
    found: str | None = db.execute(select(_service.c.about).where(_service.c.page == page)).scalar()
    return found or ""


def taken_up(db: Connection, about: str) -> TakenUp | None:
    """Who has taken a trouble up."""
    found = db.execute(select(_taken_up.c.who, _taken_up.c.at).where(_taken_up.c.about == about)).first()
    return None if found is None else TakenUp(found[0], found[1])


def take_up(db: Connection, about: str, who: str, at: Instant) -> TakenUp:
    """Somebody takes a trouble up; who has it: whoever was first. In a transaction that holds the steps."""
    found = taken_up(db, about)
    if found is None:
        found = TakenUp(who, at)
        rows.append(db, _taken_up, [{"about": about, "who": who, "at": at}])
        audit.append_trouble(db, about, at, who)
    return found


def trouble(db: Connection, about: str) -> Trouble | None:
    """A trouble; None where staff were told of none such."""
    wanted = select(_page.c.status, _page.c.document).select_from(_service.join(_page)).where(_service.c.about == about)
    found = db.execute(wanted.order_by(_page.c.made_at, _page.c.id)).all()
    if not found:
        return None
    said = json.decode(found[0][1], type=dict[str, str])
    over = any(status == "resolved" for status, _ in found)
    return Trouble(about, said.get("alertname", ""), over, taken_up(db, about))
