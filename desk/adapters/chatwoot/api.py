"""Chatwoot's API over HTTP, as much of it as an agent bot needs, with the bot's access token.

ApiFailure
+-- ApiError     it has answered with an error: nothing was done
+-- NotReached   it was not asked
+-- NoAnswer     it was asked, and what it did is not known
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from bot.channels.whatsapp.graph import is_far
from desk.adapters.chatwoot.settings import ChatwootSettings

PATIENCE = httpx.Timeout(20.0, connect=5.0, pool=5.0)

File = tuple[str, bytes, str]  # name, content, kind


class ApiFailure(Exception):
    """The API did not do what it was asked."""


class ApiError(ApiFailure):
    """status: of HTTP. retry_after: seconds, where it says so."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.retry_after = status, retry_after


class NotReached(ApiFailure):
    """No connection."""


class NoAnswer(ApiFailure):
    """The connection ended, or nothing that can be read came back."""


class Api:
    """One for a process: it keeps connections, which belong to the event loop that uses them first."""

    def __init__(self, settings: ChatwootSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._transport = transport
        self._kept: httpx.AsyncClient | None = None

    async def close(self) -> None:
        if self._kept is not None:
            await self._kept.aclose()

    async def say(self, place: tuple[int, int], body: Mapping[str, Any], files: Sequence[File] = ()) -> int:
        """A message in this conversation (account, conversation); its id."""
        path = f"{_path(place)}/messages"
        if files:
            told = {key: str(value) for key, value in body.items() if isinstance(value, (str, int))}
            answer = await self._answer("POST", path, data=told, files=[("attachments[]", each) for each in files])
        else:
            answer = await self._answer("POST", path, json=dict(body))
        try:
            return int(answer["id"])
        except (KeyError, TypeError, ValueError) as error:
            raise NoAnswer("the answer names no message") from error

    async def messages(self, place: tuple[int, int]) -> list[Mapping[str, Any]]:
        """The newest messages of the conversation."""
        answer = await self._answer("GET", f"{_path(place)}/messages")
        found = answer.get("payload")
        return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []

    async def set_status(self, place: tuple[int, int], status: str) -> None:
        """pending, open or resolved."""
        await self._answer("POST", f"{_path(place)}/toggle_status", json={"status": status})

    async def show_typing(self, place: tuple[int, int], is_on: bool) -> None:
        await self._answer("POST", f"{_path(place)}/toggle_typing_status", json={"typing_status": "on" if is_on else "off"})

    async def _answer(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        headers = {"api_access_token": self._settings.bot_token}
        try:
            answer = await self._client.request(method, f"{self._settings.url.rstrip('/')}{path}", headers=headers, **more)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NotReached(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise NoAnswer(type(error).__name__) from error
        return _read(answer)

    @property
    def _client(self) -> httpx.AsyncClient:
        if self._kept is None:
            trusts = is_far(self._settings.url)
            self._kept = httpx.AsyncClient(timeout=PATIENCE, transport=self._transport, trust_env=trusts)
        return self._kept


def _path(place: tuple[int, int]) -> str:
    account, conversation = place
    return f"/api/v1/accounts/{account}/conversations/{conversation}"


def _read(answer: httpx.Response) -> dict[str, Any]:
    if 400 <= answer.status_code < 500:
        raise ApiError(answer.status_code, _retry_after(answer))
    if answer.status_code not in (200, 201, 204):
        raise NoAnswer(f"HTTP {answer.status_code}")
    try:
        content = answer.json()
    except ValueError:
        content = {}
    return content if isinstance(content, dict) else {}


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return max(float(answer.headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):
        return None
