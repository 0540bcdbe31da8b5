"""Importing a shop from files: all of it or nothing, every problem named, and the second time changes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commerce.importing import ImportFailed, ImportReport, Problem, import_shop
from commerce.importing.formats import FORMATS
from commerce.loyalty import balance
from commerce.models import (
    Category,
    Customer,
    CustomerAddress,
    LedgerEntry,
    Location,
    Order,
    OrderLine,
    Payment,
    Product,
    Shipment,
    StockLevel,
    Variant,
)
from database import Base, transaction
from tests.commerce.shop import NOW

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "data" / "import-example"
Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A copy of the example with cells changed: folder(orders={"30001": {"total": "1"}}); None takes a file away."""

    def copy(**changes: Any) -> Path:
        target = tmp_path / "shop"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(EXAMPLE, target)
        for name, change in changes.items():
            change_file(next(target.glob(f"{name}.*")), change)
        return target

    return copy


def change_file(path: Path, change: Mapping[str, Mapping[str, str]] | list[str] | None) -> None:
    if change is None:
        path.unlink()
    elif isinstance(change, list):
        path.write_text(path.read_text(encoding="utf-8") + "".join(f"{line}\n" for line in change), encoding="utf-8")
    else:
        change_cells(path, change)


def change_cells(path: Path, change: Mapping[str, Mapping[str, str]]) -> None:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    names = header.split(",")
    rows = [line.split(",") for line in lines]
    for row in rows:
        for name, value in change.get(row[0], {}).items():
            row[names.index(name)] = value
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")


def problems_of(session: Session, folder: Path) -> list[str]:
    with pytest.raises(ImportFailed) as failed:
        import_shop(session, folder, NOW)
    return [str(problem) for problem in failed.value.problems]


def rows_of(session: Session) -> dict[str, list[Any]]:
    """Everything in the database."""
    return {
        name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
        for name, table in Base.metadata.tables.items()
    }


def count(session: Session, model: Any) -> int:
    return int(session.execute(select(func.count()).select_from(model)).scalar_one())


def order_of(session: Session, number: str) -> Order:
    return session.execute(select(Order).where(Order.number == number)).scalar_one()


# --- what is imported -------------------------------------------------------------------------------------------------


def test_store_has_its_place_on_the_map(session: Session) -> None:
    import_shop(session, EXAMPLE, NOW)
    places = session.execute(select(Location.code, Location.latitude, Location.longitude).order_by(Location.code)).all()
    assert [tuple(place) for place in places] == [("madrid", 40.4262, -3.7045), ("madrid-warehouse", None, None)]


def test_the_example_is_imported_whole(session: Session) -> None:
    report = import_shop(session, EXAMPLE, NOW)
    assert [(each.name, each.read, each.added) for each in report.files][:3] == [
        ("categories", 2, 2),
        ("locations", 2, 2),
        ("products", 2, 2),
    ]
    counted = {model: count(session, model) for model in (Category, Location, Product, Variant, Customer, Order)}
    assert list(counted.values()) == [2, 2, 2, 3, 2, 3]
    assert [count(session, model) for model in (OrderLine, Payment, Shipment, StockLevel, CustomerAddress)] == [
        3,
        3,
        2,
        4,
        2,
    ]


def test_a_product_has_its_words_options_and_prices(session: Session) -> None:
    import_shop(session, EXAMPLE, NOW)
    variant = session.execute(select(Variant).where(Variant.sku == "SHI-OXF-BLU-M")).scalar_one()
    assert (variant.options, variant.is_active) == ({"size": "M", "color": "blue"}, True)
    assert {each.currency: each.amount_minor for each in variant.prices} == {"EUR": 3990, "MXN": 79900}
    assert variant.product.names == {"es": "Camisa Oxford", "en": "Oxford Shirt", "nb": "Oxfordskjorte", "pt": "Camisa Oxford"}
    assert variant.product.attributes == {"material": {"es": "algodón", "en": "cotton", "pt": "algodão", "nb": "bomull"}}
    assert len(variant.product.images) == 2
    assert variant.product.category.return_kind == "ordinary"


