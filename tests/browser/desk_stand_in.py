"""A stand-in for the desk's server: speaks docs/desk-protocol.md, with the faults a test asks for.

    with desk_running() as desk:
        desk.add_item(12, shown_name="Ana", ...)     # a conversation of the list, with what is known about it
        desk.says(12, "shopper", "¿dónde está?")     # an entry, told to whoever watches
        desk.change(12, state="assigned", ...)       # told to everybody
        desk.refuse("take", 409, "taken", by="Marta")  # the next request of that route
        desk.is_away = True; desk.drop(); desk.bye("restart", 0.1); desk.stop(); desk.start()
        desk.keeps(12, "¡espera!")                   # the shopper's, in the inbox, and not told to anybody yet
        desk.alert("assigned", 12); desk.types(12, "shopper", True)
        desk.posts("message"), desk.frames("typing") # what arrived

Signing in takes "marta" (an agent), "sara" (a supervisor) and "ada" (an admin) with the password "open sesame".
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import yaml
from aiohttp import WSMsgType, web

from bot.channels.pages import PAGE_HEADERS
from tests.browser.stand_in import ROOT, StandIn, served, write_frames

DESK = "/webhooks/desk/"
V1 = f"{DESK}v1/"
PASSWORD = "open sesame"
LEAVES = ("resolve", "give-back", "snooze")  # after these nobody would answer what was not seen
OPEN = ("queued", "callback", "assigned", "snoozed")
AGENT = ["exceptions"]
SUPERVISOR = [*AGENT, "see_all", "take_over", "reports", "audit"]
PEOPLE = {
    "marta": ("Marta", "agent", AGENT),
    "olav": ("Olav", "agent", AGENT),
    "sara": ("Sara", "supervisor", SUPERVISOR),
    "ada": ("Ada", "admin", [*SUPERVISOR, "manage_agents"]),
}

Json = dict[str, Any]


def ago(**period: float) -> str:
    """An instant that has passed, as the protocol writes it."""
    return ahead(**{name: -value for name, value in period.items()})


def ahead(**period: float) -> str:
    at = datetime.now(timezone.utc) + timedelta(**period)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(eq=False)
class Line:
    """One socket."""

    name: str  # whose
    send: Callable[[Json], None]
    socket: web.WebSocketResponse
    watches: int | None = None


@dataclass
class Talk:
    """What is known about a conversation."""

    item: Json
    known: Json
    entries: list[Json] = field(default_factory=list)


class DeskStandIn(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.oidc: Json | None = None
        self.talks: dict[int, Talk] = {}
        self.people: dict[str, Json] = {}
        self.queues = [{"name": "returns", "title": "Returns"}, {"name": "orders", "title": "Orders"}]
        self.reasons = [{"name": "answered", "title": "Question answered"}, {"name": "done", "title": "Done as asked"}]
        self.topics = [{"name": "return", "title": "Return"}]
        self.goals = [{"name": "request_return", "title": "Return something"}]
        self.acts = [{"name": "refund_exception", "title": "Refund exception"}]
        self.canned: list[Json] = []
        self.report: Json = {}
        self.audit: list[Json] = []
        self.audit_titles: Json = {}
        self.sessions: list[Json] = []
        self.page_size = 20
        self.is_away = False
        self.does: Callable[[str, Json], Json] = lambda _kind, _told: {}  # what an act's `done` brings
        self.received: list[tuple[str, Json]] = []  # (route, body) of what was asked for with POST, PATCH and DELETE
        self.told: list[Json] = []  # frames that arrived
        self.uploads_open = asyncio.Event()
        self._refusals: list[tuple[str, int, Json]] = []
        self._lines: set[Line] = set()
        self._tokens: dict[str, str] = {}
        self._said: dict[str, Json] = {}  # by the page's id
        self._number = 1000
        for sign_in, (name, role, permissions) in PEOPLE.items():
            self.people[sign_in] = {
                "id": len(self.people) + 1,
                "name": name,
                "role": role,
                "permissions": permissions,
                "languages": [],
                "queues": [],
                "capacity": 4,
                "status": "available",
            }

    # --- What a test asks for ---

    def add_item(self, id: int, *, known: Json | None = None, entries: list[Json] | None = None, **keys: Any) -> Json:
        item = {
            "id": id,
            "state": "queued",
            "queue": "returns",
            "channel": "webchat",
            "language": "es",
            "reason": "policy",
            "topic": "request_return",
            "customer": None,
            "shown_name": f"Shopper {id}",
            "assignee": None,
            "created_at": ago(minutes=5),
            "callback_at": None,
            "snoozed_until": None,
            "awaiting_since": ago(minutes=4),
            "last": {"by": "shopper", "text": "¿Me ayudan?", "at": ago(minutes=4)},
            "unread": 0,
            "typing": False,
            "sla": None,
            "window": None,
            **keys,
        }
        self.talks[id] = Talk(item, known or {}, list(entries or []))
        return item

    def change(self, id: int, **keys: Any) -> None:
        """Told to everybody who may see it."""

        def changed() -> None:
            self.talks[id].item.update(keys)
            self._tell_changed(id)

        self._on_loop(changed)

    def gone(self, *ids: int) -> None:
        self._on_loop(lambda: self._tell({"type": "changed", "items": [], "gone": list(ids)}))

    def says(self, id: int, by: str, text: str = "", **keys: Any) -> Json:
        """An entry; what the shopper says changes the item, too."""
        entry = self.entry(by, text, **keys)

        def said() -> None:
            self._append(id, entry)
            if by == "shopper":
                item = self.talks[id].item
                last = {"by": by, "text": text, "at": entry["at"]}
                item.update(last=last, unread=item["unread"] + 1, awaiting_since=entry["at"])
                self._tell_changed(id)

        self._on_loop(said)
        return entry

    def keeps(self, id: int, text: str) -> None:
        """What the shopper has written and no page has heard of."""
        self._on_loop(lambda: self.talks[id].entries.append(self.entry("shopper", text)))

    def entry(self, by: str, text: str = "", **keys: Any) -> Json:
        self._number += 1
        letter = {"shopper": "i", "note": "n", "event": "e"}.get(by, "o")
        id = f"{letter}{self._number}" + ("-0" if letter == "o" else "")
        parts = [{"kind": "text", "text": text}] if text else []
        kept = {"id": id, "by": by, "channel": "webchat", "at": ago(), "parts": parts, "is_other_conversation": False}
        return {**kept, **({"mark": "sent"} if letter == "o" else {}), **keys}

    def shoppers(self, id: int) -> list[str]:
        """What the shopper wrote in this conversation, as a page that shows it all says that it has seen it."""
        entries = self.talks[id].entries
        return [each["id"] for each in entries if each["by"] == "shopper" and not each["is_other_conversation"]]

    def replace(self, id: int, entry_id: str, **keys: Any) -> None:
        """An entry has changed: its mark, most often."""

        def replaced() -> None:
            entry = next(each for each in self.talks[id].entries if each["id"] == entry_id)
            entry.update(keys)
            self._tell_entries(id, [entry])

        self._on_loop(replaced)

    def types(self, id: int, by: str, on: bool) -> None:
        frame = {"type": "typing", "handoff": id, "by": by, "on": on}
        self._on_loop(lambda: self._tell(frame))

    def alert(self, kind: str, id: int, **keys: Any) -> None:
        self._on_loop(lambda: self._tell({"type": "alert", "kind": kind, "handoff": id, **keys}))

    def refuse(self, route: str, status: int, code: str, times: int = 1, **values: Any) -> None:
        """The next requests of this route (the last word of its path, or "propose")."""
        self._refusals += [(route, status, {"error": code, **values})] * times

    def posts(self, route: str) -> list[Json]:
        return [body for path, body in list(self.received) if path.rpartition("/")[2] == route]

    def frames(self, type: str) -> list[Json]:
        return [frame for frame in list(self.told) if frame["type"] == type]

    def drop(self) -> None:
        """All sockets break."""
        self._run(self._end_connections())

    def bye(self, why: str, after: float = 0.1) -> None:
        async def said() -> None:
            self._tell({"type": "bye", "why": why, "after": after})
            await asyncio.sleep(0.05)  # so that it is written
            await self._end_connections()

        if why == "signed_out":
            self._tokens.clear()
        self._run(said())

    def lines(self) -> int:
        return self._on_loop(lambda: len(self._lines))  # type: ignore[no-any-return]

    def sign_in_as(self, name: str) -> str:
        """The token of a session."""
        token = f"token-{name}-{len(self._tokens)}"
        self._tokens[token] = name
        return token

    # --- Who is asking ---

    def _who(self, request: web.Request) -> Json:
        name = self._tokens.get(request.cookies.get("tendero_desk", ""))
        if name is None:
            raise _refusal(401, {"error": "signed_out", **({"oidc": self.oidc} if self.oidc else {})})
        return self.people[name]

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if not request.path.startswith(V1):
            return await handler(request)  # type: ignore[no-any-return]
        if self.is_away:
            if request.transport:
                request.transport.abort()
            raise web.HTTPServiceUnavailable
        if request.method != "GET":
            if request.headers.get("X-Tendero-Desk") != "1" or request.headers.get("Origin", "") + "/" != self.url:
                raise _refusal(403, {"error": "forbidden", "needs": "Origin"})
            is_file = request.path.endswith("/files")
            sent = await request.read()
            body = json.loads(sent) if sent and not is_file else {}
            self.received.append((request.path.removeprefix(V1), body))
            request["told"] = body
        self._refuse_if_asked(request)
        return await handler(request)  # type: ignore[no-any-return]

    def _refuse_if_asked(self, request: web.Request) -> None:
        last = request.path.rpartition("/")[2]
        found = next((each for each in self._refusals if each[0] == last), None)
        if found:
            self._refusals.remove(found)
            raise _refusal(found[1], found[2])

    async def _sign_in(self, request: web.Request) -> web.Response:
        told = request["told"]
        if told["name"] not in self.people or told["password"] != PASSWORD:
            raise _refusal(401, {"error": "wrong"})
        answer = web.json_response({"me": self.people[told["name"]]})
        answer.set_cookie("tendero_desk", self.sign_in_as(told["name"]), httponly=True, samesite="Strict")
        return answer

    async def _sign_out(self, request: web.Request) -> web.Response:
        self._tokens.pop(request.cookies.get("tendero_desk", ""), None)
        return web.json_response({})

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"me": self._who(request)})

    async def _password(self, request: web.Request) -> web.Response:
        if request["told"]["old"] != PASSWORD:
            raise _refusal(422, {"error": "refused", "rule": "wrong_password", "values": {}})
        return web.json_response({"ended": 1})

    async def _my_sessions(self, _request: web.Request) -> web.Response:
        return web.json_response({"sessions": self.sessions})

    async def _end_session(self, request: web.Request) -> web.Response:
        self.sessions = [each for each in self.sessions if each["id"] != int(request.match_info["id"])]
        return web.json_response({})

    def agents(self) -> list[Json]:
        there = {line.name for line in self._lines}
        kept = ("name", "role", "status", "capacity", "languages", "queues", "is_active", "gone")
        return [
            {
                **{key: one[key] for key in kept if key in one},
                "is_there": name in there,
                "load": sum(talk.item["assignee"] == one["name"] for talk in self.talks.values()),
            }
            for name, one in self.people.items()
        ]

    async def _agents(self, _request: web.Request) -> web.Response:
        return web.json_response(self.agents())

    async def _add_agent(self, request: web.Request) -> web.Response:
        told = dict(request["told"])
        told.pop("password", None)
        sign_in = told.pop("sign_in_name")
        if any(one["name"] == told["name"] for one in self.people.values()):
            raise _refusal(409, {"error": "name_taken", "field": "name"})
        self.people[sign_in] = {"id": len(self.people) + 1, "permissions": AGENT, "status": "away", **told}
        return web.json_response({"agent": told})

    async def _change_agent(self, request: web.Request) -> web.Response:
        one = next(one for one in self.people.values() if one["name"] == request.match_info["name"])
        one.update({key: value for key, value in request["told"].items() if key != "password"})
        return web.json_response({"agent": one})

    async def _audit(self, _request: web.Request) -> web.Response:
        return web.json_response({"entries": self.audit, "has_more": False, "titles": self.audit_titles})

    async def _report(self, _request: web.Request) -> web.Response:
        return web.json_response(self.report)

    # --- Conversations ---

    async def _search(self, request: web.Request) -> web.Response:
        asked = request.query
        before = int(asked.get("before", 10**9))
        found = [
            talk.item
            for talk in self.talks.values()
            if talk.item["state"] not in OPEN
            and talk.item["id"] < before
            and asked.get("q", "").lower() in str(talk.item["shown_name"]).lower()
            and all(talk.item[key] == asked[key] for key in ("queue", "language", "channel", "topic", "reason") if key in asked)
        ]
        found.sort(key=lambda item: -int(item["id"]))
        page = found[: self.page_size]
        return web.json_response({"items": page, "has_more": len(page) < len(found)})

    def _talk(self, request: web.Request) -> Talk:
        self._who(request)
        talk = self.talks.get(int(request.match_info["id"]))
        if talk is None:
            raise _refusal(404, {"error": "not_found"})
        return talk

    async def _conversation(self, request: web.Request) -> web.Response:
        talk = self._talk(request)
        nothing: Json = {
            "shopper": {"customer": None, "level": "unknown"},
            "packet": {},
            "acts": [],
            "events": [],
            "templates": [],
        }
        entries = talk.entries[-self.page_size :]
        has_more = len(entries) < len(talk.entries)
        return web.json_response({**nothing, **talk.known, "item": talk.item, "entries": entries, "has_more": has_more})

    async def _older(self, request: web.Request) -> web.Response:
        entries = self._talk(request).entries
        at = next(index for index, each in enumerate(entries) if each["id"] == request.query["before"])
        start = max(0, at - self.page_size)
        return web.json_response({"entries": entries[start:at], "has_more": start > 0})

    async def _move(self, request: web.Request) -> web.Response:
        me, talk = self._who(request), self._talk(request)
        item, told, path = talk.item, request["told"], request.match_info["move"]
        if path == "take" and item["assignee"] not in (None, me["name"]) and not told.get("over"):
            raise _refusal(409, {"error": "taken", "by": item["assignee"]})
        if path in LEAVES and (newest := max(self.shoppers(item["id"]), default="")) > max(told["seen"], default=""):
            raise _refusal(409, {"error": "stale", "newest": newest})
        to_queue = {"state": "queued", "assignee": None}
        moves: dict[str, Json] = {
            "take": {"state": "assigned", "assignee": me["name"]},
            "release": to_queue,
            "transfer": {**to_queue, "queue": told.get("queue")} if "queue" in told else {"assignee": told.get("agent")},
            "snooze": {"state": "snoozed", "snoozed_until": told.get("until")},
            "wake": {"state": "assigned", "snoozed_until": None},
            "resolve": {"state": "resolved", "assignee": None},
            "give-back": {"state": "given_back", "assignee": None},
        }
        item.update(moves[path])
        kinds = {"take": "assigned", "release": "released", "transfer": "transferred", "snooze": "snoozed", "wake": "woken"}
        kind = kinds.get(path, {"resolve": "resolved", "give-back": "given_back"}.get(path, path))
        self._append(item["id"], self.entry("event", name=me["name"], event=kind, details=dict(told)))
        self._tell_changed(item["id"])
        return web.json_response({"item": item})

    async def _say(self, request: web.Request) -> web.Response:
        me, talk, told = self._who(request), self._talk(request), request["told"]
        if told["id"] in self._said:
            return web.json_response({"entry": self._said[told["id"]]})
        is_note = request.path.endswith("/note")
        if not is_note and talk.item["assignee"] != me["name"]:
            raise _refusal(409, {"error": "not_yours"})
        text = told.get("text") or (f"Template {told['template']}" if "template" in told else "")
        entry = self.entry("note" if is_note else "agent", text, name=me["name"], sent_as=told["id"])
        entry["parts"] += [{"kind": "file", "name": id, "url": f"{V1}files/{id}"} for id in told.get("files", [])]
        self._said[told["id"]] = entry
        self._append(talk.item["id"], entry)
        return web.json_response({"entry": entry})

    async def _read(self, request: web.Request) -> web.Response:
        talk = self._talk(request)
        talk.item["unread"] = 0
        return web.json_response({})

    async def _upload(self, request: web.Request) -> web.Response:
        await request.read()
        await self.uploads_open.wait()
        return web.json_response({"id": request.query["name"], "name": request.query["name"], "type": "image/png", "size": 1})

    async def _file(self, _request: web.Request) -> web.Response:
        return web.Response(body=(ROOT / "web/products/backpack.png").read_bytes(), content_type="image/png")

    async def _canned(self, _request: web.Request) -> web.Response:
        return web.json_response(self.canned)

    async def _propose(self, request: web.Request) -> web.Response:
        told = request["told"]
        summary = [{"label": label, "value": value} for label, value in told.items()]
        return web.json_response({"proposal": "p1", "summary": summary, "warning": "The shopper gets a message."})

    async def _confirm(self, request: web.Request) -> web.Response:
        undo = {"effect": 7, "summary": [{"label": "Points", "value": "-100"}]}
        return web.json_response({"done": self.does(request.match_info["kind"], request["told"]), "undo": undo})

    async def _undo(self, request: web.Request) -> web.Response:
        me, item = self._who(request), self._talk(request).item
        if item["state"] not in OPEN:
            raise _refusal(409, {"error": "illegal"})
        if item["assignee"] != me["name"]:
            raise _refusal(409, {"error": "not_yours"})
        return web.json_response({})

    # --- The socket ---

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        me = self._who(request)
        name = next(key for key, one in self.people.items() if one is me)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        outgoing: asyncio.Queue[Json] = asyncio.Queue()
        writing = asyncio.create_task(write_frames(socket, outgoing))
        line = Line(name, outgoing.put_nowait, socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(line, message.json())
        finally:
            self._lines.discard(line)
            self._tell({"type": "agents", "agents": self.agents()})
            writing.cancel()
        return socket

    def _take(self, line: Line, frame: Json) -> None:
        self.told.append(frame)
        if frame["type"] == "hello":
            self._lines.add(line)
            line.send(self._welcome(line))
            self._tell({"type": "agents", "agents": self.agents()})
        elif frame["type"] == "watch":
            line.watches = frame["handoff"]
            if line.watches in self.talks:
                line.send({"type": "entries", "handoff": line.watches, "entries": self.talks[line.watches].entries[-50:]})
        elif frame["type"] == "status":
            self.people[line.name]["status"] = frame["status"]
            self._tell({"type": "agents", "agents": self.agents()})
        elif frame["type"] == "ping":
            line.send({"type": "pong"})
        elif frame["type"] == "typing":
            heard = {**frame, "by": self.people[line.name]["name"]}
            for other in self._lines - {line}:
                other.send(heard)

    def _welcome(self, line: Line) -> Json:
        return {
            "type": "welcome",
            "me": self.people[line.name],
            "agents": self.agents(),
            "queues": self.queues,
            "reasons": self.reasons,
            "acts": self.acts,
            "topics": self.topics,
            "goals": self.goals,
            "items": [talk.item for talk in self.talks.values() if talk.item["state"] in OPEN],
        }

    def _tell(self, frame: Json) -> None:
        for line in self._lines:
            line.send(frame)

    def _tell_changed(self, id: int) -> None:
        item = self.talks[id].item
        is_open = item["state"] in OPEN
        self._tell({"type": "changed", "items": [item] if is_open else [], "gone": [] if is_open else [id]})

    def _tell_entries(self, id: int, entries: list[Json]) -> None:
        for line in self._lines:
            if line.watches == id:
                line.send({"type": "entries", "handoff": id, "entries": entries})

    def _append(self, id: int, entry: Json) -> None:
        self.talks[id].entries.append(entry)
        self._tell_entries(id, [entry])

    async def _end_connections(self) -> None:
        for line in list(self._lines):
            self._lines.discard(line)
            await line.socket.close()

    # --- Pages ---

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(body=(ROOT / "web/desk/index.html").read_bytes(), content_type="text/html", headers=PAGE_HEADERS)

    async def _static(self, request: web.Request) -> web.Response:
        path = ROOT / "web" / request.match_info["path"]
        if not path.is_file():
            raise web.HTTPNotFound
        return web.Response(body=path.read_bytes(), content_type=mimetypes.guess_type(path.name)[0] or "text/plain")

    async def _words(self, request: web.Request) -> web.Response:
        path = ROOT / "data/desk" / f"{request.match_info['language']}.yml"
        if not path.is_file():
            raise web.HTTPNotFound
        return web.json_response(yaml.safe_load(path.read_text(encoding="utf-8")))

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=20_000_000, middlewares=[self._guard])
        get, post, about = app.router.add_get, app.router.add_post, f"{V1}handoffs/{{id}}"
        get("/desk", self._page)
        get(f"{DESK}static/{{path:.*}}", self._static)
        get(f"{V1}words/{{language}}.json", self._words)
        get(f"{V1}socket", self._socket)
        post(f"{V1}sign-in", self._sign_in)
        post(f"{V1}sign-out", self._sign_out)
        get(f"{V1}me", self._me)
        post(f"{V1}me/password", self._password)
        get(f"{V1}me/sessions", self._my_sessions)
        app.router.add_delete(f"{V1}me/sessions/{{id}}", self._end_session)
        get(f"{V1}agents", self._agents)
        post(f"{V1}agents", self._add_agent)
        app.router.add_patch(f"{V1}agents/{{name}}", self._change_agent)
        get(f"{V1}audit", self._audit)
        get(f"{V1}report", self._report)
        get(f"{V1}files/{{file}}", self._file)
        get(f"{V1}handoffs", self._search)
        get(about, self._conversation)
        get(f"{about}/entries", self._older)
        get(f"{about}/canned", self._canned)
        post(f"{about}/{{message:message|note}}", self._say)
        post(f"{about}/read", self._read)
        post(f"{about}/files", self._upload)
        post(f"{about}/acts/undo", self._undo)
        post(f"{about}/acts/{{kind}}/propose", self._propose)
        post(f"{about}/acts/{{kind}}/confirm", self._confirm)
        post(f"{about}/{{move}}", self._move)
        return app


def _refusal(status: int, body: Json) -> web.HTTPException:
    kind: Any = type("Refused", (web.HTTPClientError,), {"status_code": status})
    return kind(text=json.dumps(body), content_type="application/json")  # type: ignore[no-any-return]


@contextmanager
def desk_running() -> Iterator[DeskStandIn]:
    desk = DeskStandIn()
    desk.uploads_open.set()
    with served(desk):
        yield desk
