"""The outbox: replies in the order uttered, each sent once, whatever happens to a recipient, a channel or this process.

A channel's `send` either returns the provider's name of the message or raises:

SendError
+-- TryAgain       later; `scope` says whether only this recipient has to wait, or the whole channel
+-- Undeliverable  never: the next reply goes on
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, Protocol

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.orm import Session

from database import transaction
from messaging.models import OutboundMessage
from messaging.turns import trace
from messaging.turns.queues import WorkLeft

logger = logging.getLogger(__name__)

OPEN = ("pending", "sending")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds
GIVE_UP_AFTER = timedelta(days=1)
PATIENCE = 60.0  # seconds, for one try: a provider that does not answer is asked again, with the same key
LEASE = timedelta(minutes=2)  # of a message that is being sent; if the process dies, another tries after it


class SendError(Exception):
    """The channel could not send this message."""


class TryAgain(SendError):
    """Not now. after: seconds; None: our own back-off. scope "channel": nobody else's messages go either meanwhile."""

    def __init__(self, reason: str, after: float | None = None, scope: Literal["recipient", "channel"] = "recipient") -> None:
        super().__init__(reason)
        self.after, self.scope = after, scope


class Undeliverable(SendError):
    """This message will never arrive."""


@dataclass(frozen=True)
class Outgoing:
    """A reply on its way. key: the same in each try, so that a provider can know a repetition."""

    id: int
    sender_id: str
    content: Mapping[str, Any]
    key: str
    trace_id: str
    tries: int
    created_at: datetime
    claim: str


class Sender(Protocol):
    """What a channel brings to send with."""

    async def send(self, message: Outgoing) -> str | None:
        """Hand it to the provider; its name of the message. Raises TryAgain, Undeliverable; anything else is tried again."""


def key_of(channel: str, sender_id: str) -> str:
    """The recipient as a key of the queue's lane `replies`."""
    return f"{channel}:{sender_id}"


def put(
    session: Session,
    *,
    turn_id: int,
    channel: str,
    sender_id: str,
    contents: Sequence[Mapping[str, Any]],
    trace_id: str,
    now: datetime,
    state: str = "pending",
    first_position: int = 0,
) -> None:
    """Store the replies of a turn, in order."""
    of_all = {"turn_id": turn_id, "channel": channel, "sender_id": sender_id, "trace_id": trace_id, "created_at": now}
    of_all |= {"state": state, "tries": 0, "sent_at": now if state == "sent" else None}
    rows = [
        {**of_all, "position": position, "content": dict(content)} for position, content in enumerate(contents, first_position)
    ]
    if rows:
        session.execute(_PUT, rows)


_PUT = insert(OutboundMessage.__table__)


def next_position(session: Session, turn_id: int) -> int:
    """Where the replies of a turn go on that has replied before: it failed, and was put back."""
    newest = session.execute(select(func.max(OutboundMessage.position)).where(OutboundMessage.turn_id == turn_id)).scalar_one()
    return 0 if newest is None else newest + 1


def senders_waiting(session: Session, channels: Iterable[str]) -> list[tuple[str, str]]:
    """(channel, sender) with something to send, the longest waiting first."""
    named = (OutboundMessage.state.in_(OPEN), OutboundMessage.channel.in_(list(channels)))
    grouped = select(OutboundMessage.channel, OutboundMessage.sender_id).where(*named)
    grouped = grouped.group_by(OutboundMessage.channel, OutboundMessage.sender_id).order_by(func.min(OutboundMessage.id))
    return [(row.channel, row.sender_id) for row in session.execute(grouped)]


