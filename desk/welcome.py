"""What a page is told when it comes: names of things in words."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sanic.request import Request

from bot.channels.webchat.conversation import FILES
from desk import rules
from desk.acts.doing import ACTS
from desk.business_clock import opens_on_a_later_day
from desk.in_words import iso, title
from messaging.labels import DEFAULT_LANGUAGE, labels, languages

GOAL = re.compile(r"task_(?P<name>[a-z_]+)(?<!_words)")  # labels of what shoppers want, by intents


def titles(language: str) -> dict[str, Any]:
    """Queues, what one picks from to resolve, shoppers' goals and agents' acts, in this language; what agents can send."""
    known = rules.kept_rules()
    return {
        "queues": [_named("queue", queue.name, language) for queue in known.queues],
        "reasons": [_named("reason", name, language) for name in known.reasons],
        "topics": [_named("topic", name, language) for name in known.topics],
        "goals": [{"name": name, "title": title("task", name, language)} for name in _goals()],
        "acts": [{"name": name, "title": title("act", name, language)} for name in ACTS],
        "files": FILES,
    }


def opens_tomorrow_at(now: datetime) -> str | None:
    """When the first of the queues opens on a later day than today; None: none does within a year."""
    calendars = {queue.calendar: rules.calendar_of(queue) for queue in rules.kept_rules().queues}
    openings = [opens_on_a_later_day(each, now) for each in calendars.values()]
    return iso(min((at for at in openings if at is not None), default=None))


def asked_language(request: Request) -> str:
    """In which a route answers: as the address says, else as the browser likes it."""
    return str(request.args.get("language") or language_of(request.headers.get("accept-language", "")))


def language_of(accepted: str) -> str:
    """The first of a browser's languages (Accept-Language) that we have."""
    wanted = [each.partition(";")[0].strip().lower()[:2] for each in accepted.split(",")]
    same = {"no": "nb", "nn": "nb"}
    return next((found for each in wanted if (found := same.get(each, each)) in languages()), DEFAULT_LANGUAGE)


def _goals() -> list[str]:
    """Every goal that has a title; not the frames that a title is put into."""
    known = labels().get(DEFAULT_LANGUAGE, {})
    return [found["name"] for key, text in known.items() if (found := GOAL.fullmatch(key)) and "{" not in text]


def _named(kind: Any, name: str, language: str) -> dict[str, str]:
    return {"name": name, "title": rules.title(kind, name, language)}
