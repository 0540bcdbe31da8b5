"""A code from the web chat joins it to one conversation on WhatsApp, once, and the link can be undone."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import Base, engine_for, transaction
from messaging import channel_links, chat_log, conversations, labels
from messaging.channel_links import CODE_LIFETIME, MOST_CODES, code_in, linked, mark_of, offer, text_with, undo, use
from messaging.models import ChannelContact, ChannelLink, Timer

WEB, PHONE, STRANGER = "web-1", "wa-1", "wa-2"
CODE = re.compile(r"[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))


def offered(session: Session, now: datetime, sender_id: str = WEB) -> str:
    code = offer(session, sender_id, now)
    assert code is not None
    return code


def events(session: Session, sender_id: str = WEB) -> list[Any]:
    return [each.content for each in chat_log.after(session, sender_id, 0)]


def test_code_joins_the_conversation_that_brings_it(session: Session, now: datetime) -> None:
    assert use(session, offered(session, now), PHONE, now) == WEB
    assert (linked(session, WEB), linked(session, PHONE), linked(session, STRANGER)) == (PHONE, WEB, None)
    assert channel_links.brought_from(session, PHONE) == (WEB, now)
    assert channel_links.brought_from(session, WEB) is None


def test_code_is_good_once(session: Session, now: datetime) -> None:
    code = offered(session, now)
    use(session, code, PHONE, now)
    assert use(session, code, STRANGER, now) is None
    assert linked(session, WEB) == PHONE


def test_whoever_used_it_may_send_it_again_while_the_link_holds(session: Session, now: datetime) -> None:
    code = offered(session, now)
    use(session, code, PHONE, now)
    assert use(session, code, PHONE, now + timedelta(days=1)) == WEB
    assert len(events(session)) == 1
    undo(session, WEB, now)
    assert use(session, code, PHONE, now) is None


def test_code_ends_after_a_quarter_of_an_hour(session: Session, now: datetime) -> None:
    first, second = offered(session, now), offered(session, now)
    assert use(session, first, PHONE, now + CODE_LIFETIME) is None
    assert use(session, second, PHONE, now + CODE_LIFETIME - timedelta(seconds=1)) == WEB


def test_code_that_nobody_made_joins_nothing(session: Session, now: datetime) -> None:
    offered(session, now)
    assert use(session, "A7K2-9QPM", PHONE, now) is None


def test_conversation_is_not_joined_to_itself(session: Session, now: datetime) -> None:
    assert use(session, offered(session, now), WEB, now) is None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_those_who_use_it_at_once_one_wins(kind: str, request: pytest.FixtureRequest, tmp_path: Path, now: datetime) -> None:
    url = f"sqlite:///{tmp_path / 'race.db'}" if kind == "sqlite" else str(request.getfixturevalue("postgres_url"))
    Base.metadata.create_all(engine_for(url))
    with transaction(url) as session:
        code = offered(session, now)

    def bring(sender_id: str) -> str | None:
        with transaction(url) as session:
            return use(session, code, sender_id, now)

    with ThreadPoolExecutor(6) as pool:
        joined = list(pool.map(bring, [f"wa-{number}" for number in range(6)]))
    assert sorted(map(str, joined)) == [*["None"] * 5, WEB]


def test_code_is_kept_as_a_keyed_hash_only(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    code = offered(session, now)
    row = session.execute(select(ChannelLink)).scalar_one()
    assert row.code_hash == mark_of(code)
    assert code not in str(vars(row))
    monkeypatch.setenv("TENDERO_SECRET", "another secret, long enough")
    assert mark_of(code) != row.code_hash


def test_codes_have_letters_and_numerals_in_each_half(session: Session, now: datetime) -> None:
    codes = [offered(session, now, f"web-{number}") for number in range(50)]
    assert len(set(codes)) == 50
    for code in codes:
        assert CODE.fullmatch(code)
        assert all(re.search(r"\d", half) and re.search("[A-Z]", half) for half in code.split("-"))


def test_a_conversation_gets_only_so_many_codes(session: Session, now: datetime) -> None:
    for _ in range(MOST_CODES):
        offered(session, now)
    assert offer(session, WEB, now) is None
    assert offer(session, "web-2", now) is not None
    assert offer(session, WEB, now + channel_links.WINDOW) is not None


def test_of_several_codes_of_a_conversation_one_is_used(session: Session, now: datetime) -> None:
    first, second = offered(session, now), offered(session, now)
    use(session, second, PHONE, now)
    assert use(session, first, STRANGER, now) is None


def test_newer_link_takes_the_place_of_older_ones_of_either(session: Session, now: datetime) -> None:
    use(session, offered(session, now), PHONE, now)
    use(session, offered(session, now, "web-2"), PHONE, now)
    assert (linked(session, WEB), linked(session, "web-2"), linked(session, PHONE)) == (None, PHONE, "web-2")
    use(session, offered(session, now, "web-2"), STRANGER, now)
    assert (linked(session, PHONE), linked(session, "web-2")) == (None, STRANGER)


def test_web_chat_shows_where_it_goes_on_by_the_last_digits(session: Session, now: datetime) -> None:
    session.add(ChannelContact(sender_id=PHONE, channel="whatsapp", phone="+525512345678", created_at=now))
    use(session, offered(session, now), PHONE, now)
    undo(session, WEB, now)
    assert events(session) == [{"event": "on_whatsapp", "digits": "5678"}, {"event": "unlinked"}]


def test_number_that_whatsapp_does_not_tell_has_no_digits(session: Session, now: datetime) -> None:
    use(session, offered(session, now), PHONE, now)
    assert events(session) == [{"event": "on_whatsapp", "digits": ""}]


@pytest.mark.parametrize(("who", "told"), [(WEB, [PHONE]), (PHONE, [])])
def test_either_may_undo_it_and_whatsapp_is_told_by_the_other(session: Session, now: datetime, who: str, told: list[str]) -> None:
    conversations.conversation(session, PHONE, "whatsapp", now)
    use(session, offered(session, now), PHONE, now)
    assert undo(session, who, now)
    assert linked(session, WEB) is None
    assert not undo(session, who, now)
    timers = session.execute(select(Timer)).scalars()
    assert [(each.sender_id, each.channel, each.kind) for each in timers] == [(each, "whatsapp", "unlinked") for each in told]


# In a message


@pytest.mark.parametrize("language", ["en", "es", "nb", "pt"])
def test_code_is_found_in_our_own_words_of_each_language(session: Session, now: datetime, language: str) -> None:
    code = offered(session, now)
    found = code_in(session, text_with(code, language))
    assert found is not None
    assert (found.mark, found.language) == (mark_of(code), language)
    assert code not in found.words


@pytest.mark.parametrize("written", ["hola! {} quiero seguir", "{lower}", "({})", "{spaced}", "{dash}.", "*{}*"])
def test_code_is_found_however_it_is_written(session: Session, now: datetime, written: str) -> None:
    code = offered(session, now)
    text = written.format(code, lower=code.lower(), spaced=code.replace("-", " - "), dash=code.replace("-", "–"))
    found = code_in(session, text)
    assert found is not None
    assert found.mark == mark_of(code)


@pytest.mark.parametrize("text", ["A7K2-9QPM", "Continuar mi chat (A7K2-9QPM)", "continue my chat A7K2-9QPN please"])
def test_wrong_code_is_a_code_all_the_same(session: Session, text: str) -> None:
    assert code_in(session, text) is not None


@pytest.mark.parametrize(
    "text",
    ["¿tienen el modelo AB12-34CD en azul?", "self-care", "2026-1126", "pedido 10201", "XA7K2-9QPMX", "call 5555-0100", ""],
)
def test_what_only_looks_like_a_code_is_a_message_like_any_other(session: Session, text: str) -> None:
    assert code_in(session, text) is None


def test_card_number_beside_the_code_is_masked(session: Session) -> None:
    found = code_in(session, "Continuar mi chat (A7K2-9QPM) 4111 1111 1111 1111")
    assert found is not None
    assert "1111 1111" not in found.words


def test_words_of_no_languages_link_are_anothers() -> None:
    texts = [said["link_text"].partition("{code}")[0].strip(" (").lower() for said in labels.labels().values()]
    assert [a for a in texts for b in texts if a != b and a in b] == []


def test_unused_codes_and_ended_links_are_purged_and_links_stay(session: Session, now: datetime) -> None:
    before = now - timedelta(days=3)
    use(session, offered(session, before), PHONE, before)
    offered(session, before, "web-2")
    use(session, offered(session, before, "web-3"), STRANGER, before)
    undo(session, STRANGER, before)
    offered(session, now, "web-4")
    assert channel_links.purge(session, now) == 2
    assert [each.from_sender_id for each in session.execute(select(ChannelLink)).scalars()] == [WEB, "web-4"]
