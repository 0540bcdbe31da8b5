"""Webhooks as Meta writes them, with invented people."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

from tests.bot.whatsapp.server import NUMBER

PAYLOADS = Path(__file__).parent / "payloads"
ANA, ANA_ID = "5511987650001", "BR.10000000000000001"
_ids = itertools.count(1)


def fixture(name: str) -> dict[str, Any]:
    return dict(json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8")))


def fixtures() -> list[str]:
    return sorted(file.stem for file in PAYLOADS.glob("*.json"))


def webhook(*values: dict[str, Any], field: str = "messages") -> dict[str, Any]:
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "200000000000001", "changes": [{"field": field, "value": value}]} for value in values],
    }


def value(
    *messages: dict[str, Any], phone: str | None = ANA, user_id: str | None = ANA_ID, number: str = NUMBER, **more: Any
) -> dict[str, Any]:
    """Messages of one person, who is told among the contacts."""
    person = {"profile": {"name": "Ana Exemplo"}, "wa_id": phone, "user_id": user_id}
    people = [{name: told for name, told in person.items() if told}]
    metadata = {"display_phone_number": "15550100100", "phone_number_id": number}
    sent = [{**({"from": phone} if phone else {}), **({"from_user_id": user_id} if user_id else {}), **each} for each in messages]
    return {"messaging_product": "whatsapp", "metadata": metadata, "contacts": people, "messages": sent, **more}


def message(type: str, content: Any, id: str | None = None, at: float | None = None, **more: Any) -> dict[str, Any]:
    named = {"id": id or f"wamid.test{next(_ids)}", "timestamp": str(int(at or time.time())), "type": type}
    return {**named, **({type: content} if content is not None else {}), **more}


def text(body: str, id: str | None = None, **more: Any) -> dict[str, Any]:
    return message("text", {"body": body}, id, **more)


def status(name: str, id: str = "wamid.ours", **more: Any) -> dict[str, Any]:
    return {"id": id, "status": name, "timestamp": str(int(time.time())), "recipient_id": ANA, **more}
