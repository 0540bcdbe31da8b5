"""Meta's Graph API over HTTP, as much of it as a shop needs.

GraphFailure
+-- GraphError   Meta has answered with an error: nothing was sent
+-- NotReached   it was not asked
+-- NoAnswer     it was asked, and what it did is not known
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bot.channels.whatsapp.settings import WhatsAppSettings

PATIENCE = httpx.Timeout(20.0, connect=5.0, pool=5.0)
MOST_CONNECTIONS = 100
LONGEST_WORDS = 300  # characters of an error

Body = Mapping[str, Any]


class GraphFailure(Exception):
    """The Graph API did not do what it was asked."""


class GraphError(GraphFailure):
    """code: Meta's number; None: it gave none. retry_after: seconds, where it says so."""

    def __init__(self, code: int | None, words: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"{code if code is not None else f'HTTP {status}'}: {words}"[:LONGEST_WORDS])
        self.code, self.status, self.retry_after = code, status, retry_after


class NotReached(GraphFailure):
    """No connection."""


class NoAnswer(GraphFailure):
    """The connection ended, or nothing that can be read came back."""


@dataclass(frozen=True)
class StoredFile:
    """A file at Meta. url: works for 5 minutes, and with the token only."""

    url: str
    mime_type: str
    sha256: str
    size: int


class Graph:
    """One for each process: it keeps connections. All methods raise what is drawn at the head of this module."""

    def __init__(self, settings: WhatsAppSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS)
        self._client = httpx.AsyncClient(
            timeout=PATIENCE, limits=limits, transport=transport, trust_env=is_far(settings.graph_api_url)
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def send(self, body: Body) -> str:
        """A message, with its recipient; Meta's name of it."""
        answer = await self._post(f"{self._settings.phone_number_id}/messages", {"messaging_product": "whatsapp", **body})
        try:
            return str(answer["messages"][0]["id"])
        except (KeyError, IndexError, TypeError) as error:
            raise NoAnswer("the answer names no message") from error

    async def show_read(self, message_id: str) -> None:
        """Two blue ticks, and that we are writing; the latter ends with the reply, or after 25 seconds."""
        shown = {"status": "read", "message_id": message_id, "typing_indicator": {"type": "text"}}
        await self._post(f"{self._settings.phone_number_id}/messages", {"messaging_product": "whatsapp", **shown})

    async def upload(self, content: bytes, file_name: str, mime_type: str) -> str:
        """The file's id there; it lives for 30 days."""
        path = f"{self._settings.phone_number_id}/media"
        fields = {"messaging_product": "whatsapp", "type": mime_type}
        answer = await self._answer("POST", self._url(path), data=fields, files={"file": (file_name, content, mime_type)})
        if not answer.get("id"):
            raise NoAnswer("the answer names no file")
        return str(answer["id"])

    async def file(self, file_id: str) -> StoredFile:
        """Where a file that somebody sent can be had."""
        found = await self._answer("GET", self._url(file_id), params={"phone_number_id": self._settings.phone_number_id})
        try:
            size = int(found.get("file_size") or 0)
            return StoredFile(str(found["url"]), str(found.get("mime_type") or ""), str(found.get("sha256") or ""), size)
        except (KeyError, TypeError, ValueError) as error:
            raise NoAnswer("the answer names no address") from error

    async def download(self, url: str, most: int) -> bytes:
        """The bytes; ValueError where there are more than `most`. The address must be Meta's, since it gets the token."""
        content = bytearray()
        try:
            async with self._client.stream("GET", url, headers=self._headers) as answer:
                if answer.status_code != 200:
                    raise GraphError(None, "the file could not be downloaded", answer.status_code)
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > most:
                        raise ValueError(f"the file has more than {most} bytes")
        except httpx.HTTPError as error:
            raise NotReached(type(error).__name__) from error
        return bytes(content)

    async def read(self, path: str, **parameters: str) -> dict[str, Any]:
        """What a GET of this path answers: the number itself, the account's templates."""
        return await self._answer("GET", self._url(path), params=parameters)

    async def _post(self, path: str, body: Body) -> dict[str, Any]:
        return await self._answer("POST", self._url(path), json=dict(body))

    async def _answer(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, url, headers=self._headers, **more)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NotReached(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise NoAnswer(type(error).__name__) from error
        return _read(answer)

    def _url(self, path: str) -> str:
        return f"{self._settings.base_url}/{path}"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._settings.access_token}"}


def is_far(url: str) -> bool:
    """A proxy of the environment is for the network, not for this machine."""
    return httpx.URL(url).host not in ("127.0.0.1", "localhost", "::1")


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    error = content.get("error") if isinstance(content, dict) else None
    if isinstance(error, dict):
        raise GraphError(_code(error), _words(error), answer.status_code, _retry_after(answer))
    if answer.status_code in (401, 403):
        raise GraphError(190, "refused", answer.status_code)
    if answer.status_code == 429:
        raise GraphError(4, "too many requests", answer.status_code, _retry_after(answer))
    if 400 <= answer.status_code < 500:
        raise GraphError(None, "no reason given", answer.status_code)
    if answer.status_code != 200 or not isinstance(content, dict):
        raise NoAnswer(f"HTTP {answer.status_code}")
    return content


def _code(error: Mapping[str, Any]) -> int | None:
    try:
        return int(error["code"])
    except (KeyError, TypeError, ValueError):
        return None


def _words(error: Mapping[str, Any]) -> str:
    details = error.get("error_data")
    said = details.get("details") if isinstance(details, dict) else None
    return " ".join(str(said or error.get("message") or error.get("type") or "no reason given").split())


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return max(float(answer.headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):
        return None
