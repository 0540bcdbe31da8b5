"""Limits of agents that are gone, and queues that nobody works in, are told."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy.orm import Session

from database import transaction
from desk import accounts
from desk.alerts import Alerts
from desk.report import shown
from desk.rounds import Rounds
from desk.staffing import in_words, unserved
from messaging import kept
from tests.desk.people import NOW, agent

THERE_ARE = "(returns, orders, general)"


def test_nothing_is_said_where_everybody_fits(session: Session) -> None:
    assert list(in_words(session)) == []  # there is nobody: another desk may answer
    agent(session, "Ana", queues=["returns"], languages=["es", "en"])
    agent(session, "Bea")
    assert list(in_words(session)) == []


def test_queues_that_are_gone_are_told_and_what_becomes_of_it(session: Session) -> None:
    agent(session, "Ana", queues=["sold", "lent"])
    agent(session, "Bea", queues=["sold", "orders"])
    agent(session, "Caro", queues=["sold"], is_active=False)
    assert list(in_words(session)) == [
        "Ana is limited to queues that there are not: sold, lent; they work in all queues until somebody changes it " + THERE_ARE,
        "Bea is limited to queues that there are not: sold " + THERE_ARE,
    ]


def test_languages_that_the_shop_does_not_have_are_told(session: Session) -> None:
    agent(session, "Ana", languages=["fr"])
    agent(session, "Bea")
    assert list(in_words(session)) == [
        "Ana is limited to languages that there are not: fr; nothing comes to them until somebody changes it (en, es, nb, pt)"
    ]


def test_queue_that_nobody_works_in_is_told_with_its_languages(session: Session) -> None:
    ana, bea = agent(session, "Ana", queues=["returns", "general"]), agent(session, "Bea", queues=["orders"], languages=["es"])
    assert list(unserved([ana, bea])) == [("orders", ["en", "nb", "pt"])]
    assert list(unserved([ana])) == [("orders", ["en", "es", "nb", "pt"])]
    assert list(in_words(session)) == [
        "nobody works in the queue orders in en, nb, pt: what comes there waits until a supervisor takes it"
    ]
    assert shown(session, 7, NOW)["unserved"] == [{"name": "orders", "title": "Orders", "languages": ["en", "nb", "pt"]}]
    agent(session, "Caro", queues=["sold"])  # in all of them, since hers are gone
    assert list(unserved(accounts.working(session))) == []


def test_it_is_in_the_log_at_the_start_and_when_the_rules_are_read_anew(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with transaction(url) as session:
        agent(session, "Ana", queues=["sold"])
    rounds = Rounds(url, ways=Alerts())
    with caplog.at_level(logging.WARNING, "desk.staffing"):
        for _ in range(2):
            rounds.once(NOW)
        assert [message.split(":")[:2] for message in caplog.messages] == [
            ["desk", " Ana is limited to queues that there are not"]
        ]
        kept.read_again()
        rounds.once(NOW)
    assert len(caplog.messages) == 2
