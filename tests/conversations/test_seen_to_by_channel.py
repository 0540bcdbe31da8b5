"""What a channel has seen to already (STOP, say) is only confirmed."""

from __future__ import annotations

import uuid
from typing import Any

from messaging.turns.inbox import ANSWER, Inbound
from tests.conversations.stage import Stage

ANA = {"as": "ana@example.com"}


def _confirm(stage: Stage, sender: str, response: str, **details: Any) -> list[str]:
    async def turn() -> list[str]:
        engine = stage._agent.engine
        receipt = await engine.receive(Inbound("test", uuid.uuid4().hex, sender, "STOP", {ANSWER: response, **details}))
        await engine.work(sender)
        return [reply["text"] for reply in (await engine.answer(receipt)).replies]

    return stage._loop.run_until_complete(turn())


def test_first_message_is_confirmed_in_the_language_of_the_country(stage: Stage) -> None:
    (said,) = _confirm(stage, stage.begin({}), "utter_marketing_stopped", language="nb")
    assert said.startswith("Gjort: du får ikke flere nyheter")


def test_language_of_the_conversation_counts_for_more_than_the_country(stage: Stage) -> None:
    sender = stage.begin({})
    stage.say(sender, "hello, where can I find your stores please?")
    (said,) = _confirm(stage, sender, "utter_marketing_resumed", language="nb")
    assert said.startswith("Done: our news and offers")


def test_task_goes_on_after_a_stop(stage: Stage) -> None:
    sender = stage.begin(ANA)
    stage.say(sender, "I want to return something")
    form = stage.form_of(sender)
    assert form is not None
    _confirm(stage, sender, "utter_marketing_stopped")
    assert stage.form_of(sender) == form
    assert stage.say(sender, "what can you do?").replies
