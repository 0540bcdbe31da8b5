"""A stand-in for the web chat's server: speaks docs/webchat-protocol.md, over both transports, with the faults a test asks for.

    with running() as shop:
        shop.pages["/"] = "<!doctype html>..."   # what the browser loads; web/ is below STATIC, as with the real server
        shop.hold()                              # no reply until shop.release()
        shop.sockets = "silent"                  # what becomes of a new WebSocket, see Sockets
        shop.refuse("say", "busy", after=0.1)    # the next `say`
        shop.lose_answers(1)                     # takes the next message, and the connection is gone before the answer
        shop.is_away = True; shop.drop(); shop.go_deaf(); shop.bye("restart", 0.1); shop.stop(); shop.start()
        shop.forget_visitors(); shop.rotate_tokens()
        shop.say("Your parcel is on its way")    # an entry that nobody asked for
        shop.sent("say"), shop.texts()           # what arrived, what was taken

Periods are in seconds. Everything may be called from the test's thread.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal
from urllib.parse import unquote

import yaml
from aiohttp import WSMsgType, web

from bot.channels.webchat.static import AGAIN
from tests.browser.stand_in import ROOT, StandIn, served, write_frames

STATIC = "/webhooks/webchat/static/"
V1 = "/webhooks/webchat/v1/"
FILE_TYPES = ["image/jpeg", "image/png", "image/webp", "application/pdf"]
SHOWN = ("say", "choose", "place")  # the frames that become an entry

Frame = dict[str, Any]
Parts = list[dict[str, Any]]
Sockets = Literal["open", "closed", "refused", "silent", "never"]
"""closed: just after the handshake. refused: HTTP 403 in its place. silent: opens, says nothing. never: the handshake hangs."""


def echo(frame: Frame) -> Parts:
    """The assistant of tests that do not care what it says."""
    return [{"kind": "text", "text": f"re: {frame.get('text') or frame.get('choice', frame['type'])}"}]


@dataclass(eq=False)
class Conversation:
    """What the server keeps of one visitor."""

    name: str
    entries: list[Frame] = field(default_factory=list)
    read: int = 0  # by the shop
    typing: str | None = None  # who does
    customer: str | None = None
    whatsapp: bool = True
    links: set[Link] = field(default_factory=set)

    def newest(self) -> int:
        return len(self.entries)

    def named(self, id: str) -> Frame | None:
        return next((entry for entry in self.entries if entry.get("id") == id), None)


@dataclass(eq=False)
class Link:
    """One connection: a WebSocket, or a request that waits."""

    transport: Literal["socket", "exchange"]
    send: Callable[[Frame], None]
    end: Callable[[], Awaitable[None]]
    """Ends it as if the network had."""
    conversation: Conversation | None = None
    token: str | None = None
    is_deaf: bool = False


class WebChatStandIn(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, str] = {"/": "<!doctype html><title>Shop</title>"}
        self.reply: Callable[[Frame], Parts | None] = echo
        self.sockets: Sockets = "open"
        self.is_away = False  # connections break; pages and modules are served all the same
        self.page_size = 30
        self.renewed: dict[str, str] = {}  # addresses that are others in a page which is asked for
        self.file_refusal: tuple[int, str] | None = None
        self.files: dict[str, dict[str, Any]] = {}
        self.uploads = 0  # begun
        self.received: list[tuple[str, Frame]] = []  # (transport, frame) in the order of arrival
        self.unheard = 0  # frames over sockets that are deaf
        self.attempts: list[tuple[float, str]] = []  # (time.monotonic(), transport) of each request, taken or not
        self.conversations: list[Conversation] = []
        self._visitors: dict[str, Conversation] = {}  # by token
        self._rotates = False
        self._refusals: list[Frame] = []
        self._answers_to_lose = 0
        self._entries_to_skip = 0
        self._held: list[tuple[Conversation, Frame]] | None = None
        self._links: set[Link] = set()
        self._files_open = asyncio.Event()

    # --- What a test asks for ---

    def sent(self, type: str, transport: str | None = None) -> list[Frame]:
        """The frames of this type that arrived, taken or not."""
        return [frame for over, frame in list(self.received) if frame["type"] == type and transport in (None, over)]

    def texts(self) -> list[str]:
        """What the shopper has said, as it stands in the newest conversation."""
        return [entry["text"] for entry in self.conversation.entries if entry["by"] == "shopper" and "text" in entry]

    @property
    def conversation(self) -> Conversation:
        return self.conversations[-1]

    def links(self, transport: str | None = None) -> int:
        """How many connections there are at this moment."""
        return self._on_loop(lambda: sum(transport in (None, link.transport) for link in self._links))

    def hold(self) -> None:
        """No reply until `release`; meanwhile the assistant types."""
        self._held = self._held or []

    def release(self) -> None:
        held, self._held = self._held or [], None
        self._on_loop(lambda: [self._reply(conversation, frame) for conversation, frame in held])

    def say(self, *parts: str | dict[str, Any], by: str = "assistant", **keys: Any) -> None:
        """An entry in the newest conversation."""
        as_parts = [{"kind": "text", "text": part} if isinstance(part, str) else part for part in parts]
        self._on_loop(lambda: self._append(self.conversation, {"by": by, "parts": as_parts, **keys}))

    def happens(self, event: str, **keys: Any) -> None:
        self._on_loop(lambda: self._append(self.conversation, {"by": "shop", "event": event, **keys}))

    def types(self, on: bool, by: str = "agent") -> None:
        self._on_loop(lambda: self._set_typing(self.conversation, on, by))

    def refuse(self, of: str, why: str, after: float | None = None, times: int = 1) -> None:
        """The next frames of type `of` are not taken."""
        refusal = {"type": "refused", "of": of, "why": why, **({} if after is None else {"after": after})}
        self._refusals += [refusal] * times

    def lose_answers(self, times: int) -> None:
        self._answers_to_lose = times

    def drop(self, transport: str | None = None) -> None:
        """All connections break."""
        self._run(self._end([link for link in self._links if transport in (None, link.transport)]))

    def go_deaf(self) -> None:
        """The connections that there are stay open and nothing passes through them any more."""
        self._on_loop(lambda: [setattr(link, "is_deaf", True) for link in self._links])

    def listen_again(self) -> None:
        """Undoes `go_deaf` for the connections that are still there; what was said to them meanwhile is lost."""
        self._on_loop(lambda: [setattr(link, "is_deaf", False) for link in self._links])

    def skip_next_entries(self, times: int) -> None:
        """The next entries are kept and not told."""
        self._entries_to_skip = times

    def bye(self, why: str, after: float) -> None:
        self._run(self._bye(why, after, set(self._links)))

    def forget_visitors(self) -> None:
        """No token that was given is known any more."""
        self._visitors.clear()

    def rotate_tokens(self) -> None:
        """Each welcome brings another token; the one before holds on."""
        self._rotates = True

    def hold_files(self) -> None:
        self._on_loop(self._files_open.clear)

    def release_files(self) -> None:
        self._on_loop(self._files_open.set)

    # --- Frames ---

    def _take(self, link: Link, frame: Frame) -> list[Frame]:
        """The frames that answer this one."""
        self.received.append((link.transport, frame))
        refusal = next((each for each in self._refusals if each["of"] == frame["type"]), None)
        if refusal:
            self._refusals.remove(refusal)
            return [refusal | ({"id": frame["id"]} if "id" in frame else {})]
        if frame["type"] == "hello":
            return self._hello(link, frame)
        if link.conversation is None:
            return [{"type": "refused", "of": frame["type"], "why": "bad_frame"}]
        if frame["type"] in SHOWN:
            return self._shown(link.conversation, frame)
        answers = {
            "more": self._more,
            "identify": self._identify,
            "restart": self._restart,
            "sign_out": self._restart,
            "end": self._close,
            "whatsapp": self._whatsapp,
            "unlink": self._unlink,
            "ping": self._ping,
        }
        answer = answers.get(frame["type"])
        return answer(link, link.conversation, frame) if answer else []

    def _hello(self, link: Link, frame: Frame) -> list[Frame]:
        token = frame.get("token")
        if token is not None and token not in self._visitors:
            return [{"type": "refused", "of": "hello", "why": "unknown_visitor"}]
        conversation = self._visitors[token] if token else self._new_conversation()
        self._join(link, conversation, None if self._rotates else token)
        answers = self._identify(link, conversation, frame) if "jwt" in frame else []
        assert link.conversation
        page = self._page(link.conversation, after=frame.get("after"))
        return [self._welcome(link), *page, *self._not_shown(link.conversation, frame), *answers]

    def _not_shown(self, conversation: Conversation, hello: Frame) -> list[Frame]:
        """What has changed since the last answer of a long polling client."""
        has_read = hello.get("read", conversation.read) < conversation.read
        marks: list[Frame] = [{"type": "marks", "read": conversation.read}] if has_read else []
        if hello.get("typing", False) == (conversation.typing is not None):
            return marks
        return [*marks, {"type": "typing", "on": conversation.typing is not None, "by": conversation.typing or "assistant"}]

    def _new_conversation(self) -> Conversation:
        self.conversations.append(Conversation(f"conversation-{len(self.conversations) + 1}"))
        return self.conversations[-1]

    def _join(self, link: Link, conversation: Conversation, token: str | None) -> None:
        if link.conversation:
            link.conversation.links.discard(link)
        link.token = token or secrets.token_urlsafe(9)
        self._visitors[link.token] = conversation
        link.conversation = conversation
        conversation.links.add(link)

    def _welcome(self, link: Link) -> Frame:
        conversation = link.conversation
        assert conversation
        name = {"name": conversation.customer} if conversation.customer else {}
        return {
            "type": "welcome",
            "v": 1,
            "token": link.token,
            "conversation": conversation.name,
            "seq": conversation.newest(),
            "language": "en",
            "signed_in": conversation.customer is not None,
            **name,
            "read": conversation.read,
            "text_most": 2000,
            "files": {"types": FILE_TYPES, "most_bytes": 5_000_000},
            "whatsapp": conversation.whatsapp,
        }

    def _page(self, conversation: Conversation, after: int | None = None, before: int | None = None) -> list[Frame]:
        """With `after` all that is newer, if anything; else the newest page of what stands before `before`."""
        if after is not None:
            newer = conversation.entries[after:]
            return [{"type": "entries", "entries": newer}] if newer else []
        older = conversation.entries[: before - 1] if before else conversation.entries
        page = older[-self.page_size :]
        return [{"type": "entries", "entries": page, "more": len(page) < len(older)}]

    def _shown(self, conversation: Conversation, frame: Frame) -> list[Frame]:
        taken = conversation.named(frame["id"])
        if taken:
            return [{"type": "entries", "entries": [taken]}]
        if any(file not in self.files for file in frame.get("files", [])):
            return [{"type": "refused", "of": "say", "id": frame["id"], "why": "unknown_file"}]
        if frame["type"] == "choose" and frame["seq"] > conversation.newest():
            return [{"type": "refused", "of": "choose", "id": frame["id"], "why": "unknown_choice"}]
        if len(frame.get("text", "")) > 2000:
            return [{"type": "refused", "of": "say", "id": frame["id"], "why": "too_long"}]
        self._append(conversation, {"by": "shopper", "id": frame["id"], **self._words(conversation, frame)})
        self._loop.call_soon(self._begin, conversation, frame)
        return []

    def _words(self, conversation: Conversation, frame: Frame) -> Frame:
        if frame["type"] == "place":
            return {"place": {"latitude": frame["latitude"], "longitude": frame["longitude"]}}
        if frame["type"] == "choose":
            choices = [
                choice
                for part in conversation.entries[frame["seq"] - 1].get("parts", [])
                for group in (part, *part.get("cards", []))
                for choice in group.get("choices", [])
            ]
            title = next((choice["title"] for choice in choices if choice["index"] == frame["choice"]), str(frame["choice"]))
            return {"text": title, "chose": {"seq": frame["seq"], "choice": frame["choice"]}}
        files = [self.files[id] for id in frame.get("files", [])]
        shown = [{"url": f"{self.url}files/{file['id']}", **{k: file[k] for k in ("name", "type", "size")}} for file in files]
        return {"text": frame["text"], **({"files": shown} if shown else {})}

    def _append(self, conversation: Conversation, entry: Frame) -> None:
        at = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
        conversation.entries.append({"seq": conversation.newest() + 1, "at": at, **entry})
        if self._entries_to_skip:
            self._entries_to_skip -= 1
        else:
            self._tell(conversation, {"type": "entries", "entries": [conversation.entries[-1]]})

    def _begin(self, conversation: Conversation, frame: Frame) -> None:
        conversation.read = conversation.newest()
        self._tell(conversation, {"type": "marks", "read": conversation.read})
        self._set_typing(conversation, True, "assistant")
        if self._held is None:
            self._reply(conversation, frame)
        else:
            self._held.append((conversation, frame))

    def _reply(self, conversation: Conversation, frame: Frame) -> None:
        parts = self.reply(frame)
        self._set_typing(conversation, False, "assistant")
        if parts:
            self._append(conversation, {"by": "assistant", "parts": parts})

    def _set_typing(self, conversation: Conversation, on: bool, by: str) -> None:
        conversation.typing = by if on else None
        self._tell(conversation, {"type": "typing", "on": on, "by": by})

    def _tell(self, conversation: Conversation, frame: Frame) -> None:
        for link in list(conversation.links):
            if not link.is_deaf:
                link.send(frame)

    def _more(self, _link: Link, conversation: Conversation, frame: Frame) -> list[Frame]:
        page = json.dumps(self._page(conversation, before=frame["before"]))
        for before, now in self.renewed.items():
            page = page.replace(json.dumps(before), json.dumps(now))
        return list(json.loads(page))

    def _identify(self, link: Link, conversation: Conversation, frame: Frame) -> list[Frame]:
        """A jwt "old...", "bad...", "used..." is refused as such; any other is the customer's name."""
        for kind in ("old", "bad", "used"):
            if frame["jwt"].startswith(kind):
                return [{"type": "refused", "of": "identify", "why": f"{kind}_jwt"}]
        if conversation.customer in (frame["jwt"], None):
            conversation.customer = frame["jwt"]
            return [] if frame["type"] == "hello" else [self._welcome(link)]
        self._join(link, self._new_conversation(), None)
        return self._identify(link, self.conversation, frame)

    def _restart(self, link: Link, conversation: Conversation, _frame: Frame) -> list[Frame]:
        """Also `sign_out`: the tokens of the conversation hold no longer, and who else is in it has to come again."""
        self._visitors = {token: each for token, each in self._visitors.items() if each is not conversation}
        self._loop.create_task(self._bye("restart", 0, conversation.links - {link}))
        self._join(link, self._new_conversation(), None)
        assert link.conversation
        return [self._welcome(link), *self._page(link.conversation)]

    def _close(self, _link: Link, conversation: Conversation, _frame: Frame) -> list[Frame]:
        self._append(conversation, {"by": "shop", "event": "ended"})
        return []

    def _whatsapp(self, _link: Link, _conversation: Conversation, _frame: Frame) -> list[Frame]:
        return [{"type": "whatsapp", "link": "https://wa.me/3225550100?text=abc", "until": "2026-11-26T08:10:00Z"}]

    def _unlink(self, _link: Link, conversation: Conversation, _frame: Frame) -> list[Frame]:
        self._append(conversation, {"by": "shop", "event": "unlinked"})
        return []

    def _ping(self, _link: Link, _conversation: Conversation, _frame: Frame) -> list[Frame]:
        return [{"type": "pong"}]

    # --- The two transports ---

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self.attempts.append((time.monotonic(), "socket"))
        self._break_if_away(request)
        if self.sockets == "never":
            await asyncio.sleep(3600)
        if self.sockets == "refused":
            raise web.HTTPForbidden
        socket = web.WebSocketResponse()
        try:
            await socket.prepare(request)
        except ConnectionResetError:  # the browser has left
            return socket
        if self.sockets == "closed":
            await socket.close()
            return socket
        outgoing: asyncio.Queue[Frame] = asyncio.Queue()
        writing = asyncio.create_task(write_frames(socket, outgoing))

        async def end() -> None:
            if request.transport:
                request.transport.abort()

        link = Link("socket", outgoing.put_nowait, end, is_deaf=self.sockets == "silent")
        self._links.add(link)
        try:
            await self._listen(link, socket)
        finally:
            self._leave(link)
            writing.cancel()
        return socket

    async def _listen(self, link: Link, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            if link.is_deaf:
                self.unheard += 1
                continue
            frame = json.loads(message.data)
            answers = self._take(link, frame)
            if self._loses(frame):
                await link.end()
                return
            for answer in answers:
                link.send(answer)

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        self.attempts.append((time.monotonic(), "exchange"))
        self._break_if_away(request)
        body = await request.json()
        answers: list[Frame] = []
        news = asyncio.Event()
        is_over = asyncio.Event()

        def send(frame: Frame) -> None:
            answers.append(frame)
            news.set()

        async def end() -> None:
            if request.transport:
                request.transport.abort()
            is_over.set()

        link = Link("exchange", send, end)
        self._links.add(link)
        try:
            for frame in body["frames"]:
                for answer in self._take(link, frame):
                    answers.append(answer)
                if self._loses(frame):
                    await end()
            await self._wait(answers, news, is_over, body.get("wait", 0))
        finally:
            self._leave(link)
        return web.json_response({"frames": answers}, headers=_cors(request))

    async def _wait(self, answers: list[Frame], news: asyncio.Event, is_over: asyncio.Event, seconds: float) -> None:
        if any(frame["type"] != "welcome" for frame in answers):
            return
        ends = [asyncio.create_task(event.wait()) for event in (news, is_over)]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def _break_if_away(self, request: web.Request) -> None:
        if self.is_away and request.transport:
            request.transport.abort()
            raise web.HTTPServiceUnavailable

    def _loses(self, frame: Frame) -> bool:
        if frame["type"] not in SHOWN or self._answers_to_lose == 0:
            return False
        self._answers_to_lose -= 1
        return True

    def _leave(self, link: Link) -> None:
        self._links.discard(link)
        if link.conversation:
            link.conversation.links.discard(link)

    async def _end(self, links: list[Link]) -> None:
        for link in links:
            link.is_deaf = True
            await link.end()
            self._leave(link)

    async def _bye(self, why: str, after: float, links: set[Link]) -> None:
        for link in links:
            link.send({"type": "bye", "why": why, "after": after})
        await asyncio.sleep(0.05)  # so that it is written
        await self._end([link for link in links if link.transport == "socket"])

    # --- Files, pages ---

    async def _upload(self, request: web.Request) -> web.Response:
        self.uploads += 1
        await self._files_open.wait()
        body = await request.read()
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._visitors:
            return _file_refused(request, 401, "unknown_visitor")
        if self.file_refusal:
            return _file_refused(request, *self.file_refusal)
        file = {
            "id": f"file-{len(self.files) + 1}",
            "name": unquote(request.headers["X-File-Name"]),
            "type": request.content_type,
            "size": len(body),
        }
        self.files[file["id"]] = {**file, "body": body}
        return web.json_response(file, status=201, headers=_cors(request))

    async def _file(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["id"])
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file["body"], content_type=file["type"])

    async def _words_of(self, request: web.Request) -> web.Response:
        path = ROOT / "data" / "widget" / f"{request.match_info['language']}.yml"
        if not path.is_file():
            raise web.HTTPNotFound
        return web.json_response(yaml.safe_load(path.read_text(encoding="utf-8")), headers=_cors(request))

    async def _get(self, request: web.Request) -> web.Response:
        if request.path in self.pages:
            return web.Response(text=self.pages[request.path], content_type="text/html")
        path = ROOT / "web" / AGAIN.sub("", request.path.removeprefix(STATIC)).lstrip("/")
        if not path.is_file():
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return web.Response(body=path.read_bytes(), content_type=kind, headers=_cors(request))

    async def _may_send(self, request: web.Request) -> web.Response:
        return web.Response(headers=_cors(request))

    # --- The thread ---

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=20_000_000)
        app.router.add_get(f"{V1}socket", self._socket)
        app.router.add_post(f"{V1}exchange", self._exchange)
        app.router.add_post(f"{V1}files", self._upload)
        app.router.add_route("OPTIONS", "/{path:.*}", self._may_send)
        app.router.add_get(f"{V1}words/{{language}}.json", self._words_of)
        app.router.add_get("/files/{id}", self._file)
        app.router.add_get("/{path:.*}", self._get)
        return app

    async def _end_connections(self) -> None:
        await self._end(list(self._links))


def _cors(request: web.Request) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": request.headers.get("Origin", "null"),
        "Access-Control-Allow-Headers": "Authorization, Content-Type, X-File-Name",
    }


def _file_refused(request: web.Request, status: int, why: str) -> web.Response:
    retry = {"Retry-After": "1"} if status in (429, 503) else {}
    return web.json_response({"error": why}, status=status, headers={**_cors(request), **retry})


@contextmanager
def running() -> Iterator[WebChatStandIn]:
    shop = WebChatStandIn()
    shop._files_open.set()
    with served(shop):
        yield shop
