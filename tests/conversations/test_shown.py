"""What is left of what came without words: evidence of claims, and the record for the person who takes over."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, update

from actions import customer_data
from commerce.models import Claim
from commerce.privacy import traces_of
from database import transaction
from messaging import file_references, handoffs, received_files
from messaging.models import ReceivedFile
from messaging.secret import secret_key
from tendero.handoff_pages import page
from tests.conversations.runner import Played
from tests.conversations.stage import Stage
from tests.conversations.test_said_twice import MOST_QUESTIONS, REQUESTS, WHO, to_go_on

ANA = {"channel": "whatsapp", "as": "ana@example.com", "at": "open"}
BROKEN = "la camisa del 10201 llegó rota"
HASH = "ab" + "0" * 62


def picture(name: str = "m1", kind: str = "image") -> dict[str, object]:
    return {"files": [{"provider_id": name, "kind": kind}]}


def settle(stage: Stage, sender: str) -> None:
    for text in ("{again}", "sí"):
        stage.say(sender, "que me lo manden otra vez" if text == "{again}" else text)


def evidence() -> list[list[str]]:
    """Of the claims, the oldest first."""
    with transaction() as session:
        return [
            list(each)
            for each in session.execute(select(Claim.evidence).where(Claim.problem == "damaged").order_by(Claim.id)).scalars()
            if each
        ]


def references(sender: str) -> list[str]:
    with transaction() as session:
        files = session.execute(select(ReceivedFile).where(ReceivedFile.sender_id == sender).order_by(ReceivedFile.id)).scalars()
        return [file_references.reference(each) for each in files]


def store(sender: str, home: Path) -> Path:
    """As the download does once it is done."""
    with transaction() as session:
        session.execute(update(ReceivedFile).where(ReceivedFile.sender_id == sender).values(state="stored", sha256=HASH))
    file = received_files.path_of(home, HASH)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a picture")
    return file


def shown(sender: str) -> str:
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None, "no handoff was opened"
        return page(session, handoff)


def test_pictures_of_before_and_during_the_claim_are_its_evidence(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "/share_picture", picture("m1"))
    stage.say(sender, BROKEN)
    stage.say(sender, "/share_video", picture("m2", "video"))
    settle(stage, sender)
    assert evidence() == [references(sender)]
    assert len(references(sender)) == 2


def test_picture_sent_at_the_summary_makes_a_new_one_and_is_kept_with_the_claim(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, BROKEN, picture("m1"))
    stage.say(sender, "que me lo manden otra vez")
    again = stage.say(sender, "/share_picture", picture("m2"))
    assert "Te mandaría otra vez" in again.words
    stage.say(sender, "sí")
    assert evidence() == [references(sender)]
    assert len(references(sender)) == 2


def test_picture_of_an_hour_ago_is_not_the_claims(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "/share_picture", picture())
    with transaction() as session:
        begin = datetime.fromisoformat(stage.clock.read_text()) - timedelta(minutes=31)
        session.execute(update(ReceivedFile).where(ReceivedFile.sender_id == sender).values(received_at=begin))
    assert "¿Me mandas una foto" in stage.say(sender, BROKEN).words


def test_picture_that_could_not_be_downloaded_is_asked_for(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "/share_picture", picture())
    with transaction() as session:
        session.execute(update(ReceivedFile).where(ReceivedFile.sender_id == sender).values(state="failed"))
    assert "¿Me mandas una foto" in stage.say(sender, BROKEN).words


def test_picture_of_one_claim_is_no_evidence_of_the_next(stage: Stage) -> None:
    sender = stage.begin({**ANA, "as": "carlos@example.com"})
    stage.say(sender, "las botas del 10257 llegaron rotas", picture())
    settle(stage, sender)
    played = stage.say(sender, "los mocasines del 10257 también llegaron rotos")
    assert "¿Me mandas una foto" in played.words


def sign_in(stage: Stage, sender: str, email: str) -> Played:
    """Within a task that needs to know who writes."""
    stage.say(sender, email)
    return stage.say(sender, "{code}")


def later(stage: Stage) -> None:
    """Somebody else has the phone now."""
    stage.clock.write_text((datetime.fromisoformat(stage.clock.read_text()) + timedelta(minutes=5)).isoformat())


def test_picture_that_another_customer_sent_is_no_evidence(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "¿dónde está mi pedido 10202?")
    stage.say(sender, "/share_picture", picture())
    later(stage)
    stage.say(sender, "no soy Ana")
    stage.say(sender, "las botas del 10257 llegaron rotas")
    assert "¿Me mandas una foto" in sign_in(stage, sender, "carlos@example.com").words


def test_picture_that_was_sent_before_anybody_was_known_is_evidence(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "¿dónde está mi pedido 10202?")
    stage.say(sender, "no soy Ana")
    later(stage)
    stage.say(sender, "/share_picture", picture())
    stage.say(sender, "las botas del 10257 llegaron rotas")
    assert "foto" in sign_in(stage, sender, "carlos@example.com").words
    assert stage.slots_of(sender)["evidence"] == references(sender)


def test_person_who_takes_over_gets_no_files_of_another_customer(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "quiero hablar con una persona")
    stage.say(sender, "/share_picture", picture("anas"))
    assert "image: " in shown(sender)
    later(stage)
    stage.say(sender, "no soy Ana")
    stage.say(sender, "¿dónde está mi pedido 10252?")
    sign_in(stage, sender, "carlos@example.com")
    stage.say(sender, "quiero hablar con una persona")
    assert "image: " not in shown(sender)


def test_erasing_the_customer_deletes_the_picture(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, BROKEN, picture())
    settle(stage, sender)
    file = store(sender, stage.home)
    with transaction() as session:
        who = customer_data.find(session, "ana@example.com")
        assert who is not None
        traces = traces_of(session, who.id)
        erased = customer_data.erase_around(session, who, traces, datetime.now(timezone.utc), secret_key(stage.home))
    customer_data.erase_files(stage.home, erased)
    assert not file.exists()
    assert references(sender) == []


@pytest.mark.parametrize(
    ("state", "told"),
    [("stored", f"received/ab/{HASH}"), ("waiting", "is being downloaded"), ("failed", "could not be downloaded")],
)
def test_person_who_takes_over_finds_pictures_and_where_they_are(stage: Stage, state: str, told: str) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "mira cómo llegó", {"files": [{"provider_id": "m1", "kind": "image", "file_name": "shirt.jpg"}]})
    stage.say(sender, "/share_voice", picture("v1", "voice"))
    stage.say(sender, "/share_location", {"location": {"latitude": 19.5, "longitude": -99.1}})
    stage.say(sender, "quiero hablar con una persona")
    with transaction() as session:
        session.execute(update(ReceivedFile).values(state=state, sha256=HASH if state == "stored" else None))
    text = " ".join(shown(sender).split())
    assert "image “shirt.jpg”: " in text
    assert told in text.replace(" ", "") or told in text
    assert "[picture] mira cómo llegó" in text
    assert "[voice]" in text
    assert "[location]" in text
    assert "19.5" in text


def test_person_who_takes_over_finds_the_ad(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "hola", {"referral": {"source_id": "120", "headline": "Vestido de verano", "body": "Ligero"}})
    stage.say(sender, "quiero hablar con una persona")
    assert "Vestido de verano – Ligero (120)" in shown(sender)


def test_picture_goes_to_the_person_who_is_awaited(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "quiero hablar con una persona")
    played = stage.say(sender, "/share_picture", picture())
    assert "Ya estás en la fila" in played.words
    with transaction() as session:
        handoff = handoffs.open_for(session, sender)
        assert handoff is not None
        assert json.dumps(handoff.collected["files"]).count("received:") == 1


def test_nothing_of_this_asks_for_a_picture_where_the_channel_brings_none(stage: Stage) -> None:
    sender = stage.begin({"as": "ana@example.com"})
    played = stage.say(sender, BROKEN)
    assert "una persona del equipo necesita ver una foto" in played.words
    assert "action_open_claim" in played.actions


NO_ANSWER = {
    "/share_sticker": {"files": [{"provider_id": "s", "kind": "sticker"}]},
    "/share_voice": {"files": [{"provider_id": "v", "kind": "voice"}]},
    "/share_contact": {"contacts": [{"name": "Pat Doe", "phones": ["+525555010002"]}]},
    "/share_form": {"form": {"order_number": "10201", "choice": "1"}},
    "/share_unsupported": {},
    "/share_location": {"location": {"latitude": 19.43, "longitude": -99.13}},
    "/share_cart": {"cart": [{"sku": "SHI-OXF-BLU-M", "quantity": 2}]},
}


@pytest.mark.parametrize("language", WHO)
@pytest.mark.parametrize("form", REQUESTS)
def test_what_has_no_words_answers_no_question_and_the_question_comes_again(stage: Stage, form: str, language: str) -> None:
    """At every question of every form."""
    sender = stage.begin({"channel": "whatsapp", "as": WHO[language]})
    played = stage.say(sender, REQUESTS[form][language])
    for _ in range(MOST_QUESTIONS):
        if stage.form_of(sender) != form:
            break
        before = stage.slots_of(sender)
        for command, details in NO_ANSWER.items():
            files = [{**each, "provider_id": uuid.uuid4().hex} for each in details.get("files", [])]
            again = stage.say(sender, command, {**details, "files": files})
            assert again.actions[-1] == form, command
            assert buttons(again) == buttons(played), command
            assert again.words.strip(), command
        assert stage.slots_of(sender) == before
        choice = to_go_on(played)
        if choice is None:
            break
        played = stage.say(sender, choice)


def buttons(played: Played) -> list[str]:
    return [button["payload"] for reply in played.replies for button in reply.get("buttons") or []]
