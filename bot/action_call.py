"""A call of the action server: its connection is kept, it sends what is needed, and it never fails without a word.

ActionFailed    the action could not be done; the shopper is told, and nothing of it is recorded
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from datetime import datetime, timezone
from typing import Any, Literal

import aiohttp
from rasa.core.actions.action import Action, ActionExecutionRejection, RemoteAction
from rasa.core.actions.forms import FormAction
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.shared.core.constants import REQUESTED_SLOT
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from bot.tracker import as_json, from_json
from bot.turn import current_turn
from database import transaction
from messaging.turns import calls, trace
from messaging.turns.calls import NAME_OF_CALL
from messaging.turns.watch import NOTHING_WATCHES, Watch

logger = logging.getLogger(__name__)

Fault = Literal["slow", "down", "error", "rubbish", "abandoned"]

PATIENCE = 3.0  # seconds
EVENTS_HERE = uuid.uuid4().hex  # a word that nobody can have written
RECONNECT_FOR = 1.0  # seconds: an action server that restarts is back by then


class ActionFailed(Exception):
    """slow; down (nobody answers); error (it raised); rubbish (its answer is none); abandoned (it was given up before)."""

    def __init__(self, action: str, fault: Fault, reason: str = "") -> None:
        super().__init__(f"{action}: {fault}{f' ({reason})' if reason else ''}")
        self.action, self.fault = action, fault


class ActionServer(EndpointConfig):
    """Where actions run. patience: seconds that one may take. url_of_database: where calls are noted."""

    def __init__(
        self, url: str, patience: float = PATIENCE, url_of_database: str | None = None, watch: Watch = NOTHING_WATCHES
    ) -> None:
        super().__init__(url)
        self.patience = patience
        self.watch = watch
        self._database = url_of_database
        self._session: aiohttp.ClientSession | None = None

    async def call(self, action: str, tracker: DialogueStateTracker, domain: dict[str, Any]) -> dict[str, Any]:
        """The answer of the action: {"events": [...], "responses": [...]}. Raises ActionFailed, ActionExecutionRejection."""
        began = time.perf_counter()
        outcome = "done"
        turn = current_turn()
        try:
            return await self._call(action, tracker, domain, turn.name_call(action), turn.trace_id)
        except ActionExecutionRejection:
            outcome = "rejected"
            raise
        except ActionFailed as failure:
            outcome = failure.fault
            raise
        finally:
            seconds = time.perf_counter() - began
            turn.seconds_in_actions += seconds
            self.watch.acted(action, outcome, seconds, turn.trace_id)

    async def is_alive(self) -> bool:
        """Whether it answers at all."""
        try:
            async with self._connection().get(
                self.url.removesuffix("/webhook") + "/health", timeout=aiohttp.ClientTimeout(total=2)
            ) as health:
                return health.status == 200
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(
        self, action: str, tracker: DialogueStateTracker, domain: dict[str, Any], key: str | None, trace_id: str
    ) -> dict[str, Any]:
        body = _body(action, tracker, domain)
        headers = {"Content-Type": "application/json"}
        if key is not None:
            span_id = trace.span_of_turn(trace_id, key.partition("/")[0])
            headers |= {NAME_OF_CALL: key, "traceparent": trace.traceparent(trace_id, span_id)}
        try:
            status, text = await asyncio.wait_for(self._post(body, headers), self.patience)
        except asyncio.TimeoutError:
            return await self._give_up(action, tracker, key, "slow")
        except aiohttp.ClientError as error:
            return await self._give_up(action, tracker, key, "down", type(error).__name__)
        if status == 200:
            return _answer(action, text)
        if status == 400:
            _reject(text)
        return await self._give_up(action, tracker, key, "abandoned" if status == 409 else "error", f"HTTP {status}")

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        until = time.monotonic() + RECONNECT_FOR
        while True:
            try:
                async with self._connection().post(self.url, data=body, headers=headers) as response:
                    return response.status, await response.text()
            except (aiohttp.ClientConnectionError, aiohttp.ServerDisconnectedError):
                # The name of the call lets it be made again; without one it may have been done.
                if NAME_OF_CALL not in headers or time.monotonic() > until:
                    raise
                await asyncio.sleep(0.1)

    async def _give_up(
        self, action: str, tracker: DialogueStateTracker, key: str | None, fault: Fault, reason: str = ""
    ) -> dict[str, Any]:
        """Make sure that it is not done later; where it was done after all, that is its answer."""
        done = await asyncio.to_thread(self._abandon, key, tracker.sender_id) if key is not None else None
        if done is None:
            raise ActionFailed(action, fault, reason)
        return done

    def _abandon(self, key: str, sender_id: str) -> dict[str, Any] | None:
        with transaction(self._database) as session:
            return calls.abandon(session, key, sender_id, datetime.now(timezone.utc))

    def _connection(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        return self._session


class TurnAction(RemoteAction):
    """A custom action. Unlike Rasa's own, it raises where it fails."""

    async def run(
        self, output_channel: OutputChannel, nlg: NaturalLanguageGenerator, tracker: DialogueStateTracker, domain: Domain
    ) -> list[Event]:
        assert isinstance(self.action_endpoint, ActionServer)
        answer = await self.action_endpoint.call(self.name(), tracker, _needed_of(domain, self.name()))
        said = await self._utter_responses(answer["responses"], output_channel, nlg, tracker)
        events = [from_json(json.dumps(event)) for event in answer["events"]]
        return [*said, *(event for event in events if event is not None)]


