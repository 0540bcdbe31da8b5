"""The shop's own client against the simulator: the two were written apart, each from Meta's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.channels.whatsapp.graph import Graph, GraphError, NoAnswer
from bot.channels.whatsapp.settings import WhatsAppSettings
from tests.whatsapp_simulator import Person, Simulator

HELLO = {"to": "+12025550101", "type": "text", "text": {"body": "hello"}}


@pytest.fixture
async def graph(whatsapp: Simulator) -> AsyncIterator[Graph]:
    graph = Graph(WhatsAppSettings.of({}, whatsapp.environment))
    yield graph
    await graph.close()


async def test_client_sends_and_shows_that_it_has_read(whatsapp: Simulator, emma: Person, graph: Graph) -> None:
    said = emma.say("hi")
    await graph.show_read(said["id"])
    assert emma.state["shop_types"] is True
    sent = await graph.send(HELLO)
    assert emma.reply()["id"] == sent
    assert whatsapp.refused == []


async def test_client_gets_what_a_shopper_sent_and_uploads_its_own(whatsapp: Simulator, emma: Person, graph: Graph) -> None:
    picture = emma.send("image")["wire"]["image"]
    stored = await graph.file(picture["id"])
    content = await graph.download(stored.url, 1000)
    assert (stored.mime_type, stored.size, content[:4]) == ("image/png", len(content), b"\x89PNG")
    media_id = await graph.upload(b"%PDF-1.4", "label.pdf", "application/pdf")
    await graph.send({"to": HELLO["to"], "type": "document", "document": {"id": media_id, "filename": "label.pdf"}})
    assert emma.reply()["shown"]["media"]["name"] == "label.pdf"


async def test_client_reads_every_failure(whatsapp: Simulator, graph: Graph) -> None:
    whatsapp.fault("send", code=130429, retry_after=7)
    with pytest.raises(GraphError) as refused:
        await graph.send(HELLO)
    assert (refused.value.code, refused.value.retry_after) == (130429, 7.0)
    for effect in ("page", "disconnect"):
        whatsapp.fault("send", effect=effect)
        with pytest.raises(NoAnswer):
            await graph.send(HELLO)
    whatsapp.control("token", {"has_expired": True})
    with pytest.raises(GraphError) as expired:
        await graph.send(HELLO)
    assert expired.value.code == 190
