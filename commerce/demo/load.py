"""Putting the demo shop into an empty database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.demo.aftermath import Aftermath, Reversal
from commerce.demo.days import Days, months_later
from commerce.demo.goods import Goods, add_goods, read_yaml
from commerce.demo.history import History, continue_history
from commerce.demo.orders import OrderBook, Plan, Written
from commerce.demo.people import Person, add_people, add_person
from commerce.demo.personas import GUESTS, PERSONAS, Guest, Persona, Scripted, scripted_orders
from commerce.demo.points import Account
from commerce.demo.rates import Rates, read_rates
from commerce.demo.rows import Rows
from commerce.demo.states import STATES
from commerce.models import Product, ShopSetting
from commerce.policies import Policies, load_policies
from commerce.product_index import SYNONYMS_SETTING

SEED = 20260101
CUSTOMERS, ORDERS = 500, 2000
MARK = "demo"  # the setting that says that the demo was loaded
POLICIES = Path(__file__).parents[2] / "data" / "policies"
CREDITED_CUSTOMERS = 25  # got points as an apology
REHEARSED = 100_000  # points
WITHOUT_POINTS = frozenset(str(order.number) for order in scripted_orders() if not order.earns)


@dataclass(frozen=True)
class Events:
    """What moved a customer's points."""

    earned: list[Written]
    reversals: list[Reversal]


NOTHING = Events([], [])


class ShopNotEmpty(Exception):
    """There are products already, and not the demo's: it is no place for made-up customers."""


@dataclass(frozen=True)
class DemoReport:
    """Rows by table. `was_loaded`: the demo had been loaded before, nothing was done now."""

    counts: Mapping[str, int]
    was_loaded: bool = False


def load_demo(session: Session, today: date, now: datetime, policies: Policies | None = None) -> DemoReport:
    """Fill an empty shop, once. The content depends on `today` alone; every past instant is before it or at its start.

    now: when it was loaded, for the mark in shop_setting. policies: without them, those in data/policies.
    Raises ShopNotEmpty, and PolicyError where the policies lack a figure.
    """
    mark = session.get(ShopSetting, MARK)
    if mark is not None:
        return DemoReport(mark.value["counts"], was_loaded=True)
    if session.execute(select(Product.id).limit(1)).first() is not None:
        raise ShopNotEmpty("the shop has products already: the demo goes into an empty database only")
    rows = demo_rows(today, policies or load_policies(POLICIES))
    rows.insert(session)
    _set(session, SYNONYMS_SETTING, read_yaml("catalog.yml")["synonyms"])
    _set(session, MARK, {"loaded_at": now.isoformat(), "today": today.isoformat(), "counts": rows.counts()})
    session.flush()
    return DemoReport(rows.counts())


def demo_rows(today: date, policies: Policies) -> Rows:
    """The whole shop in memory."""
    rows, days, random = Rows(), Days(today), Random(SEED)  # noqa: S311 (made-up data, the same every time)
    rates = read_rates(policies, today, list(read_yaml("catalog.yml")["currencies"]))
    goods = add_goods(rows, random)
    book, aftermath = OrderBook(rows, days, goods, rates), Aftermath(rows, days, goods, rates)
    personas = {persona: _add_persona(rows, days, persona) for persona in PERSONAS}
    scripted = {order.plan.number: order for order in _scripted(book, personas)}
    _continue_scripted(scripted, aftermath)
    people = add_people(rows, days, random, CUSTOMERS)
    written = _history(book, aftermath, people, goods, random, ORDERS - len(scripted))
    events = _events([*scripted.values(), *written], aftermath)
    for persona, person in personas.items():
        _persona_points(rows, days, rates, persona, person, events[person.id])
    _points(rows, days, rates, people, events, random)
    return rows


def _set(session: Session, name: str, value: object) -> None:
    session.merge(ShopSetting(name=name, value=value))


# Orders


def _add_persona(rows: Rows, days: Days, persona: Persona) -> Person:
    address = {
        "recipient": persona.name,
        "line1": persona.line1,
        "line2": "",
        "city": persona.city,
        "region": persona.region,
        "postcode": persona.postcode,
        "country": persona.country,
    }
    return add_person(
        rows,
        days,
        joined=persona.joined,
        address=address,
        name=persona.name,
        email=persona.email,
        phone=persona.phone,
        language=persona.language,
        country=persona.country,
        currency=persona.currency,
    )


def _scripted(book: OrderBook, personas: Mapping[Persona, Person]) -> Iterable[Written]:
    for persona, person in personas.items():
        for order in persona.orders:
            yield book.write(_plan(order, person, person.email, person.country, person.address, persona))
    for guest in GUESTS:
        yield book.write(_plan(guest.order, None, guest.email, guest.country, _guest_address(guest)))


def _plan(
    order: Scripted,
    person: Person | None,
    email: str,
    country: str,
    address: Mapping[str, str],
    persona: Persona | None = None,
) -> Plan:
    return Plan(
        number=str(order.number),
        state=order.state,
        days=order.days,
        items=tuple((sku, 1) for sku in order.skus),
        person=person,
        email=email,
        country=country,
        address=address,
        methods=order.methods,
        store=order.store,
        is_gift=order.is_gift,
        ships_free=persona is not None and persona.points.tier == "gold",
    )


