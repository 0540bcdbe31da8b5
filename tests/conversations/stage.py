"""The stage on which conversation tests play: a demo shop that is fresh for each, the action server, and the model."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from messaging.channel_abilities import PROVES_PHONES
from tests.conversations.coverage import Seen
from tests.conversations.runner import LISTEN, Played, Story

CHANNEL = "test"
PLAYED_AT = "TENDERO_TESTS_AT"  # an ISO instant: plays the stories at another time of day or week than now
ROOT = Path(__file__).resolve().parents[2]


class Stage:
    """home: a folder of its own. model: a trained model (.tar.gz)."""

    def __init__(self, home: Path, model: Path) -> None:
        self.home, self.model = home, model
        self.clock = home / "clock"
        self.seen = Seen(home / "decisions")
        self.port = _free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._agent: Any = None
        self._channels: dict[str, str] = {}  # by sender id
        self._language = ""  # of the newest replies
        self._loop = asyncio.new_event_loop()  # one for all turns: connections are kept in it

    def open(self) -> None:
        os.environ["TENDERO_HOME"] = str(self.home)
        os.environ["TENDERO_CLOCK_FILE"] = str(self.clock)
        os.environ["TENDERO_DECISIONS_FILE"] = str(self.seen.decisions_file)
        os.environ.pop("TENDERO_DATABASE_URL", None)
        _load_demo(self.home)
        self._server = self._start_actions()
        self._agent = self._load_agent()
        self._template = self.home / "template.db"
        copy_database(self.home / "tendero.db", self._template)
        _wait_for(self.port, self._server)

    def close(self) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(10)
        self._loop.run_until_complete(self._agent.action_endpoint.close())
        self._loop.close()

    def play(self, story: Story) -> list[Played]:
        """All turns of the story on a fresh shop."""
        return self._loop.run_until_complete(self._play(story))

    def begin(self, metadata: dict[str, Any]) -> str:
        """A fresh shop and a new conversation in it; its sender id. metadata: as a story's."""
        self._reset(metadata)
        return self.join(metadata)

    def join(self, metadata: dict[str, Any]) -> str:
        """One more conversation in the shop as it is; its sender id."""
        sender = f"test-{uuid.uuid4().hex[:12]}"
        self._channels[sender] = str(metadata.get("channel") or CHANNEL)
        if self._channels[sender] in PROVES_PHONES:
            phone = _phone_of(metadata["as"]) if metadata.get("as") else metadata.get("phone")
            add_contact(sender, self._channels[sender], phone)
        elif metadata.get("as"):
            _vouch_for(sender, self._channels[sender], metadata["as"])
        return sender

    def sign_in(self, sender: str, email: str, hours: float = 1) -> None:
        """The page of the web chat hands over the shop's own sign-in of this customer; it holds for so long."""
        _sign_in(sender, email, self._now() + timedelta(hours=hours))

    def say(self, sender: str, text: str, details: dict[str, Any] | None = None) -> Played:
        """One turn of a conversation that has begun: for tests in which more happens than what the shopper writes."""
        return self._loop.run_until_complete(self._turn(sender, self._filled(text, []), details))

    def let_timers_fire(self, sender: str, kind: str | None = None) -> None:
        """As if the time of the conversation's timers had come, or of those of one kind."""
        from sqlalchemy import update

        from database import transaction
        from messaging.models import Timer

        with transaction() as session:
            theirs = update(Timer).where(Timer.sender_id == sender, Timer.kind == (kind or Timer.kind))
            session.execute(theirs.values(due_at=datetime.now(timezone.utc)).execution_options(synchronize_session=False))
            fired = self._agent.engine._fire_timers(session)
        assert fired, "no timer waited"
        self._loop.run_until_complete(self._agent.engine.work(sender))
        self.seen.note(self._agent.tracker_store.last_saved)

    def form_of(self, sender: str) -> str | None:
        """The form that is active in the conversation."""
        form = self._agent.tracker_store.load(sender).active_loop_name
        return str(form) if form else None

    def slots_of(self, sender: str) -> dict[str, Any]:
        """What fills a form, and which question is open."""
        from actions.closing import FORM_SLOTS

        slots = self._agent.tracker_store.load(sender).current_slot_values()
        return {name: slots[name] for name in (*FORM_SLOTS, "requested_slot")}

    def newest_actions(self) -> list[str]:
        """Of the turn that was saved last."""
        return [event["name"] for event in self._agent.tracker_store.last_saved if event["event"] == "action"]

    def newest_words(self) -> str:
        """What was said in the turn that was saved last."""
        return "\n".join(event["text"] for event in self._agent.tracker_store.last_saved if event["event"] == "bot")

    def trigger(self, sender: str, intent: str) -> Played:
        """One turn that a program begins with an intent, as Rasa's `trigger_intent` does."""
        return self._loop.run_until_complete(self._trigger(sender, intent))

    async def _play(self, story: Story) -> list[Played]:
        sender = self.begin(story.metadata)
        played: list[Played] = []
        for number, turn in enumerate(story.turns, start=1):
            _change((story.metadata.get("meanwhile") or {}).get(number, []))
            text = self._filled(turn.text, played)
            played.append(await self._turn(sender, text, (story.metadata.get("brings") or {}).get(number)))
        return played

    async def _turn(self, sender: str, text: str, details: dict[str, Any] | None = None) -> Played:
        from messaging.turns.inbox import Inbound

        engine, channel = self._agent.engine, self._channels.get(sender, CHANNEL)
        message_id = uuid.uuid4().hex
        announce_files(sender, channel, message_id, details or {}, self._now())
        receipt = await engine.receive(Inbound(channel, message_id, sender, text, details or {}))
        await engine.work(sender)
        answer = await engine.answer(receipt)
        return self._played(answer.replies)

    async def _trigger(self, sender: str, intent: str) -> Played:
        from rasa.core.channels.channel import CollectingOutputChannel

        channel = CollectingOutputChannel()
        tracker = await self._agent.tracker_store.retrieve(sender)
        await self._agent.trigger_intent(intent, [], channel, tracker)
        return self._played(channel.messages)

    def _played(self, replies: list[dict[str, Any]]) -> Played:
        from tests.conversations.on_whatsapp import on_whatsapp

        events = self._agent.tracker_store.last_saved
        self.seen.note(events)
        actions = [event["name"] for event in events if event["event"] == "action"]
        ignored = (LISTEN, "action_session_start")
        done = [name for name in actions if name not in ignored]
        return Played(_intent(events), done, replies, on_whatsapp(replies, self._language))

    def _filled(self, text: str, played: list[Played]) -> str:
        from tests.conversations.on_whatsapp import has_choices, tapped

        if "{code" in text:
            code = self.newest_code()
            text = text.replace("{code}", code).replace("{code spaced}", f"{code[:3]} {code[3:]}")
        for number, turn in re.findall(r"\{tap:(\d+)(@\d+)?\}", text):
            since = played[: int(turn[1:])] if turn else played
            shown = next(each for each in reversed(since) if has_choices(each.on_whatsapp))
            replies = [reply for each in played for reply in each.replies]
            text = text.replace(f"{{tap:{number}{turn}}}", tapped(shown.on_whatsapp, int(number), replies))
        return text

    def newest_code(self) -> str:
        return newest_code(self.home / "outbox")

    def _reset(self, metadata: dict[str, Any]) -> None:
        copy_database(self._template, self.home / "tendero.db")
        for mail in (self.home / "outbox").glob("*.eml"):
            mail.unlink()
        self.clock.write_text(_instant(str(metadata.get("at") or os.environ.get(PLAYED_AT, ""))))

    def _now(self) -> datetime:
        """By the action server's clock."""
        told = self.clock.read_text() if self.clock.exists() else ""
        return datetime.fromisoformat(told) if told else datetime.now(timezone.utc)

    def _start_actions(self) -> subprocess.Popen[bytes]:
        log = (self.home / "actions.log").open("wb")
        command = [sys.executable, "-W", "ignore", "-m", "actions.server", "--port", str(self.port)]
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def _load_agent(self) -> Any:
        """Rasa behind the turn engine, as the server has it, but for the queue: the stage takes turn after turn."""
        import logging

        from rasa.utils.log_utils import configure_structlog

        from bot.action_call import ActionServer
        from bot.agent import TurnAgent
        from bot.tracker_store import ConversationTrackerStore
        from bot.turn_handler import RasaHandler
        from messaging.calendar import kept_calendar
        from messaging.turns.engine import Outcome, TurnEngine
        from messaging.turns.inbox import Claim
        from messaging.turns.queues.local import LocalQueue

        stage = self

        class WatchedHandler(RasaHandler):
            """Tells the stage in which language it has answered."""

            async def run(self, claim: Claim) -> Outcome:
                outcome = await super().run(claim)
                stage._language = outcome.language
                return outcome

        class WatchedStore(ConversationTrackerStore):
            """Remembers the events of the turn that it was given last."""

            last_saved: list[dict[str, Any]] = []

            def write(self, session: Any, tracker: Any, withheld: bool = False) -> None:
                self.last_saved = [event.as_dict() for event in tracker.new_events]
                super().write(session, tracker, withheld)

        configure_structlog(logging.ERROR)
        store = WatchedStore()
        agent = TurnAgent(store, ActionServer(f"http://127.0.0.1:{self.port}/webhook", patience=30))
        agent.load_model(str(self.model))
        handler = WatchedHandler(agent.processor, store, lambda: kept_calendar(ROOT / "data" / "policies" / "support.yml"))
        agent.engine = TurnEngine(handler, LocalQueue())
        return agent


