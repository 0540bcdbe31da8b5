"""The routes of people: signing in and out, their sessions, colleagues, the audit log. docs/desk-protocol.md has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any, TypeVar
from urllib.parse import unquote

from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse
from sqlalchemy.orm import Session

from bot.channels.webchat import origins
from bot.channels.webchat.limits import address_of
from bot.channels.webchat.static import words
from database import transaction
from desk import accounts, audit, errors, oidc, sessions, sign_in
from desk.errors import NOT_KEPT, DeskError
from desk.guard import check_sender, drop, guarded, keep, set_cookie, token_of
from desk.models import Agent, AgentSession
from desk.oidc import OidcRefused, OidcSettings
from desk.permissions import Me
from desk.requests import Fields, asked_number, fields_of
from desk.sessions import SignedIn
from desk.settings import PAGE, ROUTES, settings_of
from desk.sign_in import SignInRefused
from desk.welcome import asked_language

OIDC_COOKIE, OIDC_PATH = "tendero_desk_oidc", f"{ROUTES}/v1/oidc"
HASHING_AT_ONCE = 2  # each takes a core and 64 MiB for a moment: nobody but those who sign in waits for it
LONGEST_PASSWORD = 1024  # that is looked at

_hashing = ThreadPoolExecutor(HASHING_AT_ONCE, "desk-passwords")
Result = TypeVar("Result")


def add_account_routes(routes: Blueprint) -> None:
    """Those of the protocol's first table."""
    _add_sign_in(routes)
    _add_oidc(routes)
    _add_mine(routes)
    _add_agents(routes)

    @routes.get("/v1/audit")
    async def log(request: Request) -> HTTPResponse:
        await guarded(request, "audit")
        asked = audit.Asked(
            agent=request.args.get("agent") or "",
            action=request.args.get("action") or "",
            handoff_id=asked_number(request, "handoff"),
            before=asked_number(request, "before"),
        )
        found = await _in_transaction(lambda session: audit.search(session, asked))
        titles = audit.titles(found, asked_language(request))
        return _answer({"entries": found.entries, "has_more": found.has_more, "titles": titles})

    @routes.get("/v1/words/<file:str>")
    async def shown_words(request: Request, file: str) -> HTTPResponse:
        return words(request, file.removesuffix(".json"), {}, folder="desk")


# Signing in and out


def _add_sign_in(routes: Blueprint) -> None:
    @routes.post("/v1/sign-in", stream=True)
    async def begin(request: Request) -> HTTPResponse:
        check_sender(request)
        fields = await fields_of(request)
        name, password = fields.text("name"), fields.text("password", LONGEST_PASSWORD)
        try:
            signed_in = await _hash(lambda: sign_in.sign_in(name, password, _address(request), _browser(request), _now()))
        except SignInRefused as refused:
            raise _as_desk_error(refused) from None
        await _in_transaction(lambda session: _end_before(session, token_of(request)))
        return keep(_answer({"me": shown_me(signed_in.me)}), request, signed_in)

    @routes.post("/v1/sign-out")
    async def end(request: Request) -> HTTPResponse:
        me = await guarded(request)
        await _in_transaction(lambda session: _sign_out(session, me))
        return drop(_answer({}), request)

    @routes.get("/v1/me")
    async def who(request: Request) -> HTTPResponse:
        offered = _offered(request)
        try:
            me = await guarded(request)
        except DeskError as error:
            error.values.update(offered)
            raise
        return _answer({"me": shown_me(me), **offered})


def _end_before(session: Session, token: str) -> None:
    """The browser keeps one session: that which it had before is nobody's any more."""
    before = sessions.me_of(session, token, _now())
    if before is not None:
        sessions.end(session, before.session_id, before.id, _now())


def _sign_out(session: Session, me: Me) -> None:
    sessions.end(session, me.session_id, me.id, _now())
    audit.note(session, me, "signed_out", now=_now())


def _as_desk_error(refused: SignInRefused) -> DeskError:
    return errors.too_many(refused.after) if refused.code == "too_many" else DeskError(401, "wrong")


