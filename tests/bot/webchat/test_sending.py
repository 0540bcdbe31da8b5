"""Replies become entries once, and who types is told as long as somebody does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from bot.channels.webchat import hub as hubs
from bot.channels.webchat.hub import Hub
from bot.channels.webchat.sending import WebChatSender
from bot.channels.webchat.shown import shown
from database import transaction
from messaging import chat_log, handoffs
from messaging.turns import outbox
from messaging.turns.outbox import Outgoing, Undeliverable
from tests.bot.webchat.server import Served
from tests.messaging.test_handoffs import asked
from tests.webchat_client import Client

NOW = datetime(2026, 11, 26, 8, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENDERO_DATABASE_URL", database_url)


@pytest.fixture
async def hub() -> Any:
    hub = Hub()
    hub.begin()
    yield hub
    await hub.end(lambda: 0.0)


def outgoing(content: dict[str, Any], key: str = "1-0", tries: int = 1) -> Outgoing:
    return Outgoing(1, "web-1", content, key, "trace", tries, NOW, "claim")


async def test_a_reply_that_is_sent_again_is_the_same_entry(hub: Hub) -> None:
    sender = WebChatSender(hub)
    names = [await sender.send(outgoing({"text": "Hi"}, tries=tries)) for tries in (1, 2)]
    await sender.send(outgoing({"text": "And more"}, key="1-1"))
    assert len(set(names)) == 1
    with transaction() as session:
        entries = [(each.seq, each.by, each.content) for each in chat_log.after(session, "web-1", 0)]
    assert entries == [(1, "assistant", {"text": "Hi"}), (2, "assistant", {"text": "And more"})]


async def test_what_a_person_writes_is_an_entry_of_theirs_with_their_name(hub: Hub) -> None:
    await WebChatSender(hub).send(outgoing({"text": "Hi", "by": {"kind": "agent", "name": "Marta"}, "language": "en"}))
    with transaction() as session:
        entry = chat_log.after(session, "web-1", 0)[0]
    said = shown(entry, str)
    assert (said["by"], said["name"], said["parts"]) == ("agent", "Marta", [{"kind": "text", "text": "Hi"}])


async def test_what_cannot_be_shown_is_not_sent(hub: Hub) -> None:
    with pytest.raises(Undeliverable):
        await WebChatSender(hub).send(outgoing({"custom": {"template": {"name": "a", "language": "en"}}}))


async def test_typing_goes_on_while_the_next_message_is_answered(hub: Hub) -> None:
    sender = WebChatSender(hub)
    await sender.begin("web-1/m-1")
    assert hub.typing("web-1") == "assistant"
    await sender.begin("web-1/m-2")
    await sender.end("web-1/m-1", False)
    await sender.send(outgoing({"text": "Hi"}))
    assert hub.typing("web-1") == "assistant"
    await sender.end("web-1/m-2", False)
    assert hub.typing("web-1") == ""


async def test_typing_ends_with_the_reply(hub: Hub) -> None:
    sender = WebChatSender(hub)
    await sender.begin("web-1/m-1")
    ending = asyncio.create_task(sender.end("web-1/m-1", True))
    await asyncio.sleep(0)
    assert hub.typing("web-1") == "assistant"  # until the reply is there
    await sender.send(outgoing({"text": "Hi"}))
    assert hub.typing("web-1") == ""
    await ending


def test_a_turn_whose_process_died_types_no_longer_than_a_while(
    serve: Callable[..., Served], connect: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "TYPING_ENDS_AFTER", 0.4)
    client = connect(to=serve(seconds=20.0))
    client.hello()
    client.say("hello", replies=0)
    client.until(lambda each: each["type"] == "typing" and each["on"])
    client.until(lambda each: each["type"] == "typing" and not each["on"], 5)


async def test_what_the_assistant_was_about_to_say_is_not_said_once_a_person_has_the_conversation(hub: Hub) -> None:
    about = {"channel": "webchat", "sender_id": "web-1", "trace_id": "t", "now": NOW}
    with transaction() as session:
        handoff = asked(session, NOW, "web-1").handoff.id
        outbox.put(session, turn_id=1, contents=[{"text": "late"}], **about)
        late = outbox.take(session, "webchat", "web-1", NOW)
        handoffs.take(session, handoff, "Marta", NOW)
        outbox.put(session, turn_id=2, contents=[{"text": "Hi"}], author="agent", **about)
    assert isinstance(late, Outgoing)
    with pytest.raises(outbox.Withheld, match="a person has the conversation"):
        await WebChatSender(hub).send(late)
    with transaction() as session:
        outbox.note(session, late, state="withheld")
        hers = outbox.take(session, "webchat", "web-1", NOW)
    assert isinstance(hers, Outgoing)
    await WebChatSender(hub).send(hers)
    with transaction() as session:
        assert [each.content for each in chat_log.after(session, "web-1", 0)] == [{"text": "Hi"}]
