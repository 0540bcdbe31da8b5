"""One transcript over all conversations that are proven to be the shopper's, and over no other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.orm import Session

from desk.same_person import talks_of
from desk.transcript import Rows, Transcript
from messaging import channel_links, codes, conversations, handoffs, identities
from messaging.models import Handoff, InboundMessage, OutboundMessage, ReceivedFile
from messaging.turns import outbox
from messaging.turns.inbox import Inbound, note, receive, withdraw
from tests.desk.live.conftest import always_open

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)
ANA, LUIS = 1, 2


class Talk:
    """Writes into the tables as channels do."""

    def __init__(self, session: Session) -> None:
        self.session, self.now, self._turn = session, NOW, 100

    def later(self, **more: float) -> Talk:
        self.now += timedelta(**(more or {"seconds": 10}))
        return self

    def says(self, text: str, sender_id: str = "wa-1", channel: str = "whatsapp", **details: Any) -> int:
        self.later()
        conversations.conversation(self.session, sender_id, channel, self.now)
        message = Inbound(channel, f"{sender_id}/{self.now.timestamp()}", sender_id, text, details)
        return receive(self.session, message, self.now).id

    def replies(self, *contents: dict[str, Any], sender_id: str = "wa-1", channel: str = "whatsapp", **more: Any) -> int:
        self.later()
        self._turn += 1
        about = {"turn_id": self._turn, "channel": channel, "sender_id": sender_id, "trace_id": "0" * 32}
        outbox.put(self.session, contents=contents, now=self.now, **about, **more)
        return self._turn

    def asks(self, sender_id: str = "wa-1", channel: str = "whatsapp", **more: Any) -> Handoff:
        self.later()
        values: dict[str, Any] = {"customer_id": None, "language": "es", "reason": "asked", "goal": None, "collected": {}, **more}
        facts = {"tried": [], "verdict": None, "transcript": values.pop("transcript", []), "now": self.now}
        opened = handoffs.open_handoff(
            self.session, sender_id=sender_id, channel=channel, **values, **facts, calendar=always_open()
        )
        return opened.handoff

    def proves(self, customer_id: int, sender_id: str, channel: str, **more: Any) -> None:
        self.later()
        identities.prove_identity(self.session, channel, sender_id, customer_id, self.now, **more)

    def shown(self, handoff: Handoff, before: str = "", most: int = 50) -> list[dict[str, Any]]:
        return self.transcript(handoff).page(before, most)[0]

    def transcript(self, handoff: Handoff) -> Transcript:
        return Transcript(self.session, handoff, talks_of(self.session, handoff, self.now), lambda name: f"signed:{name}")

    def texts(self, handoff: Handoff) -> list[str]:
        inside = [entry for entry in self.shown(handoff) if entry["by"] != "event"]
        return [str(part.get("text") or part["kind"]) for entry in inside for part in entry["parts"]]


@pytest.fixture
def talk(session: Session) -> Talk:
    return Talk(session)


def test_a_conversation_in_order(talk: Talk) -> None:
    talk.says("hola")
    turn = talk.replies({"text": "¿En qué te ayudo?"}, {"text": "Dime."})
    handoff = talk.asks()
    talk.says("una persona")
    shown = talk.shown(handoff)
    assert [entry["by"] for entry in shown] == ["shopper", "assistant", "assistant", "event", "shopper"]
    assert [entry["id"] for entry in shown][1:3] == [f"o{turn}-0", f"o{turn}-1"]
    assert shown[3]["event"] == "opened"


def test_a_tapped_button_is_its_title(talk: Talk) -> None:
    talk.says("/request_return", tapped="Devolver algo")
    talk.replies({"text": "¿Cuál?", "buttons": [{"title": "La camisa", "payload": '/inform{"line_id": 7}'}]})
    talk.says('/inform{"line_id": 7}')  # a channel that tells no title
    talk.says("/greet")
    assert talk.texts(talk.asks()) == ["Devolver algo", "¿Cuál?", "La camisa", "[greet]"]


def test_nothing_to_act_with_leaves(talk: Talk) -> None:
    talk.replies({"text": "¿Cuál?", "buttons": [{"title": "La camisa", "payload": '/inform{"line_id": 7}'}]})
    talk.replies({"attachment": {"type": "document", "payload": {"src": "labels/RMA-1.pdf", "name": "guia.pdf"}}})
    (choices, label, _event) = talk.shown(talk.asks())
    assert choices["parts"] == [{"kind": "choices", "text": "¿Cuál?", "choices": [{"title": "La camisa"}]}]
    assert label["parts"] == [{"kind": "file", "url": "signed:labels/RMA-1.pdf", "name": "guia.pdf"}]


def test_one_time_codes_are_masked(talk: Talk, session: Session) -> None:
    talk.says("mi pedido es 100 234")
    codes.request_code(session, "wa-1", "ana@example.com", ANA, talk.later().now, b"key")
    talk.says("es el 123456, creo")
    talk.later(minutes=30)
    talk.replies({"text": "Ese no es.", "utter_action": "utter_code_wrong"})
    talk.says("654321")
    talk.replies({"text": "Listo.", "utter_action": "utter_code_accepted"})
    talk.says("el pedido 200456")
    said = [text for text in talk.texts(talk.asks()) if "." not in text]
    assert said == ["mi pedido es 100 234", "es el [code], creo", "[code]", "el pedido 200456"]


def test_a_linked_conversations_code_is_masked(talk: Talk) -> None:
    talk.says("/goes_on_here", link="mark", words="sigo aquí ([code])")
    assert talk.texts(talk.asks()) == ["sigo aquí ([code])"]


def test_what_was_shared_is_shown(talk: Talk, session: Session) -> None:
    place = {"latitude": 19.42, "longitude": -99.16}
    talk.says("/share_location", location=place)
    talk.says("/share_contact", contacts=[{"name": "Luis", "phones": ["+52 55"]}])
    talk.says("/share_cart", cart=[{"sku": "SHIRT-M", "quantity": 2}])
    shown = [entry["parts"] for entry in talk.shown(talk.asks())][:3]
    assert shown[0] == [{"kind": "place", **place}]
    assert shown[1] == [{"kind": "people", "people": [{"name": "Luis", "phones": ["+52 55"], "emails": []}]}]
    assert shown[2] == [{"kind": "text", "text": "2 × SHIRT-M"}]


def test_a_picture_has_a_signed_address_once_it_is_there(talk: Talk, session: Session) -> None:
    id_ = talk.says("/share_picture", files=[{"provider_id": "f1", "kind": "image"}])
    row = session.get(InboundMessage, id_)
    about = {"channel": "whatsapp", "provider_id": "f1", "sender_id": "wa-1", "message_id": row.provider_id, "kind": "image"}
    file = ReceivedFile(**about, mime_type="image/jpeg", state="waiting", tries=0, received_at=NOW)
    session.add(file)
    session.flush()
    handoff = talk.asks()
    assert talk.shown(handoff)[0]["parts"] == [{"kind": "picture", "state": "waiting", "type": "image/jpeg"}]
    file.state, file.sha256, file.size = "stored", "ab" * 32, 12
    (picture,) = talk.shown(handoff)[0]["parts"]
    assert picture == {"kind": "picture", "url": f"signed:received:{file.id}", "type": "image/jpeg", "size": 12}


def test_what_a_shopper_took_back_is_not_shown(talk: Talk, session: Session) -> None:
    id_ = talk.says("olvídalo, es secreto")
    row = session.get(InboundMessage, id_)
    withdraw(session, "whatsapp", row.provider_id, "wa-1", talk.now)
    session.refresh(row)
    (entry, _) = talk.shown(talk.asks())
    assert (entry["parts"], entry["is_taken_back"]) == ([], True)


def test_a_reaction_is_shown_and_an_empty_note_is_not(talk: Talk, session: Session) -> None:
    talk.says("hola")
    for text, provider_id in (("👍", "r1"), ("", "r2")):
        told = Inbound("whatsapp", provider_id, "wa-1", text, {"whatsapp": {"type": "reaction"}})
        note(session, told, talk.later().now)
    assert talk.texts(talk.asks()) == ["hola", "👍"]


# Whose


def test_other_conversations_of_who_is_proven_in_both_are_shown(talk: Talk) -> None:
    talk.says("en la web", "web-1", "webchat")
    talk.proves(ANA, "web-1", "webchat")
    talk.says("en WhatsApp")
    talk.proves(ANA, "wa-1", "whatsapp")
    handoff = talk.asks(customer_id=ANA)
    assert talk.texts(handoff) == ["en la web", "en WhatsApp"]
    assert [entry["is_other_conversation"] for entry in talk.shown(handoff) if entry["by"] == "shopper"] == [True, False]


def test_a_number_on_file_proves_nothing(talk: Talk, session: Session) -> None:
    talk.says("en la web", "web-1", "webchat")
    talk.proves(ANA, "web-1", "webchat")
    talk.says("en WhatsApp")
    identities.assert_identity(session, "whatsapp", "wa-1", ANA, talk.now)
    assert talk.texts(talk.asks(customer_id=ANA)) == ["en WhatsApp"]


def test_two_customers_are_never_shown_together(talk: Talk) -> None:
    talk.says("soy Luis", "web-1", "webchat")
    talk.proves(LUIS, "web-1", "webchat")
    talk.says("soy Ana")
    talk.proves(ANA, "wa-1", "whatsapp")
    assert talk.texts(talk.asks(customer_id=ANA)) == ["soy Ana"]


def test_who_signed_out_is_not_who_writes_now(talk: Talk, session: Session) -> None:
    talk.says("antes, otra persona", "wa-2")
    talk.proves(LUIS, "wa-2", "whatsapp")
    identities.forget(session, "whatsapp", "wa-2", talk.later().now)
    talk.says("después, yo", "wa-2")
    talk.proves(ANA, "wa-2", "whatsapp")
    talk.says("en la web", "web-1", "webchat")
    talk.proves(ANA, "web-1", "webchat")
    assert talk.texts(talk.asks("web-1", "webchat", customer_id=ANA)) == ["después, yo", "en la web"]


def test_what_comes_after_a_proof_has_run_out_is_not_shown_elsewhere(talk: Talk) -> None:
    talk.says("yo", "web-1", "webchat")
    talk.proves(ANA, "web-1", "webchat", lifetime=timedelta(hours=1))
    talk.later(hours=2)
    talk.says("quién sabe quién", "web-1", "webchat")
    talk.says("en WhatsApp")
    talk.proves(ANA, "wa-1", "whatsapp")
    assert talk.texts(talk.asks(customer_id=ANA)) == ["yo", "en WhatsApp"]


def test_a_proof_that_ran_out_before_somebody_asked_proves_nothing(talk: Talk) -> None:
    talk.says("en la web", "web-1", "webchat")
    talk.proves(ANA, "web-1", "webchat")
    talk.says("en WhatsApp")
    talk.proves(ANA, "wa-1", "whatsapp", lifetime=timedelta(minutes=5))
    talk.later(minutes=10)
    assert talk.texts(talk.asks(customer_id=ANA)) == ["en WhatsApp"]


def test_a_conversation_that_was_joined_by_a_code_is_shown_unless_it_is_another_customers(talk: Talk, session: Session) -> None:
    talk.says("en la web", "web-1", "webchat")
    code = channel_links.offer(session, "web-1", talk.now)
    assert code is not None
    talk.says("en WhatsApp")
    channel_links.use(session, code, "wa-1", talk.now)
    handoff = talk.asks()
    assert talk.texts(handoff) == ["en la web", "en WhatsApp"]
    talk.proves(LUIS, "web-1", "webchat")
    assert talk.texts(handoff) == ["en WhatsApp"]


# Pages


def test_pages_have_every_entry_once(talk: Talk) -> None:
    for number in range(30):
        talk.says(f"pregunta {number}")
        talk.replies({"text": f"respuesta {number}"}, {"text": "¿algo más?"})
    handoff = talk.asks()
    transcript, seen, before = talk.transcript(handoff), [], ""
    while True:
        entries, has_more = transcript.page(before, 7)
        seen = [entry["id"] for entry in entries] + seen
        if not has_more:
            break
        before = entries[0]["id"]
    assert len(seen) == len(set(seen)) == 91
    assert seen == [entry["id"] for entry in transcript.page(most=200)[0]]


def test_a_page_before_no_entry_is_refused(talk: Talk) -> None:
    transcript = talk.transcript(talk.asks())
    for odd in ("i999999", "x1", "o1-", "o5-99", "t1-0", "1", "i" + "9" * 30, "e-1"):
        with pytest.raises(LookupError):
            transcript.page(odd)


def test_what_rows_are_gone_of_is_told_by_the_handoffs_own_transcript(talk: Talk, session: Session) -> None:
    old = [
        {"by": "shopper", "text": "hace mucho", "at": (NOW - timedelta(days=40)).timestamp()},
        {"by": "assistant", "text": "sí", "at": (NOW - timedelta(days=40)).isoformat()},
        {"by": "shopper", "text": "hola", "at": (NOW + timedelta(seconds=10)).timestamp()},
    ]
    talk.says("hola")
    handoff = talk.asks(transcript=old)
    assert talk.texts(handoff) == ["hace mucho", "sí", "hola"]
    first = talk.shown(handoff)[1]["id"]
    assert [entry["parts"][0]["text"] for entry in talk.shown(handoff, first)] == ["hace mucho"]
    session.query(InboundMessage).delete()
    assert talk.texts(handoff) == ["hace mucho", "sí", "hola"]


def test_rows_of_somebody_else_are_no_entries(talk: Talk) -> None:
    other = talk.says("ajeno", "wa-9")
    mine = talk.says("mío")
    shown = talk.transcript(talk.asks()).entries_of(Rows(i={other, mine}))
    assert [entry["id"] for entry in shown] == [f"i{mine}"]


def test_marks_follow_the_reply(talk: Talk, session: Session) -> None:
    talk.replies({"text": "a"})
    handoff = talk.asks()
    for state, mark in (
        ("sending", "sending"),
        ("sent", "sent"),
        ("read", "read"),
        ("withheld", "withheld"),
        ("failed", "failed"),
    ):
        session.query(OutboundMessage).update({"state": state, "error": "Undeliverable: no"})
        entry = talk.shown(handoff)[0]
        assert entry["mark"] == mark
        assert ("error" in entry) == (state == "failed")
