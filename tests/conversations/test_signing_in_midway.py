"""Whoever signs in to the shop in the middle of a task need not write again: what was asked to know them is settled by it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.spoken import SIGNED_IN
from tests.conversations.runner import Played
from tests.conversations.stage import Stage
from tests.conversations.test_handoff_record import record
from tests.conversations.test_other_channel import EN, ES, FORM, NB, PT, Talk, whatsapp

WEB = {"channel": "webchat"}
NAMES = {"es": "Ana", "en": "Emma", "pt": "João", "nb": "Ingrid"}
everywhere = pytest.mark.parametrize("talk", [ES, EN, PT, NB], ids=lambda talk: talk.language)


def sign_in(stage: Stage, sender: str, talk: Talk) -> Played:
    """As the connector has it (tests/bot/webchat/test_signing_in_midway.py)."""
    stage.sign_in(sender, talk.email)
    return stage.say(sender, SIGNED_IN, {"language": talk.language})


def titles(played: Played) -> list[Any]:
    return [button["title"] for reply in played.replies for button in reply.get("buttons", ())]


@everywhere
def test_question_for_the_e_mail_is_settled_and_the_next_one_comes(stage: Stage, talk: Talk) -> None:
    sender = stage.begin(WEB)
    assert talk.who in stage.say(sender, talk.begin).words
    played = sign_in(stage, sender, talk)
    assert played.actions == [FORM]
    assert NAMES[talk.language] in played.replies[0]["text"]
    assert talk.who not in played.words
    known = stage.slots_of(sender)
    assert (known["order_number"], known["requested_slot"]) == (talk.order, "return_reason")


@everywhere
def test_question_for_the_code_is_settled_and_the_next_one_comes(stage: Stage, talk: Talk) -> None:
    sender = stage.begin(WEB)
    stage.say(sender, talk.begin)
    stage.say(sender, talk.email)
    assert stage.slots_of(sender)["requested_slot"] == "code"
    assert NAMES[talk.language] in sign_in(stage, sender, talk).words
    known = stage.slots_of(sender)
    assert (known["order_number"], known["requested_slot"]) == (talk.order, "return_reason")


@pytest.mark.parametrize("talk", [ES, EN], ids=["es", "en"])  # the others have one that can be sent back: it is taken
def test_their_orders_are_offered_where_none_was_named(stage: Stage, talk: Talk) -> None:
    sender = stage.begin(WEB)
    stage.say(sender, talk.begin_again)
    played = sign_in(stage, sender, talk)
    assert talk.which in played.words
    assert any(talk.order in title for title in titles(played))


def test_answer_comes_at_once_where_nothing_else_is_to_be_asked(stage: Stage) -> None:
    sender = stage.begin(WEB)
    stage.say(sender, "where is my order 10232?")
    played = sign_in(stage, sender, EN)
    assert played.actions == ["track_order_form", "action_track_order"]
    assert "10232" in played.words


@everywhere
def test_the_same_that_was_begun_on_whatsapp_is_offered(stage: Stage, talk: Talk) -> None:
    whatsapp(stage, talk)
    sender = stage.join(WEB)
    stage.say(sender, talk.begin_again)
    played = sign_in(stage, sender, talk)
    assert talk.item in played.words
    assert talk.on_whatsapp in played.words


def test_person_who_is_called_reads_that_the_shopper_has_signed_in(stage: Stage) -> None:
    sender = stage.begin(WEB)
    stage.say(sender, EN.begin)
    sign_in(stage, sender, EN)
    stage.say(sender, "I want to talk to a person")
    written = [line["text"] for line in record(sender)["transcript"] if line["by"] == "shopper"]
    assert written == [EN.begin, "[signed in]", "I want to talk to a person"]


def test_newsletter_goes_to_the_address_of_whoever_has_signed_in(stage: Stage) -> None:
    sender = stage.begin(WEB)
    assert "Which e-mail" in stage.say(sender, "sign me up for the newsletter").words
    assert "emma@example.com" in sign_in(stage, sender, EN).words


def test_question_of_another_kind_comes_again(stage: Stage) -> None:
    sender = stage.begin(WEB)
    stage.sign_in(sender, EN.email)
    asked = stage.say(sender, EN.begin_again)
    again = stage.say(sender, SIGNED_IN)
    assert titles(again) == titles(asked) != []


def test_nothing_is_said_where_nothing_was_asked(stage: Stage) -> None:
    sender = stage.begin(WEB)
    stage.say(sender, "do you have red running shoes in size 39?")
    played = sign_in(stage, sender, EN)
    assert (played.actions, played.replies) == ([], [])


def test_nothing_is_said_of_a_task_that_was_left(stage: Stage) -> None:
    sender = stage.begin(WEB)
    stage.say(sender, EN.begin)
    stage.say(sender, "/stop_task")
    assert sign_in(stage, sender, EN).replies == []


def test_customer_whom_we_do_not_know_is_asked_as_before_and_not_thanked(stage: Stage) -> None:
    sender = stage.begin(WEB)
    asked = stage.say(sender, EN.begin)
    stage.sign_in(sender, "nobody@example.com")
    assert stage.say(sender, SIGNED_IN).words == asked.words


def test_whoever_has_signed_out_meanwhile_is_shown_nothing(stage: Stage) -> None:
    sender = stage.begin(WEB)
    asked = stage.say(sender, EN.begin)
    stage.sign_in(sender, EN.email, hours=-1)
    assert stage.say(sender, SIGNED_IN).words == asked.words
