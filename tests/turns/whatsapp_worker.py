"""A worker on the simulated WhatsApp: real webhooks come in, and the connector's own client sends."""

from __future__ import annotations

from typing import Any

from bot.channels.whatsapp.graph import Body, Graph
from bot.channels.whatsapp.parsing import parse
from bot.channels.whatsapp.receiving import Receiver
from bot.channels.whatsapp.sending import WhatsAppSender
from bot.channels.whatsapp.settings import WhatsAppSettings
from messaging.turns.engine import TurnEngine
from tests.turns.worker import Settings, Steps, Wires, main
from tests.whatsapp_simulator import environment_of


class WatchedGraph(Graph):
    def __init__(self, settings: WhatsAppSettings, steps: Steps) -> None:
        super().__init__(settings)
        self._steps = steps

    async def send(self, body: Body) -> str:
        self._steps.reached("before a sending")
        name = await super().send(body)
        self._steps.reached("after a sending")
        return name

    async def show_read(self, message_id: str) -> None:
        """Blue ticks are no matter of life and death."""


def _sender(settings: Settings, steps: Steps) -> WhatsAppSender:
    ours = WhatsAppSettings.of({}, environment_of(settings.provider))
    sender = WhatsAppSender(ours, WatchedGraph(ours, steps))
    sender.lease, sender.settles = settings.lease, 0.2
    return sender


async def _take(engine: TurnEngine, said: dict[str, Any]) -> None:
    await Receiver(WhatsAppSettings.of({}, environment_of("")), b"key").receive(engine, parse(said))


if __name__ == "__main__":
    main(Wires("whatsapp", _sender, _take))
