"""What a person finds in the record of a handoff, and who answers while a person has the conversation."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from sqlalchemy import select

from commerce.models import Customer
from database import home_folder, transaction
from messaging import codes, handoffs, identities
from messaging.identities import Level
from messaging.models import Handoff
from messaging.secret import secret_key
from tests.conversations.runner import Played
from tests.conversations.stage import Stage

ANA = {"as": "ana@example.com", "at": "open"}
EMMA = {"as": "emma@example.com", "at": "open"}
CARLOS = {"as": "carlos@example.com", "at": "open"}


def talk(stage: Stage, metadata: dict[str, Any], *texts: str) -> str:
    """The sender of a conversation in which the shopper wrote these."""
    sender = stage.begin(metadata)
    for text in texts:
        stage.say(sender, text)
    return sender


def record(sender: str) -> dict[str, Any]:
    """The columns of the sender's newest handoff."""
    with transaction() as session:
        newest = session.execute(select(Handoff).where(Handoff.sender_id == sender).order_by(Handoff.id.desc())).scalars().first()
        assert newest is not None, "no handoff was opened"
        return {column.name: getattr(newest, column.name) for column in Handoff.__table__.columns}


def taken_by_agent(sender: str) -> int:
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        return int(handoffs.take(session, handoff.id, "Lucía", datetime.now(timezone.utc)).id)


def give_back(handoff_id: int, note: str = "") -> None:
    with transaction() as session:
        handoffs.give_back(session, handoff_id, datetime.now(timezone.utc), note)


def test_record_says_what_was_wanted_known_tried_and_written(stage: Stage) -> None:
    sender = talk(stage, ANA, "quiero devolver la camisa azul del 10201", "me queda chica", "mejor pásame con una persona")
    found = record(sender)
    assert (found["reason"], found["goal"], found["status"], found["language"]) == ("asked", "request_return", "waiting", "es")
    assert found["collected"]["order_number"] == "10201"
    assert found["collected"]["return_reason"] == "too_small"
    assert found["tried"] == ["request_return"]
    assert found["verdict"] is None
    written = [line["text"] for line in found["transcript"] if line["by"] == "shopper"]
    assert written == ["quiero devolver la camisa azul del 10201", "me queda chica", "mejor pásame con una persona"]
    assert any(line["by"] == "assistant" for line in found["transcript"])


def test_record_says_where_each_value_came_from(stage: Stage) -> None:
    asked = "quiero devolver la camisa azul del 10201"
    sender = talk(stage, ANA, asked, "me queda chica", "mejor pásame con una persona")
    found = record(sender)
    assert set(found["sources"]) == {slot for slot in found["collected"] if slot != "files"}
    told = {slot: (source["from"], source["text"]) for slot, source in found["sources"].items()}
    assert told["order_number"] == told["return_items"] == ("said", asked)
    assert told["return_reason"] == ("said", "me queda chica")
    assert all(datetime.fromisoformat(source["at"]).tzinfo for source in found["sources"].values())


def test_code_that_is_written_to_a_person_proves_who_it_is(stage: Stage) -> None:
    """The assistant is silent, and knows it all the same."""
    sender = talk(stage, {"at": "open"}, "I want an agent")
    handoff = taken_by_agent(sender)
    with transaction() as session:
        ana = session.execute(select(Customer).where(Customer.email == "ana@example.com")).scalar_one()
        at = datetime.now(timezone.utc)
        requested = codes.request_code(session, sender, "ana@example.com", ana.id, at, secret_key(home_folder()))
        customer = int(ana.id)
    assert stage.say(sender, f"it is {requested.code}").replies == []
    with transaction() as session:
        known = identities.identity(session, str(handoffs.by_id(session, handoff).channel), sender, datetime.now(timezone.utc))
        assert (known.customer_id, known.level) == (customer, Level.proven)
        assert handoffs.by_id(session, handoff).customer_id == customer


def test_record_names_the_customer_that_the_channel_vouches_for(stage: Stage) -> None:
    assert record(talk(stage, ANA, "quiero un agente"))["customer_id"] is not None
    assert record(talk(stage, {"at": "open"}, "quiero un agente"))["customer_id"] is None