def test_an_order_has_its_money_times_and_address(session: Session) -> None:
    import_shop(session, EXAMPLE, NOW)
    order = order_of(session, "30001")
    assert (order.total_minor, order.shipping_minor, order.discount_minor) == (7875, 395, 500)
    assert order.placed_at == datetime(2025, 1, 10, 18, 5, tzinfo=timezone.utc)
    assert order.promised_on == date(2025, 1, 15)
    assert order.customer.email == "lucia@example.com"
    assert order.shipping_address["line2"] == "3º B"
    assert order_of(session, "30002").placed_at == datetime(2025, 2, 2, 18, 0, tzinfo=timezone.utc)


def test_a_guests_order_belongs_to_an_email_only(session: Session) -> None:
    import_shop(session, EXAMPLE, NOW)
    order = order_of(session, "30003")
    assert (order.customer_id, order.email, order.shipping_address) == (None, "guest@example.com", {})
    assert order.pickup_location.code == "madrid"


def test_each_parcel_is_a_part_of_its_order_and_the_rest_waits(session: Session) -> None:
    import_shop(session, EXAMPLE, NOW)
    parts = {
        number: [
            (each.status, each.location.code, [(line.order_line.sku, line.quantity) for line in each.lines])
            for each in order_of(session, number).fulfilments
        ]
        for number in ("30001", "30002", "30003")
    }
    assert parts == {
        "30001": [("delivered", "madrid-warehouse", [("SHI-OXF-BLU-M", 1)])] * 2,
        "30002": [("pending", "madrid-warehouse", [("UND-COT-BLA-M", 1)])],
        "30003": [("ready_for_pickup", "madrid", [("SHI-OXF-BLU-L", 1)])],
    }
    parcel = session.execute(select(Shipment).where(Shipment.tracking_number == "PQ30001A")).scalar_one()
    assert [each.code for each in parcel.events] == ["picked_up", "delivered"]


def test_points_come_in_lots(session: Session) -> None:
    import_shop(session, EXAMPLE, NOW)
    lucia = order_of(session, "30001").customer
    assert balance(session, lucia.id, datetime(2025, 4, 1, tzinfo=timezone.utc)) == 24


def test_what_cannot_be_returned_was_sold_so(session: Session, folder: Folder) -> None:
    import_shop(session, folder(products={"cotton-briefs": {"final_sale": "true"}}), NOW)
    sold = dict(session.execute(select(OrderLine.sku, OrderLine.is_final_sale)).all())
    assert sold == {"SHI-OXF-BLU-M": False, "UND-COT-BLA-M": True, "SHI-OXF-BLU-L": False}


# --- again ------------------------------------------------------------------------------------------------------------


def test_the_same_files_again_change_nothing(session: Session) -> None:
    import_shop(session, EXAMPLE, NOW)
    before = rows_of(session)
    report = import_shop(session, EXAMPLE, NOW)
    assert not report.has_changes
    assert rows_of(session) == before


def test_a_changed_order_is_updated_and_its_summaries_are_stale(session: Session, folder: Folder) -> None:
    import_shop(session, EXAMPLE, NOW)
    report = import_shop(session, folder(orders={"30002": {"status": "preparing"}}), NOW)
    assert (report["orders"].changed, report["orders"].unchanged) == (1, 2)
    changed, other = order_of(session, "30002"), order_of(session, "30001")
    assert (changed.status, changed.version, other.version) == ("preparing", 2, 1)
    assert [each.status for each in changed.fulfilments] == ["preparing"]


