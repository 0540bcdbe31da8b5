"""The people of the demo whom somebody can be, with orders of fixed numbers for every rule of the shop.

Conversation tests are written against them: a change here is a change there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Scripted:
    """An order. `days`: how many ago the event was that the state is named after (late: the day it was promised)."""

    number: int
    state: str
    days: int
    skus: tuple[str, ...]
    methods: tuple[str, ...] = ("card",)
    is_gift: bool = False
    store: str | None = None
    earns: bool = True  # False: its points are missing
    aftermath: str | None = None  # refund_sent: came back, refund on its way


@dataclass(frozen=True)
class Points:
    """A ledger that ends in `balance`: the purchase `fill_days` ago makes up what is missing to it.

    lots: (days ago, points) of purchases in a store. expiring: (points, in days). redeemed: (days ago, points).
    goodwill: (days ago, points).
    """

    tier: str
    balance: int
    fill_days: int
    lots: tuple[tuple[int, int], ...] = ()
    expiring: tuple[int, int] | None = None
    redeemed: tuple[int, int] | None = None
    goodwill: tuple[int, int] | None = None


@dataclass(frozen=True)
class Persona:
    key: str
    name: str
    email: str
    phone: str
    country: str
    language: str
    currency: str
    line1: str
    city: str
    region: str
    postcode: str
    joined: int  # days ago
    points: Points
    orders: tuple[Scripted, ...] = field(default=())


@dataclass(frozen=True)
class Guest:
    name: str
    email: str
    country: str
    order: Scripted


# Every ordinary way of an order, and returns: Ana's 10201 to 10210, Emma's 10231 to 10240.
EVERYDAY = (
    Scripted(1, "delivered", 5, ("SHI-OXF-BLU-M", "TRO-CHI-BEI-M")),
    Scripted(2, "in_transit", 2, ("SHO-RUN-RED-38",)),
    Scripted(3, "paid", 1, ("DRE-SUM-GRE-M",)),
    Scripted(4, "preparing", 2, ("BAG-LEA-BRO",)),
    Scripted(5, "delivered", 70, ("TRO-JEA-BLA-M",)),  # beyond every return window
    Scripted(6, "delivered", 3, ("UND-SET-BLA-M", "ACC-SCA-RED", "HOM-VAS-WHI")),  # hygiene, final sale, ordinary
    Scripted(7, "delivered", 16, ("SHI-SWE-GRA-M",), aftermath="refund_sent"),
    Scripted(8, "cancelled", 7, ("DRE-MID-BLU-M",)),
    Scripted(9, "delivered", 20, ("ACC-EAR-GOL",), is_gift=True),
    Scripted(10, "delivered", 12, ("SHO-SNE-WHI-38",), earns=False),
)
# What goes wrong: Carlos's 10251 to 10259, Liam's 10271 to 10279.
TROUBLE = (
    Scripted(1, "late", 4, ("BAG-BPK-GRE",)),
    Scripted(2, "partial", 2, ("SHI-LIN-WHI-L", "TRO-CHI-NAV-L")),
    Scripted(3, "late", 15, ("HOM-LAM-BLA",)),  # so late that it counts as lost
    Scripted(4, "delivered", 3, ("ACC-WAT-SIL",)),  # says the carrier
    Scripted(5, "ready_for_pickup", 1, ("BAG-TRA-NAV",), store="madrid"),
    Scripted(6, "paid", 1, ("SHI-POL-NAV-L",), methods=("gift_card",)),
    Scripted(7, "delivered", 2, ("SHO-BOO-BRO-42", "SHO-LOA-BLA-42", "ACC-WAL-BRO")),
    Scripted(8, "awaiting_payment", 1, ("SHI-FLA-RED-L",), methods=("bank_transfer",)),
    Scripted(9, "payment_failed", 1, ("ACC-SUN-BLA",)),
)


def _numbered(orders: tuple[Scripted, ...], base: int) -> tuple[Scripted, ...]:
    return tuple(replace(order, number=base + order.number) for order in orders)


PERSONAS = (
    Persona(
        "ana", "Ana García", "ana@example.com", "+525555010001", "MX", "es", "MXN",
        "Calle Jacaranda 12", "Ciudad de México", "CDMX", "06700", 430,
        Points("silver", 2400, 200, lots=((400, 500), (120, 900)), expiring=(300, 10), redeemed=(100, 500)),
        _numbered(EVERYDAY, 10200),
    ),
    Persona(
        "emma", "Emma Johnson", "emma@example.com", "+12025550101", "US", "en", "USD",
        "12 Example Street", "Austin", "TX", "73301", 700,
        Points("gold", 4000, 200, lots=((600, 500), (120, 1200)), expiring=(300, 10), redeemed=(100, 500)),
        _numbered(EVERYDAY, 10230),
    ),
    Persona(
        "carlos", "Carlos Ruiz", "carlos@example.com", "+34600000001", "ES", "es", "EUR",
        "Calle del Olmo 7", "Madrid", "Madrid", "28012", 320,
        Points("standard", 150, 250, redeemed=(1, 500)),
        _numbered(TROUBLE, 10250),
    ),
    Persona(
        "liam", "Liam Brown", "liam@example.com", "+12025550102", "US", "en", "USD",
        "48 Maple Avenue", "Denver", "CO", "80202", 320,
        Points("standard", 250, 250, redeemed=(1, 500), goodwill=(4, 100)),
        _numbered(TROUBLE, 10270),
    ),
    Persona(
        "joao", "João Silva", "joao@example.com", "+5511955550101", "BR", "pt", "BRL",
        "Rua do Exemplo 30", "São Paulo", "SP", "01001-000", 260,
        Points("standard", 320, 100),
        (
            Scripted(10291, "delivered", 4, ("SHI-TEE-BLA-L", "TRO-JOG-GRA-L")),
            Scripted(10292, "in_transit", 2, ("SHO-SNE-BLA-42",)),
            Scripted(10293, "paid", 1, ("HOM-BLA-GRA",), methods=("pix",)),
        ),
    ),
    Persona(
        "ingrid", "Ingrid Hansen", "ingrid@example.com", "+4790000001", "NO", "nb", "NOK",
        "Eksempelgata 5", "Oslo", "Oslo", "0150", 500,
        Points("gold", 3500, 200, lots=((90, 900),)),
        (
            Scripted(10311, "delivered", 6, ("SHI-SWE-NAV-M", "ACC-BEA-GRA")),
            Scripted(10312, "in_transit", 3, ("SHO-BOO-BLA-39",)),
            Scripted(10313, "paid", 1, ("DRE-KNI-BLA-M",)),
        ),
    ),
)  # fmt: skip

GUESTS = (
    Guest("Robin Clark", "guest@example.com", "US", Scripted(10331, "delivered", 10, ("DRE-MID-RED-M",), methods=("paypal",))),
    Guest("Alex Molina", "guest2@example.com", "ES", Scripted(10332, "delivered", 40, ("ACC-BEA-NAV",))),
)

RESERVED = range(10200, 10400)  # order numbers that are not given to anybody else


def scripted_orders() -> Iterator[Scripted]:
    """Every scripted order, guests' too."""
    for persona in PERSONAS:
        yield from persona.orders
    yield from (guest.order for guest in GUESTS)