class TurnForm(FormAction):
    """A form: its validation is a `TurnAction`, and looks at a cheap copy of the tracker."""

    async def validate_slots(
        self,
        slot_candidates: dict[str, Any],
        tracker: DialogueStateTracker,
        domain: Domain,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
    ) -> list[SlotSet | Event]:
        validation = f"validate_{self.name()}"
        if validation not in domain.action_names_or_texts:
            return []
        filled: list[Event] = [SlotSet(name, value) for name, value in slot_candidates.items()]
        seen = self._temporary_tracker(tracker, filled, domain)
        return list(await TurnAction(validation, self.action_endpoint).run(output_channel, nlg, seen, domain))

    def _temporary_tracker(
        self, current_tracker: DialogueStateTracker, additional_events: list[Event], domain: Domain
    ) -> DialogueStateTracker:
        seen = current_tracker.copy()
        asked = SlotSet(REQUESTED_SLOT, self.get_slot_to_fill(current_tracker))
        for event in (asked, ActionExecuted(self.name()), *additional_events):
            seen.update(event)
        return seen


def ours(action: Action, server: EndpointConfig | None) -> Action:
    """Rasa's action as one of ours, where it calls the action server."""
    if type(action) is RemoteAction:
        return TurnAction(action.name(), server)
    return TurnForm(action.name(), server) if type(action) is FormAction else action


def _needed_of(domain: Domain, action: str) -> dict[str, Any]:
    """What an action may ask of the domain. Rasa sends all of it with each validation, which is most of what is sent at all."""
    form = domain.forms.get(action.removeprefix("validate_")) if action.startswith("validate_") else None
    if form is not None:
        slots = {slot.name: slot.persistence_info() for slot in domain.slots if slot.name in form.get("required_slots", ())}
        return {"forms": {action.removeprefix("validate_"): form}, "slots": slots}
    return domain.as_dict() if domain.does_custom_action_explicitly_need_domain(action) else {}


def _body(action: str, tracker: DialogueStateTracker, domain: dict[str, Any]) -> bytes:
    """As Rasa's action protocol has it, each event written once in its life."""
    state = {**tracker.current_state(), "events": EVENTS_HERE}
    called = {
        "next_action": action,
        "sender_id": tracker.sender_id,
        "domain": domain,
        "tracker": state,
    }
    events = ",".join(as_json(event) for event in tracker.events)
    return json.dumps(called, ensure_ascii=False).replace(f'"{EVENTS_HERE}"', f"[{events}]", 1).encode()


def _answer(action: str, text: str) -> dict[str, Any]:
    """What an answer has to be, looked at in passing: a schema for each one costs more than the action itself."""
    try:
        answer = json.loads(text)
        events, responses = answer.get("events") or [], answer.get("responses") or []
    except (ValueError, AttributeError) as error:
        raise ActionFailed(action, "rubbish", "no JSON object") from error
    if not (_are_objects(events) and _are_objects(responses) and all(isinstance(event.get("event"), str) for event in events)):
        raise ActionFailed(action, "rubbish", "events and responses are lists of objects")
    return {"events": events, "responses": responses}


def _are_objects(items: Any) -> bool:
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


def _reject(text: str) -> None:
    try:
        body = json.loads(text)
        name, error = body["action_name"], body.get("error")
    except (ValueError, KeyError, TypeError):
        return
    raise ActionExecutionRejection(name, error)
