"""What another desk is told of a handoff: as JSON for programs, and as a text for the people there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from messaging.labels import label
from messaging.models import Handoff

LAST_LINES = 30  # of the transcript, in the text


def as_json(handoff: Handoff) -> dict[str, Any]:
    """All that the assistant knows. Instants are ISO 8601 in UTC."""
    return {
        "id": handoff.id,
        "channel": handoff.channel,
        "language": handoff.language,
        "reason": handoff.reason,
        "goal": handoff.goal,
        "collected": handoff.collected,
        "sources": handoff.sources,
        "tried": handoff.tried,
        "verdict": handoff.verdict,
        "transcript": handoff.transcript,
        "is_known_customer": handoff.customer_id is not None,
        "created_at": handoff.created_at.isoformat(),
        "callback_at": handoff.callback_at.isoformat() if handoff.callback_at else None,
    }


def as_text(handoff: Handoff, language: str, transcript: bool = True) -> str:
    """For people, in their language. transcript: also what was said; not where they can read that anyway."""
    return "\n".join(_lines(handoff, language, transcript))


def _lines(handoff: Handoff, language: str, transcript: bool) -> Iterator[str]:
    def words(key: str) -> str:
        return label(f"other_desk_{key}", language)

    yield f"{words('reason')}: {label(f'desk_reason_{handoff.reason}', language)}"
    if handoff.goal:
        yield f"{words('goal')}: {_task(handoff.goal, language)}"
    known = [
        f"{name.replace('_', ' ')}: {_value(value)}" for name, value in handoff.collected.items() if value not in (None, "", [])
    ]
    if known:
        yield f"{words('collected')}: {'; '.join(known)}"
    if handoff.tried:
        yield f"{words('tried')}: {', '.join(_task(each, language) for each in handoff.tried)}"
    if handoff.verdict:
        yield f"{words('verdict')}: {_value(handoff.verdict)}"
    if transcript and handoff.transcript:
        yield ""
        yield from (f"{line.get('by')}: {line.get('text')}" for line in handoff.transcript[-LAST_LINES:])


def _task(intent: str, language: str) -> str:
    title = label(f"task_{intent}", language)
    return intent.replace("_", " ") if title.startswith("task_") else title


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_value(inner)}" for name, inner in value.items())
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)
