"""What a shopper says comes to the assistant once, and what it replies comes back."""

from __future__ import annotations

from tests.bot.webchat.server import Served
from tests.webchat_client import Client


def test_what_is_said_is_answered(server: Served, client: Client) -> None:
    own, reply = client.say("hello", id="m-1")
    assert (own["seq"], own["by"], own["id"], own["text"]) == (1, "shopper", "m-1", "hello")
    assert (reply["seq"], reply["by"], reply["parts"]) == (2, "assistant", [{"kind": "text", "text": "you said hello"}])
    assert [row.text for row in server.inbox()] == ["hello"]
