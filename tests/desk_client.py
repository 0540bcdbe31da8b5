"""A client of the desk's protocol (docs/desk-protocol.md) for tests: requests, and the live socket.

with DeskClient("http://127.0.0.1:8000", token) as marta:
    marta.hello()
    marta.post(f"handoffs/{id}/take")
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any

import httpx
import simple_websocket

from tests.plain_http import NO_TLS
from tests.webchat_client import Gone, Json, _WebSocket

PATIENCE = 20.0  # seconds
ROUTES = "/webhooks/desk/v1"


class DeskClient:
    """An agent's page. token: of their session. What came is kept: `items` and the watched one's `entries` by id, `frames`."""

    def __init__(self, url: str, token: str, origin: str | None = None) -> None:
        self.url, self.token, self.origin = url, token, origin or url
        cookies = {"tendero_desk": token} if token else {}
        headers = {"Origin": self.origin, "X-Tendero-Desk": "1"}
        self.http = httpx.Client(base_url=f"{url}{ROUTES}/", cookies=cookies, headers=headers, timeout=PATIENCE, verify=NO_TLS)
        self._socket: Any = None
        self.welcome: Json = {}
        self.items: dict[int, Json] = {}
        self.entries: dict[str, Json] = {}
        self.frames: list[Json] = []
        self.watched: int | None = None

    def __enter__(self) -> DeskClient:
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    # Requests

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        return self.http.post(path, json=fields)

    def move(self, handoff: int, move: str, **fields: Any) -> Json:
        """It has to succeed: the item."""
        answer = self.post(f"handoffs/{handoff}/{move}", **fields)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["item"])

    def say(self, handoff: int, text: str, id: str | None = None, **more: Any) -> httpx.Response:
        return self.post(f"handoffs/{handoff}/message", id=id or f"m-{uuid.uuid4().hex[:12]}", text=text, **more)

    def note(self, handoff: int, text: str, id: str | None = None) -> httpx.Response:
        return self.post(f"handoffs/{handoff}/note", id=id or f"n-{uuid.uuid4().hex[:12]}", text=text)

    def upload(self, handoff: int, body: bytes, name: str) -> httpx.Response:
        return self.http.post(f"handoffs/{handoff}/files", params={"name": name}, content=body)

    # The socket

    def connect(self) -> None:
        """Without a word. Raises Gone."""
        headers = {"Origin": self.origin, "Cookie": f"tendero_desk={self.token}"}
        try:
            self._socket = _WebSocket(self.url.replace("http", "ws", 1) + f"{ROUTES}/socket", headers=headers)
        except (simple_websocket.ConnectionError, OSError) as error:
            raise Gone(str(error)) from error

    def hello(self) -> Json:
        if self._socket is None:
            self.connect()
        self.send(type="hello", v=1)
        return self.until(lambda frame: frame["type"] == "welcome")

    def again(self) -> Json:
        """A new connection, as the page makes one; it looks at what it looked at before."""
        self.close()
        welcome = self.hello()
        if self.watched is not None:
            self.watch(self.watched)
        return welcome

    def watch(self, handoff: int | None) -> None:
        """From now on its entries come; they are here when this returns."""
        self.watched, self.entries = handoff, {}
        self.send(type="watch", handoff=handoff)
        if handoff is not None:
            self.until(lambda frame: frame["type"] == "entries" and frame["handoff"] == handoff)

    def send(self, **frame: Any) -> None:
        self.send_raw(json.dumps(frame))

    def send_raw(self, data: str | bytes) -> None:
        try:
            self._socket.send(data)
        except (simple_websocket.ConnectionClosed, OSError) as error:
            raise Gone(str(error)) from error

    def next(self, seconds: float = PATIENCE) -> Json | None:
        """The next frame. None: none came. Raises Gone."""
        try:
            data = self._socket.receive(seconds)
        except (simple_websocket.ConnectionClosed, OSError) as error:
            raise Gone(str(error)) from error
        if data is None:
            return None
        frame: Json = json.loads(data)
        self.frames.append(frame)
        self._learn(frame)
        return frame

    def _learn(self, frame: Json) -> None:
        if frame["type"] == "welcome":
            self.welcome, self.items = frame, {item["id"]: item for item in frame["items"]}
        elif frame["type"] == "changed":
            self.items.update({item["id"]: item for item in frame["items"]})
            for gone in frame["gone"]:
                self.items.pop(gone, None)
        elif frame["type"] == "entries" and frame["handoff"] == self.watched:
            self.entries.update({entry["id"]: entry for entry in frame["entries"]})

    def until(self, condition: Callable[[Json], bool], seconds: float = PATIENCE) -> Json:
        """The first frame for which it is so. Raises AssertionError where none comes."""
        ends = time.monotonic() + seconds
        while (rest := ends - time.monotonic()) > 0:
            frame = self.next(rest)
            if frame is not None and condition(frame):
                return frame
        raise AssertionError(f"it did not come within {seconds:g} s; there were {[str(each)[:300] for each in self.frames[-5:]]}")

    def until_known(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Takes frames until what is kept is so."""
        ends = time.monotonic() + seconds
        while not condition():
            rest = ends - time.monotonic()
            assert rest > 0, f"it did not become so; {[str(each)[:300] for each in self.frames[-5:]]}"
            self.next(rest)

    def quiet(self, seconds: float = 0.8) -> list[Json]:
        """What comes until nothing more does."""
        came = []
        while (frame := self.next(seconds)) is not None:
            came.append(frame)
        return came

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(simple_websocket.ConnectionClosed, OSError):
                self._socket.close()
            self._socket = None

    @property
    def texts(self) -> list[str]:
        """What stands in the watched conversation, in order, but for events."""
        inside = [entry for entry in self.entries.values() if entry["by"] != "event"]
        return [words_of(entry) for entry in sorted(inside, key=lambda entry: entry["at"])]


def words_of(entry: Json) -> str:
    return "\n".join(str(part.get("text") or part["kind"]) for part in entry["parts"])
