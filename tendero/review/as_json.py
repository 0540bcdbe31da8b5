"""Messages to review as scripts and the page get them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from tendero.review.ranking import Row
from tendero.review.session import Review


def as_row(row: Row) -> dict[str, Any]:
    """The message as scripts and the page get it."""
    shown = {name: value for name, value in asdict(row).items() if name not in ("ids", "ranking")}
    return {
        "id": row.id,
        **shown,
        "score": round(row.score, 3),
        "newest": datetime.fromtimestamp(row.newest, timezone.utc).isoformat(timespec="seconds"),
        "understood": [{"intent": intent, "probability": round(likely, 3)} for intent, likely in row.ranking[:3]],
    }


def as_suggestions(sitting: Review, row: Row) -> list[dict[str, Any]]:
    """What the message could be assigned to; takes some hundredths of a second."""
    return [asdict(each) for each in sitting.suggestions(row)]
