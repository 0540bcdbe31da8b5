"""The outbox: replies in the order uttered, each sent once, whatever happens to a recipient, a channel or this process.

A channel's `send` either returns the provider's name of the message or raises:

SendError
+-- TryAgain       later; `scope` says whether only this recipient has to wait, or the whole channel
+-- Uncertain      it may have arrived: later, unless the provider tells of it first
+-- Held           not before this person has written again
+-- Withheld       never: a person has taken the conversation over; the channel asks as late as it can (`assert_not_taken_over`)
+-- Undeliverable  never: the next reply goes on
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, Protocol

from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from database import transaction
from messaging.models import Conversation, OutboundMessage
from messaging.pauses import about, doubling
from messaging.turns import trace
from messaging.turns.queues import WorkLeft

logger = logging.getLogger(__name__)

OPEN = ("pending", "sending")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds
GIVE_UP_AFTER = timedelta(days=1)
PATIENCE = 60.0  # seconds, for one try: a provider that does not answer is asked again, with the same key
LEASE = timedelta(minutes=2)  # of a message that is being sent; if the process dies, another tries after it
NAP = 0.15  # seconds between two looks whether the reply before has been delivered
LONG = 30.0  # seconds: who has to wait longer gives its place in the lane away, and is woken when it is due
LEAST_TRIES = 12  # of a reply, before its age counts: one that was held, or waited for a closed channel, has had none
MOST_UNCERTAIN = 5  # sendings of one reply that nobody answers
FAR = timedelta(minutes=10)  # a reply that is put off for longer does not hold up what the person asks meanwhile
MOST_AGAIN = 3  # times that a reply is put back which the provider took and could not deliver


class SendError(Exception):
    """The channel could not send this message."""


class TryAgain(SendError):
    """Not now. after: seconds; None: our own back-off. scope "channel": nobody else's messages go either meanwhile."""

    def __init__(self, reason: str, after: float | None = None, scope: Literal["recipient", "channel"] = "recipient") -> None:
        super().__init__(reason)
        self.after, self.scope = after, scope


class Uncertain(SendError):
    """No answer came: it may have arrived. after: seconds in which the provider may tell of it, by the message's key."""

    def __init__(self, reason: str, after: float) -> None:
        super().__init__(reason)
        self.after = after


class Held(SendError):
    """The provider lets us write to this person only after they have written: it waits for that.

    has_written: asked in the transaction that notes it: whether they have since we looked; then it is tried again at once. It has
    to keep who writes meanwhile waiting for the transaction's end, else their turn could let go of nothing yet.
    """

    def __init__(self, reason: str, has_written: Callable[[Session], bool] = lambda _session: False) -> None:
        super().__init__(reason)
        self.has_written = has_written


class Withheld(SendError):
    """A person has the conversation since the message was taken: the assistant does not say it any more."""


class Undeliverable(SendError):
    """This message will never arrive."""


@dataclass(frozen=True)
class Outgoing:
    """A reply on its way. key: the same in each try, so that a provider can know a repetition.

    as_template: the provider has refused it in its own words. again: how often it was put back after it had been taken; sent_at:
    when it was, the last time."""

    id: int
    sender_id: str
    content: Mapping[str, Any]
    key: str
    trace_id: str
    tries: int
    created_at: datetime
    claim: str
    as_template: bool = False
    again: int = 0
    sent_at: datetime | None = None

    @property
    def opaque(self) -> str:
        """The key as a provider keeps it and gives it back later, perhaps to a shop that has begun anew since."""
        return _opaque(self.key, self.created_at)


@dataclass(frozen=True)
class Again:
    """To be sent once more. after: seconds. as_template: not in its own words."""

    after: float = 0.0
    as_template: bool = False


class Sender(Protocol):
    """What a channel brings to send with; one that has habits of its own is a `Channel`."""

    async def send(self, message: Outgoing) -> str | None:
        """Hand it to the provider; its name of the message. Raises what is drawn above; anything else is tried again."""