def test_a_parcel_that_comes_later_takes_its_pieces_from_the_rest(session: Session, folder: Folder) -> None:
    both, first = "shipments", "PQ30001A"
    path = folder(shipment_events=None)
    kept = [line for line in (path / f"{both}.csv").read_text().splitlines() if "PQ30001B" not in line]
    (path / f"{both}.csv").write_text("\n".join(kept) + "\n")
    import_shop(session, path, NOW)
    parts = order_of(session, "30001").fulfilments
    assert [[each.tracking_number for each in part.shipments] for part in parts] == [[first], []]
    report = import_shop(session, folder(), NOW)
    assert report["shipments"].added == 1
    session.expire_all()
    parts = order_of(session, "30001").fulfilments
    assert [[each.tracking_number for each in part.shipments] for part in parts] == [[first], ["PQ30001B"]]
    assert [[line.quantity for line in part.lines] for part in parts] == [[1], [1]]
    assert order_of(session, "30001").version == 2


def test_two_customers_may_swap_their_emails(session: Session, folder: Folder) -> None:
    import_shop(session, EXAMPLE, NOW)
    swapped = folder(customers={"C-1": {"email": "sam@example.com"}, "C-2": {"email": "lucia@example.com"}})
    import_shop(session, swapped, NOW)
    emails = dict(session.execute(select(Customer.number, Customer.email)).all())
    assert emails == {"C-1": "sam@example.com", "C-2": "lucia@example.com"}


def test_a_column_that_the_file_lacks_leaves_stored_values_alone(session: Session, folder: Folder) -> None:
    import_shop(session, EXAMPLE, NOW)
    path = folder()
    (path / "products.csv").write_text("handle,category,name_es\noxford-shirt,shirts,Camisa\n", encoding="utf-8")
    import_shop(session, path, NOW)
    product = session.execute(select(Product).where(Product.handle == "oxford-shirt")).scalar_one()
    assert (product.names, product.brand) == ({"es": "Camisa"}, "Aurora")


def test_a_product_on_final_sale_later_changes_no_old_order(session: Session, folder: Folder) -> None:
    import_shop(session, EXAMPLE, NOW)
    import_shop(session, folder(products={"cotton-briefs": {"final_sale": "true"}}), NOW)
    line = session.execute(select(OrderLine).where(OrderLine.sku == "UND-COT-BLA-M")).scalar_one()
    assert line.is_final_sale is False


def test_an_erased_customer_does_not_come_back(session: Session, folder: Folder) -> None:
    import_shop(session, EXAMPLE, NOW)
    lucia = order_of(session, "30001").customer
    order = order_of(session, "30001")
    lucia.name, lucia.email, lucia.phone, lucia.erased_at = "-", None, None, NOW
    order.email, order.shipping_address = None, {}
    for address in list(lucia.addresses):
        session.delete(address)
    session.flush()
    report = import_shop(session, folder(), NOW)
    assert (report["customers"].skipped, report["addresses"].skipped) == (1, 1)
    everything = json.dumps(rows_of(session), default=str, ensure_ascii=False)
    assert "lucia@example.com" not in everything
    assert "Calle de la Luna" not in everything


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_every_problem_of_every_file_is_named_at_once_and_nothing_is_written(database_url: str, folder: Folder) -> None:
    path = folder(
        variants=["NEW-1,no-such-product,true,M,blue,1.00,"],
        customers={"C-1": {"email": "lucia"}, "C-2": {"created_at": "2024-06-15"}},
        orders={"30002": {"customer": "C-9"}, "30003": {"status": "lost"}},
        lines={"30003": {"sku": "NO-SUCH-SKU"}, "30002": {"quantity": "0"}},
        payments={"30001": {"amount": "-1"}, "30002": {"amount": "289.001"}, "30003": {"order": "39999"}},
    )
    with transaction(database_url) as session:
        problems = problems_of(session, path)
    assert problems == [
        'customers.csv:2: email: "lucia" is not an e-mail address',
        'customers.csv:3: created_at: "2024-06-15" has no time zone: write 2026-11-18T15:00:00Z or ...+01:00',
        "lines.csv:3: quantity: 0 is not above 0",
        'lines.csv:4: sku: there is no variant "NO-SUCH-SKU": add it to variants.csv, with active=false if it is not sold',
        'orders.csv:3: customer: there is no customer "C-9"',
        'orders.csv:4: status: "lost" is none of placed, paid, preparing, partially_shipped, shipped,'
        " ready_for_pickup, delivered, cancelled",
        "payments.csv:2: amount: -1 is below 0",
        "payments.csv:3: amount: 289.001 has more decimals than MXN",
        'payments.csv:4: order: there is no order "39999"',
        'variants.csv:5: handle: there is no product "no-such-product"',
    ]
    with transaction(database_url) as session:
        assert all(rows == [] for rows in rows_of(session).values())