def _guest_address(guest: Guest) -> dict[str, str]:
    country = read_yaml("people.yml")["countries"][guest.country]
    city, region, postcode = country["places"][0]
    place = {"city": city, "region": region, "postcode": postcode, "country": guest.country}
    return {"recipient": guest.name, "line1": f"{country['streets'][0]} 1", "line2": "", **place}


def _continue_scripted(scripted: Mapping[str, Written], aftermath: Aftermath) -> None:
    orders = (order for persona in PERSONAS for order in persona.orders)
    for order in orders:
        if order.state == "cancelled":
            aftermath.cancel(scripted[str(order.number)], "no_longer_needed")
        if order.aftermath == "refund_sent":
            aftermath.give_back(scripted[str(order.number)], "inspected", 10, "too_large")


def _history(
    book: OrderBook, aftermath: Aftermath, people: list[Person], goods: Goods, random: Random, total: int
) -> list[Written]:
    written = [book.write(plan) for plan in History(random, people, goods).plans(total)]
    continue_history(written, aftermath, random)
    return written


# Points


def _persona_points(
    rows: Rows,
    days: Days,
    rates: Rates,
    persona: Persona,
    person: Person,
    events: Events,
) -> None:
    """The scripted balance to the point: a rehearsal with a large purchase shows how large it has to be."""
    rehearsal = _persona_account(Rows(), days, rates, persona, person, events, REHEARSED)
    fill = REHEARSED + persona.points.balance - rehearsal.balance
    account = _persona_account(rows, days, rates, persona, person, events, fill)
    assert account.balance == persona.points.balance, f"{persona.key} has {account.balance} points"


def _persona_account(
    rows: Rows, days: Days, rates: Rates, persona: Persona, person: Person, events: Events, fill: int
) -> Account:
    plan = persona.points
    account = Account(rows, rates, person.id, person.currency, fixed_tier=plan.tier)
    account.on(days.at(person.joined, hour=10), account.welcome)
    for place, (ago, points) in enumerate((*plan.lots, (plan.fill_days, fill))):
        key = f"store:{persona.key}:{place}"
        account.on(days.at(ago), partial(account.open, points=points, reason="purchase", key=key))
    if plan.expiring:
        points, ahead = plan.expiring
        ends = days.at(-ahead)
        starts = months_later(ends, -rates.expiry_months[plan.tier])
        expiring = partial(account.open, points=points, reason="purchase", key=f"store:{persona.key}:expiring")
        account.on(starts, partial(expiring, expires_at=ends))
    if plan.goodwill:
        ago, points = plan.goodwill
        given = partial(account.open, points=points, reason="goodwill", key=f"goodwill:{persona.key}", kind="adjust")
        account.on(days.at(ago), given)
    if plan.redeemed:
        ago, points = plan.redeemed
        account.on(days.at(ago, hour=18), partial(account.redeem, points=points, random=Random(persona.key)))  # noqa: S311
    _add_events(account, days, events)
    account.play(days.at(0))
    return account


def _points(rows: Rows, days: Days, rates: Rates, people: list[Person], events: Mapping[int, Events], random: Random) -> None:
    credited = set(random.sample([person.id for person in people], CREDITED_CUSTOMERS))
    for person in people:
        account = Account(rows, rates, person.id, person.currency)
        account.on(days.at(person.joined, hour=10), account.welcome)
        _add_events(account, days, events.get(person.id, NOTHING))
        for _ in range(random.choice((0, 0, 1, 2))):
            redeem = partial(account.redeem, points=random.choice((500, 800, 1500)), random=random)
            account.on(days.at(random.randint(1, person.joined), hour=18), redeem)
        if person.id in credited:
            key = f"goodwill:{person.id}"
            given = partial(account.open, points=100, reason="goodwill", key=key, kind="adjust")
            account.on(days.at(random.randint(2, person.joined)), given)
        account.play(days.at(0))
    _use_vouchers(rows, days, random)


def _add_events(account: Account, days: Days, events: Events) -> None:
    for order in events.earned:
        account.on(days.at(order.plan.days, hour=16), partial(account.earn, order=order.row))
    for back in events.reversals:
        reverse = partial(account.reverse, order=back.written.row, goods_minor=back.goods_minor, cause=back.cause)
        account.on(days.at(back.days, hour=17), reverse)


def _events(written: Iterable[Written], aftermath: Aftermath) -> dict[int, Events]:
    """By customer; orders whose points are missing on purpose are left out."""
    events: dict[int, Events] = {}
    for order in written:
        if order.customer_id and STATES[order.plan.state].is_delivered and order.plan.number not in WITHOUT_POINTS:
            events.setdefault(order.customer_id, Events([], [])).earned.append(order)
    for back in aftermath.reversals:
        if back.written.customer_id:
            events.setdefault(back.written.customer_id, Events([], [])).reversals.append(back)
    return events


def _use_vouchers(rows: Rows, days: Days, random: Random) -> None:
    """Older vouchers were used or expired, and one in twenty was called back; the personas' stay active while they last."""
    now = days.at(0)
    personas = range(1, len(PERSONAS) + 1)
    for voucher in rows.by_table["voucher"]:
        if voucher["expires_at"] <= now:
            voucher["status"] = random.choice(("used", "expired"))
        elif voucher["customer_id"] not in personas:
            voucher["status"] = random.choice(("used",) * 9 + ("active",) * 10 + ("revoked",))
