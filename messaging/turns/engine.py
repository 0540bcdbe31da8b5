"""The turn engine: takes a conversation's next message, has it answered, and saves all that came of it in one transaction.

A turn that fails is tried again; one that fails for good is answered with an apology and a person is called. Before its turn
is saved nothing of it can be seen; after that it is done once and for all, whoever else had begun it too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.orm import Session

from database import despite_others, transaction
from messaging import agent_messages, conversations, handoffs
from messaging.agent_messages import Said
from messaging.pauses import about, doubling
from messaging.turns import inbox, outbox, timers, trace
from messaging.turns.gathering import Gatherer
from messaging.turns.inbox import Claim, Inbound, Overloaded, Receipt, Superseded
from messaging.turns.outbox import Channel, News, OutboxSender, Sender, key_of
from messaging.turns.own_loop import on as on_loop
from messaging.turns.queues import REPLIES, TURNS, Queue, WorkLeft
from messaging.turns.watch import NOTHING_WATCHES, Watch

logger = logging.getLogger(__name__)

T = TypeVar("T")

AWAY = ("08", "40", "53", "55P03", "57P")  # codes of PostgreSQL: connection, overtaken, too little of something, locked, going
LOOK_AGAIN = 2.0  # seconds: whoever waits for a turn is told when it is done, and looks all the same
GONE = ("connection", "server closed", "locked", "busy", "unable to open", "disk i/o")  # in what SQLite says


THE_ASSISTANTS = frozenset({"bot", "queue"})  # owners under whom the assistant speaks


@dataclass(frozen=True)
class Outcome:
    """What a turn came to. contents: the replies, as Rasa's output channels get them.

    persist: writes the turn's events in the transaction that saves everything else; withheld: the replies were not sent,
    because a person has the conversation by now. saved: called once all of it is in the database. stages: seconds by stage.
    language: of the replies (ISO 639-1), for channels that have to say something else instead. owners: in whose hands the
    conversation may be when the replies are stored; else they are withheld. recapped: the recap that was due is among them.
    """

    contents: Sequence[Mapping[str, Any]]
    persist: Callable[[Session, bool], None] = lambda _session, _withheld: None
    saved: Callable[[], None] = lambda: None
    stages: Mapping[str, float] = field(default_factory=dict)
    language: str = ""
    owners: frozenset[str] = THE_ASSISTANTS
    recapped: bool = False


class NobodyAnswers(Exception):
    """The turn has kept silent for a person who does not have the conversation any more."""


Keep = Callable[[Inbound], Receipt]  # into the inbox, within a transaction
TakeIn = Callable[[Session, Keep], Any]


class TurnHandler(Protocol):
    """What answers: Rasa, behind `bot.turn_handler`."""

    async def run(self, claim: Claim) -> Outcome:
        """Answer it. Whatever it raises, the turn is tried again; it must then come to the same."""

    async def apologise(self, claim: Claim) -> Outcome:
        """Words for a shopper whose message could not be answered, and a person called."""


@dataclass(frozen=True)
class Limits:
    """most_tries: of a turn, before the apology. most_waiting: messages in the inbox, before more are refused. In seconds:
    first_pause and longest_pause between tries; patience of a channel that answers in the same request; reply_lease, after
    which another process may send what a dead one was sending."""

    turns_at_once: int = 64
    replies_at_once: int = 256
    most_tries: int = 3
    most_waiting: int = 2000
    first_pause: float = 0.2
    longest_pause: float = 5.0
    patience: float = 60.0
    timers_every: float = 15.0
    reply_lease: float = 120.0


@dataclass(frozen=True)
class Answer:
    """A finished turn: its state in the inbox, and what was replied."""

    state: str
    replies: list[dict[str, Any]] = field(default_factory=list)


class TurnEngine:
    """One for each process. pushes: the channels that send by themselves; the others answer in the request (`answer`)."""

    def __init__(
        self,
        handler: TurnHandler,
        queue: Queue,
        url: str | None = None,
        *,
        pushes: Mapping[str, Sender] | None = None,
        bursts: Sequence[str] = (),
        limits: Limits = Limits(),
        watch: Watch = NOTHING_WATCHES,
    ) -> None:
        self._handler = handler
        self._queue = queue
        self._url = url
        self._bursts = frozenset(bursts)
        self._limits = limits
        self._watch = watch
        self._sender = OutboxSender(
            pushes or {}, url, first_pause=max(limits.first_pause, 0.05), lease=limits.reply_lease, on_sent=watch.sent
        )
        self._waiters: dict[int, list[asyncio.Future[Answer | None]]] = {}  # by message
        self._expected: set[int] = set()  # messages whose turn only this process can do, and has not done
        self._background: list[asyncio.Task[None]] = []
        self._shown: set[asyncio.Task[None]] = set()  # else they could be collected before they end
        self._stopping = False
        self._under_way = 0
        self._gatherer: Gatherer[TakeIn, list[Receipt]] = Gatherer(self._keep_all, _concerns_all)
        self._stirred = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # of the turns; `take_in` and `note_status` may come from others

    # For channels

    async def receive(self, inbound: Inbound) -> Receipt:
        """Keep a message; when this returns, it will be answered whatever happens. Raises Overloaded, or what the database
        raises: then nothing was kept, and the channel must not acknowledge it."""
        ((receipt,),) = await self._taken_in(inbound.channel, self._keep_all([lambda _session, keep: keep(inbound)]))
        if receipt.is_new and self._queue.alone:
            self._expected.add(receipt.id)
        return receipt

    async def take_in(self, channel: str, work: TakeIn) -> list[Receipt]:
        """Keep the messages that `work` hands to `Keep`, in one transaction with all else that it writes.

        As `receive`, for a channel that has more to write down and waits for no answer. `work` may be called again.
        """
        (receipts,) = await self._taken_in(channel, self._together(_under_its_trace(work)))
        return receipts

    async def _together(self, work: TakeIn) -> list[list[Receipt]]:
        return [await self._gatherer.done(work)]

    async def _taken_in(self, channel: str, kept: Awaitable[list[list[Receipt]]]) -> list[list[Receipt]]:
        try:
            receipts = await kept
        except Overloaded:
            self._watch.refused(channel)
            raise
        for receipt in (each for several in receipts for each in several):
            self._watch.received(channel, receipt.is_new)
        return receipts

    async def _keep_all(self, works: Sequence[TakeIn]) -> list[list[Receipt]]:
        """In one transaction, before other threads that want to write: somebody waits for its end.

        Whoever waited may be gone by then; the turns begin all the same.
        """

        def run() -> list[list[Receipt]]:
            with transaction(self._url, in_a_hurry=True) as session:
                return self._kept(session, works)

        receipts = await asyncio.to_thread(despite_others, run)
        for receipt in (each for several in receipts for each in several):
            on_loop(self._loop, self._queue.wake, TURNS, receipt.sender_id)
        return receipts

    def _kept(self, session: Session, works: Sequence[TakeIn]) -> list[list[Receipt]]:
        new: dict[str, bool] = {}  # by shopper: whether they wrote

        def kept(work: TakeIn) -> list[Receipt]:
            receipts: list[Receipt] = []

            def keep(inbound: Inbound) -> Receipt:
                receipt = inbox.receive(session, inbound, _now(), self._limits.most_waiting)
                receipts.append(receipt)
                if receipt.is_new:
                    new[receipt.sender_id] = inbound.kind == "message" or new.get(receipt.sender_id, False)
                return receipt

            work(session, keep)
            return receipts

        receipts = [kept(work) for work in works]
        # For all together, in one order: else two who keep messages of the same shoppers could wait for each other.
        for sender_id in sorted(new):
            self._queue.put(session, TURNS, sender_id)
        handoffs.note_shoppers_wrote(session, [sender_id for sender_id, wrote in new.items() if wrote], _now())
        return receipts

    async def answer(self, receipt: Receipt) -> Answer:
        """The replies to a message, once its turn is done; a message that came twice has the same ones twice.

        Raises asyncio.TimeoutError where it takes longer than the limits' `patience`; the turn goes on.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.patience
        while True:
            done: asyncio.Future[Answer | None] = loop.create_future()
            self._waiters.setdefault(receipt.id, []).append(done)  # before the look, else the turn could end between the two
            try:
                if receipt.id not in self._expected:
                    answer = await self._in_transaction(lambda session: self._answer(session, receipt.id), only_reads=True)
                    if answer is not None:
                        return answer
                    if loop.time() >= until:
                        raise asyncio.TimeoutError
                told = await _told(done, min(until - loop.time(), LOOK_AGAIN))
                if told is not None:
                    return told
            finally:
                self._expected.discard(receipt.id)
                self._waiters[receipt.id].remove(done)
                if not self._waiters[receipt.id]:
                    del self._waiters[receipt.id]

    async def say_for_agent(
        self,
        handoff_id: int,
        agent: str,
        id: str,
        content: Mapping[str, Any],
        besides: Callable[[Session, Said], None] = lambda _session, _said: None,
    ) -> Said:
        """A person of ours writes to the shopper, as `agent_messages.say` has it; it is sent at once. besides: in the same
        transaction. Raises what that raises, and ValueError for what cannot be sent on the channel at all."""

        def keep(session: Session) -> Said:
            handoff = handoffs.by_id(session, handoff_id)
            if handoff.channel not in self._sender.channels:
                raise ValueError(f"nothing can be sent on the channel {handoff.channel}: it only answers")
            habits = self._sender.habits(handoff.channel)

            def divide(whole: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
                return habits.divide(whole, handoff.language)

            said = agent_messages.say(session, handoff, agent, id, content, _now(), divide=divide)
            if said.is_new:
                self._queue.put(session, REPLIES, said.key)
                besides(session, said)
            return said

        said = await self._in_transaction(keep)
        on_loop(self._loop, self._queue.wake, REPLIES, said.key)
        return said

    def stir_timers(self) -> None:
        """There may be a timer that is due: look now, instead of within seconds. From any thread."""
        on_loop(self._loop, self._stirred.set)

    async def note_status(
        self,
        channel: str,
        provider_id: str,
        status: str,
        error: str | None = None,
        *,
        key: str | None = None,
        code: int | None = None,
    ) -> bool:
        """What the provider says of a reply: sent, delivered, read or failed. False: we do not know it, or knew more already.

        key: `Outgoing.opaque`, where the provider gives it back. code: its number for what went wrong.
        """
        news = await self._in_transaction(
            lambda session: self._note_status(session, channel, provider_id, status, error, key, code)
        )
        if news is not None:
            self._watch.reported(channel, status, news.trace_id)
            if news.state == "pending":
                on_loop(self._loop, self._queue.wake, REPLIES, key_of(channel, news.sender_id))
        return news is not None

    def _note_status(
        self, session: Session, channel: str, provider_id: str, status: str, error: str | None, key: str | None, code: int | None
    ) -> News | None:
        habits = self._sender.habits(channel)
        again = habits.after_failure(code) if status == "failed" else None
        news = outbox.note_status(session, channel, provider_id, status, _now(), error, opaque=key, again=again)
        if news is not None and news.state == "pending":
            self._queue.put(session, REPLIES, key_of(channel, news.sender_id))
        elif news is not None and news.state == "failed":
            habits.learn(session, news.sender_id, code, _now())
        return news

    def show_typing(self, channel: str, sender_id: str, provider_id: str, on: bool) -> None:
        """As `Channel.show_typing`, by a channel that can; from any thread, and nobody waits for it."""
        if channel in self._sender.channels:
            on_loop(self._loop, self._begin_to_show, self._sender.habits(channel).show_typing(sender_id, provider_id, on))

    def _begin_to_show(self, shown: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(shown)
        self._shown.add(task)
        task.add_done_callback(self._shown.discard)

    @property
    def closed_channels(self) -> dict[str, str]:
        """Those on which nothing can be sent at present, and why."""
        return self._sender.closed

    # Life

    async def start(self) -> None:
        """Begin to work, first on what an earlier process left."""
        self._loop = asyncio.get_running_loop()
        lanes = {TURNS: (self.work, self._limits.turns_at_once), REPLIES: (self._sender.serve, self._limits.replies_at_once)}
        await self._queue.start(lanes, self._done_elsewhere)
        self._background = [
            asyncio.get_running_loop().create_task(each())
            for each in (self._take_up_what_is_left, self._run_timers, self._wake_those_who_waited)
        ]

    async def stop(self, grace: float = 10.0) -> None:
        """Finish the turns and sendings that are under way; what waits stays in the database."""
        self._stopping = True
        self._sender.stop()
        for task in self._background:
            task.cancel()
        await self._queue.stop(grace)

    @property
    def under_way(self) -> int:
        """Turns that are being answered."""
        return self._under_way

    async def _take_up_what_is_left(self) -> None:
        if not self._queue.alone:
            return  # the jobs of others are theirs, and those of the dead are taken over by the queue
        senders = await self._until_it_works(lambda: self._in_transaction(inbox.senders_waiting))
        for sender_id in senders:
            self._queue.wake(TURNS, sender_id)
        for key in await self._until_it_works(lambda: asyncio.to_thread(self._sender.left, True)):
            self._queue.wake(REPLIES, key)

    async def _run_timers(self) -> None:
        while not self._stopping:
            self._stirred.clear()
            try:
                fired = await self._in_transaction(self._fire_timers)
                for sender_id in fired:
                    self._queue.wake(TURNS, sender_id)
                rest = await self._in_transaction(lambda session: timers.seconds_to_next(session, _now()), only_reads=True)
            except Exception as error:
                logger.warning("timers wait: %s", type(error).__name__, exc_info=not isinstance(error, DBAPIError))
                rest = None
            with contextlib.suppress(asyncio.TimeoutError):
                longest = self._limits.timers_every
                await asyncio.wait_for(self._stirred.wait(), min(rest, longest) if rest is not None else longest)

    async def _wake_those_who_waited(self) -> None:
        """Replies that had to wait for long have nobody waiting with them."""
        while not self._stopping and self._sender.channels:
            await asyncio.sleep(self._limits.timers_every)
            try:
                for key in await self._in_transaction(self._put_due_replies):
                    self._queue.wake(REPLIES, key)
            except Exception as error:
                logger.warning("replies that are due wait: %s", type(error).__name__, exc_info=not isinstance(error, DBAPIError))

    def _put_due_replies(self, session: Session) -> list[str]:
        closed = self._sender.closed
        keys = outbox.due(session, [channel for channel in self._sender.channels if channel not in closed], _now())
        keys += [key for channel in closed for key in outbox.due(session, [channel], _now())[:1]]  # one tries; the others wait
        for key in keys:
            self._queue.put(session, REPLIES, key)
        return keys

    def _fire_timers(self, session: Session) -> list[str]:
        fired = []
        for inbound in timers.due(session, _now()):
            receipt = inbox.receive(session, inbound, _now())
            if receipt.is_new:
                self._queue.put(session, TURNS, receipt.sender_id)
            fired.append(receipt.sender_id)
        return fired

    # Turns

    async def work(self, sender_id: str) -> None:
        """All that waits in this conversation, turn by turn: the work of the queue's lane `turns`. Raises WorkLeft."""
        failures = 0
        while True:
            if self._stopping:
                raise WorkLeft("the process stops")
            claim = await self._until_it_works(lambda: self._in_transaction(lambda session: self._claim(session, sender_id)))
            if claim is None:
                return
            with trace.followed(claim.trace_id, claim.turn_id):
                failures = failures + 1 if await self._turn(claim) == "again" else 0
            if failures:
                await asyncio.sleep(self._pause(failures))

    def _show(self, claim: Claim, shown: Callable[[Channel], Coroutine[Any, Any, None]]) -> None:
        """To the shopper, by a channel that can; beside the turn, which does not wait for it."""
        if claim.channel in self._sender.channels and claim.kind == "message":
            self._begin_to_show(shown(self._sender.habits(claim.channel)))

    def _show_that_it_is_read(self, claim: Claim) -> None:
        if claim.owner != "agent" and claim.tries == 1:
            self._show(claim, lambda channel: channel.begin(claim.provider_id))

    def _show_that_it_ended(self, claim: Claim, has_replies: bool) -> None:
        self._show(claim, lambda channel: channel.end(claim.provider_id, has_replies))

    def _claim(self, session: Session, sender_id: str) -> Claim | None:
        return inbox.claim(session, sender_id, _now(), self._bursts)

    async def _turn(self, claim: Claim) -> str:
        began = time.perf_counter()
        self._under_way += 1
        is_last = claim.tries > self._limits.most_tries
        self._show_that_it_is_read(claim)
        try:
            done = await self._done(claim, is_last)
        except Superseded as error:
            self._watch.superseded(claim)
            self._show_that_it_ended(claim, False)
            raise WorkLeft("another process has the conversation") from error  # to go on would take it away from there
        finally:
            self._under_way -= 1
        if done is None:
            return "again"
        outcome, state = done
        outcome.saved()
        self._show_that_it_ended(claim, bool(outcome.contents) and state != "withheld")
        self._tell_watch(claim, state, outcome, time.perf_counter() - began)
        is_all = state == "done" and claim.error is None  # else earlier tries may have left replies, or these are withheld
        self._tell_waiters(claim.message_ids, Answer(state, [dict(each) for each in outcome.contents]) if is_all else None)
        self._queue.wake(REPLIES, key_of(claim.channel, claim.sender_id))
        return "done"

    async def _done(self, claim: Claim, is_last: bool) -> tuple[Outcome, str] | None:
        """Answered and saved: what it came to, and its state. None: it failed, or answered nothing though it is the assistant's
        to answer by now, and is tried again. Raises Superseded."""
        answered = self._handler.apologise if is_last else self._handler.run
        try:
            outcome = await self._until_it_works(lambda: answered(claim))
            return outcome, await self._saved(claim, outcome, is_last)
        except Superseded:
            raise
        except NobodyAnswers:
            return None
        except Exception as error:
            logger.exception("turn %s failed, try %s", claim.turn_id, claim.tries, extra={"trace_id": claim.trace_id})
            self._watch.failed(claim, error)
            words = f"{type(error).__name__}: {error}"
        await self._until_it_works(lambda: self._in_transaction(lambda session: inbox.note_failure(session, claim, words)))
        if not is_last:
            return None
        nothing = Outcome([])  # not even an apology: it must not be tried for ever
        return nothing, await self._saved(claim, nothing, is_last)

    async def _saved(self, claim: Claim, outcome: Outcome, is_last: bool) -> str:
        """The turn's state. Raises Superseded."""
        began = time.perf_counter()
        try:
            return await self._until_it_works(
                lambda: self._in_transaction(lambda session: self._save(session, claim, outcome, is_last))
            )
        except Superseded:
            if not await self._until_it_works(lambda: self._in_transaction(lambda session: inbox.is_finished_by(session, claim))):
                raise
            return "done"  # the transaction was committed, and only its confirmation was lost
        finally:
            self._watch.spent("save", time.perf_counter() - began)

    def _tell_watch(self, claim: Claim, state: str, outcome: Outcome, seconds: float) -> None:
        waited = (_now() - claim.received_at).total_seconds()
        for stage, spent in {"queue": waited - seconds, **outcome.stages}.items():
            self._watch.spent(stage, spent)
        self._watch.turned(claim, state, seconds, waited)

    def _save(self, session: Session, claim: Claim, outcome: Outcome, is_last: bool) -> str:
        error = claim.error or "the process ended while it was answered" if is_last else None
        owner = inbox.finish(session, claim, _now(), error)
        if claim.kind == "message" and claim.owner == "agent" and owner in THE_ASSISTANTS:
            raise NobodyAnswers
        withheld = owner not in outcome.owners and bool(outcome.contents)
        if outcome.recapped and not withheld:
            conversations.take_recap(session, claim.sender_id)
        outcome.persist(session, withheld)
        pushed = claim.channel in self._sender.channels
        has_held = pushed and claim.kind == "message" and outbox.let_go(session, claim.channel, claim.sender_id, _now())
        outbox.put(
            session,
            turn_id=claim.turn_id,
            channel=claim.channel,
            sender_id=claim.sender_id,
            contents=self._divided(claim.channel, outcome) if pushed else outcome.contents,
            trace_id=claim.trace_id,
            now=_now(),
            state="withheld" if withheld else "pending" if pushed else "sent",
            first_position=outbox.next_position(session, claim.turn_id) if claim.error else 0,
            author="desk" if "agent" in outcome.owners else "assistant",
        )
        if pushed and (has_held or (outcome.contents and not withheld)):
            self._queue.put(session, REPLIES, key_of(claim.channel, claim.sender_id))
        self._queue.announce(session, claim.turn_id)
        return "failed" if is_last else "withheld" if withheld else "done"

    def _divided(self, channel: str, outcome: Outcome) -> list[Mapping[str, Any]]:
        """The replies as the messages that they take on this channel."""
        habits = self._sender.habits(channel)
        language = {"language": outcome.language} if outcome.language else {}
        return [{**part, **language} for content in outcome.contents for part in habits.divide(content, outcome.language)]

    # Waiting

    def _answer(self, session: Session, message_id: int) -> Answer | None:
        state, turn_id = inbox.state_of(session, message_id)
        if state in inbox.OPEN or turn_id is None:
            return None
        return Answer(state, inbox.replies(session, turn_id))

    def _tell_waiters(self, message_ids: Sequence[int], answer: Answer | None = None) -> None:
        self._expected.difference_update(message_ids)
        for message_id in message_ids:
            for done in self._waiters.get(message_id, []):
                if not done.done():
                    done.set_result(answer)

    def _done_elsewhere(self, turn_id: int) -> None:
        """A turn's messages follow its id; waiters look into the database whether theirs is among them."""
        self._tell_waiters([message_id for message_id in self._waiters if message_id >= turn_id])

    # The database

    async def _in_transaction(self, work: Callable[[Session], T], only_reads: bool = False) -> T:
        def run() -> T:
            with transaction(self._url, is_optimistic=only_reads) as session:
                return work(session)

        return await asyncio.to_thread(despite_others, run)

    async def _until_it_works(self, work: Callable[[], Awaitable[T]]) -> T:
        """Again and again while the database is away; every other error is the caller's."""
        failures = 0
        while True:
            try:
                return await work()
            except DBAPIError as error:
                if not is_away(error):
                    raise
                failures += 1
                self._watch.database_away(error)
                await asyncio.sleep(self._pause(failures))

    def _pause(self, failures: int) -> float:
        return about(doubling(failures, self._limits.first_pause, self._limits.longest_pause))


def _under_its_trace(work: TakeIn) -> TakeIn:
    """It is done together with what others asked for: without this, under the trace of the first of them."""
    trace_id = trace.current()

    def traced(session: Session, keep: Keep) -> None:
        with trace.followed(trace_id):
            work(session, keep)

    return traced


def _concerns_all(error: Exception) -> bool:
    """Whether it would be the same for each message of a transaction."""
    return isinstance(error, SQLAlchemyError) and not is_of_data(error)


def is_of_data(error: Exception) -> bool:
    """Whether the database, or what prepares values for it, refuses a statement for its values: it would do so again."""
    is_unprepared = isinstance(error, StatementError) and not isinstance(error, DBAPIError)
    return is_unprepared or isinstance(error, (DataError, IntegrityError))


def is_away(error: DBAPIError) -> bool:
    """Whether the database could not be reached, or was too busy: the same statement may work in a moment."""
    if error.connection_invalidated:
        return True
    kind = type(error.orig).__name__
    if type(error.orig).__module__.startswith("psycopg"):
        # PostgreSQL gives each error of a statement its code; where there is none, it was not reached.
        code = getattr(error.orig, "pgcode", None)
        return kind in ("OperationalError", "InterfaceError") if code is None else code.startswith(AWAY)
    words = str(error.orig).lower()
    return kind in ("OperationalError", "InterfaceError") and any(word in words for word in GONE)


async def _told(done: asyncio.Future[Answer | None], patience: float) -> Answer | None:
    """The answer. None: it took longer, or what was told is that some turn is done, not which."""
    finished, _ = await asyncio.wait([done], timeout=max(patience, 0.0))
    return done.result() if finished else None


def _now() -> datetime:
    return datetime.now(timezone.utc)
