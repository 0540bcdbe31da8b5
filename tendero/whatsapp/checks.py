"""Whether a shop's WhatsApp works, step by step: what is told, what Meta says of the number, whether our webhook answers."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from bot.channels.whatsapp.errors import Action, action_of
from bot.channels.whatsapp.graph import Graph, GraphError, GraphFailure
from bot.channels.whatsapp.settings import WhatsAppSettings

WEBHOOK = "/webhooks/whatsapp/webhook"
PATIENCE = 10.0  # seconds
WHERE = {
    "verify_token": "any word of your own; the same one goes into the app's webhook settings at Meta",
    "app_secret": "developers.facebook.com > your app > App settings > Basic",
    "access_token": "business.facebook.com > Settings > System users: a token that does not expire",
    "phone_number_id": "developers.facebook.com > your app > WhatsApp > API Setup",
}
OF_NUMBER = "verified_name,display_phone_number,quality_rating,code_verification_status,name_status,throughput"


@dataclass(frozen=True)
class Finding:
    """One step. is_good: None where it could not be looked at, or is a hint only."""

    is_good: bool | None
    words: str


async def findings(settings: WhatsAppSettings, public_url: str | None, graph: Graph | None = None) -> AsyncIterator[Finding]:
    """Step after step, as they are known. public_url: where Meta reaches the shop, without a path."""
    for finding in of_settings(settings):
        yield finding
    if settings.access_token and settings.phone_number_id:
        asked = graph or Graph(settings)
        try:
            async for finding in _of_meta(settings, asked):
                yield finding
        finally:
            await asked.close()
    async for finding in _of_webhook(settings, public_url):
        yield finding


def of_settings(settings: WhatsAppSettings) -> Iterator[Finding]:
    for name, where in WHERE.items():
        if getattr(settings, name):
            yield Finding(True, f"{name} is set")
        else:
            yield Finding(False, f"{name} is missing: set WHATSAPP_{name.upper()} ({where})")
    if not settings.business_account_id:
        yield Finding(None, "business_account_id is not set: templates cannot be compared (WHATSAPP_BUSINESS_ACCOUNT_ID)")


async def _of_meta(settings: WhatsAppSettings, graph: Graph) -> AsyncIterator[Finding]:
    try:
        number = await graph.read(settings.phone_number_id, fields=OF_NUMBER)
    except GraphError as error:
        yield Finding(False, _in_words(error, settings))
        return
    except GraphFailure as error:
        yield Finding(False, f"Meta cannot be reached at {settings.base_url}: {error}")
        return
    named = f"{number.get('display_phone_number', '?')} ({number.get('verified_name', 'without a name')})"
    yield Finding(True, f"the token works, and the number is {named}")
    if (quality := str(number.get("quality_rating", ""))) in ("RED", "YELLOW"):
        yield Finding(None, f"Meta rates the number {quality}: too many people block it or report it")
    if (status := str(number.get("name_status", ""))) in ("DECLINED", "EXPIRED", "PENDING_REVIEW"):
        yield Finding(None, f"the name that shoppers see is {status.lower().replace('_', ' ')}")
    if settings.business_account_id:
        yield await _of_subscription(settings, graph)


async def _of_subscription(settings: WhatsAppSettings, graph: Graph) -> Finding:
    try:
        found = await graph.read(f"{settings.business_account_id}/subscribed_apps")
    except GraphFailure as error:
        return Finding(None, f"whether the app gets the account's messages is not known: {error}")
    if found.get("data"):
        return Finding(True, "an app is subscribed to the account's messages")
    return Finding(
        False, "no app is subscribed to the account: POST /{business_account_id}/subscribed_apps, or API Setup at Meta"
    )


def _in_words(error: GraphError, settings: WhatsAppSettings) -> str:
    if error.code == 190 or error.status == 401:
        return f"the access token is not valid, or has expired ({error}): make a new one, for a system user, without an end"
    if error.code in (100, 33):
        return f"the token knows no number {settings.phone_number_id} ({error}): is it the id, and not the phone number itself?"
    if action_of(error.code) is Action.stop:
        return f"the account or the token may not do this ({error}): it needs whatsapp_business_messaging and _management"
    return f"Meta refuses: {error}"


async def _of_webhook(settings: WhatsAppSettings, public_url: str | None) -> AsyncIterator[Finding]:
    if public_url is None:
        yield Finding(None, "the webhook was not tried: `tendero whatsapp check --url https://your.shop` does")
        return
    address = public_url.rstrip("/") + WEBHOOK
    if not address.startswith("https://"):
        yield Finding(None, f"{address}: Meta takes https only, with a certificate that browsers trust")
    if not (settings.verify_token and settings.app_secret):
        return
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for step in (_handshake, _signed, _unsigned):
            try:
                finding = await step(client, address, settings)
            except httpx.HTTPError as error:
                yield Finding(False, f"{address} does not answer: {type(error).__name__}")
                return
            yield finding


async def _handshake(client: httpx.AsyncClient, address: str, settings: WhatsAppSettings) -> Finding:
    challenge = secrets.token_hex(8)
    asked = {"hub.mode": "subscribe", "hub.verify_token": settings.verify_token, "hub.challenge": challenge}
    answer = await client.get(address, params=asked)
    if answer.status_code == 200 and answer.text == challenge:
        return Finding(True, f"{address} answers Meta's handshake")
    return Finding(
        False, f"{address} answers the handshake with {answer.status_code}: is the shop running with the same verify_token?"
    )


async def _signed(client: httpx.AsyncClient, address: str, settings: WhatsAppSettings) -> Finding:
    body = json.dumps({"object": "whatsapp_business_account", "entry": []}).encode()
    signature = hmac.new(settings.app_secret.encode(), body, hashlib.sha256).hexdigest()
    answer = await _post(client, address, body, f"sha256={signature}")
    if answer.status_code == 200:
        return Finding(True, "a message with our signature is taken")
    return Finding(
        False, f"a message with our signature gets {answer.status_code}: is the shop running with the same app_secret?"
    )


async def _unsigned(client: httpx.AsyncClient, address: str, _settings: WhatsAppSettings) -> Finding:
    answer = await _post(client, address, b'{"object": "whatsapp_business_account", "entry": []}', "sha256=" + "0" * 64)
    if answer.status_code in (401, 403):
        return Finding(True, "a message with a wrong signature is refused")
    return Finding(False, f"a message with a wrong signature gets {answer.status_code}, and should be refused")


async def _post(client: httpx.AsyncClient, address: str, body: bytes, signature: str) -> Any:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
    return await client.post(address, content=body, headers=headers)
