"""Webhooks on their way to the shop: put together, signed, sent, and sent again until the answer is exactly 200."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from tendero.simulator.account import Account
from tendero.simulator.clock import Clock
from tendero.simulator.names import Names

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 4 * 3600.0  # simulated seconds; each is twice the one before
GIVES_UP_AFTER = 7 * 24 * 3600.0
PATIENCE = 20.0  # seconds of ours; Meta's own is not documented
MOST_IN_A_BATCH = 1000
REMEMBERED = 500  # webhooks
COUNTS = ("updates", "delivered", "failed_tries", "given_up", "under_way")


@dataclass(frozen=True)
class Update:
    """One item of a webhook.

    kind: the list that it stands in. lane: whose it is; those of one lane go out in order. on_answer: called once it was taken.
    """

    item: dict[str, Any]
    lane: str
    contact: dict[str, Any] | None = None
    kind: str = "messages"
    field: str = "messages"
    phone_number_id: str | None = None  # of another number of the same account
    on_answer: Callable[[], None] | None = None


@dataclass
class Manner:
    """How webhooks come. batch: up to so many updates in one. repeat: how often each is sent in all. delay: simulated seconds.

    is_held: they wait until they are flushed.
    """

    batch: int = 1
    batch_seconds: float = 0.2
    repeat: int = 1
    shuffle: bool = False
    delay: float = 0.0
    is_held: bool = False


@dataclass
class Webhook:
    """One POST, with the statuses of its tries (0: no answer) and how long each took."""

    body: str
    updates: int
    tries: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    has_ended: bool = False


class Delivery:
    def __init__(self, url: str, account: Account, clock: Clock, names: Names, tell: Callable[[], None]) -> None:
        """tell: called whenever something was answered or given up."""
        self.url = url
        self.manner = Manner()
        self.webhooks: deque[Webhook] = deque(maxlen=REMEMBERED)
        self.counts = dict.fromkeys(COUNTS, 0)
        self._account, self._clock, self._names, self._tell = account, clock, names, tell
        self._pending: list[Update] = []
        self._before: dict[str, asyncio.Event] = {}  # lane: set when its newest has been tried
        self._tasks: set[asyncio.Task[None]] = set()
        self._times: deque[float] = deque(maxlen=100_000)
        self._client: httpx.AsyncClient | None = None

    def put(self, update: Update) -> None:
        self.counts["updates"] += 1
        if not self.manner.is_held and self.manner.batch == 1:
            self._send([update])
            return
        self._pending.append(update)
        if self.manner.is_held:
            return
        if len(self._pending) >= self.manner.batch:
            self.flush()
        elif len(self._pending) == 1:
            self._spawn(self._flush_soon())

    def flush(self) -> None:
        """Send what was held, in batches."""
        waiting, self._pending = self._pending, []
        if self.manner.shuffle:
            self._names.chance.shuffle(waiting)
        size = max(1, min(self.manner.batch, MOST_IN_A_BATCH))
        for start in range(0, len(waiting), size):
            self._send(waiting[start : start + size])

    def send_raw(self, body: bytes, signature: str | None) -> Webhook:
        """Anything, signed in any way, tried once. signature: None sends no such header."""
        webhook = Webhook(body.decode("utf-8", "replace"), 0)
        self.webhooks.append(webhook)
        self._spawn(self._try_once(webhook, body, signature))
        return webhook

    def sign(self, body: bytes) -> str:
        return "sha256=" + hmac.new(self._account.app_secret.encode(), body, hashlib.sha256).hexdigest()

    def times(self) -> dict[str, float]:
        """Of all answers, in milliseconds."""
        known = sorted(self._times)
        if not known:
            return {}
        return {
            "median": known[len(known) // 2],
            "most": known[-1],
            "share_over_250": sum(each > 250 for each in known) / len(known),
        }

    async def verify(self) -> bool:
        """Meta's GET when a webhook is registered: whether the shop answered the challenge."""
        challenge = str(self._names.chance.randrange(10**9, 10**10))
        asked = {"hub.mode": "subscribe", "hub.verify_token": self._account.verify_token, "hub.challenge": challenge}
        try:
            answer = await self.client.get(self.url, params=asked)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and answer.text == challenge

    @property
    def client(self) -> httpx.AsyncClient:
        """Made when it is first needed: it belongs to the server's event loop."""
        if self._client is None:
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
            self._client = httpx.AsyncClient(timeout=PATIENCE, limits=limits, trust_env=False, follow_redirects=False)
        return self._client

    def begin_anew(self) -> None:
        """Give up what is under way, and count from nothing."""
        for task in self._tasks:
            task.cancel()
        self.manner = Manner()
        self.counts = dict.fromkeys(COUNTS, 0)
        self.webhooks.clear()
        self._times.clear()
        self._pending.clear()
        self._before.clear()

    def _send(self, updates: list[Update]) -> None:
        body = escaped(payload(updates, self._account, self._names))
        lanes = {update.lane for update in updates}
        for _ in range(self.manner.repeat):
            webhook = Webhook(body.decode(), len(updates))
            self.webhooks.append(webhook)
            waits_for = [] if self.manner.shuffle else [self._before[lane] for lane in lanes if lane in self._before]
            tried = asyncio.Event()
            self._before.update(dict.fromkeys(lanes, tried))
            self._spawn(self._deliver(webhook, body, updates, waits_for, tried))

    async def _deliver(
        self, webhook: Webhook, body: bytes, updates: list[Update], waits_for: list[asyncio.Event], tried: asyncio.Event
    ) -> None:
        counts = self.counts
        counts["under_way"] += 1
        try:
            for event in waits_for:
                await event.wait()
            await self._clock.sleep(self.manner.delay)
            is_taken = await self._try(webhook, body, self.sign(body))
            tried.set()
            if not is_taken:
                is_taken = await self._retry(webhook, body)
            counts["delivered" if is_taken else "given_up"] += 1
            for update in updates if is_taken else ():
                if update.on_answer:
                    update.on_answer()
        finally:
            tried.set()
            webhook.has_ended = True
            counts["under_way"] -= 1
            self._tell()

    async def _retry(self, webhook: Webhook, body: bytes) -> bool:
        begun, pause = self._clock.now(), FIRST_PAUSE
        while self._clock.now() - begun < GIVES_UP_AFTER:
            await self._clock.sleep(pause)
            if await self._try(webhook, body, self.sign(body)):
                return True
            pause = min(2 * pause, LONGEST_PAUSE)
        return False

    async def _try_once(self, webhook: Webhook, body: bytes, signature: str | None) -> None:
        await self._try(webhook, body, signature)
        webhook.has_ended = True
        self._tell()

    async def _try(self, webhook: Webhook, body: bytes, signature: str | None) -> bool:
        headers = {"Content-Type": "application/json", "User-Agent": "facebookexternalua"}
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        begun = time.perf_counter()
        try:
            status = (await self.client.post(self.url, content=body, headers=headers)).status_code
        except httpx.HTTPError:
            status = 0
        webhook.tries.append(status)
        webhook.milliseconds.append((time.perf_counter() - begun) * 1000)
        if status:
            self._times.append(webhook.milliseconds[-1])
        if status != 200:
            self.counts["failed_tries"] += 1
            self._tell()
        return status == 200

    async def _flush_soon(self) -> None:
        await asyncio.sleep(self.manner.batch_seconds)
        if not self.manner.is_held:
            self.flush()

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def as_json(self) -> dict[str, Any]:
        return {**self.counts, "held": len(self._pending), "milliseconds": self.times(), "manner": asdict(self.manner)}


