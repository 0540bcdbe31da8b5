"""How this server is: `/health` (it lives), `/ready` (it can answer), `/metrics` (Prometheus). For whoever runs it, nobody else.

A caller from this machine is answered; any other, and whoever comes through a web server, needs TENDERO_STATUS_TOKEN as a
bearer token. Without the variable they are refused.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from functools import wraps
from ipaddress import ip_address
from typing import Any

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.exc import DBAPIError

from bot.agent import TurnAgent
from database import transaction
from messaging.turns import inbox
from messaging.turns.inbox import Backlog
from messaging.turns.watch import Watch

TOKEN = "TENDERO_STATUS_TOKEN"  # noqa: S105 (the variable's name)
BACKLOG_TOO_OLD = 60.0  # seconds: then it is not ready for more
PATIENCE = 5.0  # seconds, with a database that does not answer
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

Route = Callable[[Request], Awaitable[HTTPResponse]]


def add_status_routes(app: Sanic, watch: Watch) -> None:
    @app.get("/health")
    @_for_whoever_runs_it
    async def health(_request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    @app.get("/ready")
    @_for_whoever_runs_it
    async def ready(request: Request) -> HTTPResponse:
        state = await readiness(getattr(request.app.ctx, "agent", None))
        return response.json(state, status=200 if state["ready"] else 503)

    @app.get("/metrics")
    @_for_whoever_runs_it
    async def metrics(_request: Request) -> HTTPResponse:
        page = watch.page(await _backlog())
        return response.text(page, content_type="text/plain; version=0.0.4; charset=utf-8")


async def readiness(agent: TurnAgent | None) -> dict[str, Any]:
    """What this server needs to answer, and what of it is missing; the model in use, by its file's name.

    stopped: the channels on which nothing can be sent at present, and why: an account's matter, and no reason to take nothing in.
    """
    backlog, acts = await asyncio.gather(_backlog(), _acts(agent))
    has = {
        "model": agent is not None and agent.is_ready(),
        "database": backlog is not None,
        "actions": acts,
        "backlog": backlog is not None and backlog.oldest_message < BACKLOG_TOO_OLD,
    }
    missing = [part for part, is_there in has.items() if not is_there]
    behind = {"waiting": backlog.messages, "oldest_seconds": round(backlog.oldest_message, 1)} if backlog is not None else {}
    model = {"model": agent.model_name} if agent is not None and has["model"] else {}
    closed = agent.engine.closed_channels if agent is not None else {}
    return {"ready": not missing, "missing": missing, **model, **behind, **({"stopped": closed} if closed else {})}


async def _acts(agent: TurnAgent | None) -> bool:
    return agent is not None and await agent.among_turns(agent.action_endpoint.is_alive())


async def _backlog() -> Backlog | None:
    """None where the database does not answer."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(_read_backlog), PATIENCE)
    except (DBAPIError, asyncio.TimeoutError):
        return None


def _read_backlog() -> Backlog:
    with transaction(is_optimistic=True) as session:  # it only reads: on SQLite nobody has to wait for it
        return inbox.backlog(session, datetime.now(timezone.utc))


def _for_whoever_runs_it(route: Route) -> Route:
    @wraps(route)
    async def guarded(request: Request) -> HTTPResponse:
        if _is_from_here(request) or _has_token(request):
            return await route(request)
        return response.json({"error": f"needs {TOKEN}"}, status=401, headers={"WWW-Authenticate": "Bearer"})

    return guarded


def _is_from_here(request: Request) -> bool:
    """The address is that of the connection: headers could say anything, and only make it less likely."""
    try:
        is_loopback = ip_address(request.ip).is_loopback
    except ValueError:  # a Unix socket has none
        return False
    return is_loopback and not any(name in request.headers for name in FORWARDED)


def _has_token(request: Request) -> bool:
    token = os.environ.get(TOKEN, "")
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return bool(token) and kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
