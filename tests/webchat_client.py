"""A client of the web chat's protocol (docs/webchat-protocol.md) for tests, over a WebSocket or long polling.

with Client("http://127.0.0.1:8000") as client:
    client.hello()
    entries = client.say("hello")
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol
from urllib.parse import quote

import httpx
import simple_websocket

from tests.plain_http import NO_TLS

Json = dict[str, Any]

PATIENCE = 30.0  # seconds
ROUTES = "/webhooks/webchat/v1"


class Refused(AssertionError):
    """The server has not taken a frame."""

    def __init__(self, frame: Json) -> None:
        super().__init__(frame)
        self.frame = frame
        self.why = str(frame["why"])


class Gone(Exception):
    """There is no connection (any more)."""


class Transport(Protocol):
    def send(self, frame: Json) -> None: ...

    def send_raw(self, data: str | bytes) -> None: ...

    def receive(self, seconds: float) -> Json | None:
        """The next frame; None: none came. Raises Gone."""

    def close(self) -> None: ...


class _WebSocket(simple_websocket.Client):
    def handshake(self) -> None:
        self.host = f"{self.host}:{self.port}"  # as browsers name a host
        super().handshake()


class Socket:
    def __init__(self, url: str, origin: str) -> None:
        try:
            self._socket = _WebSocket(url.replace("http", "ws", 1) + f"{ROUTES}/socket", headers={"Origin": origin})
        except (simple_websocket.ConnectionError, OSError) as error:
            raise Gone(str(error)) from error

    def send(self, frame: Json) -> None:
        self.send_raw(json.dumps(frame))

    def send_raw(self, data: str | bytes) -> None:
        try:
            self._socket.send(data)
        except (simple_websocket.ConnectionClosed, OSError) as error:
            raise Gone(str(error)) from error

    def receive(self, seconds: float) -> Json | None:
        try:
            data = self._socket.receive(seconds)
        except (simple_websocket.ConnectionClosed, OSError) as error:
            raise Gone(str(error)) from error
        return None if data is None else dict(json.loads(data))

    def close(self) -> None:
        with contextlib.suppress(simple_websocket.ConnectionClosed, OSError):
            self._socket.close()


class Exchange:
    """Keeps `hello` for each request, as the protocol asks. A frame goes out at once; waiting is a request, too."""

    def __init__(self, url: str, origin: str) -> None:
        self._url = url + f"{ROUTES}/exchange"
        self._client = httpx.Client(timeout=PATIENCE + 30, headers={"Origin": origin}, verify=NO_TLS)
        self._hello: Json = {}
        self._conversation = ""
        self._received: deque[Json] = deque()

    def send(self, frame: Json) -> None:
        if frame["type"] == "hello":
            self._hello, self._conversation = {"typing": False, **frame}, ""
            self._exchange([], 0)
        else:
            self._exchange([frame], 0)

    def send_raw(self, data: str | bytes) -> None:
        hello = json.dumps(self._hello)
        body = f'{{"frames": [{hello}, ' + (data if isinstance(data, str) else data.decode("utf-8", "replace")) + "]}"
        self._post(body.encode("utf-8", "surrogatepass"))

    def receive(self, seconds: float) -> Json | None:
        until = time.monotonic() + seconds
        while not self._received and (rest := until - time.monotonic()) > 0:
            self._exchange([], min(rest, 25))
        return self._received.popleft() if self._received else None

    def close(self) -> None:
        self._client.close()

    def _exchange(self, frames: Sequence[Json], wait: float) -> None:
        self._post(json.dumps({"frames": [self._hello, *frames], "wait": wait}).encode())

    def _post(self, body: bytes) -> None:
        try:
            answer = self._client.post(self._url, content=body)
        except httpx.TransportError as error:
            raise Gone(str(error)) from error
        if answer.status_code == 403:
            raise Gone("forbidden")
        assert answer.status_code in (200, 413), answer.status_code
        for frame in answer.json()["frames"]:
            self._learn(frame)

    def _learn(self, frame: Json) -> None:
        """What the next `hello` says; a welcome that tells nothing new is not received again."""
        if frame["type"] == "welcome":
            is_known, is_first = frame["conversation"] == self._conversation, not self._conversation
            self._conversation = frame["conversation"]
            self._hello |= {"token": frame["token"], "read": frame["read"]}
            self._hello["after"] = self._hello.get("after", 0) if is_known or is_first else 0
            if is_known:
                return
        elif frame["type"] == "entries" and frame["entries"]:
            self._hello["after"] = max(self._hello.get("after", 0), frame["entries"][-1]["seq"])
        elif frame["type"] == "marks":
            self._hello["read"] = frame["read"]
        elif frame["type"] == "typing":
            self._hello["typing"] = frame["on"]
        self._received.append(frame)


class Client:
    """url: of the assistant. over: how it talks. Entries are kept in `entries`, by number; other frames in `frames`."""

    def __init__(self, url: str, over: Literal["socket", "exchange"] = "socket", origin: str | None = None) -> None:
        self.url, self.origin = url, origin or url
        self._make: Callable[[], Transport] = lambda: (Socket if over == "socket" else Exchange)(self.url, self.origin)
        self.over = over
        self._transport: Transport | None = None
        self.token = ""
        self.conversation = ""
        self.welcome: Json = {}
        self.entries: dict[int, Json] = {}
        self.frames: list[Json] = []
        self.twice: list[Json] = []  # entries that came once more

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    # Connections

    def hello(self, after: int | None = None, **more: Any) -> Json:
        """The welcome. Raises Refused."""
        self.connect()
        frame = {"type": "hello", "v": 1, **({"token": self.token} if self.token else {}), **more}
        frame |= {} if after is None else {"after": after}
        self.send(frame)
        return self.until(lambda each: each["type"] == "welcome")

    def connect(self) -> None:
        """Without a word."""
        if self._transport is None:
            self._transport = self._make()

    def again(self, **more: Any) -> Json:
        """A new connection, which goes on after the newest entry."""
        self.close()
        return self.hello(after=max(self.entries, default=0), **more)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # Frames

    def send(self, frame: Json) -> None:
        self.transport.send(frame)

    @property
    def transport(self) -> Transport:
        if self._transport is None:
            raise Gone("not connected")
        return self._transport

    def next(self, seconds: float = PATIENCE) -> Json | None:
        """The next frame. None: none came."""
        frame = self.transport.receive(seconds)
        if frame is None:
            return None
        self.frames.append(frame)
        if frame["type"] == "welcome":
            if frame["conversation"] != self.conversation:
                self.entries.clear()
            self.welcome, self.token, self.conversation = frame, frame["token"], frame["conversation"]
        elif frame["type"] == "entries":
            for entry in frame["entries"]:
                if entry["seq"] in self.entries:
                    self.twice.append(entry)
                self.entries[entry["seq"]] = entry
        return frame

    def until(self, condition: Callable[[Json], bool], seconds: float = PATIENCE) -> Json:
        """The first frame for which it is so. Raises Refused where one is refused before, AssertionError where none comes."""
        ends = time.monotonic() + seconds
        while (rest := ends - time.monotonic()) > 0:
            frame = self.next(rest)
            if frame is not None and condition(frame):
                return frame
            if frame is not None and frame["type"] == "refused":
                raise Refused(frame)
        raise AssertionError(f"it did not come within {seconds:g} s; there were {self.frames[-5:]}")

    def refusal(self, frame: Json) -> Json:
        """The frame is sent, and has to be refused."""
        self.send(frame)
        return self.until(lambda each: each["type"] == "refused")

    def quiet(self, seconds: float = 0.5) -> list[Json]:
        """What comes until nothing more does."""
        came = []
        while (frame := self.next(seconds)) is not None:
            came.append(frame)
        return came

    # Talk

    def say(self, text: str, replies: int = 1, id: str | None = None, files: Sequence[str] = ()) -> list[Json]:
        """The entries that come of it: the shopper's own, and so many replies."""
        return self.tell({"type": "say", "text": text, **({"files": list(files)} if files else {})}, replies, id)

    def choose(self, seq: int, choice: int, replies: int = 1, id: str | None = None) -> list[Json]:
        return self.tell({"type": "choose", "seq": seq, "choice": choice}, replies, id)

    def tell(self, frame: Json, replies: int = 1, id: str | None = None) -> list[Json]:
        id = id or f"m-{uuid.uuid4().hex[:12]}"
        self.send({**frame, "id": id})
        own = self.entry(lambda each: each.get("id") == id)
        return [own, *(self.entry(lambda each, after=own["seq"] + number: each["seq"] > after) for number in range(replies))]

    def upload(self, body: bytes, name: str, type: str) -> Json:
        """The file's id, name, type and size."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": type,
            "X-File-Name": quote(name),
            "Origin": self.origin,
        }
        answer = httpx.post(f"{self.url}{ROUTES}/files", content=body, headers=headers, timeout=PATIENCE, verify=NO_TLS)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def get(self, path: str) -> httpx.Response:
        """What lies at an address of an entry."""
        return httpx.get(self.url + path, timeout=PATIENCE, verify=NO_TLS)

    def entry(self, condition: Callable[[Json], bool], seconds: float = PATIENCE) -> Json:
        """The first entry for which it is so, which may be there already. Raises as `until`."""
        ends = time.monotonic() + seconds
        while True:
            found = next((self.entries[seq] for seq in sorted(self.entries) if condition(self.entries[seq])), None)
            if found is not None:
                return found
            self.until(lambda each: each["type"] == "entries", ends - time.monotonic())

    @property
    def texts(self) -> list[str]:
        """What was said, by anybody, in order."""
        return [words_of(self.entries[seq]) for seq in sorted(self.entries)]


def words_of(entry: Json) -> str:
    """The words of an entry, a line each part."""
    parts = [str(part.get("text") or "") for part in entry.get("parts", ())]
    return str(entry.get("text") or entry.get("event") or "\n".join(filter(None, parts)))
