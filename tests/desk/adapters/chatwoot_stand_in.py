"""Chatwoot as far as an agent bot meets it: conversations, messages and statuses, in its documented shapes, over real HTTP."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ACCOUNT, TOKEN = 1, "token-of-the-bot"
PATH = re.compile(r"/api/v1/accounts/(\d+)/conversations/(\d+)/(messages|toggle_status|toggle_typing_status)")


class Chatwoot:
    """fault: what the next calls are answered with: a status, "lost" (done, but the connection ends), or None."""

    def __init__(self) -> None:
        self.statuses: dict[int, str] = {}
        self.messages: dict[int, list[dict[str, Any]]] = {}
        self.assignees: dict[int, str] = {}
        self.faults: list[int | str] = []
        self.typing: list[str] = []
        self.meanwhile: list[Callable[[], None]] = []  # what happens before a listing of messages is answered, one each
        self._ids = iter(range(500, 10_000))
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.chatwoot = self
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # What people and shoppers do there; the webhooks that come of it

    def begin(self, conversation: int) -> None:
        """With a bot in the inbox it is pending at first."""
        self.statuses.setdefault(conversation, "pending")
        self.messages.setdefault(conversation, [])

    def shopper_writes(self, conversation: int, text: str, **more: Any) -> dict[str, Any]:
        self.begin(conversation)
        sender = {"id": 14, "name": "little-haze-776", "avatar": "", "type": "contact"}
        return self._created(conversation, text, "incoming", sender, **more)

    def agent_writes(self, conversation: int, text: str, private: bool = False, name: str = "John") -> dict[str, Any]:
        sender = {"id": 1, "name": name, "email": "john@acme.inc", "type": "user"}
        return self._created(conversation, text, "outgoing", sender, private=private)

    def status_becomes(self, conversation: int, status: str, event: str = "conversation_status_changed") -> dict[str, Any]:
        self.statuses[conversation] = status
        return {**self._conversation(conversation), "event": event}

    def picked(self, conversation: int, message: dict[str, Any], item: dict[str, str]) -> dict[str, Any]:
        attributes = {**message["content_attributes"], "submitted_values": [item]}
        return self._webhook(conversation, {**message, "content_attributes": attributes}, "message_updated")

    def _created(self, conversation: int, text: str, kind: str, sender: dict[str, Any], **more: Any) -> dict[str, Any]:
        row = self.add(conversation, {"content": text, "message_type": kind, "sender": sender, "private": False, **more})
        return self._webhook(conversation, row, "message_created")

    def _webhook(self, conversation: int, row: dict[str, Any], event: str) -> dict[str, Any]:
        about = {"inbox": {"id": 1, "name": "Acme Support"}, "account": {"id": ACCOUNT, "name": "Acme Inc"}}
        return {**row, "conversation": self._conversation(conversation), **about, "event": event}

    def _conversation(self, conversation: int) -> dict[str, Any]:
        name = self.assignees.get(conversation)
        assignee = {"id": 1, "name": name, "available_name": name, "type": "user"} if name else None
        last = [
            {"id": each["id"], "account_id": ACCOUNT, "content": each["content"]} for each in self.messages[conversation][-1:]
        ]
        about = {"additional_attributes": {"browser": {"browser_name": "Chrome"}}, "channel": "Channel::WebWidget", "inbox_id": 1}
        meta = {"sender": {"id": 14, "name": "little-haze-776", "type": "contact"}, "assignee": assignee}
        return {
            **about,
            "id": conversation,
            "messages": last,
            "meta": meta,
            "status": self.statuses[conversation],
            "can_reply": True,
        }

    def add(self, conversation: int, row: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            full = {
                "id": next(self._ids),
                "content_type": "text",
                "content_attributes": {},
                "created_at": at,
                "source_id": None,
                **row,
            }
            self.messages.setdefault(conversation, []).append(full)
            return full

    # What was seen there

    def by_the_bot(self, conversation: int) -> list[dict[str, Any]]:
        return [each for each in self.messages[conversation] if (each.get("sender") or {}).get("type") == "agent_bot"]

    def said(self, conversation: int) -> list[str]:
        return [each["content"] for each in self.by_the_bot(conversation) if not each["private"]]

    def notes(self, conversation: int) -> list[str]:
        return [each["content"] for each in self.by_the_bot(conversation) if each["private"]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    chatwoot: Chatwoot


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_arguments: Any) -> None:
        """Silent."""

    def _serve(self) -> None:
        chatwoot = self.server.chatwoot
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match = PATH.fullmatch(self.path)
        if self.headers.get("api_access_token") != TOKEN:
            return self._answer(401, {"error": "Invalid Access Token"})
        if match is None or int(match[1]) != ACCOUNT or int(match[2]) not in chatwoot.statuses:
            return self._answer(404, {"error": "Resource could not be found"})
        is_write = self.command == "POST" and match[3] != "toggle_typing_status"
        fault = chatwoot.faults.pop(0) if is_write and chatwoot.faults else None
        if isinstance(fault, int):
            return self._answer(fault, {"error": "not now"})
        answer = self._do(int(match[2]), match[3], body)
        if fault == "lost":
            self.close_connection = True
            return None
        return self._answer(200, answer)

    def _do(self, conversation: int, what: str, body: bytes) -> dict[str, Any]:
        chatwoot = self.server.chatwoot
        if self.command == "GET":
            if chatwoot.meanwhile:
                chatwoot.meanwhile.pop(0)()
            return {"meta": {}, "payload": [_as_listed(each) for each in chatwoot.messages[conversation][-20:]]}
        told = json.loads(body) if "json" in (self.headers["Content-Type"] or "") else _form(self.headers["Content-Type"], body)
        if what == "toggle_status":
            chatwoot.statuses[conversation] = told["status"]
            return {"payload": {"success": True, "current_status": told["status"], "conversation_id": conversation}}
        if what == "toggle_typing_status":
            chatwoot.typing.append(told["typing_status"])
            return {}
        told["private"] = told.get("private") in (True, "true", "True")
        return chatwoot.add(conversation, {**told, "sender": {"id": 3, "name": "Tendero", "type": "agent_bot"}})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _as_listed(message: dict[str, Any]) -> dict[str, Any]:
    """The API's lists have numbers where webhooks have words."""
    kinds = {"incoming": 0, "outgoing": 1}
    at = int(time.mktime(time.strptime(message["created_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone)
    return {**message, "message_type": kinds[message["message_type"]], "created_at": at}


def _form(content_type: str, body: bytes) -> dict[str, Any]:
    parsed: Message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    told: dict[str, Any] = {"attachments": []}
    for part in parsed.walk():
        name = part.get_param("name", header="content-disposition")
        if name == "attachments[]":
            told["attachments"].append({"name": part.get_filename(), "size": len(part.get_payload(decode=True) or b"")})
        elif name:
            told[str(name)] = (part.get_payload(decode=True) or b"").decode()  # type: ignore[union-attr]
    return told