class Channel:
    """What a channel does besides sending; as it stands here, what holds for a channel that says nothing else.

    lease: seconds for a try, after which a dead process's is taken over. reconciles: the provider tells of messages by
    `Outgoing.opaque`, so that what a dead process was sending waits for that. settles: seconds for which a reply waits until
    the one before it is delivered.
    """

    lease: float | None = None
    reconciles: bool = False
    settles: float = 0.0

    def divide(self, content: Mapping[str, Any], language: str = "") -> Sequence[Mapping[str, Any]]:
        """The reply as the messages that it takes on this channel, in order. language: ISO 639-1. Must not raise."""
        return [content]

    def after_failure(self, code: int | None) -> Again | None:
        """What to do with a reply that the provider took and could not deliver; None: nothing, it has failed."""
        return None

    def learn(self, session: Session, sender_id: str, code: int | None, now: datetime) -> None:
        """What a failure for good tells of this person."""

    async def begin(self, provider_id: str) -> None:
        """A turn has begun on this message: the person may be shown that it was read."""

    async def end(self, provider_id: str, has_replies: bool) -> None:
        """That turn has ended, or this process has lost it; what it replies is sent next."""

    async def show_typing(self, sender_id: str, provider_id: str, on: bool) -> None:
        """A person of ours writes to this one, or has ceased to. provider_id: of the newest message; empty: there is none."""


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
    author: str = "assistant",
) -> None:
    """Store the replies of a turn, in order. author: what an "assistant" says is withheld while a person has the conversation."""
    of_all = {"turn_id": turn_id, "channel": channel, "sender_id": sender_id, "trace_id": trace_id, "created_at": now}
    of_all |= {"author": author, "state": state, "tries": 0, "sent_at": now if state == "sent" else None}
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