def shown_me(me: Me) -> dict[str, Any]:
    """The protocol's `me`."""
    return {
        "id": me.id,
        "name": me.name,
        "role": me.role,
        "permissions": sorted(me.permissions),
        "languages": list(me.languages),
        "queues": list(me.queues),
        "capacity": me.capacity,
        "status": me.status,
    }


# Single sign-on


def _add_oidc(routes: Blueprint) -> None:
    @routes.get("/v1/oidc/start")
    async def start(request: Request) -> HTTPResponse:
        settings = _oidc(request)
        try:
            begun = await asyncio.to_thread(oidc.begin, settings, _callback(request), _now())
        except OidcRefused as refused:
            return _back(refused)
        answer = response.redirect(begun.address, headers=NOT_KEPT)
        # Lax: the browser comes back from another site.
        set_cookie(answer, request, OIDC_COOKIE, begun.kept, oidc.MINUTES_AT_THE_PROVIDER * 60, "Lax", OIDC_PATH)
        return answer

    @routes.get("/v1/oidc/callback")
    async def callback(request: Request) -> HTTPResponse:
        settings = _oidc(request)
        try:
            signed_in = await asyncio.to_thread(_come_back, settings, request)
            answer = keep(response.redirect(PAGE, headers=NOT_KEPT), request, signed_in)
        except OidcRefused as refused:
            await asyncio.to_thread(_note_refused, refused)
            answer = _back(refused)
        set_cookie(answer, request, OIDC_COOKIE, "", 0, "Lax", OIDC_PATH)
        return answer


def _come_back(settings: OidcSettings, request: Request) -> SignedIn:
    told = {name: str(values[0]) for name, values in request.args.items()}
    kept = str(request.cookies.get(OIDC_COOKIE) or "")
    person = oidc.finish(settings, _callback(request), told, kept, _now())
    with transaction() as session:
        agent = oidc.agent_for(session, settings, person, _now())
        _end_before(session, token_of(request))
        signed_in = sessions.open_session(session, agent, "oidc", _browser(request), _now())
        audit.note(session, signed_in.me, "signed_in", details={"via": "oidc"}, now=_now())
    return signed_in


def _note_refused(refused: OidcRefused) -> None:
    with transaction() as session:
        audit.note(session, "", "sign_in_refused", details={"via": "oidc", "why": refused.why[:40]}, now=_now())


def _back(refused: OidcRefused) -> HTTPResponse:
    return response.redirect(f"{PAGE}?sign_in={refused.code}", headers=NOT_KEPT)


def _callback(request: Request) -> str:
    return f"{origins.own(request, settings_of(request).proxies)}{OIDC_PATH}/callback"


def _oidc(request: Request) -> OidcSettings:
    settings = settings_of(request).oidc
    if settings is None:
        raise errors.not_found()
    return settings


def _offered(request: Request) -> dict[str, Any]:
    settings = settings_of(request).oidc
    return {"oidc": {"name": settings.name}} if settings else {}


# Their own


def _add_mine(routes: Blueprint) -> None:
    @routes.post("/v1/me/password", stream=True)
    async def change_password(request: Request) -> HTTPResponse:
        me = await guarded(request)
        fields = await fields_of(request)
        old, new = fields.text("old", LONGEST_PASSWORD), fields.text("new", LONGEST_PASSWORD)
        try:
            is_theirs = await _hash(lambda: sign_in.has_password(me.id, old, _address(request), _now()))
        except SignInRefused as refused:
            raise _as_desk_error(refused) from None
        if not is_theirs:
            raise DeskError(422, "refused", rule="wrong_password", values={})
        ended = await _hash(lambda: _written(lambda session: _change_password(session, me, new)))
        return _answer({"ended": ended})

    @routes.get("/v1/me/sessions")
    async def mine(request: Request) -> HTTPResponse:
        me = await guarded(request)
        rows = await _in_transaction(lambda session: sessions.open_sessions(session, me.id, _now()))
        return _answer({"sessions": [_shown_session(row, me) for row in rows]})

    @routes.delete("/v1/me/sessions/<session_id:int>")
    async def end_one(request: Request, session_id: int) -> HTTPResponse:
        me = await guarded(request)
        if not await _in_transaction(lambda session: _end_one(session, me, session_id)):
            raise errors.not_found()
        return drop(_answer({}), request) if session_id == me.session_id else _answer({})


