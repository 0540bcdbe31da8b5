"""What the engine tells whoever watches it: metrics, logs, traces. None of it may hold a shopper's words or address."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from messaging.turns.inbox import Backlog, Claim

logger = logging.getLogger(__name__)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Watch:
    """Watches nothing; subclasses take what they need. Must not raise, and must not take time."""

    def received(self, channel: str, is_new: bool) -> None:
        """A message is kept, or was already."""

    def refused(self, channel: str) -> None:
        """A message was refused, because too much waits."""

    def turned(self, claim: Claim, state: str, seconds: float, waited: float) -> None:
        """A turn is saved: done, withheld or failed. seconds: since it was taken; waited: since it was received."""

    def spent(self, stage: str, seconds: float) -> None:
        """Where a turn's time went: queue, load, understand, actions, save; send is a reply's, from stored to sent."""

    def failed(self, claim: Claim, error: Exception) -> None:
        """A try of a turn failed."""

    def superseded(self, claim: Claim) -> None:
        """Another process has taken the turn over."""

    def sent(self, channel: str, outcome: str, message: Any) -> None:
        """A reply was sent, retried, uncertain, held, withheld or failed."""

    def reported(self, channel: str, status: str, trace_id: str) -> None:
        """The provider says what has become of a reply: sent, delivered, read or failed."""

    def acted(self, action: str, outcome: str, seconds: float, trace_id: str) -> None:
        """An action was called: done, rejected, slow, down, error or rubbish."""

    def apologised(self, reason: str) -> None:
        """A shopper was told that something could not be done."""

    def database_away(self, error: Exception) -> None:
        """The database could not be reached."""

    def page(self, backlog: Backlog | None = None) -> str:
        """The metrics as Prometheus reads them. backlog: None where the database does not say."""
        return ""

    def close(self) -> None:
        """Nothing more comes: hand on what was kept."""


NOTHING_WATCHES = Watch()


def chosen_watch(environ: Mapping[str, str]) -> Watch:
    """Metrics and logs; traces, too, where an endpoint for them is set."""
    if environ.get(ENDPOINT):
        try:
            from messaging.turns.tracing import TracedMetrics

            return TracedMetrics()
        except ImportError:
            logger.warning("%s is set, but no traces are sent: the extra tendero[otel] is not installed", ENDPOINT)
    from messaging.turns.metrics import Metrics

    return Metrics()
