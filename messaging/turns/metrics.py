"""What Prometheus reads at `/metrics`: turns, their stages, the backlog, apologies, replies by status. No words, no addresses."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from messaging.turns.inbox import Backlog, Claim
from messaging.turns.watch import Watch

logger = logging.getLogger("tendero.turns")

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics(Watch):
    """Counts and times, in a registry of its own; each event is one line in the log, by its trace id."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        named: dict[str, Any] = {"registry": self.registry}
        self._received = Counter("tendero_messages", "Messages received", ["channel", "again"], **named)
        self._refused = Counter("tendero_messages_refused", "Messages refused: too much waited", ["channel"], **named)
        self._turns = Counter("tendero_turns", "Turns saved", ["channel", "state"], **named)
        self._retries = Counter("tendero_turn_retries", "Tries of a turn that failed", ["error"], **named)
        self._superseded = Counter("tendero_turns_superseded", "Turns that another process took over", **named)
        self._turn_seconds = Histogram("tendero_turn_seconds", "Taken until saved", buckets=SECONDS, **named)
        self._wait_seconds = Histogram("tendero_wait_seconds", "Received until saved", buckets=SECONDS, **named)
        self._actions = Histogram("tendero_action_seconds", "Action calls", ["action", "outcome"], buckets=SECONDS, **named)
        self._apologies = Counter("tendero_apologies", "Told that it could not be done", ["reason"], **named)
        self._replies = Counter("tendero_replies", "Replies sent, retried, failed", ["channel", "outcome"], **named)
        self._statuses = Counter("tendero_reply_reports", "What providers say of replies", ["channel", "status"], **named)
        self._stages = Histogram("tendero_stage_seconds", "Where the time goes", ["stage"], buckets=SECONDS, **named)
        self._waiting = Gauge("tendero_backlog", "What waits: messages for a turn, replies to be sent", ["of"], **named)
        self._oldest = Gauge("tendero_backlog_oldest_seconds", "For how long the oldest has waited", ["of"], **named)
        self._database = Gauge("tendero_database_up", "Whether the database answers", **named)
        self._away = Counter("tendero_database_away", "The database could not be reached", **named)

    def received(self, channel: str, is_new: bool) -> None:
        self._received.labels(channel, "no" if is_new else "yes").inc()

    def refused(self, channel: str) -> None:
        self._refused.labels(channel).inc()
        logger.warning("refused: too much waits", extra={"channel": channel})

    def turned(self, claim: Claim, state: str, seconds: float, waited: float) -> None:
        self._turns.labels(claim.channel, state).inc()
        self._turn_seconds.observe(seconds)
        self._wait_seconds.observe(waited)
        facts = {"channel": claim.channel, "state": state, "milliseconds": round(seconds * 1000), "try": claim.tries}
        logger.info("turn", extra={"trace_id": claim.trace_id, "turn": claim.turn_id, **facts})

    def spent(self, stage: str, seconds: float) -> None:
        self._stages.labels(stage).observe(max(seconds, 0.0))

    def failed(self, claim: Claim, error: Exception) -> None:
        self._retries.labels(type(error).__name__).inc()
        facts = {"trace_id": claim.trace_id, "turn": claim.turn_id, "try": claim.tries, "error": type(error).__name__}
        logger.error("turn failed", extra=facts)

    def superseded(self, claim: Claim) -> None:
        self._superseded.inc()
        logger.warning("turn taken over", extra={"trace_id": claim.trace_id, "turn": claim.turn_id})

    def sent(self, channel: str, outcome: str, message: Any) -> None:
        self._replies.labels(channel, outcome).inc()
        facts = {"trace_id": message.trace_id, "reply": message.id, "channel": channel, "outcome": outcome, "try": message.tries}
        if outcome == "sent":
            self.spent("send", (datetime.now(timezone.utc) - message.created_at).total_seconds())
        logger.info("reply", extra=facts)

    def reported(self, channel: str, status: str, trace_id: str) -> None:
        self._statuses.labels(channel, status).inc()
        logger.info("reply reported", extra={"trace_id": trace_id, "channel": channel, "status": status})

    def acted(self, action: str, outcome: str, seconds: float, trace_id: str) -> None:
        self._actions.labels(action, outcome).observe(seconds)
        if outcome not in ("done", "rejected"):
            logger.error("action failed", extra={"trace_id": trace_id, "action": action, "outcome": outcome})

    def apologised(self, reason: str) -> None:
        self._apologies.labels(reason).inc()

    def database_away(self, error: Exception) -> None:
        self._away.inc()
        logger.error("the database is away", extra={"error": type(error).__name__})

    def page(self, backlog: Backlog | None = None) -> str:
        self._database.set(backlog is not None)
        known = backlog or Backlog(*(float("nan"),) * 4)
        self._waiting.labels("messages").set(known.messages)
        self._waiting.labels("replies").set(known.replies)
        self._oldest.labels("messages").set(known.oldest_message)
        self._oldest.labels("replies").set(known.oldest_reply)
        return generate_latest(self.registry).decode()
