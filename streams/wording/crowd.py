"""What kind of crowd stands behind an alert, in words; fewer than k people are never counted out (law 6)."""

from collections.abc import Iterable

from streams.core.people import Crowd, people_in
from streams.wording.catalog import Speech
from streams.wording.figures import number


def crowd(speech: Speech, notes: Iterable[Iterable[str]], k: int) -> list[str]:
    """One remark, from the first notes that say anything of people; none where none does."""
    told = next((found for one in notes if (found := people_in(one)) is not None), None)
    if told is None:
        return []
    kind, people = told
    fields = {
        "calls": speech.say("{n} 件", n=_shown(speech, people.named, k)),
        "callers": speech.say("{n} 人", n=_shown(speech, people.callers, k)),
        "matters": speech.say("{n} 个事项", n=_shown(speech, people.matters, k)),
    }
    texts = {
        Crowd.FEW_CALLERS: lambda: speech.say("多出的来自少数人反复反映（{calls}来自{callers}）", **fields),
        Crowd.ONE_MATTER: lambda: speech.say("多出的是多人反映同样的事项（{callers}，{matters}）", **fields),
        Crowd.UNRELATED: lambda: speech.say("多出的来自不同的人、不同的事项（{callers}，{matters}）", **fields),
    }
    return [texts[kind]()]


def _shown(speech: Speech, n: int, k: int) -> str:
    return speech.say("不足 {k}", k=number(speech, k)) if n < k else number(speech, n)