def take(
    session: Session, channel: str, sender_id: str, now: datetime, lease: timedelta = LEASE, settles: float = 0.0
) -> Outgoing | float | None:
    """The recipient's next reply, leased to us; seconds until it may be tried; None where there is nothing to send.

    settles: seconds for which it waits until the one before it is delivered. Where a person has the conversation, what the
    assistant has said is withheld; who takes it over meanwhile waits for the end of this transaction.
    """
    if session.execute(_OWNER, {"sender_id": sender_id}).scalar_one_or_none() == "agent":
        withhold(session, sender_id, now)
    open_ = and_(OutboundMessage.channel == channel, OutboundMessage.sender_id == sender_id, OutboundMessage.state.in_(OPEN))
    row = session.execute(
        select(OutboundMessage).where(open_).order_by(OutboundMessage.id).limit(1).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        return None
    if row.next_try_at is not None and row.next_try_at > now:
        return float((row.next_try_at - now).total_seconds())
    if settles and _is_one_under_way(session, row, now - timedelta(seconds=settles)):
        return NAP
    row.state, row.claim, row.tries, row.next_try_at = "sending", secrets.token_hex(16), row.tries + 1, now + lease
    facts = (dict(row.content), _key(row), row.trace_id, row.tries, row.created_at, row.claim)
    return Outgoing(row.id, sender_id, *facts, row.as_template, row.again, row.sent_at)


_OWNER = select(Conversation.owner).where(Conversation.sender_id == bindparam("sender_id")).with_for_update(read=True)


def assert_not_taken_over(session: Session, message: Outgoing) -> None:
    """Raises Withheld where a person has got the conversation since `take`, were it for a moment, and this is not theirs. Whoever
    takes it over meanwhile waits for the end of this transaction: for a channel that writes the message down in it."""
    owner = session.execute(_OWNER, {"sender_id": message.sender_id}).scalar_one_or_none()
    row = session.execute(_STANDS, {"id": message.id}).one_or_none()
    if row is not None and row.author == "assistant" and (owner == "agent" or row.state == "withheld"):
        raise Withheld("a person has the conversation")


_STANDS = select(OutboundMessage.author, OutboundMessage.state).where(OutboundMessage.id == bindparam("id"))


async def not_taken_over(message: Outgoing) -> None:
    """The same for a channel that hands the message to a provider: the last thing before it does, each time. What takes long,
    such as an upload, comes before it."""

    def look() -> None:
        with transaction(is_optimistic=True) as session:
            assert_not_taken_over(session, message)

    await asyncio.to_thread(look)


def withhold(session: Session, sender_id: str, now: datetime, is_given_away: bool = False) -> int:
    """What the assistant has said and nobody has seen is not sent any more: how many replies. What is being sent may still
    arrive; it is withheld when it has to be tried again.

    is_given_away: a person has had the conversation until now, so that what is being sent still is from before that: should the
    channel ask (`assert_not_taken_over`), it is withheld.
    """
    is_left = or_(OutboundMessage.next_try_at.is_(None), OutboundMessage.next_try_at <= now, is_given_away)
    is_ours = or_(OutboundMessage.state.in_(("pending", "held")), and_(OutboundMessage.state == "sending", is_left))
    theirs = (OutboundMessage.sender_id == sender_id, OutboundMessage.author == "assistant", is_ours)
    withheld = update(OutboundMessage).where(*theirs).values(state="withheld", next_try_at=None)
    return int(session.execute(withheld.execution_options(synchronize_session=False)).rowcount)


def _is_one_under_way(session: Session, row: OutboundMessage, since: datetime) -> bool:
    before = (OutboundMessage.channel == row.channel, OutboundMessage.sender_id == row.sender_id, OutboundMessage.id < row.id)
    under_way = (*before, OutboundMessage.state == "sent", OutboundMessage.sent_at > since)
    return session.execute(select(OutboundMessage.id).where(*under_way).limit(1)).scalar_one_or_none() is not None


def _key(row: OutboundMessage) -> str:
    return f"{row.turn_id}-{row.position}" + (f"-{row.again}" if row.again else "")


def _opaque(key: str, created_at: datetime) -> str:
    return f"{key}.{int(created_at.timestamp())}"


def note(session: Session, message: Outgoing, **values: Any) -> bool:
    """Write down how a try ended; False where another process has taken it over.

    What the provider has told of the message meanwhile stays: it knows more. One that was withheld meanwhile may have been sent.
    """
    ours = update(OutboundMessage).where(OutboundMessage.id == message.id, OutboundMessage.claim == message.claim)
    ours = ours.execution_options(synchronize_session=False)
    open_ = (*OPEN, "withheld") if values.get("state") == "sent" else OPEN
    if session.execute(ours.where(OutboundMessage.state.in_(open_)).values(**values)).rowcount:
        return True
    provider_id = values.get("provider_id")
    return bool(provider_id and session.execute(ours.values(provider_id=provider_id)).rowcount)


def reported(session: Session, channel: str, provider_id: str, opaque: str | None = None) -> Row | None:
    """The reply that a provider speaks of, locked: by its name or, while that is not known yet, by `Outgoing.opaque`."""
    ours = _REPORTED.where(OutboundMessage.channel == channel).limit(1).with_for_update()
    found = session.execute(ours.where(OutboundMessage.provider_id == provider_id)).one_or_none()
    if found is None and (match := _OPAQUE.fullmatch(opaque or "")):
        turn_id, position, again, created = (int(number or 0) for number in match.groups())
        second = datetime.fromtimestamp(created, timezone.utc)
        is_it = (OutboundMessage.turn_id == turn_id, OutboundMessage.position == position, OutboundMessage.again == again)
        at = (OutboundMessage.created_at >= second, OutboundMessage.created_at < second + timedelta(seconds=1))
        has_no_name = (OutboundMessage.provider_id.is_(None), OutboundMessage.state.in_((*OPEN, "failed", "withheld")))
        found = session.execute(ours.where(*is_it, *at, *has_no_name)).one_or_none()
    return found


_OPAQUE = re.compile(r"(\d{1,18})-(\d{1,9})(?:-(\d{1,9}))?\.(\d{1,11})")
_REPORTED = select(
    OutboundMessage.id,
    OutboundMessage.sender_id,
    OutboundMessage.trace_id,
    OutboundMessage.state,
    OutboundMessage.again,
    OutboundMessage.provider_id,
)


@dataclass(frozen=True)
class News:
    """What a provider has told that we did not know. state: of the reply now; "pending": it is sent once more."""

    sender_id: str
    trace_id: str
    state: str


def note_status(
    session: Session,
    channel: str,
    provider_id: str,
    status: str,
    now: datetime,
    error: str | None = None,
    *,
    opaque: str | None = None,
    again: Again | None = None,
) -> News | None:
    """What the provider says of a message later: sent, delivered, read or failed. A status never goes back.

    None: we do not know the message, or knew more already. again: one that failed is put back, but not for ever.
    """
    row = reported(session, channel, provider_id, opaque)
    before = {"delivered": (*OPEN, "sent"), "read": (*OPEN, "sent", "delivered"), "failed": (*OPEN, "sent")}
    if row is None or not (row.state in before.get(status, OPEN) or _is_given_up(row, status)):
        return None
    values: dict[str, Any] = {"state": status, "error": error and error[:300], "provider_id": provider_id, "next_try_at": None}
    if status == "failed" and again is not None and row.again < MOST_AGAIN:
        due_at = now + timedelta(seconds=again.after)
        values |= {
            "state": "pending",
            "provider_id": None,
            "claim": None,
            "next_try_at": due_at,
            "again": row.again + 1,
            "tries": 0,
        }
        values |= {"as_template": True} if again.as_template else {}
    else:
        values |= {"sent_at": func.coalesce(OutboundMessage.sent_at, now)}
    changed = update(OutboundMessage).where(OutboundMessage.id == row.id).values(**values)
    session.execute(changed.execution_options(synchronize_session=False))
    return News(row.sender_id, row.trace_id, values["state"])


def among(session: Session, opaques: Iterable[str], states: Collection[str]) -> list[str]:
    """Those of these replies (`Outgoing.opaque`) that are in one of these states, in the order in which they were uttered."""
    named = {opaque: int(match[1]) for opaque in opaques if (match := _OPAQUE.fullmatch(opaque))}
    of_turns = (OutboundMessage.turn_id.in_(set(named.values())), OutboundMessage.state.in_(states))
    rows = session.execute(select(OutboundMessage).where(*of_turns).order_by(OutboundMessage.id)).scalars() if named else ()
    return [opaque for row in rows if (opaque := _opaque(_key(row), row.created_at)) in named]


def _is_given_up(row: Row, status: str) -> bool:
    """Failed or withheld by our own word, since nobody had answered in time; what is withheld is not tried again."""
    return (row.state == "failed" and row.provider_id is None) or (row.state == "withheld" and status != "failed")


def let_go(session: Session, channel: str, sender_id: str, now: datetime) -> bool:
    """The person has written: what was held for that, or put off for long, may be sent and is due. Whether there was any."""
    is_put_off = and_(OutboundMessage.state == "pending", OutboundMessage.next_try_at > now + FAR)
    theirs = (OutboundMessage.channel == channel, OutboundMessage.sender_id == sender_id)
    waits = or_(OutboundMessage.state == "held", is_put_off)
    freed = update(OutboundMessage).where(*theirs, waits)
    freed = freed.values(**_LET_GO, next_try_at=now)
    return bool(session.execute(freed.execution_options(synchronize_session=False)).rowcount)


_LET_GO = {"state": "pending", "as_template": False, "tries": 0}


def hold(session: Session, message: Outgoing, error: Held) -> bool:
    """Note that it is held. False: the person has written in the very moment, and it is to be sent."""
    is_held = not error.has_written(session)
    note(session, message, error=_words(error), next_try_at=None, **({"state": "held"} if is_held else _LET_GO))
    return is_held


def due(session: Session, channels: Iterable[str], now: datetime) -> list[str]:
    """The recipients (keys of the lane) whose reply had to wait, and need wait no longer."""
    waited = (OutboundMessage.state.in_(OPEN), OutboundMessage.channel.in_(list(channels)), OutboundMessage.next_try_at <= now)
    found = select(OutboundMessage.channel, OutboundMessage.sender_id).where(*waited).distinct()
    return [key_of(row.channel, row.sender_id) for row in session.execute(found)]


def release(session: Session, channel: str, next_try_at: datetime | None) -> None:
    """When to try again what a dead process was sending (None: at once): for the only process of its database, at its start."""
    left = (OutboundMessage.state == "sending", OutboundMessage.channel == channel)
    tried = update(OutboundMessage).where(*left).values(next_try_at=next_try_at)
    session.execute(tried.execution_options(synchronize_session=False))


@dataclass
class _Closed:
    """A channel on which nothing is sent: why, and when one message is tried again, by the loop's clock."""

    reason: str
    until: float


class OutboxSender:
    """Sends what is in the outbox for the channels that push; the work of the queue's lane `replies`.

    on_sent(channel, outcome, message): for logs and metrics; outcome is sent, retried, uncertain, held, withheld or failed.
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
        self._lease = lease
        self._patience = min(patience, lease)
        self._on_sent = on_sent or (lambda _channel, _outcome, _message: None)
        self._closed: dict[str, _Closed] = {}
        self._stopped = asyncio.Event()

    @property
    def channels(self) -> list[str]:
        return list(self._senders)

    @property
    def closed(self) -> dict[str, str]:
        """The channels on which nothing is sent at present, and why."""
        return {channel: closed.reason for channel, closed in self._closed.items()}

    def habits(self, channel: str) -> Channel:
        """What the channel does besides sending."""
        sender = self._senders.get(channel)
        return sender if isinstance(sender, Channel) else _NO_HABITS

    def left(self, alone: bool) -> list[str]:
        """The keys with something to send. alone: what a dead process was sending may be tried at once, unless the provider may
        still tell of it: since nobody was there to be told, its time begins now."""
        with transaction(self._url) as session:
            for channel in self._senders if alone else ():
                reconciles = self.habits(channel).reconciles
                release(session, channel, _now() + timedelta(seconds=self._lease_of(channel)) if reconciles else None)
            return [key_of(channel, sender_id) for channel, sender_id in senders_waiting(session, self._senders)]

    def stop(self) -> None:
        """Finish what is being sent; what waits is sent after the next start."""
        self._stopped.set()

    async def serve(self, key: str) -> None:
        """Send all that waits for this recipient, in order; what has to wait long is left until it is due (`due`).

        Raises WorkLeft.
        """
        channel, _, sender_id = key.partition(":")
        failures = 0
        while channel in self._senders:
            await self._until_open(channel)
            if self._stopped.is_set():
                raise WorkLeft("the process stops")
            try:
                message = await asyncio.to_thread(self._take, channel, sender_id)
                if isinstance(message, Outgoing):
                    await self._send(channel, message)
                else:
                    self._let_another_try(channel)
                    if message is None or message > LONG:
                        return
                    await self._sleep(message)
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
            provider_id = await asyncio.wait_for(self._senders[channel].send(message), self._patience_of(channel))
            values = {"state": "sent", "provider_id": provider_id, "sent_at": _now(), "next_try_at": None, "error": None}
        except Withheld:
            outcome, values = "withheld", {"state": "withheld", "error": None, "next_try_at": None}
        except Undeliverable as error:
            outcome, values = "failed", {"state": "failed", "error": _words(error), "next_try_at": None}
        except Held as error:
            await self._hold(channel, message, error)
            return
        except Uncertain as error:
            outcome, values = _uncertain(message, error)
        except asyncio.TimeoutError as error:
            if self.habits(channel).reconciles:  # it may have gone out, in the middle of it
                outcome, values = _uncertain(message, Uncertain("it took too long", self._lease_of(channel)))
            else:
                outcome, values = self._put_off(channel, message, error)
        except Exception as error:  # whatever it is, the message is not lost
            outcome, values = self._put_off(channel, message, error)
        if outcome in ("sent", "uncertain"):
            self._closed.pop(channel, None)
        elif outcome != "retried":
            self._let_another_try(channel)  # whether anything can be sent is not known from this
        await self._written_down(lambda session: note(session, message, **values))
        self._on_sent(channel, outcome, message)

    async def _hold(self, channel: str, message: Outgoing, error: Held) -> None:
        self._let_another_try(channel)  # as above
        is_held = await self._written_down(lambda session: hold(session, message, error))
        self._on_sent(channel, "held" if is_held else "retried", message)

    async def _written_down(self, fate: Callable[[Session], bool]) -> bool:
        """It must be: else the provider would get it again."""
        failures = 0
        while True:
            try:
                return await asyncio.to_thread(self._write_down, fate)
            except Exception as error:
                failures += 1
                logger.warning("a reply's fate cannot be noted yet: %s", type(error).__name__)
                await asyncio.sleep(_pause(failures, self._first_pause))

    def _put_off(self, channel: str, message: Outgoing, error: Exception) -> tuple[str, dict[str, Any]]:
        closes = isinstance(error, TryAgain) and error.scope == "channel"
        if not closes and message.tries >= LEAST_TRIES and _now() - message.created_at > GIVE_UP_AFTER:
            return "failed", {"state": "failed", "error": _words(error), "next_try_at": None}
        after = (
            error.after if isinstance(error, TryAgain) and error.after is not None else _pause(message.tries, self._first_pause)
        )
        if closes:
            self._close(channel, _words(error), after)
        else:
            self._let_another_try(channel)
        return "retried", {"state": "pending", "error": _words(error), "next_try_at": _now() + timedelta(seconds=after)}

    # A channel on which nothing can be sent

    def _close(self, channel: str, reason: str, after: float) -> None:
        self._closed[channel] = _Closed(reason, asyncio.get_running_loop().time() + after)

    async def _until_open(self, channel: str) -> None:
        """Until the channel may be tried again: the first to come tries, and the others wait for how that goes."""
        now = asyncio.get_running_loop().time
        while (closed := self._closed.get(channel)) is not None and not self._stopped.is_set():
            if closed.until <= now():
                closed.until = now() + self._patience_of(channel)
                return
            await self._sleep(min(closed.until - now(), 0.5))

    def _let_another_try(self, channel: str) -> None:
        if (closed := self._closed.get(channel)) is not None:
            closed.until = asyncio.get_running_loop().time()

    def _patience_of(self, channel: str) -> float:
        return min(self._patience, self._lease_of(channel))

    def _lease_of(self, channel: str) -> float:
        return self.habits(channel).lease or self._lease

    def _take(self, channel: str, sender_id: str) -> Outgoing | float | None:
        lease, settles = timedelta(seconds=self._lease_of(channel)), self.habits(channel).settles
        with transaction(self._url) as session:
            return take(session, channel, sender_id, _now(), lease, settles)

    def _write_down(self, fate: Callable[[Session], bool]) -> bool:
        with transaction(self._url) as session:
            return fate(session)


_NO_HABITS = Channel()


def _uncertain(message: Outgoing, error: Uncertain) -> tuple[str, dict[str, Any]]:
    """It stays "sending", since a status may come; each time for longer, and not for ever."""
    if message.tries >= MOST_UNCERTAIN:
        return "failed", {"state": "failed", "error": _words(error), "next_try_at": None}
    after = error.after * 2 ** min(message.tries - 1, 5)
    return "uncertain", {"error": _words(error), "next_try_at": _now() + timedelta(seconds=after)}


def _pause(failures: int, first: float) -> float:
    return about(doubling(failures, first, LONGEST_PAUSE))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _now() -> datetime:
    return datetime.now(timezone.utc)
