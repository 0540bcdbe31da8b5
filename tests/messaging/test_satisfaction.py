from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.models import SatisfactionRating
from messaging.satisfaction import answer, ask, unanswered

DAY = timedelta(days=1)


def rating(session: Session) -> SatisfactionRating:
    return session.execute(select(SatisfactionRating)).scalar_one()


def test_a_matter_is_asked_about_once(session: Session, now: datetime) -> None:
    assert [ask(session, "s1", "return:RMA-20001", now + n * DAY) for n in range(3)] == [True, False, False]


def test_a_sender_is_asked_once_a_day(session: Session, now: datetime) -> None:
    assert ask(session, "s1", "one", now) is True
    assert ask(session, "s1", "two", now + DAY - timedelta(seconds=1)) is False
    assert ask(session, "s2", "three", now) is True
    assert ask(session, "s1", "two", now + DAY) is True


def test_score_is_noted_once(session: Session, now: datetime) -> None:
    ask(session, "s1", "one", now)
    assert [answer(session, "s1", 5, "", now), answer(session, "s1", 1, "", now)] == [True, False]
    assert rating(session).score == 5


def test_comment_may_follow_the_score(session: Session, now: datetime) -> None:
    ask(session, "s1", "one", now)
    assert answer(session, "s1", None, "too early", now) is False
    answer(session, "s1", 4, "", now)
    assert answer(session, "s1", None, "my password is hunter2", now) is True
    assert (rating(session).score, rating(session).comment) == (4, "my password is [password]")
    assert answer(session, "s1", None, "again", now) is False


def test_answer_nobody_asked_for_is_dropped(session: Session, now: datetime) -> None:
    assert answer(session, "s1", 5, "", now) is False
    ask(session, "s1", "one", now)
    assert answer(session, "s2", 5, "", now) is False
    assert answer(session, "s1", 5, "", now + 7 * DAY) is False


@pytest.mark.parametrize("score", [0, 6, -1])
def test_score_out_of_range_is_refused(session: Session, now: datetime, score: int) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        answer(session, "s1", score, "", now)


def test_question_is_open_until_it_has_a_score_or_is_too_old(session: Session, now: datetime) -> None:
    assert unanswered(session, "s1", now) is None
    ask(session, "s1", "handoff:7", now)
    assert unanswered(session, "s1", now + timedelta(days=6)) == "handoff:7"
    assert unanswered(session, "s2", now) is None
    assert unanswered(session, "s1", now + timedelta(days=8)) is None
    answer(session, "s1", 4, "", now + timedelta(days=1))
    assert unanswered(session, "s1", now + timedelta(days=1)) is None