def test_policy_verdict_is_in_the_record_with_its_rule(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to cancel order 10234, ordered by mistake")
    found = record(sender)
    assert (found["reason"], found["goal"]) == ("policy", "cancel_order")
    assert found["verdict"]["verdict"] == "needs_human"
    assert found["verdict"]["rule"]
    assert found["collected"]["order_number"] == "10234"


def test_tapped_button_is_in_the_transcript_by_its_title(stage: Stage) -> None:
    sender = stage.begin(ANA)
    shown = stage.say(sender, "menú")
    tapped = [button for reply in shown.replies for button in reply["buttons"]][-1]
    stage.say(sender, tapped["payload"])
    assert record(sender)["transcript"][-1] == {**record(sender)["transcript"][-1], "by": "shopper", "text": tapped["title"]}


def test_card_number_is_masked_in_the_record(stage: Stage) -> None:
    sender = talk(stage, ANA, "cobra a mi tarjeta 4111 1111 1111 1111", "quiero un agente")
    assert "4111" not in str(record(sender))


def test_low_rating_that_wants_a_person_is_recorded_as_anger(stage: Stage) -> None:
    sender = talk(stage, EMMA, "cancel order 10233, I found it cheaper", "yes", "1", "yes")
    assert (record(sender)["reason"], record(sender)["tried"]) == ("anger", ["cancel_order"])


def test_third_misunderstanding_is_recorded(stage: Stage) -> None:
    sender = talk(stage, EMMA, "qwe asd zxc", "asdf qwer", "zorp blick")
    assert record(sender)["reason"] == "misunderstood"


def test_asking_twice_keeps_one_record_and_its_place(stage: Stage) -> None:
    sender = talk(stage, ANA, "quiero hablar con una persona", "dónde está mi pedido 10202", "sigo esperando a un agente")
    with transaction() as session:
        rows = session.execute(select(Handoff).where(Handoff.sender_id == sender)).scalars().all()
        assert len(rows) == 1
        assert rows[0].transcript[-1]["text"] == "sigo esperando a un agente"


def test_never_mind_closes_the_record(stage: Stage) -> None:
    sender = talk(stage, ANA, "quiero hablar con una persona", "olvídalo")
    assert record(sender)["status"] == "cancelled"


def test_out_of_hours_the_record_is_a_call_back(stage: Stage) -> None:
    found = record(talk(stage, {**ANA, "at": "closed"}, "quiero hablar con una persona"))
    assert found["status"] == "callback"
    assert found["callback_at"] is not None


# While a person has the conversation


def test_bot_is_silent_while_a_person_has_the_conversation(stage: Stage) -> None:
    sender = talk(stage, ANA, "quiero hablar con una persona")
    taken_by_agent(sender)
    for text in ("hola Lucía", "dónde está mi pedido 10202", "cancela el 10203", "olvídalo"):
        played = stage.say(sender, text)
        assert (played.replies, played.actions) == ([], []), text


def test_bot_is_silent_in_a_form_while_a_person_has_the_conversation(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to return the shirt from 10231", "get me a human")
    taken_by_agent(sender)
    assert stage.say(sender, "it's too small").replies == []


def test_request_after_the_conversation_was_given_back_is_answered_after_a_recap(stage: Stage) -> None:
    sender = talk(stage, ANA, "quiero hablar con una persona")
    give_back(taken_by_agent(sender))
    played = stage.say(sender, "dónde está mi pedido 10202")
    assert played.actions == ["action_recap", "track_order_form", "action_track_order"]
    assert "soy otra vez el asistente" in played.words
    assert "10202" in played.words
    assert stage.say(sender, "gracias").actions == ["action_answer_thanks"]  # one recap, not two


def test_question_after_a_recap_is_answered(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to talk to a person")
    give_back(taken_by_agent(sender))
    played = stage.say(sender, "what are your opening hours?")
    assert played.actions == ["action_recap", "action_answer_faq"]


def test_small_talk_after_the_conversation_was_given_back_gets_the_recap_alone(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to talk to a person")
    give_back(taken_by_agent(sender))
    played = stage.say(sender, "thanks")
    assert played.actions == ["action_recap"]
    assert "it's the assistant again" in played.words
    assert stage.say(sender, "where is my order 10232?").actions == ["track_order_form", "action_track_order"]


def test_open_form_goes_on_after_a_recap(stage: Stage) -> None:
    sender = talk(stage, ANA, "quiero devolver la camisa azul del 10201", "quiero un agente")
    give_back(taken_by_agent(sender))
    played = stage.say(sender, "hola")
    assert played.actions == ["action_recap", "return_request_form"]
    assert "Devolver algo" in played.words
    assert "motivo" in played.words
    assert "Cómo prefieres enviarlo" in stage.say(sender, "me queda chica").words


def test_answer_to_the_open_form_is_taken_after_a_recap(stage: Stage) -> None:
    sender = talk(stage, EMMA, "I want to return the shirt from 10231", "get me a human")
    give_back(taken_by_agent(sender))
    played = stage.say(sender, "it's too small")
    assert played.actions == ["action_recap", "return_request_form"]
    assert "How would you like to send it back" in played.words


@pytest.mark.parametrize(
    ("metadata", "asked", "hello", "told"),
    [
        (
            ANA,
            ("dónde está mi pedido 10202", "quiero hablar con una persona"),
            "hola",
            ["del pedido 10202: Dónde está mi pedido", "«Le pedí a Ñandú que lo busque {mañana}»", "¿Te ayudo con algo más?"],
        ),
        (
            EMMA,
            ("where is my order 10232", "I want to talk to a person"),
            "hello",
            ["about order 10232: Where is my order", "“Le pedí a Ñandú que lo busque {mañana}”", "What else can I do for you?"],
        ),
    ],
)
def test_recap_tells_the_goal_the_order_and_the_persons_note(
    stage: Stage, metadata: dict[str, Any], asked: tuple[str, ...], hello: str, told: list[str]
) -> None:
    sender = talk(stage, metadata, *asked)
    give_back(taken_by_agent(sender), "Le pedí a Ñandú que lo busque {mañana}")
    played = stage.say(sender, hello)
    assert played.actions == ["action_recap"]
    assert [words for words in told if words not in played.words] == []


@pytest.mark.parametrize(
    ("metadata", "asked", "answer", "told"),
    [
        (ANA, ("quiero devolver la camisa azul del 10201", "quiero un agente"), "me queda chica", "«Ana lo envía el lunes»"),
        (EMMA, ("I want to return the shirt from 10231", "get me a human"), "it's too small", "“Ana lo envía el lunes”"),
    ],
)
def test_note_is_told_before_an_open_form_goes_on(
    stage: Stage, metadata: dict[str, Any], asked: tuple[str, ...], answer: str, told: str
) -> None:
    sender = talk(stage, metadata, *asked)
    give_back(taken_by_agent(sender), "Ana lo envía el lunes")
    played = stage.say(sender, answer)
    assert played.actions == ["action_recap", "return_request_form"]
    assert told in played.words


def test_recap_is_of_the_handoff_that_was_given_back_last(stage: Stage) -> None:
    sender = talk(stage, EMMA, "where is my order 10232", "I want to talk to a person")
    give_back(taken_by_agent(sender), "the first note")
    stage.say(sender, "how many points do I have?")
    stage.say(sender, "I want to talk to a person")
    give_back(taken_by_agent(sender), "the second note")
    words = stage.say(sender, "hi").words
    assert "My points" in words
    assert "the second note" in words
    assert "the first note" not in words


@pytest.mark.parametrize(
    ("metadata", "asked", "code"),
    [
        ({"at": "open"}, "dónde está mi pedido 10202", "mi código es 482 913"),
        ({"at": "open"}, "where is my order 10232", "482913"),
    ],
)
def test_one_time_code_is_masked_in_the_record(stage: Stage, metadata: dict[str, Any], asked: str, code: str) -> None:
    sender = talk(stage, metadata, asked, "ana@example.com", code, "agent" if code == "482913" else "quiero un agente")
    written = " ".join(line["text"] for line in record(sender)["transcript"])  # the times may hold any digits
    assert "[code]" in written
    assert "913" not in written


def test_message_that_is_heard_again_is_in_the_record_once(stage: Stage) -> None:
    sender = talk(stage, ANA, "quiero hablar con una persona")
    give_back(taken_by_agent(sender))
    stage.say(sender, "pásame otra vez con un agente")
    written = [line["text"] for line in record(sender)["transcript"] if line["by"] == "shopper"]
    assert written == ["quiero hablar con una persona", "pásame otra vez con un agente"]


@pytest.mark.parametrize(("metadata", "text"), [(ANA, "quiero hablar con una persona"), (EMMA, "I want to talk to a person")])
def test_expected_wait_is_told_in_the_shoppers_language(stage: Stage, metadata: dict[str, Any], text: str) -> None:
    played: Played = stage.say(stage.begin(metadata), text)
    assert "5 minut" in played.words


def test_the_wait_grows_with_everybody_who_asked_before(stage: Stage) -> None:
    sender = stage.begin({"at": "open"})
    for other in ("first", "second", "third"):
        stage.say(f"{other}-{sender}", "can I talk to a person?")
    assert "11 minutes" in stage.say(sender, "can I talk to a person?").words  # 5, and 2 for each of the three


def test_where_a_stranger_wants_to_be_called_back_is_in_the_record(stage: Stage) -> None:
    sender = talk(stage, {"at": "closed"}, "can I talk to a person?", "rita@example.com")
    assert record(sender)["collected"]["contact"] == "rita@example.com"
