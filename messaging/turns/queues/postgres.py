"""The queue of several processes on one PostgreSQL: procrastinate's jobs, kept with the change that made them.

A job's lock is its key, so that one process works on it at a time; a process that died is known by its heartbeat, and its
jobs are done by the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.jobs import DeleteJobCondition
from procrastinate.worker import Worker
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from database import patience_of
from messaging.turns.queues import Work

logger = logging.getLogger(__name__)

DONE = "tendero_turn_done"  # the notification of finished turns
LEASE = 15.0  # seconds without a heartbeat, after which a process counts as dead
POLL_EVERY = 5.0  # seconds: only for a notification that was lost
PUT = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(:lane, :lane, 0, :lock, NULL, CAST(:args AS jsonb), NULL)]"
    "::procrastinate_job_to_defer_v1[])"
)


class PostgresQueue:
    """lease: seconds after which the jobs of a silent process are taken over."""

    alone = False

    def __init__(self, url: str, lease: float = LEASE) -> None:
        patient = make_url(url).update_query_dict({name: str(value) for name, value in patience_of(url).items()})
        self._conninfo = patient.set(drivername="postgresql").render_as_string(hide_password=False)
        self._lease = lease
        self._app = App(connector=PsycopgConnector(conninfo=self._conninfo, min_size=2, max_size=8))
        self._workers: list[_PromptWorker] = []
        self._at_work: list[asyncio.Task[None]] = []
        self._beside: list[asyncio.Task[None]] = []
        self._stopping = False

    def put(self, session: Session, lane: str, key: str) -> None:
        session.execute(PUT, {"lane": lane, "lock": f"{lane}:{key}", "args": json.dumps({"key": key})})

    def wake(self, lane: str, key: str) -> None:
        """PostgreSQL has notified whoever is free."""

    def announce(self, session: Session, turn_id: int) -> None:
        session.execute(text("SELECT pg_notify(:channel, :turn)"), {"channel": DONE, "turn": str(turn_id)})

    async def start(self, lanes: Mapping[str, tuple[Work, int]], on_done: Callable[[int], None]) -> None:
        for lane, (work, _at_once) in lanes.items():
            self._app.task(name=lane, queue=lane, retry=RetryStrategy(wait=1))(_job_of(work))
        await self._app.open_async()
        loop = asyncio.get_running_loop()
        for lane, (_work, at_once) in lanes.items():
            self._at_work.append(loop.create_task(self._for_ever(partial(self._run_worker, lane, at_once))))
        for run in (partial(self._listen, on_done), self._take_over):
            self._beside.append(loop.create_task(self._for_ever(run)))

    async def stop(self, grace: float) -> None:
        self._stopping = True
        for worker in self._workers:
            worker.shutdown_graceful_timeout = grace
            worker.stop()
        for task in self._beside:
            task.cancel()
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=grace + 2)
        for task in self._at_work:
            task.cancel()
        with contextlib.suppress(Exception):
            await self._app.close_async()

    async def _for_ever(self, run: Callable[[], Any]) -> None:
        """The database may be away: begin again."""
        while not self._stopping:
            try:
                await run()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                logger.warning("the queue begins again: %s", type(error).__name__)
            if not self._stopping:
                await asyncio.sleep(1.0)

    async def _run_worker(self, lane: str, at_once: int) -> None:
        worker = _PromptWorker(
            app=self._app,
            queues=[lane],
            name=lane,
            concurrency=at_once,
            fetch_job_polling_interval=POLL_EVERY,
            listen_notify=True,
            delete_jobs=DeleteJobCondition.ALWAYS,
            install_signal_handlers=False,
            update_heartbeat_interval=self._lease / 3,
            stalled_worker_timeout=self._lease,
        )
        self._workers.append(worker)
        try:
            await worker.run()
        finally:
            if not self._stopping:
                self._workers.remove(worker)

    async def _listen(self, on_done: Callable[[int], None]) -> None:
        async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            await connection.execute(f"LISTEN {DONE}")
            async for notice in connection.notifies():
                on_done(int(notice.payload))

    async def _take_over(self) -> None:
        for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._lease):
            logger.warning("a job of a dead process is taken over")
            await self._app.job_manager.retry_job(job)
            for worker in self._workers:
                worker.look_again()  # nobody is notified of a job that is tried again
        await asyncio.sleep(self._lease / 3)


class _PromptWorker(Worker):
    """Asks for jobs once more a moment after each job and each notification.

    procrastinate's own looks when a job comes in. One that comes in while another with its lock ends, or just while it looks,
    would wait for the next poll.
    """

    async def _handle_notification(self, *, channel: str, notification: Any) -> None:
        await super()._handle_notification(channel=channel, notification=notification)
        self.look_again(0.02)

    async def _process_job(self, context: Any) -> None:
        try:
            await super()._process_job(context)
        finally:
            self.look_again()
            self.look_again(0.02)

    def look_again(self, after: float = 0.0) -> None:
        asyncio.get_running_loop().call_later(after, self._new_job_event.set)


def _job_of(work: Work) -> Callable[..., Any]:
    async def job(key: str) -> None:
        await work(key)

    return job
