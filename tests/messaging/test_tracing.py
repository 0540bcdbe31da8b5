"""Traces for OpenTelemetry, against a collector that is a small HTTP server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from messaging.turns import trace
from messaging.turns.inbox import Claim
from messaging.turns.outbox import Outgoing

OURS = "4bf92f3577b34da6a3ce929d0e0e4736"
WITHOUT = pytest.mark.skipif(importlib.util.find_spec("opentelemetry") is None, reason="the extra `otel` is not installed")


class Collector(HTTPServer):
    """`bodies`: what was sent to /v1/traces."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Traces)
        self.bodies: list[bytes] = []


class _Traces(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            self.server.bodies.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        return


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    collector = Collector()
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    yield collector
    collector.shutdown()
    collector.server_close()


def claim(now: datetime) -> Claim:
    return Claim(
        turn_id=7,
        token="t",
        sender_id="525512345678",
        channel="test",
        kind="message",
        text="I am Ana",
        details={},
        provider_id="m-1",
        message_ids=(7,),
        trace_id=OURS,
        tries=1,
        error=None,
        received_at=now,
        owner="bot",
        recap_due=False,
    )


@WITHOUT
def test_turn_action_and_reply_are_spans_of_our_trace(collector: Collector) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from messaging.turns.tracing import TracedMetrics

    now = datetime.now(timezone.utc)
    watch = TracedMetrics()
    with trace.followed(OURS, 7):
        watch.acted("action_list_orders", "done", 0.02, OURS)
        watch.acted("action_slow", "slow", 3.0, OURS)
    watch.turned(claim(now), "done", 0.05, 0.06)
    watch.sent("test", "sent", Outgoing(1, "525512345678", {"text": "Hello Ana"}, "7-0", OURS, 1, now, "c"))
    watch.acted("action_by_hand", "done", 0.02, "")  # outside of a turn: no span
    watch.close()
    requests = [ExportTraceServiceRequest.FromString(body) for body in collector.bodies]
    resources = [each for request in requests for each in request.resource_spans]
    spans = {span.name: span for resource in resources for scope in resource.scope_spans for span in scope.spans}
    assert sorted(spans) == ["action action_list_orders", "action action_slow", "send test", "turn"]
    assert {span.trace_id.hex() for span in spans.values()} == {OURS}
    turn = spans.pop("turn")
    assert turn.span_id.hex() == trace.span_of_turn(OURS, 7)
    assert {span.parent_span_id for span in spans.values()} == {turn.span_id}
    assert 49_000_000 < turn.end_time_unix_nano - turn.start_time_unix_nano < 1_000_000_000
    assert [name for name, span in spans.items() if span.status.code == 2] == ["action action_slow"]
    names = {attribute.value.string_value for resource in resources for attribute in resource.resource.attributes}
    assert "tendero" in names
    assert not [body for body in collector.bodies if b"Ana" in body or b"5255" in body]


WATCH = """
import os, sys
from messaging.turns.watch import chosen_watch
print(type(chosen_watch(os.environ)).__name__, any(name.startswith("opentelemetry") for name in sys.modules if sys.modules[name]))
"""


def made(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", code]
    without = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(command, env={**without, **environ}, capture_output=True, text=True, timeout=120, check=True)


def test_nothing_of_it_is_imported_where_it_is_off() -> None:
    assert made(WATCH).stdout.split() == ["Metrics", "False"]


def test_that_it_is_asked_for_and_not_installed_is_said() -> None:
    blocked = "import sys; sys.modules['opentelemetry'] = None\n" + WATCH
    done = made(blocked, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert done.stdout.split() == ["Metrics", "False"]
    assert "the extra tendero[otel] is not installed" in done.stderr
