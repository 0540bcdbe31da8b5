"""Traces for OpenTelemetry: a span for each turn, action call and reply, under our own trace ids.

Only imported where OTEL_EXPORTER_OTLP_ENDPOINT is set; needs the extra `otel`. The exporter reads the OTEL_ variables itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, set_span_in_context

from messaging.turns import trace
from messaging.turns.inbox import Claim
from messaging.turns.metrics import Metrics

NANOSECONDS = 1_000_000_000


class _OurIds(RandomIdGenerator):
    """The ids of the next span that is no other's child; a turn's is known before it ends."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id or super().generate_trace_id()

    def generate_span_id(self) -> int:
        known, self.span_id = self.span_id, 0
        return known or super().generate_span_id()


class TracedMetrics(Metrics):
    """Spans are made when they have ended. They carry what the logs carry."""

    def __init__(self) -> None:
        super().__init__()
        self._ids = _OurIds()
        resource = Resource.create(_named())
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("tendero")

    def turned(self, claim: Claim, state: str, seconds: float, waited: float) -> None:
        super().turned(claim, state, seconds, waited)
        facts = {"channel": claim.channel, "kind": claim.kind, "state": state, "try": claim.tries, "turn": claim.turn_id}
        self._ids.trace_id = int(claim.trace_id, 16)
        self._ids.span_id = int(trace.span_of_turn(claim.trace_id, claim.turn_id), 16)
        span = self._tracer.start_span("turn", kind=SpanKind.CONSUMER, start_time=_before(seconds), attributes=facts)
        _end(span, is_error=state == "failed")

    def acted(self, action: str, outcome: str, seconds: float, trace_id: str) -> None:
        super().acted(action, outcome, seconds, trace_id)
        facts = {"action": action, "outcome": outcome}
        self._child("action " + action, trace_id, trace.current_span(), seconds, facts, outcome not in ("done", "rejected"))

    def sent(self, channel: str, outcome: str, message: Any) -> None:
        super().sent(channel, outcome, message)
        turn = trace.span_of_turn(message.trace_id, message.key.partition("-")[0])
        seconds = (datetime.now(timezone.utc) - message.created_at).total_seconds()
        facts = {"channel": channel, "outcome": outcome, "try": message.tries}
        self._child("send " + channel, message.trace_id, turn, seconds, facts, outcome != "sent")

    def close(self) -> None:
        self._provider.shutdown()

    def _child(self, name: str, trace_id: str, span_id: str, seconds: float, facts: Mapping[str, Any], is_error: bool) -> None:
        if not span_id:
            return  # outside of a turn
        parent = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        context = set_span_in_context(NonRecordingSpan(parent))
        span = self._tracer.start_span(name, context, SpanKind.CLIENT, start_time=_before(seconds), attributes=dict(facts))
        _end(span, is_error)


def _named() -> dict[str, Any]:
    """What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before."""
    is_named = not str(Resource.create({}).attributes["service.name"]).startswith("unknown_service")
    return {} if is_named else {"service.name": "tendero"}


def _end(span: Any, is_error: bool) -> None:
    if is_error:
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def _before(seconds: float) -> int:
    return time.time_ns() - int(max(seconds, 0.0) * NANOSECONDS)
