"""The review as a page for the designer at this machine: the same list, on 127.0.0.1 only.

Whoever can reach the port is not yet let in. The address has a token behind its `#`, which no server and no other page gets to
see; the page trades it in once for a key, which every later request has to show. Requests of other pages are known by their
`Origin`, and those that come by another name of this machine by their `Host`.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from database import home_folder
from tendero.local_pages import HEADERS, HOST, file_of, listen, serve_on
from tendero.obstacles import Obstacle
from tendero.review.as_json import as_row, as_suggestions
from tendero.review.errors import ReviewError
from tendero.review.session import NOT_OURS, Review
from tendero.review.training import Outcome, check_and_train
from tendero.terminal import say

FILES = Path(__file__).with_name("page_files")
SHOWN = 50  # messages; the next come when these are dealt with

Train = Callable[[], Outcome]
Handler = Callable[[Request], Awaitable[HTTPResponse]]


class Door:
    """Who may in: the page that was opened by the address that was told, until the command ends."""

    def __init__(self, origin: str, tell: Callable[[str], None]) -> None:
        self._origin, self._tell = origin, tell
        self._keys: list[str] = []
        self._renew()

    def _renew(self) -> None:
        self._token = secrets.token_urlsafe(24)
        self.address = f"{self._origin}/#{self._token}"

    def trade_in(self, token: str) -> str | None:
        """A key for the token, which opens nothing from now on; None for another. A new address is told for another window."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        self._keys.append(secrets.token_urlsafe(24))
        self._renew()
        self._tell(f"The page is open. For another window: {self.address}")
        return self._keys[-1]

    def is_from_here(self, request: Request) -> bool:
        """Asked by no other page, and by no other name of this machine."""
        origin = request.headers.get("origin", self._origin)
        is_read = request.method in ("GET", "HEAD")
        has_origin = is_read or "origin" in request.headers
        return f"http://{request.headers.get('host', '')}" == self._origin and origin == self._origin and has_origin

    def knows(self, request: Request) -> bool:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        return any(hmac.compare_digest(shown.encode(), key.encode()) for key in self._keys)


def serve(review: Review, port: int | None = None) -> None:
    """Until Ctrl-C. Raises Obstacle: the port is taken."""
    listening = listen(port)
    door = Door(f"http://{HOST}:{listening.getsockname()[1]}", say)
    say(f"The review is at {door.address}\nCtrl-C ends it; what was decided is kept.")
    try:
        asyncio.run(serve_on(listening, make_app(review, door)))
    except KeyboardInterrupt:
        say()


def make_app(review: Review, door: Door, train: Train | None = None) -> Sanic:
    """Routes: the page's files, `session` (a token for a key), and below `api/` what may be done with the key."""
    app = Sanic(f"tendero_review_{secrets.token_hex(4)}", configure_logging=False)
    app.config.RESPONSE_TIMEOUT = 3600  # a training
    app.config.KEEP_ALIVE_TIMEOUT = 30
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 1
    routes = _Routes(review, train or partial(check_and_train, home_folder()))

    @app.middleware("request")
    async def guard(request: Request) -> HTTPResponse | None:
        if not door.is_from_here(request):
            return response.json({"error": "This is not the review's own page."}, status=403)
        if request.path.startswith("/api/") and not door.knows(request):
            return response.json({"error": "Open the address that the terminal shows."}, status=401)
        return None

    @app.middleware("response")
    async def protect(_request: Request, answered: HTTPResponse) -> None:
        answered.headers.update(HEADERS)

    @app.post("/session")
    async def session(request: Request) -> HTTPResponse:
        key = door.trade_in(_text(request, "token") or "")
        return response.json({"key": key} if key else {"error": "This address was opened before."}, status=200 if key else 401)

    app.add_route(_told(routes.rows), "/api/rows", methods=["GET"], name="rows")
    app.add_route(_told(routes.suggestions), "/api/suggestions", methods=["GET"], name="suggestions")
    for name in ("assign", "skip", "undo", "train"):
        app.add_route(_told(getattr(routes, name)), f"/api/{name}", methods=["POST"], name=name)
    app.add_route(_file, "/", methods=["GET"], name="index")
    app.add_route(_file, "/<name:[a-z]+\\.[a-z]+>", methods=["GET"], name="file")
    return app


class _Routes:
    def __init__(self, review: Review, train: Train) -> None:
        self._review, self._train = review, train
        self._is_training = False

    async def rows(self, _request: Request) -> HTTPResponse:
        """A page that is loaded looks at the conversations anew."""
        self._review.read()
        return self._state()

    async def suggestions(self, request: Request) -> HTTPResponse:
        row = self._review.row(request.args.get("id", ""))
        return response.json({"suggestions": as_suggestions(self._review, row)})

    async def assign(self, request: Request) -> HTTPResponse:
        self._wait_for_training()
        asked = {name: _text(request, name) for name in ("id", "place", "text", "language")}
        written = self._review.assign(asked["id"] or "", asked["place"] or "", asked["text"], asked["language"])
        return self._state(f"Written to data/{'/'.join(written.file.parts[-3:])}: {written.text}")

    async def skip(self, request: Request) -> HTTPResponse:
        self._review.skip(_text(request, "id") or "")
        return self._state("Skipped.")

    async def undo(self, _request: Request) -> HTTPResponse:
        self._wait_for_training()
        return self._state(f"Undone: {self._review.undo().text}")

    async def train(self, _request: Request) -> HTTPResponse:
        self._wait_for_training()
        self._is_training = True
        try:
            outcome = await asyncio.get_running_loop().run_in_executor(None, self._train)
        except Obstacle as error:
            raise ReviewError(str(error)) from error
        finally:
            self._is_training = False
        return self._state(outcome.told, outcome.problems)

    def _wait_for_training(self) -> None:
        """A training reads the files and names its model by them: nobody writes meanwhile."""
        if self._is_training:
            raise ReviewError("A training is under way: wait until it has ended.")

    def _state(self, told: str = "", problems: list[str] | None = None) -> HTTPResponse:
        review = self._review
        return response.json(
            {
                "told": told,
                "problems": problems or [],
                "rows": [as_row(row) for row in review.rows[:SHOWN]],
                "left": len(review.rows),
                "assigned": len(review.assigned),
                "can_undo": review.can_undo,
                "places": review.places,
                "languages": review.languages,
                "not_ours": NOT_OURS,
            }
        )


def _told(handler: Handler) -> Handler:
    """What cannot be done is said in words."""

    async def answer(request: Request) -> HTTPResponse:
        try:
            return await handler(request)
        except ReviewError as error:
            return response.json({"error": str(error)}, status=409)

    return answer


def _text(request: Request, name: str) -> str | None:
    body: Any = request.json
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


async def _file(_request: Request, name: str = "index.html") -> HTTPResponse:
    return file_of(FILES, name)