def trained_model() -> Path:
    """The model of the present data, trained where there is none yet; kept where `make run` keeps its own."""
    from tendero.training import Training, current_model

    home = ROOT / "var"
    home.mkdir(exist_ok=True)
    with (home / "test-training.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # where several processes share the tests, one trains and the others wait for it
        model = current_model(home)
        return model if model.exists() else Training(home).finish().model


def newest_code(mails: Path) -> str:
    """The one-time code in the newest mail of this folder."""
    newest = max(mails.glob("*.eml"))
    subject = str(message_from_bytes(newest.read_bytes(), policy=policy.default)["subject"])
    found = re.search(r"\d{6}", subject)
    assert found, subject
    return found[0]


def _intent(events: list[dict[str, Any]]) -> str:
    users = [event for event in events if event["event"] == "user"]
    return str(users[-1]["parse_data"]["intent"]["name"]) if users else ""


def _instant(at: str) -> str:
    """`at` as an ISO instant: "-24h" is that long before now, for rules that count days of the demo shop; "open" is half an
    hour after people come to work the next time, "closed" half an hour after they leave."""
    if at in ("open", "closed"):
        return _support_hours(at).isoformat()
    hours = re.fullmatch(r"([+-]\d+)h", at)
    return (datetime.now(timezone.utc) + timedelta(hours=int(hours[1]))).isoformat() if hours else at


def _support_hours(wanted: str) -> datetime:
    from messaging.calendar import kept_calendar

    calendar = kept_calendar(ROOT / "data" / "policies" / "support.yml")
    half_an_hour = timedelta(minutes=30)
    now = datetime.now(timezone.utc)
    opening = calendar.next_opening(calendar.closes_at(now) or now)
    assert opening is not None
    closing = calendar.closes_at(opening + half_an_hour)
    assert closing is not None
    return (opening if wanted == "open" else closing) + half_an_hour


def _load_demo(home: Path) -> None:
    import messaging.models  # noqa: F401
    from database import Base, default_url, engine_for
    from tendero import demo_shop

    home.mkdir(parents=True, exist_ok=True)
    Base.metadata.create_all(engine_for(default_url()))
    demo_shop.fill(default_url(), datetime.now(timezone.utc))


def _vouch_for(sender: str, channel: str, email: str) -> None:
    from commerce.customers import by_contact
    from database import transaction
    from messaging.identities import assert_identity

    with transaction() as session:
        customer = by_contact(session, email)
        assert customer is not None, email
        assert_identity(session, channel, sender, customer.id, datetime.now(timezone.utc))


def _sign_in(sender: str, email: str, until: datetime) -> None:
    """As the channel does it, but for the JWT (tests/bot/webchat). email: of nobody's, it is a customer whom we do not know."""
    from commerce.customers import by_contact
    from database import transaction
    from messaging.models import WebVisitor

    with transaction() as session:
        customer = by_contact(session, email)
        number = customer.number if customer is not None else "C-unknown"
        times = dict.fromkeys(("rotated_at", "created_at", "seen_at"), datetime.now(timezone.utc))
        session.merge(WebVisitor(sender_id=sender, customer=number, customer_until=until, **times))


def _phone_of(email: str) -> str:
    from commerce.customers import by_contact
    from database import transaction

    with transaction() as session:
        customer = by_contact(session, email)
        assert customer is not None, email
        assert customer.phone, f"{email} has no phone on file"
        return str(customer.phone)


def add_contact(sender: str, channel: str, phone: str | None) -> None:
    """A person as the channel knows them."""
    from database import transaction
    from messaging.models import ChannelContact

    with transaction() as session:
        session.add(ChannelContact(sender_id=sender, channel=channel, phone=phone, created_at=datetime.now(timezone.utc)))


def announce_files(sender: str, channel: str, message_id: str, details: dict[str, Any], now: datetime) -> None:
    """As a channel does that downloads the files of a message later."""
    from database import transaction
    from messaging.models import ReceivedFile

    with transaction() as session:
        for file in details.get("files") or ():
            named = {"provider_id": file["provider_id"], "kind": file["kind"], "file_name": file.get("file_name") or ""}
            session.add(ReceivedFile(channel=channel, sender_id=sender, message_id=message_id, received_at=now, **named))


def _change(changes: list[dict[str, Any]]) -> None:
    from database import transaction
    from tests.conversations.changes import apply

    for change in changes:
        with transaction() as session:
            apply(session, change)


def copy_database(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as from_, sqlite3.connect(target) as to:
        from_.backup(to)
    from_.close()
    to.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the action server did not start")
