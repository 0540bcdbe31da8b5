"""The inbox keeps each message once, and gives out one turn at a time in the order in which the messages came."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from database import transaction
from messaging.conversations import set_owner
from messaging.models import InboundMessage
from messaging.turns import inbox
from messaging.turns.inbox import Claim, Inbound, Overloaded, Superseded
from tests.conftest import NOW

THREADS = 16


def message(provider_id: str = "m1", sender: str = "ana", text: str = "hi", channel: str = "chat") -> Inbound:
    return Inbound(channel, provider_id, sender, text)


def receive(url: str, *messages: Inbound, seconds: float = 0.0) -> None:
    """seconds: between one and the next."""
    for number, each in enumerate(messages):
        with transaction(url) as session:
            inbox.receive(session, each, NOW + timedelta(seconds=number * seconds))


def claim(url: str, sender: str = "ana", bursts: tuple[str, ...] = ()) -> Claim | None:
    with transaction(url) as session:
        return inbox.claim(session, sender, NOW, bursts)


def finish(url: str, claimed: Claim, error: str | None = None) -> str:
    with transaction(url) as session:
        return inbox.finish(session, claimed, NOW, error)


def rows(url: str) -> int:
    with transaction(url) as session:
        return int(session.execute(select(func.count()).select_from(InboundMessage)).scalar_one())


def test_message_that_comes_again_is_kept_once(url: str) -> None:
    with transaction(url) as session:
        first = inbox.receive(session, message(), NOW)
    with transaction(url) as session:
        again = inbox.receive(session, message(), NOW)
    assert (first.is_new, again.is_new, first.id == again.id, rows(url)) == (True, False, True, 1)


def test_same_name_on_another_channel_is_another_message(url: str) -> None:
    receive(url, message(), message(channel="web"))
    assert rows(url) == 2


def test_message_that_comes_many_times_at_once_is_kept_once(url: str) -> None:
    def deliver(_number: int) -> tuple[int, bool]:
        with transaction(url) as session:
            receipt = inbox.receive(session, message(), NOW)
        return receipt.id, receipt.is_new

    with ThreadPoolExecutor(THREADS) as threads:
        receipts = list(threads.map(deliver, range(5 * THREADS)))
    assert len({each for each, _ in receipts}) == 1
    assert [is_new for _, is_new in receipts].count(True) == 1
    assert rows(url) == 1


def test_card_number_is_masked_before_it_is_stored(url: str) -> None:
    receive(url, message(text="take 4111 1111 1111 1111"))
    claimed = claim(url)
    assert claimed is not None
    assert claimed.text == "take [card]"


def test_messages_are_taken_one_by_one_in_the_order_in_which_they_came(url: str) -> None:
    receive(url, message("m1", text="one"), message("m2", text="two"))
    taken = []
    while (claimed := claim(url)) is not None:
        taken.append(claimed.text)
        finish(url, claimed)
    assert taken == ["one", "two"]


def test_turn_that_was_begun_before_is_taken_again_with_the_same_messages(url: str) -> None:
    receive(url, message("m1"), message("m2"))
    first = claim(url, bursts=("chat",))
    receive(url, message("m3"))  # came within the moment, but after the turn had begun
    again = claim(url, bursts=("chat",))
    assert first is not None
    assert again is not None
    assert (again.turn_id, again.message_ids, again.text) == (first.turn_id, first.message_ids, first.text)
    assert (first.tries, again.tries) == (1, 2)
    assert first.token != again.token


def test_older_taker_can_save_nothing(url: str) -> None:
    receive(url, message())
    older, newer = claim(url), claim(url)
    assert older is not None
    assert newer is not None
    with pytest.raises(Superseded):
        finish(url, older)
    assert finish(url, newer) == "bot"
    with pytest.raises(Superseded):
        finish(url, newer)  # nor can anybody save twice


def test_many_takers_at_once_save_one_turn(url: str) -> None:
    receive(url, message())

    def take(_number: int) -> bool:
        claimed = claim(url)
        if claimed is None:
            return False
        try:
            finish(url, claimed)
        except Superseded:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(take, range(THREADS))).count(True) == 1


def test_failure_of_an_older_taker_is_not_noted(own_url: str) -> None:
    receive(own_url, message())
    older, newer = claim(own_url), claim(own_url)
    assert older is not None
    assert newer is not None
    with transaction(own_url) as session:
        inbox.note_failure(session, older, "too late")
    with transaction(own_url) as session:
        assert session.execute(select(InboundMessage.error)).scalar_one() is None


def test_burst_is_one_turn_on_a_channel_that_takes_bursts(own_url: str) -> None:
    receive(own_url, message("m1", text="I want"), message("m2", text="to return"), message("m3", text="a shirt"), seconds=1)
    claimed = claim(own_url, bursts=("chat",))
    assert claimed is not None
    assert (claimed.text, len(claimed.message_ids)) == ("I want\nto return\na shirt", 3)
    assert claimed.provider_id == "m3"
    finish(own_url, claimed)
    assert claim(own_url) is None


def test_burst_ends_where_a_moment_passes(own_url: str) -> None:
    receive(own_url, message("m1"), message("m2"), seconds=3)
    claimed = claim(own_url, bursts=("chat",))
    assert claimed is not None
    assert len(claimed.message_ids) == 1


def test_burst_does_not_take_up_a_timer_nor_another_channel(own_url: str) -> None:
    receive(own_url, message("m1"), Inbound("chat", "timer-1", "ana", "", kind="timer"), message("m2"))
    receive(own_url, message("m3", "eva"), message("m4", "eva", channel="web"))
    for sender in ("ana", "eva"):
        claimed = claim(own_url, sender, bursts=("chat",))
        assert claimed is not None
        assert len(claimed.message_ids) == 1


def test_turn_that_was_begun_is_never_drawn_into_another_ones_burst(own_url: str) -> None:
    """A message can get a lower number and be committed later: a turn's actions are named after its first message."""
    receive(own_url, message("m1"), message("m2"))
    with transaction(own_url) as session:
        second = session.execute(select(InboundMessage).where(InboundMessage.provider_id == "m2")).scalar_one()
        second.state, second.turn_id, second.claim, second.tries = "taken", second.id, "of a dead process", 1
    first = claim(own_url, bursts=("chat",))
    assert first is not None
    assert len(first.message_ids) == 1