def test_a_late_problem_undoes_what_was_written_even_in_a_transaction_that_commits(database_url: str, folder: Folder) -> None:
    path = folder(loyalty=['{"key": "x", "customer": "C-9", "kind": "earn", "points": 1, "occurred_at": "2025-01-01T00:00Z"}'])
    with transaction(database_url) as session:
        assert problems_of(session, path) == ['loyalty.jsonl:4: customer: there is no customer "C-9"']
    with transaction(database_url) as session:
        assert count(session, Customer) == count(session, Order) == count(session, LedgerEntry) == 0


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"orders": {"30001": {"total": "70.00"}}},
            "orders.csv:2: total: the lines add up to 79.80, but total - shipping + discount is 71.05",
        ),
        ({"lines": None}, "orders.csv:2: total: the lines add up to 0.00, but total - shipping + discount is 79.80"),
        (
            {"orders": {"30001": {"currency": "EURO"}}},
            'orders.csv:2: currency: "EURO" is not a currency: write a code such as EUR',
        ),
        (
            {"orders": {"30001": {"placed_at": "2026-12-24T00:00:00Z"}}},
            "orders.csv:2: placed_at: 2026-12-24T00:00:00+00:00 is in the future",
        ),
        (
            {"orders": {"30003": {"email": ""}}},
            "orders.csv:4: customer: an order needs its customer's number or, for a guest, an e-mail",
        ),
        (
            {"orders": {"30003": {"pickup_location": ""}}},
            "orders.csv:4: pickup_location: is empty, though the order is to be picked up",
        ),
        ({"customers": {"C-2": {"email": "LUCIA@example.com"}}}, "customers.csv:3: email: customer C-1 has it too"),
        ({"customers": {"C-2": {"number": "C-1"}}}, "customers.csv:3: number: the same number as in line 2"),
        (
            {"customers": {"C-1": {"phone": "600100001"}}},
            'customers.csv:2: phone: "600100001" is not a phone number with its country: write +34600000001',
        ),
        (
            {"payments": {"30001": {"label": "4242 4242 4242 4242"}}},
            "payments.csv:2: label: looks like a card number, which is never stored: write its last four digits at most",
        ),
        ({"payments": {"30001": {"amount": "1.234,5"}}}, "payments.csv:2: has 7 cells, the header has 6"),
        (
            {"shipments": {"PQ30001A": {"items": ""}}},
            "shipments.csv:2: items: is empty, though the order has several parcels: say what is in each",
        ),
        (
            {"shipments": {"PQ30001B": {"items": "SHI-OXF-BLU-M:2"}}},
            "shipments.csv:3: items: 3 pieces of SHI-OXF-BLU-M in parcels, 2 in the order",
        ),
        (
            {"shipments": {"PQ30001B": {"items": "UND-COT-BLA-M:1"}}},
            'shipments.csv:3: items: order 30001 has no line with "UND-COT-BLA-M"',
        ),
        (
            {"locations": {"madrid": {"latitude": "140.4"}}},
            'locations.csv:3: latitude: "140.4" is not between -90 and 90 degrees: write 19.4187, with a point',
        ),
        ({"stock": {"SHI-OXF-BLU-M": {"quantity": "-2"}}}, "stock.csv:2: quantity: -2 is below 0"),
        (
            {"stock": {"SHI-OXF-BLU-L": {"location": "mars"}}},
            'stock.csv:4: location: there is no location "mars": add it to locations.csv',
        ),
        (
            {"products": ["tie,ties,,,,,Corbata,Tie,,"]},
            'products.csv:4: category: there is no category "ties": add it to categories.csv',
        ),
        (
            {"shipment_events": ["NOPE,2025-01-01T00:00:00Z,delivered,"]},
            'shipment_events.csv:6: tracking_number: there is no shipment "NOPE"',
        ),
    ],
)
def test_a_bad_row_is_named_by_file_line_column_and_reason(
    session: Session, folder: Folder, changes: Mapping[str, Any], problem: str
) -> None:
    assert problem in problems_of(session, folder(**changes))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"kind": "redeem", "points": -25, "lot": "earn:30001"}, 'points: takes 25 of "earn:30001", which has 24 left'),
        ({"kind": "redeem", "points": -5}, "lot: is empty: name the key of the row whose points are taken"),
        ({"kind": "earn", "points": -5}, "points: -5: earn gives points"),
        ({"kind": "earn", "points": 0}, "points: is 0: an entry gives or takes points"),
        ({"kind": "expire", "points": -5, "lot": "welcome:C-2"}, 'lot: "welcome:C-2" is of customer C-2'),
        ({"kind": "expire", "points": -5, "lot": "x"}, 'lot: there is no row "x" before this one that gives points'),
        ({"kind": "earn", "points": 1.5}, 'points: "1.5" is not a whole number'),
        ({"kind": "earn", "points": 5, "order": "1"}, 'order: there is no order "1"'),
    ],
)
def test_the_ledger_of_the_files_is_sound(session: Session, folder: Folder, entry: Mapping[str, Any], problem: str) -> None:
    line = json.dumps({"key": "new", "customer": "C-1", "occurred_at": "2025-06-01T00:00:00Z", **entry})
    assert problems_of(session, folder(loyalty=[line])) == [f"loyalty.jsonl:4: {problem}"]


