"""CSAT: one question at the end of a settled matter, and no more than one a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.masking import mask
from messaging.models import SatisfactionRating
from messaging.writes import insert_once, one_at_a_time

PAUSE = timedelta(days=1)
ANSWERABLE = timedelta(days=7)
SCORES = range(1, 6)


def ask(session: Session, sender_id: str, matter: str, now: datetime) -> bool:
    """True: ask now, and it is noted as asked. matter: what was settled, as "return:RMA-20001"; each is asked about once."""
    one_at_a_time(session, f"satisfaction:{sender_id}")
    recent = select(SatisfactionRating.id).where(
        SatisfactionRating.sender_id == sender_id, SatisfactionRating.asked_at > now - PAUSE
    )
    if session.execute(recent.limit(1)).first():
        return False
    return insert_once(session, SatisfactionRating, {"sender_id": sender_id, "matter": matter, "asked_at": now})


def answer(session: Session, sender_id: str, score: int | None, comment: str, now: datetime) -> bool:
    """Note the answer to the newest question. False: nothing was asked in the last seven days, or it has its answer.

    score: 1 to 5, else ValueError; None with a comment adds the comment to a score given before. Comments are masked.
    """
    if score is not None and score not in SCORES:
        raise ValueError(f"a score is 1 to 5, not {score}")
    rating = _newest(session, sender_id, now)
    if rating is None or (rating.score is None) == (score is None) or (score is None and rating.comment):
        return False
    rating.score = rating.score if score is None else score
    rating.comment = mask(comment).text.strip()[:500]
    rating.answered_at = now
    session.flush()
    return True


def unanswered(session: Session, sender_id: str, now: datetime) -> str | None:
    """The matter of the newest question, where it can be answered and nobody has."""
    newest = select(SatisfactionRating.matter, SatisfactionRating.score).where(
        SatisfactionRating.sender_id == sender_id, SatisfactionRating.asked_at > now - ANSWERABLE
    )
    row = session.execute(
        newest.order_by(SatisfactionRating.asked_at.desc(), SatisfactionRating.id.desc()).limit(1)
    ).one_or_none()
    return str(row.matter) if row is not None and row.score is None else None


def _newest(session: Session, sender_id: str, now: datetime) -> SatisfactionRating | None:
    return session.execute(
        select(SatisfactionRating)
        .where(SatisfactionRating.sender_id == sender_id, SatisfactionRating.asked_at > now - ANSWERABLE)
        .order_by(SatisfactionRating.asked_at.desc(), SatisfactionRating.id.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
