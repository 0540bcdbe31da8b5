"""How much a visitor and an address may do, and whose address it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import throttled.utils
from sanic.compat import Header
from throttled import per_duration

from bot.channels.webchat.limits import MOST_COUNTED, Limits, address_of
from bot.channels.webchat.settings import WebChatSettings

Tick = Callable[[float], None]
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Tick:
    """Lets so many seconds go by; no others do."""
    at = [1000.0]
    monkeypatch.setattr(throttled.utils, "now_mono_f", lambda: at[0])

    def go_on(seconds: float) -> None:
        at[0] += seconds

    return go_on


def limits(of_visitor: int = 3, of_address: int = 100, **more: Any) -> Limits:
    """So many messages a minute, all of which may come at once."""
    minute = timedelta(minutes=1)
    quotas = (
        {"message": per_duration(minute, of_visitor), "file": per_duration(minute, 1)},
        {"message": per_duration(minute, of_address), "file": per_duration(minute, 1)},
    )
    return Limits(WebChatSettings(), *quotas, **more)


def request(ip: str = "10.0.0.1", *forwarded: str) -> Any:
    return SimpleNamespace(ip=ip, headers=Header([("X-Forwarded-For", each) for each in forwarded]))


def test_visitor_waits_as_long_as_is_said_and_then_may_go_on(tick: Tick) -> None:
    some = limits()
    assert [some.allows("message", "web-1", HERE) for _ in range(3)] == [0, 0, 0]
    wait = some.allows("message", "web-1", HERE)
    assert wait == pytest.approx(20)
    tick(wait - 0.1)
    assert some.allows("message", "web-1", HERE) == pytest.approx(0.1)  # having asked in between costs nothing
    tick(0.11)
    assert some.allows("message", "web-1", HERE) == 0


def test_visitors_do_not_wait_for_one_another(tick: Tick) -> None:
    some = limits()
    for _ in range(4):
        some.allows("message", "web-1", HERE)
    assert some.allows("message", "web-1", THERE) > 0  # wherever they are
    assert some.allows("message", "web-2", HERE) == 0


def test_kinds_are_counted_apart(tick: Tick) -> None:
    some = limits()
    for _ in range(4):
        some.allows("message", "web-1", HERE)
    assert some.allows("file", "web-1", HERE) == 0


def test_address_is_limited_however_many_visitors_it_makes(tick: Tick) -> None:
    some = limits(of_address=5)
    assert [some.allows("message", f"web-{number}", HERE) for number in range(5)] == [0] * 5
    assert some.allows("message", "web-9", HERE) > 0
    assert some.allows("message", None, HERE) > 0
    assert some.allows("message", "web-9", THERE) == 0


def test_visitor_who_does_too_much_takes_nothing_from_others_at_the_address(tick: Tick) -> None:
    some = limits(of_address=4)
    refused = [some.allows("message", "web-1", HERE) > 0 for _ in range(20)]
    assert refused == [False] * 3 + [True] * 17
    assert some.allows("message", "web-2", HERE) == 0
    assert some.allows("message", "web-2", HERE) > 0


def test_memory_does_not_grow_with_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.webchat.limits.MOST_COUNTED", 50)
    some = limits()
    for number in range(500):
        some.allows("message", f"web-{number}", f"192.0.2.{number}")
    limiter = next(iter(some._limiters.values()))
    assert len(limiter._store._backend.get_client()) == 50
    assert MOST_COUNTED >= 100_000  # and so many are told apart


def test_usual_limits_let_a_person_talk_and_a_page_poll(tick: Tick) -> None:
    some = Limits(WebChatSettings())
    for _ in range(10):  # ten quick messages, each in a request that says hello
        assert some.allows("hello", "web-1", HERE) == 0
        assert some.allows("message", "web-1", HERE) == 0
    for _ in range(20):
        tick(3)
        assert some.allows("message", "web-1", HERE) == 0
    assert max(some.allows("message", "web-1", HERE) for _ in range(100)) > 0


# Connections


def test_connections_of_a_visitor_and_of_an_address_are_counted_while_they_are_open() -> None:
    some = limits(connections_of_visitor=1, connections_of_address=2)
    with some.connection(address=HERE) as first, some.connection("web-1") as visitor:
        assert (first, visitor) == (True, True)
        with some.connection("web-1") as again, some.connection("web-2") as another:
            assert (again, another) == (False, True)
        with some.connection("web-1") as still:
            assert still is False  # a refused one that ends frees nothing
        with some.connection(address=HERE) as second, some.connection(address=HERE) as third:
            assert (second, third) == (True, False)
            with some.connection(address=THERE) as elsewhere:
                assert elsewhere is True
    with some.connection("web-1", HERE) as later:
        assert later is True
    assert not some._open  # nothing is kept of those that are gone


def test_connection_that_ends_by_an_error_is_gone_too() -> None:
    some = limits(connections_of_visitor=1)
    with pytest.raises(RuntimeError), some.connection("web-1"):
        raise RuntimeError
    with some.connection("web-1") as again:
        assert again is True


# Addresses


def test_forwarded_address_is_not_believed_without_a_proxy() -> None:
    for spoofed in ("192.0.2.9", "127.0.0.1", "x", "", "192.0.2.9, 192.0.2.8"):
        assert address_of(request("10.0.0.1", spoofed), 0) == "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (1, ("192.0.2.9",), "192.0.2.9"),
        (1, ("6.6.6.6, 192.0.2.9",), "192.0.2.9"),  # what the browser wrote itself stands before
        (1, ("6.6.6.6", "192.0.2.9"), "192.0.2.9"),  # in a header of its own, too
        (1, ("6.6.6.6,7.7.7.7 ,192.0.2.9",), "192.0.2.9"),
        (2, ("6.6.6.6, 192.0.2.9, 10.0.0.2",), "192.0.2.9"),
        (2, ("192.0.2.9",), "192.0.2.9"),  # reached the second proxy directly
        (1, (), "10.0.0.1"),
        (1, ("unknown",), "10.0.0.1"),
        (1, ("192.0.2.9:4711",), "192.0.2.9"),
        (1, ("[2001:db8:1:2:3:4:5:6]:4711",), "2001:db8:1:2::/64"),
        (1, ('"[2001:db8:1:2::9]"',), "2001:db8:1:2::/64"),
        (1, ("2001:db8:1:2:ffff::9",), "2001:db8:1:2::/64"),
        (1, ("::ffff:192.0.2.9",), "192.0.2.9"),
        (1, ("fe80::1%eth0",), "fe80::/64"),
    ],
)
def test_address_as_the_first_of_our_proxies_saw_it(proxies: int, forwarded: tuple[str, ...], address: str) -> None:
    assert address_of(request("10.0.0.1", *forwarded), proxies) == address


def test_spoofed_header_moves_nobody_to_another_count(tick: Tick) -> None:
    some = limits(of_address=3)
    asked = [some.allows("message", None, some.address(request("10.0.0.1", f"6.6.6.{number}"))) for number in range(5)]
    assert [wait > 0 for wait in asked] == [False, False, False, True, True]
