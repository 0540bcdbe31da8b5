"""A handoff as the person reads it who is to take it over: an entry of the list, or the whole page."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from actions.handoff import AD, FILES
from actions.words import label
from commerce.models import Customer
from database import home_folder
from messaging import file_references, received_files
from messaging.models import Handoff, ReceivedFile
from messaging.shop import time_zone

WIDEST = 100
LANGUAGE = "en"  # of the command line
INDENT, HEADING = 5, 11

REASONS = {
    "asked": "asked for a person",
    "policy": "the rules leave it to a person",
    "misunderstood": "was not understood",
    "anger": "is upset",
    "failure": "the assistant failed",
}
SOURCES = {"said": "said", "chosen": "chosen", "account": "from the account", "policy": "from the rules"}
STATUSES = {
    "waiting": "waiting since {created_at}",
    "callback": "call back at {callback_at}",
    "assigned": "with {assignee} since {assigned_at}",
    "given_back": "given back by {assignee} at {closed_at}",
    "resolved": "resolved at {closed_at}",
    "cancelled": "left by the shopper at {closed_at}",
}


def entry(session: Session, handoff: Handoff) -> str:
    """Two or three lines: since when, who, why, what for; the shopper's last words."""
    said = [line.get("text") or "" for line in handoff.transcript if line.get("by") == "shopper"]
    about = (_reason(handoff), _task(handoff.goal), handoff.channel, handoff.language)
    lines = [
        f"{handoff.id:>3}  {_status(handoff)}, {_who(session, handoff)}",
        " " * INDENT + ", ".join(part for part in about if part),
        " " * INDENT + f"“{' '.join(said[-1].split())}”" if said else "",
    ]
    return "\n".join(_cut(line) for line in lines if line)


def page(session: Session, handoff: Handoff) -> str:
    """Everything that is known of it, readable from top to bottom."""
    facts = [
        ("Who", [f"{_who(session, handoff)} ({handoff.channel}, {handoff.language})"]),
        ("Reason", [_reason(handoff)]),
        ("Wants", [_task(handoff.goal) or "not known"]),
        ("Known", list(_known(handoff))),
        ("Files", list(_files(session, handoff))),
        ("Ad", [_ad(handoff.collected.get(AD) or {})]),
        ("Tried", [", ".join(_task(task) for task in handoff.tried)]),
        ("Verdict", _named(handoff.verdict or {})),
        ("Note", [handoff.note]),
    ]
    lines = [f"Handoff {handoff.id}: {_status(handoff)}", ""]
    for name, values in facts:
        for place, value in enumerate(value for value in values if value):
            lines += _wrapped(name if place == 0 else "", value)
    lines += ["", *_transcript(handoff)]
    return "\n".join(lines)


def _known(handoff: Handoff) -> Iterator[str]:
    """What was collected, each with where it came from: "order number: 10201 (said: “it's 10201”)"."""
    for name, value in handoff.collected.items():
        source = handoff.sources.get(name) or {}
        how, words = SOURCES.get(str(source.get("from"))), " ".join(str(source.get("text") or "").split())
        whence = f" ({how}: “{words}”)" if how and words else f" ({how})" if how else ""
        yield from (f"{line}{whence}" for line in _named({name: value}) if name not in (FILES, AD))


def _files(session: Session, handoff: Handoff) -> Iterator[str]:
    """Each picture or recording and where it lies; it may still be on its way, or be erased by now."""
    listed = handoff.collected.get(FILES) or []
    known = file_references.referred(session, (str(each.get("file")) for each in listed))
    for each in listed:
        file = known.get(str(each.get("file")))
        named = " ".join(part for part in (str(each.get("kind")), each.get("name") and f"“{each['name']}”") if part)
        yield f"{named}: {_whereabouts(file)}"


def _whereabouts(file: ReceivedFile | None) -> str:
    if file is None:
        return "erased"
    if file.state == "stored" and file.sha256:
        return str(received_files.path_of(home_folder(), file.sha256))
    return "could not be downloaded" if file.state == "failed" else "is being downloaded"


def _ad(ad: Mapping[str, Any]) -> str:
    said = " – ".join(str(ad[part]) for part in ("headline", "body") if ad.get(part))
    where = next((str(ad[part]) for part in ("source_url", "source_id") if ad.get(part)), "")
    return f"{said} ({where})" if said and where else said or where


def _transcript(handoff: Handoff) -> Iterator[str]:
    """Who said what; the day stands above its first message."""
    day = ""
    for line in handoff.transcript:
        at = _instant(line.get("at"))
        if at is not None and f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            yield day
        yield from _wrapped(str(line.get("by") or ""), f"{at:%H:%M}  {line.get('text') or ''}" if at else line.get("text") or "")
    if not handoff.transcript:
        yield "Nothing was said."


def _status(handoff: Handoff) -> str:
    instants = ("created_at", "callback_at", "assigned_at", "closed_at")
    told = {name: f"{at:%Y-%m-%d %H:%M}" if (at := _instant(getattr(handoff, name))) else "?" for name in instants}
    return STATUSES[handoff.status].format(**told, assignee=handoff.assignee)


def _who(session: Session, handoff: Handoff) -> str:
    customer = session.get(Customer, handoff.customer_id) if handoff.customer_id is not None else None
    if customer is None:
        return "a shopper who is not known"
    return " ".join(part for part in (customer.number, customer.name, customer.email and f"<{customer.email}>") if part)


def _reason(handoff: Handoff) -> str:
    return REASONS.get(handoff.reason, handoff.reason)


def _task(intent: str | None) -> str:
    """What the shopper wants as its button says it; an intent that no button is for as it is."""
    if not intent:
        return ""
    title = label(f"task_{intent}", LANGUAGE)
    return intent.replace("_", " ") if title.startswith("task_") else title


def _named(values: Mapping[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' ')}: {_value(value)}" for name, value in values.items() if value not in (None, "", [], {})]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(inner)}" for name, inner in value.items())
    return ", ".join(map(_value, value)) if isinstance(value, list) else str(value)


def _instant(value: Any) -> datetime | None:
    """A column's instant, or a transcript's seconds or ISO text, where the shop is."""
    try:
        at = datetime.fromtimestamp(value, timezone.utc) if isinstance(value, int | float) else value
        at = datetime.fromisoformat(at.replace("Z", "+00:00")) if isinstance(at, str) else at
    except (ValueError, OverflowError, OSError):
        return None
    return None if at is None else at.astimezone(ZoneInfo(time_zone()))


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST)


def _cut(line: str) -> str:
    return line if len(line) <= _width() else line[: _width() - 1].rstrip() + "…"


def _wrapped(heading: str, text: str) -> list[str]:
    lines = [part for line in text.splitlines() or [""] for part in textwrap.wrap(line, max(_width() - HEADING, 20)) or [""]]
    return [f"{heading if place == 0 else '':<{HEADING}}{line}".rstrip() for place, line in enumerate(lines)]