def test_a_ledger_row_is_never_changed(session: Session, folder: Folder) -> None:
    import_shop(session, EXAMPLE, NOW)
    path = folder()
    file = path / "loyalty.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace('"points": 74', '"points": 75'), encoding="utf-8")
    assert problems_of(session, path) == [
        "loyalty.jsonl:1: points: is not what the ledger has under this key: rows of the ledger are added, never changed"
    ]


def test_a_parcel_does_not_change_its_order(session: Session, folder: Folder) -> None:
    import_shop(session, EXAMPLE, NOW)
    moved = folder(shipments={"PQ30001B": {"order": "30002", "items": "UND-COT-BLA-M:1"}})
    assert problems_of(session, moved) == ["shipments.csv:3: order: this parcel belongs to another order"]


def test_one_bad_customer_is_one_problem_and_not_one_for_each_of_his_orders(session: Session, folder: Folder) -> None:
    assert len(problems_of(session, folder(customers={"C-1": {"country": "Spain"}}))) == 1


# --- the files --------------------------------------------------------------------------------------------------------


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_csv", ".csv").replace("_jsonl", ".jsonl")).write_bytes(text.encode("utf-8"))
    return folder


CATEGORY = "slug,name_es\nshirts,Camisas\n"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffslug,name_es\nshirts,Camisas\n",
        "slug;name_es\r\nshirts;Camisas\r\n",
        'name_es,slug\n"Camisas"," shirts "\n\n',
    ],
)
def test_files_of_common_spreadsheets_are_read(session: Session, tmp_path: Path, text: str) -> None:
    import_shop(session, write(tmp_path, categories_csv=text), NOW)
    assert session.execute(select(Category.slug, Category.names)).all() == [("shirts", {"es": "Camisas"})]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_both_forms_of_a_file_say_the_same(session: Session, tmp_path: Path, form: str) -> None:
    rows = {
        "csv": "number,name,language,country,currency,created_at,accepts_marketing,email\n"
        "C-1,Ana,es,ES,EUR,2025-01-01T00:00:00Z,yes,\n",
        "jsonl": '{"number": "C-1", "name": "Ana", "language": "es", "country": "ES", "currency": "EUR",'
        ' "created_at": "2025-01-01T00:00:00Z", "accepts_marketing": true, "email": null}\n',
    }
    import_shop(session, write(tmp_path, **{f"customers_{form}": rows[form]}), NOW)
    customer = session.execute(select(Customer)).scalar_one()
    assert (customer.number, customer.accepts_marketing, customer.email) == ("C-1", True, None)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"category_csv": CATEGORY}, "category.csv: is none of the files: is it categories?"),
        ({"categories_csv": CATEGORY, "categories_jsonl": ""}, "categories.jsonl: there is categories.csv too: keep one of them"),
        ({"categories_csv": "slug,nombre_es\n"}, "categories.csv:1: nombre_es: is none of the columns: slug, return_kind"),
        ({"categories_csv": "return_kind,name_es\n"}, "categories.csv:1: slug: this column is missing"),
        ({"categories_csv": "slug,slug,name_es\n"}, "categories.csv:1: slug: this column is there twice"),
        ({"categories_csv": 'slug,name_es\na,A\n"b,B\n'}, "categories.csv:3: cannot be read: unexpected end of data"),
        ({"categories_csv": 'slug,name_es\n"a\nb",A\nc\n'}, "categories.csv:4: has 1 cells, the header has 2"),
        (
            {"categories_jsonl": '{"slug": "a", "name_es": "A"}\n{"slug"\n'},
            "categories.jsonl:2: is not JSON: Expecting ':' delimiter",
        ),
        ({"categories_jsonl": "[1]\n"}, "categories.jsonl:1: is not a JSON object"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(session: Session, tmp_path: Path, files: Mapping[str, str], problem: str) -> None:
    assert problem in problems_of(session, write(tmp_path, **files))


def test_a_file_in_another_encoding_is_named_by_its_lines(session: Session, tmp_path: Path) -> None:
    (tmp_path / "categories.csv").write_bytes("slug,name_es\na,Algodon\nb,Algodón\n".encode("latin-1"))
    assert problems_of(session, tmp_path) == ["categories.csv:3: is not UTF-8: save the file as UTF-8"]


def test_an_empty_folder_is_a_problem(session: Session, tmp_path: Path) -> None:
    assert len(problems_of(session, tmp_path)) == 1


def test_files_may_refer_to_what_an_earlier_import_brought(session: Session, folder: Folder, tmp_path: Path) -> None:
    import_shop(session, EXAMPLE, NOW)
    more = tmp_path / "more"
    more.mkdir()
    text = "tracking_number,order,carrier,status\nPQ30002,30002,Estafeta,in_transit\n"
    report: ImportReport = import_shop(session, write(more, shipments_csv=text), NOW)
    assert [(each.name, each.added) for each in report.files] == [("shipments", 1)]
    parts = order_of(session, "30002").fulfilments
    assert [(part.status, [each.tracking_number for each in part.shipments]) for part in parts] == [("shipped", ["PQ30002"])]


def test_progress_is_told_to_the_end(session: Session) -> None:
    told: list[tuple[str, int, int]] = []
    import_shop(session, EXAMPLE, NOW, lambda *each: told.append(each))
    assert ("orders", 4, 4) in told
    assert all(done <= total for _, done, total in told)


def test_problems_are_in_the_order_of_files_and_lines() -> None:
    failed = ImportFailed([Problem("a.csv", 2, "x", "bad"), Problem("a.csv", 0, "", "gone")])
    assert str(failed) == "a.csv:2: x: bad\na.csv: gone"


def test_the_manual_explains_every_file_and_column() -> None:
    manual = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    sections = {part.split("`", 1)[0]: part for part in manual.split("\n### `")[1:]}
    for each in FORMATS:
        told = [*(column.name for column in each.columns), *(f"{family.prefix}_" for family in each.families)]
        assert [name for name in told if f"`{name}" not in sections[each.name]] == []