def test_without_bursts_each_message_is_a_turn(own_url: str) -> None:
    receive(own_url, message("m1"), message("m2"))
    claimed = claim(own_url)
    assert claimed is not None
    assert len(claimed.message_ids) == 1


def test_too_many_waiting_messages_are_refused_and_nothing_is_kept(url: str) -> None:
    receive(url, message("m1"), message("m2"))
    with pytest.raises(Overloaded), transaction(url) as session:
        inbox.receive(session, message("m3"), NOW, most_waiting=2)
    assert rows(url) == 2


def test_message_that_is_kept_already_is_not_refused(url: str) -> None:
    receive(url, message("m1"), message("m2"))
    with transaction(url) as session:
        assert not inbox.receive(session, message("m2"), NOW, most_waiting=1).is_new


def test_owner_is_the_one_of_the_moment_in_which_the_turn_is_saved(url: str) -> None:
    receive(url, message())
    claimed = claim(url)
    assert claimed is not None
    assert claimed.owner == "bot"
    with transaction(url) as session:
        set_owner(session, "ana", "agent", "Lucía")
    assert finish(url, claimed) == "agent"


def test_failed_message_is_kept_with_its_error(url: str) -> None:
    receive(url, message())
    claimed = claim(url)
    assert claimed is not None
    finish(url, claimed, "ValueError: " + "x" * 400)
    with transaction(url) as session:
        row = session.execute(select(InboundMessage)).scalar_one()
        assert (row.state, row.error[:12], len(row.error)) == ("failed", "ValueError: ", 300)


def test_new_process_begins_with_the_conversation_that_waits_longest(own_url: str) -> None:
    receive(own_url, message("m1", "ana"), message("m2", "eva"), message("m3", "ana"))
    done = claim(own_url, "ana")
    assert done is not None
    finish(own_url, done)
    with transaction(own_url) as session:
        assert inbox.senders_waiting(session) == ["eva", "ana"]
        assert (inbox.waiting(session), inbox.oldest_waiting(session)) == (2, NOW)


def test_note_is_kept_once_and_never_taken(url: str) -> None:
    with transaction(url) as session:
        assert [inbox.note(session, message(text="👍"), NOW), inbox.note(session, message(text="👍"), NOW)] == [True, False]
        assert inbox.is_known(session, "chat", "m1")
        assert not inbox.is_known(session, "chat", "m2")
    assert (claim(url), rows(url)) == (None, 1)


def test_message_is_reworded_and_withdrawn_only_while_it_waits(url: str) -> None:
    receive(url, message("m1"), message("m2"))
    with transaction(url) as session:
        assert inbox.reword(session, message("m1", text="4111 1111 1111 1111"))
        assert inbox.withdraw(session, "chat", "m2", "ana", NOW)
    claimed = claim(url, bursts=("chat",))
    assert claimed is not None
    assert (claimed.text, len(claimed.message_ids)) == ("[card]", 1)
    with transaction(url) as session:
        assert not inbox.reword(session, message("m1", text="too late"))
        assert not inbox.withdraw(session, "chat", "m1", "ana", NOW)
    finish(url, claimed)
    assert claim(url) is None


def test_burst_does_not_take_up_a_command(own_url: str) -> None:
    receive(own_url, message("m1"), message("m2", text="/affirm"), message("m3"))
    texts = []
    while (claimed := claim(own_url, bursts=("chat",))) is not None:
        texts.append(claimed.text)
        finish(own_url, claimed)
    assert texts == ["hi", "/affirm", "hi"]