def _change_password(session: Session, me: Me, new: str) -> int:
    ended = accounts.set_password(session, session.get(Agent, me.id), new, _now(), but=me.session_id)
    audit.note(session, me, "changed_password", details={"agent": me.name}, now=_now())
    return ended


def _end_one(session: Session, me: Me, session_id: int) -> bool:
    is_ended = sessions.end(session, session_id, me.id, _now())
    if is_ended:
        audit.note(session, me, "ended_session", details={"agent": me.name}, now=_now())
    return is_ended


def _shown_session(row: AgentSession, me: Me) -> dict[str, Any]:
    return {
        "id": row.id,
        "via": row.via,
        "browser": row.browser,
        "created_at": row.created_at.isoformat(),
        "seen_at": row.seen_at.isoformat(),
        "is_this": row.id == me.session_id,
    }


# Everybody


def _add_agents(routes: Blueprint) -> None:
    @routes.get("/v1/agents")
    async def everybody(request: Request) -> HTTPResponse:
        me = await guarded(request)
        if request.args.get("all") and not me.may("manage_agents"):
            raise errors.forbidden("manage_agents")
        shown = accounts.shown_to_managers if request.args.get("all") else accounts.colleagues
        return _answer(await _in_transaction(lambda session: shown(session, _now())))

    @routes.post("/v1/agents", stream=True)
    async def add(request: Request) -> HTTPResponse:
        me = await guarded(request, "manage_agents")
        fields = await fields_of(request)
        return _answer({"agent": await _hash(lambda: _written(lambda session: _add(session, me, fields)))})

    @routes.patch("/v1/agents/<name:str>", stream=True)
    async def change(request: Request, name: str) -> HTTPResponse:
        me = await guarded(request, "manage_agents")
        fields = await fields_of(request)
        return _answer({"agent": await _hash(lambda: _written(lambda session: _change(session, me, unquote(name), fields)))})


def _add(session: Session, me: Me, fields: Fields) -> dict[str, Any]:
    told = {name: fields.values[name] for name in ("role", "languages", "queues", "capacity") if name in fields.values}
    agent = accounts.create(
        session,
        name=fields.text("name"),
        sign_in_name=fields.text("sign_in_name"),
        password=fields.text_or_none("password", LONGEST_PASSWORD),
        now=_now(),
        **told,
    )
    audit.note(session, me, "added_agent", details={"agent": agent.name, "role": agent.role}, now=_now())
    return accounts.shown_to_manager(agent, 0, _now())


def _change(session: Session, me: Me, name: str, fields: Fields) -> dict[str, Any]:
    told = {field: fields.values[field] for field in sorted(accounts.CHANGEABLE & set(fields.values))}
    password = fields.text_or_none("password", LONGEST_PASSWORD)
    agent = accounts.change(session, name, _now(), **told)
    if password is not None:
        accounts.set_password(session, agent, password, _now(), but=me.session_id)
    what = [*told, *(["password"] if password is not None else [])]
    details = {"agent": agent.name, "changed": what, "role": agent.role, "is_active": agent.is_active}
    audit.note(session, me, "changed_agent", details=details, now=_now())
    return accounts.shown_to_manager(agent, accounts.loads(session).get(agent.name, 0), _now())


# Around


async def _in_transaction(work: Callable[[Session], Result]) -> Result:
    return await asyncio.to_thread(_written, work)


def _written(work: Callable[[Session], Result]) -> Result:
    with transaction() as session:
        return work(session)


async def _hash(work: Callable[[], Result]) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_hashing, work)


def _answer(content: Any) -> HTTPResponse:
    return response.json(content, headers=NOT_KEPT)


def _address(request: Request) -> str:
    return address_of(request, settings_of(request).proxies)


def _browser(request: Request) -> str:
    return str(request.headers.get("user-agent", ""))


def _now() -> datetime:
    return datetime.now(timezone.utc)