def take(session: Session, channel: str, sender_id: str, now: datetime, lease: timedelta = LEASE) -> Outgoing | float | None:
    """The recipient's next reply, leased to us; seconds until it may be tried; None where there is nothing to send."""
    open_ = and_(OutboundMessage.channel == channel, OutboundMessage.sender_id == sender_id, OutboundMessage.state.in_(OPEN))
    row = session.execute(
        select(OutboundMessage).where(open_).order_by(OutboundMessage.id).limit(1).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        return None
    if row.next_try_at is not None and row.next_try_at > now:
        return float((row.next_try_at - now).total_seconds())
    row.state, row.claim, row.tries, row.next_try_at = "sending", secrets.token_hex(16), row.tries + 1, now + lease
    key = f"{row.turn_id}-{row.position}"
    return Outgoing(row.id, sender_id, dict(row.content), key, row.trace_id, row.tries, row.created_at, row.claim)


def note(session: Session, message: Outgoing, **values: Any) -> bool:
    """Write down how a try ended; False where another process has taken it over."""
    ours = update(OutboundMessage).where(OutboundMessage.id == message.id, OutboundMessage.claim == message.claim)
    return bool(session.execute(ours.values(**values).execution_options(synchronize_session=False)).rowcount)


def note_status(session: Session, channel: str, provider_id: str, status: str, now: datetime, error: str | None = None) -> bool:
    """What the provider says of a message later: sent, delivered, read or failed. A status never goes back."""
    before = {"sent": ("sending",), "delivered": ("sending", "sent"), "read": ("sending", "sent", "delivered")}
    allowed = before.get(status, ("sending", "sent"))
    named = (OutboundMessage.channel == channel, OutboundMessage.provider_id == provider_id, OutboundMessage.state.in_(allowed))
    values = {"state": status, "error": error and error[:300], "sent_at": func.coalesce(OutboundMessage.sent_at, now)}
    return bool(
        session.execute(
            update(OutboundMessage).where(*named).values(**values).execution_options(synchronize_session=False)
        ).rowcount
    )


def trace_of(session: Session, channel: str, provider_id: str) -> str | None:
    """The trace of a message that a provider speaks of."""
    named = (OutboundMessage.channel == channel, OutboundMessage.provider_id == provider_id)
    return session.execute(select(OutboundMessage.trace_id).where(*named).limit(1)).scalar_one_or_none()


def release(session: Session, channels: Iterable[str]) -> None:
    """What a dead process was sending may be tried at once: for the only process of its database, at its start."""
    left = and_(OutboundMessage.state == "sending", OutboundMessage.channel.in_(list(channels)))
    session.execute(update(OutboundMessage).where(left).values(next_try_at=None).execution_options(synchronize_session=False))


class OutboxSender:
    """Sends what is in the outbox for the channels that push; the work of the queue's lane `replies`.

    on_sent(channel, outcome, message): for logs and metrics; outcome is sent, retried or failed.
    """

    def __init__(
        self,
        senders: Mapping[str, Sender],
        url: str | None = None,
        *,
        first_pause: float = FIRST_PAUSE,
        lease: float = LEASE.total_seconds(),
        patience: float = PATIENCE,
        on_sent: Callable[[str, str, Outgoing], None] | None = None,
    ) -> None:
        self._senders = dict(senders)
        self._url = url
        self._first_pause = first_pause
        self._lease = timedelta(seconds=lease)
        self._patience = min(patience, lease)
        self._on_sent = on_sent or (lambda _channel, _outcome, _message: None)
        self._closed_until: dict[str, float] = {}  # channel: when it may send again, by the loop's clock
        self._stopped = asyncio.Event()

    @property
    def channels(self) -> list[str]:
        return list(self._senders)

    def left(self, alone: bool) -> list[str]:
        """The keys with something to send. alone: what a dead process was sending may be tried at once."""
        with transaction(self._url) as session:
            if alone:
                release(session, self._senders)
            return [key_of(channel, sender_id) for channel, sender_id in senders_waiting(session, self._senders)]

    def stop(self) -> None:
        """Finish what is being sent; what waits is sent after the next start."""
        self._stopped.set()

    async def serve(self, key: str) -> None:
        """Send all that waits for this recipient, in order. Raises WorkLeft."""
        channel, _, sender_id = key.partition(":")
        failures = 0
        while channel in self._senders:
            if self._stopped.is_set():
                raise WorkLeft("the process stops")
            await self._until_open(channel)
            try:
                message = await asyncio.to_thread(self._take, channel, sender_id)
                if message is None:
                    return
                if not isinstance(message, Outgoing):
                    await self._sleep(message)
                    continue
                await self._send(channel, message)
                failures = 0
            except Exception as error:  # the database is away: what is stored stays stored
                failures += 1
                logger.warning("the outbox of %s waits: %s", channel, type(error).__name__)
                await self._sleep(_pause(failures, self._first_pause))

    async def _sleep(self, seconds: float) -> None:
        """A pause that a stop ends."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    async def _send(self, channel: str, message: Outgoing) -> None:
        with trace.followed(message.trace_id):
            await self._send_once(channel, message)

    async def _send_once(self, channel: str, message: Outgoing) -> None:
        outcome = "sent"
        values: dict[str, Any]
        try:
            provider_id = await asyncio.wait_for(self._senders[channel].send(message), self._patience)
            values = {"state": "sent", "provider_id": provider_id, "sent_at": _now(), "next_try_at": None, "error": None}
        except Undeliverable as error:
            outcome, values = "failed", {"state": "failed", "error": _words(error), "next_try_at": None}
        except Exception as error:  # whatever it is, the message is not lost
            outcome, values = self._put_off(channel, message, error)
        await self._note(message, values)
        self._on_sent(channel, outcome, message)

    async def _note(self, message: Outgoing, values: Mapping[str, Any]) -> None:
        """It must be written down: else the provider would get it again."""
        for failures in range(1, 1000):
            try:
                await asyncio.to_thread(self._write_down, message, values)
                return
            except Exception as error:
                logger.warning("a reply's fate cannot be noted yet: %s", type(error).__name__)
                await asyncio.sleep(_pause(failures, self._first_pause))

    def _put_off(self, channel: str, message: Outgoing, error: Exception) -> tuple[str, dict[str, Any]]:
        if _now() - message.created_at > GIVE_UP_AFTER:
            return "failed", {"state": "failed", "error": _words(error), "next_try_at": None}
        after = (
            error.after if isinstance(error, TryAgain) and error.after is not None else _pause(message.tries, self._first_pause)
        )
        if isinstance(error, TryAgain) and error.scope == "channel":
            opens = asyncio.get_running_loop().time() + after
            self._closed_until[channel] = max(self._closed_until.get(channel, 0.0), opens)
        return "retried", {"state": "pending", "error": _words(error), "next_try_at": _now() + timedelta(seconds=after)}

    async def _until_open(self, channel: str) -> None:
        while (rest := self._closed_until.get(channel, 0.0) - asyncio.get_running_loop().time()) > 0:
            await self._sleep(rest)
            if self._stopped.is_set():
                return

    def _take(self, channel: str, sender_id: str) -> Outgoing | float | None:
        with transaction(self._url) as session:
            return take(session, channel, sender_id, _now(), self._lease)

    def _write_down(self, message: Outgoing, values: Mapping[str, Any]) -> None:
        with transaction(self._url) as session:
            note(session, message, **values)


def _pause(failures: int, first: float) -> float:
    """Doubles with each failure; the jitter keeps those that failed together from coming back together."""
    return float(min(first * 2 ** min(failures - 1, 12), LONGEST_PAUSE) * random.uniform(0.75, 1.25))  # noqa: S311


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _now() -> datetime:
    return datetime.now(timezone.utc)
