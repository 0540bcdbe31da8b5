"""How much one visitor, and one address, may do: counted in this process, in memory that does not grow with their number."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Literal

from sanic.request import Request
from throttled import MemoryStore, Quota, Throttled, per_duration

from bot.channels.webchat.settings import WebChatSettings

Kind = Literal["hello", "visitor", "message", "file"]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# So many in a while, and of these so many at once. An address is an office, a school, or a whole mobile network.
OF_VISITOR: Mapping[Kind, Quota] = {
    "hello": per_duration(MINUTE, 240, burst=120),  # with long polling each request begins with one
    "visitor": per_duration(MINUTE, 10, burst=10),  # new ones, in the place of this one
    "message": per_duration(MINUTE, 30, burst=20),
    "file": per_duration(HOUR, 30, burst=10),
}
OF_ADDRESS: Mapping[Kind, Quota] = {
    "hello": per_duration(MINUTE, 3000, burst=1000),
    "visitor": per_duration(MINUTE, 60, burst=60),
    "message": per_duration(MINUTE, 600, burst=200),
    "file": per_duration(HOUR, 120, burst=40),
}
CONNECTIONS_OF_VISITOR = 20  # tabs
CONNECTIONS_OF_ADDRESS = 500
MOST_COUNTED = 200_000  # visitors and addresses; beyond that those who did nothing for longest are forgotten
IPV6_PREFIX = 64  # one customer of a provider has at least so many addresses


class Limits:
    """of_visitor, of_address: see above; another number for tests and shops that know better."""

    def __init__(
        self,
        settings: WebChatSettings,
        of_visitor: Mapping[Kind, Quota] = OF_VISITOR,
        of_address: Mapping[Kind, Quota] = OF_ADDRESS,
        connections_of_visitor: int = CONNECTIONS_OF_VISITOR,
        connections_of_address: int = CONNECTIONS_OF_ADDRESS,
    ) -> None:
        self._proxies = settings.proxies
        store = MemoryStore(options={"MAX_SIZE": MOST_COUNTED})
        self._limiters = {
            (whose, kind): Throttled(using="gcra", quota=quota, store=store, key_prefix=f"{whose}-{kind}")
            for whose, quotas in (("visitor", of_visitor), ("address", of_address))
            for kind, quota in quotas.items()
        }
        self._most = {"visitor": connections_of_visitor, "address": connections_of_address}
        self._open: Counter[tuple[str, str]] = Counter()

    def address(self, request: Request) -> str:
        """Whose request it is, by address."""
        return address_of(request, self._proxies)

    def allows(self, kind: Kind, visitor_id: str | None, address: str) -> float:
        """Seconds to wait; 0: it is allowed, and counted. visitor_id: None where there is none yet."""
        for whose, name in _named(visitor_id, address):  # the visitor first: one who does too much takes nothing from the address
            result = self._limiters[whose, kind].limit(name)
            if result.limited:
                return result.state.retry_after
        return 0.0

    @contextmanager
    def connection(self, visitor_id: str | None = None, address: str = "") -> Iterator[bool]:
        """A connection that is open as long as this context. False: there are too many, and this one is not counted.

        The address is known from the start, the visitor from the `hello` on: each of the two may be left out."""
        named = _named(visitor_id, address)
        is_allowed = all(self._open[whose, name] < self._most[whose] for whose, name in named)
        if not is_allowed:
            yield False
            return
        self._open.update(named)
        try:
            yield True
        finally:
            self._open.subtract(named)
            for each in named:
                if not self._open[each]:
                    del self._open[each]


def address_of(request: Request, proxies: int) -> str:
    """The address that connected to the first of our proxies; to us, where there are none. What others say is not believed."""
    written = [value.strip() for line in request.headers.getall("x-forwarded-for", []) for value in line.split(",")]
    if not proxies or not written:
        return _normal(request.ip)
    return _normal(written[-min(proxies, len(written))]) or _normal(request.ip)


def _normal(text: str) -> str:
    """Of IPv6 the network of one customer; empty for what is no address."""
    host = text.strip().strip('"')
    host = host[1:].partition("]")[0] if host.startswith("[") else host
    host = host.partition(":")[0] if host.count(":") == 1 else host  # with a port
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((address, IPV6_PREFIX), strict=False))


def _named(visitor_id: str | None, address: str) -> list[tuple[str, str]]:
    return [(whose, name) for whose, name in (("visitor", visitor_id), ("address", address)) if name]
