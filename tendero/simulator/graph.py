"""The routes of Meta's Graph API that a business needs for WhatsApp, below `/{version}/`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from sanic import Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from tendero.simulator import outgoing
from tendero.simulator.errors import GraphError, kind_of, unknown_object
from tendero.simulator.faults import SendFault
from tendero.simulator.shoppers import Shopper
from tendero.simulator.templates import PAGE
from tendero.simulator.world import World

VERSION = "<version:v[0-9]+\\.[0-9]+>"
FIRST_VERSION = 21  # those before have ended
DOWNLOADS = "/whatsapp_business/attachments"
FILTERS = ("name", "status", "language", "category")

Handler = Callable[..., Awaitable[HTTPResponse]]


def add_graph_routes(app: Sanic, world: World) -> None:
    graph = Graph(world)
    routes: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "<node:[0-9]+>/messages", graph.send),
        ("POST", "<node:[0-9]+>/media", graph.upload),
        ("GET", "<node:[0-9]+>/message_templates", graph.templates),
        ("GET", "<node:[0-9]+>/phone_numbers", graph.phone_numbers),
        ("GET", "<node:[0-9]+>/subscribed_apps", graph.subscribed_apps),
        ("POST", "<node:[0-9]+>/subscribed_apps", graph.subscribe),
        ("GET", "debug_token", graph.debug_token),
        ("GET", "<node:[0-9]+>", graph.describe),
        ("DELETE", "<node:[0-9]+>", graph.delete),
    )
    for method, path, handler in routes:
        name = f"graph_{method}_{handler.__name__}"
        app.add_route(_in_metas_words(handler, world), f"/{VERSION}/{path}", methods=[method], name=name)
    app.add_route(_in_metas_words(graph.download, world), DOWNLOADS, methods=["GET"], name="graph_download")


def _in_metas_words(handler: Handler, world: World) -> Handler:
    async def answer(request: Request, **named: str) -> HTTPResponse:
        try:
            version = named.pop("version", None)
            if version is not None and int(version[1:].partition(".")[0]) < FIRST_VERSION:
                raise GraphError(2635, f"You are calling a version of the API that has ended: {version}", http_status=400)
            world.account.check(_token(request))
            return await handler(request, **named)
        except GraphError as error:
            return response.json(error.to_json(world.names.trace()), status=error.http_status)

    return answer


def _token(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ") or request.args.get("access_token", "")


class Graph:
    def __init__(self, world: World) -> None:
        self._world = world

    async def send(self, request: Request, node: str) -> HTTPResponse:
        """A message, or that one was read. What a fault asks for comes before or after."""
        self._own(node, "post")
        body = _json(request)
        if "status" in body:
            return self._answered(body, None, lambda: outgoing.mark(self._world, body))
        shopper = self._shopper(body)
        fault = self._world.faults.for_send(shopper.key if shopper else None)
        if fault is None:
            return self._answered(body, shopper, lambda: outgoing.accept(self._world, body))
        self._world.counts["faults"] += 1
        if fault.accepts:
            self._answered(body, shopper, lambda: outgoing.accept(self._world, body))
        return await self._go_wrong(request, fault)

    async def upload(self, request: Request, node: str) -> HTTPResponse:
        self._own(node, "post")
        form, files = request.form or {}, request.files or {}
        if form.get("messaging_product") != "whatsapp":
            raise GraphError(100, "The parameter messaging_product is required.")
        file = files.get("file")
        if file is None:
            raise GraphError(100, "The parameter file is required.")
        declared = form.get("type") or file.type
        media = self._world.media.upload(file.body, declared, file.name or "")
        self._world.touch()
        return response.json({"id": media.id})

    async def describe(self, request: Request, node: str) -> HTTPResponse:
        """A file, the number or the account, whichever has this id."""
        account = self._world.account
        if node == account.phone_number_id:
            return response.json(_fields(request, account.as_phone_number()))
        if node == account.business_account_id:
            known = {
                "id": node,
                "name": account.verified_name,
                "currency": "USD",
                "timezone_id": "1",
                "message_template_namespace": "ns",
            }
            return response.json(_fields(request, known))
        if fault := self._world.faults.for_media("descriptor"):
            return self._media_fault(fault.http_status)
        file = self._world.media.get(node)
        asked = request.args.get("phone_number_id")
        if asked is not None and asked != account.phone_number_id:
            raise unknown_object(node)
        address = f"http://{request.headers.get('host')}{DOWNLOADS}?mid={file.id}&key={self._world.media.address(file)}"
        told = {
            "url": address,
            "mime_type": file.type,
            "sha256": file.digest.hex(),
            "file_size": len(file.content),
            "id": file.id,
        }
        return response.json({"messaging_product": "whatsapp", **told})

    async def delete(self, _request: Request, node: str) -> HTTPResponse:
        self._world.media.delete(node)
        return response.json({"success": True})

    async def download(self, request: Request) -> HTTPResponse:
        if fault := self._world.faults.for_media("download"):
            return self._media_fault(fault.http_status)
        file = self._world.media.opened_by(request.args.get("key", ""))
        if file is None:
            return response.html("<html><body>URL signature expired</body></html>", status=404)
        return response.raw(file.content, content_type=file.type)

    async def templates(self, request: Request, node: str) -> HTTPResponse:
        self._business(node)
        wanted = {key: request.args[key][0] for key in FILTERS if key in request.args}
        limit = request.args.get("limit", "")
        rows, after = self._world.templates.page(wanted, request.args.get("after"), int(limit) if limit.isdecimal() else PAGE)
        told: dict[str, Any] = {"data": [_fields(request, each.as_json()) for each in rows]}
        if after is not None:
            query = "&".join(f"{key}={values[0]}" for key, values in request.args.items() if key not in ("after", "access_token"))
            follow = f"http://{request.headers.get('host')}{request.path}?{query}&after={after}"
            told["paging"] = {"cursors": {"before": "0", "after": after}, "next": follow}
        return response.json(told)

    async def phone_numbers(self, request: Request, node: str) -> HTTPResponse:
        self._business(node)
        return response.json({"data": [_fields(request, self._world.account.as_phone_number())]})

    async def subscribed_apps(self, _request: Request, node: str) -> HTTPResponse:
        self._business(node)
        return response.json({"data": [{"whatsapp_business_api_data": {"id": "670843887433847", "name": "Simulated app"}}]})

    async def subscribe(self, _request: Request, node: str) -> HTTPResponse:
        self._business(node)
        return response.json({"success": True})

    async def debug_token(self, request: Request) -> HTTPResponse:
        is_valid = self._world.account.knows(request.args.get("input_token", ""))
        scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
        known = {"app_id": "670843887433847", "type": "SYSTEM_USER", "expires_at": 0, "scopes": scopes} if is_valid else {}
        return response.json({"data": {"is_valid": is_valid, **known}})

    def _answered(self, body: dict[str, Any], shopper: Shopper | None, act: Callable[[], dict[str, Any]]) -> HTTPResponse:
        """Refusals are kept: they are what the shop has to mend."""
        try:
            return response.json(act())
        except GraphError as error:
            told = error.to_json(self._world.names.trace())
            self._world.counts["refused"] += 1
            refusal = {
                "at": self._world.clock.stamp(),
                "shopper": shopper.key if shopper else None,
                "http_status": error.http_status,
            }
            self._world.refused.append({**refusal, "error": told["error"], "body": body})
            self._world.touch()
            return response.json(told, status=error.http_status)

    async def _go_wrong(self, request: Request, fault: SendFault) -> HTTPResponse:
        if fault.effect == "hang":
            await asyncio.sleep(fault.seconds)
        if fault.effect in ("hang", "disconnect"):
            request.transport.abort()
        if fault.effect == "page":
            return response.html("<html><body>Sorry, something went wrong.</body></html>", status=fault.http_status or 502)
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
        status = fault.http_status or kind_of(fault.code).http_status
        told = GraphError(fault.code, fault.details).to_json(self._world.names.trace())
        return response.json(told, status=status, headers=headers)

    def _media_fault(self, status: int) -> HTTPResponse:
        self._world.counts["faults"] += 1
        return response.html("<html><body>Not found</body></html>", status=status)

    def _shopper(self, body: dict[str, Any]) -> Shopper | None:
        """Whom a body that is not yet checked may be for."""
        to, recipient = body.get("to"), body.get("recipient")
        found = self._world.shoppers.by_phone(to) if isinstance(to, str) else None
        return found or (self._world.shoppers.by_user_id(recipient) if isinstance(recipient, str) else None)

    def _own(self, node: str, method: str) -> None:
        if node != self._world.account.phone_number_id:
            raise unknown_object(node, method)

    def _business(self, node: str) -> None:
        if node != self._world.account.business_account_id:
            raise unknown_object(node)


def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise GraphError(100, "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise GraphError(100, "The body is no JSON object.")
    return body


def _fields(request: Request, known: dict[str, Any]) -> dict[str, Any]:
    """Those that were asked for, and the id."""
    wanted = [name for name in re.split(r"[,\s]+", re.sub(r"\{[^}]*\}", "", request.args.get("fields", ""))) if name]
    return {name: known[name] for name in dict.fromkeys([*wanted, "id"]) if name in known} if wanted else known
