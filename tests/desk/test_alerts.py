"""Word of broken promises: where it may go, what is in it, and that it gets there once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from database import transaction
from desk import alerts
from desk.alerts import Alerts, AlertsError, Webhook, deliver_due, tell
from desk.models import OutgoingAlert
from desk.rounds import Rounds
from desk.signature import HEADER, TIMESTAMP, is_signed
from messaging.models import OutgoingMail
from tests.desk.people import NOW, asks, minutes

SECRET = "a secret of the shop"
HOOK = Webhook("https://shop.example/alerts", SECRET)
BOTH = Alerts(("boss@example.com", "ops@example.com"), HOOK, "es", "Mercado Aurora")


def environ(**values: str) -> dict[str, str]:
    return {f"TENDERO_DESK_{name}": value for name, value in values.items()}


class Receiver:
    """The shop's own system."""

    def __init__(self, *answers: int) -> None:
        self.got: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return httpx.Response(self._answers.pop(0) if self._answers else 204, headers={"Location": "http://169.254.169.254/"})

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self), follow_redirects=False)


def delivered(url: str, client: httpx.Client, now: datetime) -> int:
    return deliver_due(url, HOOK, client, lambda: now)


@pytest.fixture
def late(url: str) -> str:
    """A database in which a first reply is overdue, and word of it waits to be sent."""
    with transaction(url) as session:
        asks(session)
    Rounds(url, ways=BOTH).once(NOW + minutes(11))
    return url


def test_environment_says_where_word_goes() -> None:
    said = environ(ALERTS_TO="boss@example.com, ops@example.com", WEBHOOK_URL=HOOK.url, WEBHOOK_SECRET=SECRET)
    found = Alerts.of({**said, "TENDERO_LANGUAGE": "es", "TENDERO_SHOP_NAME": "Mercado Aurora"})
    assert found == BOTH
    assert SECRET not in repr(found)


def test_without_it_word_stays_at_the_desk() -> None:
    assert (Alerts.of({}).recipients, Alerts.of({}).webhook) == ((), None)


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://shop.example/x", True),
        ("http://127.0.0.1:9000/x", True),
        ("http://localhost/x", True),
        ("http://shop.example/x", False),
        ("http://10.0.0.8/x", False),
        ("https://name:word@shop.example/x", False),
        ("https://169.254.169.254/latest", False),
        ("https://[fe80::1]/x", False),
        ("ftp://shop.example/x", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://[", False),
    ],
)
def test_webhook_goes_over_a_line_that_nobody_can_read_and_never_to_a_clouds_own_address(url: str, is_taken: bool) -> None:
    said = environ(WEBHOOK_URL=url, WEBHOOK_SECRET=SECRET)
    if is_taken:
        assert Alerts.of(said).webhook == Webhook(url, SECRET)
    else:
        with pytest.raises(AlertsError, match="TENDERO_DESK_WEBHOOK_URL"):
            Alerts.of(said)


@pytest.mark.parametrize("secret", ["", "short"])
def test_webhook_needs_a_secret_and_the_error_does_not_tell_it(secret: str) -> None:
    with pytest.raises(AlertsError) as error:
        Alerts.of(environ(WEBHOOK_URL=HOOK.url, WEBHOOK_SECRET=secret))
    assert "16 characters" in str(error.value)
    assert "short" not in str(error.value)


def test_address_that_is_none_is_told() -> None:
    with pytest.raises(AlertsError, match="boss is no e-mail address"):
        Alerts.of(environ(ALERTS_TO="a@example.com, boss"))


def test_mail_goes_to_each_in_the_shops_language_and_tells_which_and_since_when(late: str) -> None:
    with transaction(late) as session:
        mails = session.execute(select(OutgoingMail).order_by(OutgoingMail.id)).scalars().all()
    assert [mail.recipient for mail in mails] == ["boss@example.com", "ops@example.com"]
    assert mails[0].subject == "Mercado Aurora: 1 en espera de una persona"
    assert "!! #1  first_reply  2026-11-18T17:10Z  orders  -" in mails[0].body


def test_webhook_gets_the_facts_signed_and_no_word_of_the_shopper(late: str) -> None:
    receiver = Receiver()
    assert delivered(late, receiver.client, NOW + minutes(12)) == 1
    (request,) = receiver.got
    told = json.loads(request.content)
    assert told == {
        "id": request.headers["X-Tendero-Delivery"],
        "kind": "breached",
        "handoff": 1,
        "level": "first_reply",
        "due_at": "2026-11-18T17:10:00+00:00",
        "since": "2026-11-18T17:00:00+00:00",
        "queue": "orders",
        "assignee": None,
        "channel": "webchat",
        "language": "es",
        "reason": "asked",
        "goal": "track_order",
        "at": "2026-11-18T17:11:00+00:00",
    }
    headers, at = request.headers, (NOW + minutes(12)).timestamp()
    assert is_signed(request.content, headers[HEADER], headers[TIMESTAMP], SECRET, at)


