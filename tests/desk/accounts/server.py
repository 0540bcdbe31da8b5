"""The desk on a real Sanic server, beside the web chat with its turn engine; browsers that come to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from sanic import Sanic
from sqlalchemy import select, update

from database import transaction
from desk.connector import DeskInput
from desk.models import Agent, AgentSession, AuditEntry
from tests.bot.webchat.server import SOON, StandIn, app_for
from tests.bot.webchat.server import Thread as WebChatThread
from tests.plain_http import NO_TLS

ROUTES = "/webhooks/desk"
PASSWORD = "correct horse battery staple"


class Thread(WebChatThread):
    """Has the desk's routes, too."""

    def __init__(self, url: str, credentials: dict[str, Any]) -> None:
        self.desk = DeskInput.from_credentials(credentials)
        super().__init__(url, StandIn(), {}, SOON)

    def _make_app(self) -> Sanic:
        app = app_for(self.channel, self.engine)
        app.blueprint(self.desk.blueprint(_never), url_prefix=ROUTES)
        return app


async def _never(_message: Any) -> None:
    raise AssertionError("the desk takes no messages")


class Browser:
    """On our page, unless it says otherwise. Its cookies are its own."""

    def __init__(self, url: str, **headers: str) -> None:
        sent = {"Origin": url, "X-Tendero-Desk": "1", "User-Agent": "Firefox of the tests", **headers}
        self.http = httpx.Client(
            base_url=f"{url}{ROUTES}/v1/", headers={k: v for k, v in sent.items() if v}, timeout=30, verify=NO_TLS
        )

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.http.get(path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return self.http.post(path, json=body if body is not None else {}, **more)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self.http.patch(path, json=body)

    def delete(self, path: str) -> httpx.Response:
        return self.http.delete(path)

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return self.post("sign-in", {"name": name, "password": password})

    @property
    def token(self) -> str:
        return str(self.http.cookies.get("tendero_desk") or "")

    @token.setter
    def token(self, value: str) -> None:
        self.http.cookies.clear()
        self.http.cookies.set("tendero_desk", value, path=ROUTES)


@dataclass
class Desk:
    """A running server, and what is in its database."""

    thread: Thread
    database: str
    browsers: list[Browser] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.thread.port}"

    def browser(self, **headers: str) -> Browser:
        self.browsers.append(Browser(self.url, **headers))
        return self.browsers[-1]

    def signed_in(self, name: str) -> Browser:
        """name: the sign-in name, by which `people` has made them."""
        browser = self.browser()
        assert browser.sign_in(name).status_code == 200
        return browser

    def session(self) -> Any:
        return transaction(self.database)

    def audit(self, action: str = "") -> list[AuditEntry]:
        with self.session() as session:
            rows = list(session.execute(select(AuditEntry).order_by(AuditEntry.id)).scalars())
        return [row for row in rows if action in ("", row.action)]

    def agent(self, name: str) -> Agent:
        with self.session() as session:
            agent: Agent = session.execute(select(Agent).where(Agent.name == name)).scalar_one()
        return agent

    def set_session(self, **values: Any) -> None:
        """Give all sessions these values: clocks are moved by it."""
        with self.session() as session:
            session.execute(update(AgentSession).values(**values))

    def close(self) -> None:
        for browser in self.browsers:
            browser.http.close()
        self.thread.close()
