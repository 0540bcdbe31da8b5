"""What a page is told when it comes: names of things in words."""

from __future__ import annotations

from typing import Any

from bot.channels.webchat.conversation import FILES
from desk import rules
from messaging.labels import DEFAULT_LANGUAGE, languages


def titles(language: str) -> dict[str, Any]:
    """Queues, and what one picks from to resolve, in this language; what agents can send."""
    known = rules.kept_rules()
    return {
        "queues": [_named("queue", queue.name, language) for queue in known.queues],
        "reasons": [_named("reason", name, language) for name in known.reasons],
        "topics": [_named("topic", name, language) for name in known.topics],
        "files": FILES,
    }


def language_of(accepted: str) -> str:
    """The first of a browser's languages (Accept-Language) that we have."""
    wanted = [each.partition(";")[0].strip().lower()[:2] for each in accepted.split(",")]
    same = {"no": "nb", "nn": "nb"}
    return next((found for each in wanted if (found := same.get(each, each)) in languages()), DEFAULT_LANGUAGE)


def _named(kind: Any, name: str, language: str) -> dict[str, str]:
    return {"name": name, "title": rules.title(kind, name, language)}
