"""Tells another desk what happens: each event and each message once, in the order of its handoff, however often it is away.

Several processes may do this at once: what is to be told is a row, and whoever tells it leases the row.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from database import transaction
from desk.adapters.chosen import answer_here, choose, forget
from desk.adapters.other_desk import Delivery, NotNow, OtherDesk, Refused, is_of, is_with
from desk.models import DeskDelivery
from messaging.handoffs import OPEN
from messaging.models import Handoff, HandoffEvent, InboundMessage
from messaging.pauses import doubling
from messaging.writes import insert_once

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds
OVERLAP = 200  # rows that are looked at again: an earlier one may have been committed later
LOOK_BACK = timedelta(days=1)  # when it begins, and nothing was told yet
LEASE = timedelta(minutes=1)
PATIENCE = 40.0  # seconds for one telling: less than the lease
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds
MOST_TRIES = 20  # about an hour
MOST_AT_ONCE = 20
MOST_TOLD = 50  # of a handoff's messages, for the question whether it has them all


class Forwarder:
    """One for a desk and process."""

    def __init__(self, desk: OtherDesk, url: str | None = None, now: Callable[[], datetime] | None = None) -> None:
        self._desk = desk
        self._url = url
        self._now = now or (lambda: datetime.now(timezone.utc))
        self._task: asyncio.Task[None] | None = None

    def announce(self) -> None:
        """Before anybody routes what this desk answers."""
        choose(self._desk)

    def start(self) -> None:
        self.announce()
        self._task = asyncio.get_running_loop().create_task(self._for_ever())

    async def stop(self) -> None:
        forget(self._desk)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._desk.close()

    async def _for_ever(self) -> None:
        while True:
            try:
                await self.once()
            except SQLAlchemyError as error:
                logger.warning("%s: what is to be told waits: %s", self._desk.name, type(error).__name__)
            except Exception:
                logger.exception("%s: what is to be told waits", self._desk.name)
            await asyncio.sleep(LOOK_EVERY)

    async def once(self) -> int:
        """Tell all that is due; how many were told."""
        await asyncio.to_thread(self._write_down)
        due = await asyncio.to_thread(self._due)
        told = await asyncio.gather(*(self._tell(delivery) for delivery in due))
        return sum(told)

    # What is to be told

    def _write_down(self) -> None:
        with transaction(self._url, is_optimistic=True) as session:
            found = [*self._events(session), *(self._messages(session) if self._desk.wants_messages else ())]
            known = set(_known(session, self._desk.name, [each.name for each in found]))
        new = [each for each in found if each.name not in known]
        if new:
            with transaction(self._url) as session:
                for each in new:
                    self._add(session, each)

    def _events(self, session: Session) -> Iterator[_Found]:
        after = _newest(session, self._desk.name, "event") - OVERLAP
        rows = select(HandoffEvent, Handoff).join(Handoff, Handoff.id == HandoffEvent.handoff_id)
        rows = rows.where(HandoffEvent.id > after, HandoffEvent.kind.in_(self._desk.events))
        rows = rows.where(HandoffEvent.at > self._now() - LOOK_BACK).order_by(HandoffEvent.id)
        for event, handoff in session.execute(rows):
            is_theirs = is_with(handoff, self._desk.name) or (not handoff.external and self._desk.concerns(handoff))
            if is_theirs and not is_of(event.by, self._desk.title):  # what they did themselves they know
                yield _Found("event", event.id, handoff.id)

    def _messages(self, session: Session) -> Iterator[_Found]:
        after = _newest(session, self._desk.name, "message") - OVERLAP
        rows = select(InboundMessage.id, Handoff).join(Handoff, Handoff.sender_id == InboundMessage.sender_id)
        rows = rows.where(InboundMessage.id > after, InboundMessage.kind == "message", Handoff.status.in_(OPEN))
        rows = rows.where(InboundMessage.received_at >= Handoff.created_at, Handoff.external.isnot(None))
        for id_, handoff in session.execute(rows.order_by(InboundMessage.id)):
            if is_with(handoff, self._desk.name):
                yield _Found("message", id_, handoff.id)

    def _add(self, session: Session, found: _Found) -> None:
        now = self._now()
        row = {"desk": self._desk.name, "name": found.name, "source": found.source, "source_id": found.source_id}
        row |= {"handoff_id": found.handoff_id, "created_at": now, "next_try_at": now, "state": "waiting", "tries": 0}
        if insert_once(session, DeskDelivery, row):
            handoff = session.get(Handoff, found.handoff_id)
            if not handoff.external:
                handoff.external = self._desk.external_of(handoff)

    # Telling

    def _due(self) -> list[Delivery]:
        """Leased to us: of each handoff the first that waits, unless that has to wait on."""
        now, ours = self._now(), (DeskDelivery.desk == self._desk.name, DeskDelivery.state == "waiting")
        with transaction(self._url) as session:
            firsts = select(func.min(DeskDelivery.id)).where(*ours).group_by(DeskDelivery.handoff_id)
            due = select(DeskDelivery).where(*ours, DeskDelivery.id.in_(firsts), DeskDelivery.next_try_at <= now)
            due = due.order_by(DeskDelivery.id).limit(MOST_AT_ONCE).with_for_update(skip_locked=True)
            rows = list(session.execute(due).scalars())
            for row in rows:
                row.tries, row.next_try_at = row.tries + 1, now + LEASE
            return [Delivery(row.id, row.name, row.source, row.source_id, row.handoff_id, row.tries) for row in rows]

    async def _tell(self, delivery: Delivery) -> bool:
        try:
            await asyncio.wait_for(self._desk.deliver(delivery), PATIENCE)
        except Refused as error:
            await self._given_up(delivery, str(error))
            return False
        except Exception as error:  # whatever it is, it is told later
            logger.warning("%s: %s is told later: %s", self._desk.name, delivery.name, _words(error))
            if delivery.tries >= MOST_TRIES:
                await self._given_up(delivery, _words(error))
            else:
                wish = error.after if isinstance(error, NotNow) else None
                after = wish if wish is not None else doubling(delivery.tries, FIRST_PAUSE, LONGEST_PAUSE)
                await self._note(delivery, next_try_at=self._now() + timedelta(seconds=after), error=_words(error))
            return False
        await self._note(delivery, state="sent", sent_at=self._now(), error=None)
        return True

    async def _given_up(self, delivery: Delivery, why: str) -> None:
        logger.error("%s: %s of handoff %s is not told: %s", self._desk.name, delivery.name, delivery.handoff_id, why)
        await self._note(delivery, state="failed", error=why[:300])
        await asyncio.to_thread(self._take_back, delivery)

    def _take_back(self, delivery: Delivery) -> None:
        """Nobody over there knows that a shopper waits, or what they wrote: those who answer here do from now on."""
        with transaction(self._url) as session:
            if session.get(Handoff, delivery.handoff_id) is not None:
                answer_here(session, delivery.handoff_id, self._now())

    async def _note(self, delivery: Delivery, **values: object) -> None:
        def run() -> None:
            with transaction(self._url) as session:
                ours = update(DeskDelivery).where(DeskDelivery.id == delivery.id, DeskDelivery.state == "waiting")
                session.execute(ours.values(**values).execution_options(synchronize_session=False))

        await asyncio.to_thread(run)


class _Found:
    def __init__(self, source: str, source_id: int, handoff_id: int) -> None:
        self.source, self.source_id, self.handoff_id = source, source_id, handoff_id
        self.name = f"{source[0]}{source_id}"


def _newest(session: Session, desk: str, source: str) -> int:
    theirs = (DeskDelivery.desk == desk, DeskDelivery.source == source)
    return int(session.execute(select(func.max(DeskDelivery.source_id)).where(*theirs)).scalar_one() or 0)


def _known(session: Session, desk: str, names: list[str]) -> list[str]:
    theirs = select(DeskDelivery.name).where(DeskDelivery.desk == desk, DeskDelivery.name.in_(names))
    return list(session.execute(theirs).scalars()) if names else []


def messages_told(session: Session, desk: str, handoff_id: int) -> list[int]:
    """The shopper's newest messages that this desk has, by their ids in the inbox."""
    told = (DeskDelivery.desk == desk, DeskDelivery.handoff_id == handoff_id, DeskDelivery.source == "message")
    newest = select(DeskDelivery.source_id).where(*told, DeskDelivery.state == "sent").order_by(DeskDelivery.source_id.desc())
    return list(session.execute(newest.limit(MOST_TOLD)).scalars())


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]