def test_each_is_signed_when_it_is_sent_however_slow_the_receiver(url: str) -> None:
    with transaction(url) as session:
        told = {"kind": "warned", "level": "x", "due_at": "", "queue": "", "assignee": ""}
        tell(session, Alerts(webhook=HOOK), [{**told, "key": str(number), "handoff": number} for number in range(2)], NOW)
    receiver = Receiver()
    clock = iter(NOW + minutes(number * 6) for number in range(3))
    assert deliver_due(url, HOOK, receiver.client, lambda: next(clock)) == 2
    seconds = [int(request.headers[TIMESTAMP]) for request in receiver.got]
    assert seconds[1] - seconds[0] == 360


@pytest.mark.parametrize("answer", [500, 404, 302])
def test_refused_one_is_tried_again_after_a_pause_and_a_redirect_is_not_followed(late: str, answer: int) -> None:
    receiver = Receiver(answer, answer)
    sent = [delivered(late, receiver.client, NOW + minutes(after)) for after in (12, 12.1, 12.5, 13.5, 14, 60)]
    assert sent == [0, 0, 0, 1, 0, 0]
    assert {request.url.host for request in receiver.got} == {"shop.example"}
    assert len({request.headers["X-Tendero-Delivery"] for request in receiver.got}) == 1


def test_server_that_is_away_is_asked_again(late: str) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    client = httpx.Client(transport=httpx.MockTransport(away))
    assert delivered(late, client, NOW + minutes(12)) == 0
    assert delivered(late, Receiver().client, NOW + minutes(14)) == 1


def test_yesterdays_warning_is_given_up_with_its_error(late: str) -> None:
    receiver = Receiver(*[500] * 9)
    assert delivered(late, receiver.client, NOW + timedelta(hours=25)) == 0
    assert delivered(late, receiver.client, NOW + timedelta(hours=30)) == 0
    assert len(receiver.got) == 1
    with transaction(late) as session:
        assert session.execute(select(OutgoingAlert.error)).scalar_one() == "answered 500"


def test_process_that_dies_while_it_sends_leaves_it_to_another(late: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(alerts, "_sent", dies)
        with pytest.raises(KeyboardInterrupt):
            delivered(late, Receiver().client, NOW + minutes(12))
    assert delivered(late, Receiver().client, NOW + minutes(12.5)) == 0
    assert delivered(late, Receiver().client, NOW + minutes(13.1)) == 1


def test_several_senders_at_once_send_each_once(url: str) -> None:
    with transaction(url) as session:
        for number in range(10):
            asks(session, f"s{number}")
    Rounds(url, ways=BOTH).once(NOW + minutes(11))
    receiver = Receiver()
    with ThreadPoolExecutor(3) as pool:
        sent = list(pool.map(lambda _: delivered(url, receiver.client, NOW + minutes(12)), range(3)))
    assert sum(sent) == 10
    assert len({request.headers["X-Tendero-Delivery"] for request in receiver.got}) == len(receiver.got) == 10


def test_same_cause_is_told_once(session: Session) -> None:
    told = {"key": "1:first_reply:warned", "kind": "warned", "handoff": 1, "level": "first_reply", "due_at": NOW.isoformat()}
    for _ in range(2):
        tell(session, BOTH, [{**told, "queue": "orders", "assignee": None}], NOW)
    assert len(session.execute(select(OutgoingAlert.id)).all()) == 1
    assert len(session.execute(select(OutgoingMail.id)).all()) == 2


def test_flood_is_one_mail(session: Session) -> None:
    told = {"kind": "warned", "level": "first_reply", "due_at": NOW.isoformat(), "queue": "orders", "assignee": None}
    tell(session, BOTH, [{**told, "key": f"{number}:w", "handoff": number} for number in range(100)], NOW)
    mails = session.execute(select(OutgoingMail.body)).scalars().all()
    assert len(mails) == 2
    assert mails[0].count("first_reply") == alerts.MOST_IN_A_MAIL


def test_rounds_send_to_the_webhook_by_themselves(url: str, until: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Receiver()
    client = receiver.client
    monkeypatch.setattr(httpx, "Client", lambda **_: client)
    with transaction(url) as session:
        tell(
            session,
            BOTH,
            [{"key": "k", "kind": "warned", "handoff": 1, "level": "x", "due_at": "", "queue": "", "assignee": ""}],
            NOW,
        )
    rounds = Rounds(url, ways=BOTH, every_seconds=0.05)
    rounds.start()
    until(lambda: bool(receiver.got))
    rounds.stop()


def test_old_alerts_are_deleted_once_they_are_sent_and_never_before(late: str) -> None:
    far = NOW + timedelta(days=40)
    with transaction(late) as session:
        assert alerts.purge(session, far) == 0
    delivered(late, Receiver().client, NOW + minutes(12))
    with transaction(late) as session:
        assert [alerts.purge(session, now) for now in (NOW + timedelta(days=29), far)] == [0, 1]