def escaped(content: dict[str, Any]) -> bytes:
    """As Meta writes it, with \\uXXXX and escaped slashes and @: only the raw bytes have its signature."""
    return json.dumps(content, separators=(",", ":")).replace("/", "\\/").replace("@", "\\u0040").encode("ascii")


def payload(updates: Iterable[Update], account: Account, names: Names) -> dict[str, Any]:
    """Several updates share a value, a change or only the payload, as chance has it."""
    entries: list[dict[str, Any]] = []
    newest: Update | None = None
    for update in updates:
        layout = names.chance.random() if newest else 1.0
        is_alike = newest is not None and (newest.field, newest.phone_number_id) == (update.field, update.phone_number_id)
        if layout >= 0.75:
            entries.append({"id": account.business_account_id, "changes": [_change(update, account)]})
        elif layout >= 0.5 or not is_alike:
            entries[-1]["changes"].append(_change(update, account))
        _add(entries[-1]["changes"][-1]["value"], update)
        newest = update
    return {"object": "whatsapp_business_account", "entry": entries}


def _change(update: Update, account: Account) -> dict[str, Any]:
    metadata = dict(account.metadata)
    if update.phone_number_id:
        metadata["phone_number_id"] = update.phone_number_id
    return {"value": {"messaging_product": "whatsapp", "metadata": metadata}, "field": update.field}


def _add(value: dict[str, Any], update: Update) -> None:
    if update.contact is not None and update.contact not in value.setdefault("contacts", []):
        value["contacts"].append(update.contact)
    value.setdefault(update.kind, []).append(update.item)
