"""What somebody began on one channel goes on on the other: for whoever it is, and for nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.channels.whatsapp.receiving import GOES_ON_HERE
from commerce.models import ReturnAuthorization
from database import transaction
from messaging import channel_links, chat_log, tasks_at_hand
from messaging.channel_links import UNLINKED
from messaging.models import ChannelLink, TaskAtHand, WebVisitor
from messaging.tasks_at_hand import MOVED
from tests.conversations.runner import Played
from tests.conversations.stage import Stage

FORM = "return_request_form"


@dataclass(frozen=True)
class Talk:
    """What one shopper says, and what the answers are known by."""

    language: str
    email: str
    begin: str
    reason: str
    begin_again: str  # without a word about what
    yes: str
    no: str
    item: str
    order: str
    how: str  # the question after the reason
    which: str  # the question for the order
    who: str  # the question for an e-mail
    on_whatsapp: str
    in_web_chat: str
    gone_on: str
    not_good: str


ES = Talk(
    "es", "ana@example.com", "quiero devolver la camisa azul del 10201", "me queda chica", "quiero devolver algo", "sí", "no",
    "Camisa Oxford (azul, M)", "10201", "¿Cómo prefieres enviarlo de vuelta?", "pedido", "correo o teléfono",
    "en WhatsApp", "en el chat de la web", "Esto sigue", "Ese código no me sirve",
)  # fmt: skip
EN = Talk(
    "en", "emma@example.com", "I want to return the blue shirt from order 10231", "it's too small", "I want to return something",
    "yes", "no", "Oxford Shirt (blue, M)", "10231", "How would you like to send it back?", "order", "e-mail or phone",
    "on WhatsApp", "in the web chat", "This continues", "I can't use that code",
)  # fmt: skip
PT = Talk(
    "pt", "joao@example.com", "quero devolver a camiseta preta do 10291", "ficou pequena",
    "quero devolver uma coisa", "sim", "não",
    "Camiseta básica (preto, L)", "10291", "Como você prefere mandar de volta?", "pedido", "e-mail ou telefone",
    "no WhatsApp", "no chat do site", "Isto continua", "Esse código não serve",
)  # fmt: skip
NB = Talk(
    "nb", "ingrid@example.com", "jeg vil returnere genseren fra 10311", "den er for liten", "jeg vil returnere noe", "ja", "nei",
    "Ullgenser (marineblå, M)", "10311", "Hvordan vil du sende det tilbake?", "bestilling", "e-post",
    "på WhatsApp", "i chatten på nettsiden", "Dette fortsetter", "Den koden kan jeg ikke bruke",
)  # fmt: skip
everywhere = pytest.mark.parametrize("talk", [ES, EN, PT, NB], ids=lambda talk: talk.language)


def now() -> datetime:
    return datetime.now(timezone.utc)


def web(stage: Stage, talk: Talk, **more: Any) -> str:
    """The return, begun in the web chat."""
    sender = stage.begin({"channel": "webchat", "as": talk.email, **more})
    stage.say(sender, talk.begin)
    stage.say(sender, talk.reason)
    return sender


def whatsapp(stage: Stage, talk: Talk) -> str:
    """The return, begun on WhatsApp by a number on file."""
    sender = stage.begin({"channel": "whatsapp", "as": talk.email})
    stage.say(sender, talk.begin)
    stage.say(sender, talk.reason)
    return sender


def code_of(sender: str, at: datetime | None = None) -> str:
    with transaction() as session:
        code = channel_links.offer(session, sender, at or now())
    assert code is not None
    return code


def bring(stage: Stage, sender: str, code: str, language: str) -> Played:
    """The code comes in on WhatsApp, as its connector has it (tests/bot/whatsapp/test_going_on.py)."""
    with transaction() as session:
        found = channel_links.code_in(session, channel_links.text_with(code, language))
    assert found is not None
    return stage.say(sender, GOES_ON_HERE, {"link": found.mark, "words": found.words, "language": found.language})


def prove(stage: Stage, sender: str, email: str) -> Played:
    stage.say(sender, email)
    return stage.say(sender, stage.newest_code())


def task_of(sender: str) -> TaskAtHand | None:
    with transaction() as session:
        return tasks_at_hand.of(session, sender)


def returns_made() -> int:
    with transaction() as session:
        return int(session.execute(select(func.count()).select_from(ReturnAuthorization)).scalar_one())


def shows(talk: Talk, words: str) -> bool:
    return talk.item in words or talk.order in words


# By a code from the web chat


@everywhere
def test_return_begun_in_the_web_chat_goes_on_on_whatsapp_with_the_same_item(stage: Stage, talk: Talk) -> None:
    there = web(stage, talk)
    collected = {name: stage.slots_of(there)[name] for name in ("order_number", "return_items", "return_reason")}
    here = stage.join({"channel": "whatsapp", "as": talk.email})
    offered = bring(stage, here, code_of(there), talk.language)
    assert talk.item in offered.words
    assert talk.in_web_chat in offered.words
    taken = stage.say(here, talk.yes)
    assert taken.actions == ["action_follow_offer", FORM]
    assert talk.how in taken.words
    assert {name: stage.slots_of(here)[name] for name in collected} == collected


@everywhere
def test_channel_that_a_task_has_left_says_so_and_leaves_it(stage: Stage, talk: Talk) -> None:
    there = web(stage, talk)
    here = stage.join({"channel": "whatsapp", "as": talk.email})
    bring(stage, here, code_of(there), talk.language)
    stage.say(here, talk.yes)
    stage.let_timers_fire(there, MOVED)
    assert stage.form_of(there) is None
    assert task_of(there) is None
    said = stage.newest_words()
    assert talk.gone_on in said
    assert talk.on_whatsapp in said


def test_task_that_went_on_elsewhere_is_done_once(stage: Stage) -> None:
    there = web(stage, ES)
    stage.say(there, "lo dejo en un punto de entrega")
    assert "Así quedaría tu devolución" in stage.say(there, "como pagué").words
    before = returns_made()
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    bring(stage, here, code_of(there), "es")
    assert "Así quedaría tu devolución" in stage.say(here, "sí").words
    stage.say(there, "sí")  # before it was told that this went on elsewhere
    assert returns_made() == before
    assert "RMA-" in stage.say(here, "sí").words
    assert returns_made() == before + 1


@everywhere
def test_code_that_was_used_is_answered_kindly_and_shows_nothing(stage: Stage, talk: Talk) -> None:
    there = web(stage, talk)
    code = code_of(there)
    bring(stage, stage.join({"channel": "whatsapp", "as": talk.email}), code, talk.language)
    played = bring(stage, stage.join({"channel": "whatsapp", "phone": "+34699999999"}), code, talk.language)
    assert talk.not_good in played.words
    assert not shows(talk, played.words)


def test_code_that_is_too_old_is_answered_kindly(stage: Stage) -> None:
    there = web(stage, ES)
    code = code_of(there, now() - channel_links.CODE_LIFETIME)
    played = bring(stage, stage.join({"channel": "whatsapp", "as": ES.email}), code, "es")
    assert ES.not_good in played.words
    assert not shows(ES, played.words)


@everywhere
def test_stranger_to_whom_the_code_was_forwarded_sees_nothing_and_stops_nothing(stage: Stage, talk: Talk) -> None:
    there = web(stage, talk)
    here = stage.join({"channel": "whatsapp", "phone": "+34699999999"})
    offered = bring(stage, here, code_of(there), talk.language)
    taken = stage.say(here, talk.yes)
    assert talk.who in taken.words
    assert not shows(talk, offered.words + taken.words)
    known = stage.slots_of(here)
    assert (known["order_number"], known["return_items"], known["wanted_order"]) == (None, None, None)
    assert not (known["item_words"] or {}).get("categories")
    assert stage.form_of(there) == FORM
    assert task_of(there) is not None


def test_stranger_who_proves_to_be_another_customer_gets_nothing(stage: Stage) -> None:
    there = web(stage, ES)
    here = stage.join({"channel": "whatsapp", "phone": "+34699999999"})
    bring(stage, here, code_of(there), "es")
    stage.say(here, "sí")
    played = prove(stage, here, "emma@example.com")
    assert ES.order not in played.words
    assert stage.slots_of(here)["order_number"] != ES.order
    assert task_of(there) is not None


def test_another_customers_number_is_told_nothing_of_the_task(stage: Stage) -> None:
    there = web(stage, ES)
    played = bring(stage, stage.join({"channel": "whatsapp", "as": "emma@example.com"}), code_of(there), "es")
    assert played.actions == ["action_go_on_here"]
    assert [reply for reply in played.replies if reply.get("buttons")] == []  # nothing is offered
    assert not shows(ES, played.words)


@everywhere
def test_whoever_proves_on_a_new_phone_to_be_the_same_goes_on_with_the_same_item(stage: Stage, talk: Talk) -> None:
    there = web(stage, talk)
    here = stage.join({"channel": "whatsapp", "phone": "+34699999999"})
    bring(stage, here, code_of(there), talk.language)
    stage.say(here, talk.yes)
    played = prove(stage, here, talk.email)
    assert talk.how in played.words
    assert stage.slots_of(here)["order_number"] == talk.order
    assert task_of(there) is None


def test_whoever_names_another_thing_before_they_are_known_goes_on_with_that(stage: Stage) -> None:
    there = web(stage, ES)
    here = stage.join({"channel": "whatsapp", "phone": "+34699999999"})
    bring(stage, here, code_of(there), "es")
    stage.say(here, "sí")
    stage.say(here, "no, mejor el pedido 10202")
    prove(stage, here, ES.email)
    assert stage.slots_of(here)["order_number"] != ES.order
    assert task_of(there) is not None


def test_code_brings_nothing_of_whatsapp_into_the_browser(stage: Stage) -> None:
    there = stage.begin({"channel": "webchat"})
    stage.say(there, "hola")
    here = stage.join({"channel": "whatsapp", "phone": "+34699999999"})
    bring(stage, here, code_of(there), "es")
    stage.say(here, "quiero devolver la camisa azul")
    stage.say(there, "quiero ver mis puntos")
    played = prove(stage, there, ES.email)
    assert played.actions[-1] == "action_tell_points"
    assert ES.on_whatsapp not in played.words


def test_nothing_is_offered_of_a_web_conversation_that_was_closed(stage: Stage) -> None:
    there = web(stage, ES)
    with transaction() as session:
        times = dict.fromkeys(("rotated_at", "created_at", "seen_at", "revoked_at"), now())
        session.add(WebVisitor(sender_id=there, **times))
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    assert ES.in_web_chat not in stage.say(here, ES.begin_again).words


def test_what_an_unknown_visitor_said_of_the_item_is_looked_for_here(stage: Stage) -> None:
    there = stage.begin({"channel": "webchat"})
    assert ES.who in stage.say(there, "quiero devolver la camisa azul, me queda chica").words
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    assert "Devolver algo" in bring(stage, here, code_of(there), "es").words
    assert ES.how in stage.say(here, "sí").words
    assert stage.slots_of(here)["order_number"] == ES.order


def test_task_at_hand_is_the_one_asked_about_and_none_once_it_is_left(stage: Stage) -> None:
    there = web(stage, ES)
    stage.say(there, "¿dónde está mi pedido?")  # the return is interrupted
    assert (task := task_of(there)) is not None
    assert task.form == "track_order_form"
    stage.say(there, "/stop_task")
    stage.say(there, "no")
    assert task_of(there) is None


def test_conversation_without_a_task_goes_on_with_a_question(stage: Stage) -> None:
    there = stage.begin({"channel": "webchat"})
    stage.say(there, "hola")
    played = bring(stage, stage.join({"channel": "whatsapp", "phone": "+34699999999"}), code_of(there), "es")
    assert "¿En qué te ayudo?" in played.words


def test_code_in_the_middle_of_a_task_does_not_end_it(stage: Stage) -> None:
    there = web(stage, ES)
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    stage.say(here, "quiero cancelar mi pedido 10203")
    played = bring(stage, here, code_of(there), "es")
    assert played.actions == ["action_go_on_here", "cancel_order_form"]


# By who it is


@everywhere
def test_return_begun_on_whatsapp_is_offered_to_whoever_proves_in_the_web_chat_to_be_the_same(stage: Stage, talk: Talk) -> None:
    there = whatsapp(stage, talk)
    here = stage.join({"channel": "webchat"})
    stage.say(here, talk.begin_again)
    offered = prove(stage, here, talk.email)
    assert talk.item in offered.words
    assert talk.on_whatsapp in offered.words
    assert talk.how in stage.say(here, talk.yes).words
    assert stage.slots_of(here)["order_number"] == talk.order
    stage.let_timers_fire(there, MOVED)
    assert stage.form_of(there) is None
    assert talk.in_web_chat in stage.newest_words()


@everywhere
def test_refused_it_stays_where_it_was_begun_and_is_not_offered_again(stage: Stage, talk: Talk) -> None:
    there = whatsapp(stage, talk)
    here = stage.join({"channel": "webchat"})
    stage.say(here, talk.begin_again)
    prove(stage, here, talk.email)
    refused = stage.say(here, talk.no)
    assert refused.actions[-1] == FORM
    assert stage.slots_of(here)["return_reason"] is None
    assert stage.form_of(there) == FORM
    assert task_of(there) is not None
    assert talk.on_whatsapp not in refused.words
    stage.say(here, "/stop_task")
    assert talk.on_whatsapp not in stage.say(here, talk.begin_again).words


def test_after_something_else_it_is_offered_too(stage: Stage) -> None:
    whatsapp(stage, ES)
    here = stage.join({"channel": "webchat"})
    stage.say(here, "quiero ver mis puntos")
    played = prove(stage, here, ES.email)
    assert played.actions[-1] == "action_tell_points"
    assert ES.item in played.words
    assert stage.say(here, "no").actions == ["action_follow_offer"]


def test_begun_in_the_web_chat_it_is_offered_to_a_number_on_file(stage: Stage) -> None:
    web(stage, ES)
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    played = stage.say(here, ES.begin_again)
    assert ES.item in played.words
    assert ES.in_web_chat in played.words


def test_shops_own_sign_in_is_enough_in_the_web_chat(stage: Stage) -> None:
    whatsapp(stage, ES)
    here = stage.join({"channel": "webchat"})
    stage.sign_in(here, ES.email)
    played = stage.say(here, ES.begin_again)
    assert ES.item in played.words
    assert ES.on_whatsapp in played.words


def test_code_that_no_task_waited_for_leads_to_the_offer(stage: Stage) -> None:
    whatsapp(stage, ES)
    here = stage.join({"channel": "webchat"})
    stage.say(here, "quiero ver mis puntos")
    stage.say(here, ES.email)
    stage.say(here, "olvídalo")
    stage.say(here, "quiero suscribirme al boletín")
    stage.say(here, "olvídalo")
    assert ES.item in stage.say(here, stage.newest_code()).words


def test_whoever_says_what_they_want_is_not_asked_about_something_else(stage: Stage) -> None:
    whatsapp(stage, ES)
    here = stage.join({"channel": "webchat"})
    stage.say(here, "quiero devolver el vestido")
    assert ES.item not in prove(stage, here, ES.email).words


def test_task_of_the_day_before_is_not_offered(stage: Stage) -> None:
    there = whatsapp(stage, ES)
    with transaction() as session:
        a_day_ago = now() - timedelta(hours=24)
        session.execute(update(TaskAtHand).where(TaskAtHand.sender_id == there).values(at=a_day_ago))
    here = stage.join({"channel": "webchat"})
    stage.say(here, ES.begin_again)
    assert ES.on_whatsapp not in prove(stage, here, ES.email).words


@everywhere
def test_another_customers_e_mail_brings_nothing_without_its_code(stage: Stage, talk: Talk) -> None:
    there = whatsapp(stage, talk)
    here = stage.join({"channel": "webchat"})
    asked = stage.say(here, talk.begin_again)
    typed = stage.say(here, talk.email)
    guessed = stage.say(here, "000000" if stage.newest_code() != "000000" else "111111")
    for played in (asked, typed, guessed):
        assert not shows(talk, played.words)
        assert talk.on_whatsapp not in played.words
    assert stage.form_of(there) == FORM


def test_another_customer_is_offered_nothing(stage: Stage) -> None:
    whatsapp(stage, ES)
    here = stage.join({"channel": "webchat"})
    stage.say(here, ES.begin_again)
    played = prove(stage, here, "emma@example.com")
    assert ES.on_whatsapp not in played.words
    assert ES.order not in played.words


def test_number_that_is_somebody_elses_by_now_brings_nothing(stage: Stage) -> None:
    from tests.conversations.test_known_by_phone import set_phone

    there = whatsapp(stage, ES)
    set_phone(there, "+34699999999")
    here = stage.join({"channel": "webchat"})
    stage.say(here, ES.begin_again)
    assert ES.on_whatsapp not in prove(stage, here, ES.email).words


# Undone


def events_of(sender: str) -> list[dict[str, Any]]:
    with transaction() as session:
        return [dict(each.content) for each in chat_log.after(session, sender, 0)]


def test_link_undone_in_the_web_chat_ends_on_whatsapp_what_came_from_there(stage: Stage) -> None:
    there = web(stage, ES)
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    bring(stage, here, code_of(there), "es")
    stage.say(here, "sí")
    with transaction() as session:
        assert channel_links.undo(session, there, now())
        assert channel_links.linked(session, here) is None
    stage.let_timers_fire(here, UNLINKED)
    assert stage.form_of(here) is None
    assert "separaron esta conversación" in stage.newest_words()
    assert [each["event"] for each in events_of(there)] == ["on_whatsapp", "unlinked"]


def test_link_undone_in_the_web_chat_leaves_what_was_begun_on_whatsapp(stage: Stage) -> None:
    there = web(stage, ES)
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    bring(stage, here, code_of(there), "es")
    stage.say(here, "quiero cancelar mi pedido 10203")
    with transaction() as session:
        channel_links.undo(session, there, now())
    stage.let_timers_fire(here, UNLINKED)
    assert stage.form_of(here) == "cancel_order_form"
    assert stage.newest_words() == ""


@everywhere
def test_whoever_says_that_is_not_me_undoes_the_link(stage: Stage, talk: Talk) -> None:
    there = web(stage, talk)
    here = stage.join({"channel": "whatsapp", "phone": "+34699999999"})
    offered = bring(stage, here, code_of(there), talk.language)
    [button] = [each for each in offered.replies[-1]["buttons"] if "beside" in each["payload"]]
    undone = stage.say(here, button["payload"])
    assert undone.actions == ["action_follow_offer", "action_end_link"]
    assert talk.in_web_chat.split()[-1] in undone.words
    with transaction() as session:
        assert channel_links.linked(session, there) is None
    assert events_of(there)[-1] == {"event": "unlinked"}
    assert task_of(there) is not None


def test_whoever_signs_out_undoes_the_link(stage: Stage) -> None:
    there = web(stage, ES)
    here = stage.join({"channel": "whatsapp", "as": ES.email})
    bring(stage, here, code_of(there), "es")
    assert "action_sign_out" in stage.say(here, "no soy Ana").actions
    with transaction() as session:
        assert channel_links.linked(session, there) is None


def test_erasure_of_the_customer_removes_links_and_tasks(stage: Stage) -> None:
    owen = "owen.thompson85@example.org"
    there = stage.begin({"channel": "webchat", "as": owen})
    stage.say(there, EN.begin_again)
    here = stage.join({"channel": "whatsapp", "as": owen})
    bring(stage, here, code_of(there), "en")
    assert task_of(there) is not None
    stage.say(here, "i want all my personal information deleted")
    stage.say(here, stage.newest_code())
    assert "your data is erased" in stage.say(here, "yes, erase it").words
    with transaction() as session:
        assert session.execute(select(TaskAtHand)).first() is None
        assert session.execute(select(ChannelLink)).first() is None
