"""Categories, locations, products, variants with their prices, and stock."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select

from commerce.importing import cells
from commerce.importing.problems import FileReport
from commerce.importing.reading import Row, Source
from commerce.importing.run import Run, Values, VariantFacts, ids_of, only, upsert
from commerce.models import Category, Location, Price, Product, StockLevel, Variant


def know_catalog(run: Run) -> None:
    """What the database has already."""
    session = run.session
    run.categories.update(session.execute(select(Category.slug, Category.id)).all())
    run.locations.update(session.execute(select(Location.code, Location.id)).all())
    flags = session.execute(select(Product.handle, Product.id, Product.is_final_sale))
    run.products.update((handle, (number, final)) for handle, number, final in flags)
    found = select(Variant.sku, Variant.id, Product.is_final_sale).join(Product)
    run.variants.update((sku, VariantFacts(number, final)) for sku, number, final in session.execute(found))
    _choose_default_location(run)


def import_categories(run: Run) -> None:
    for _, rows, report in run.batches("categories"):
        values = [only(row.values, slug="slug", return_kind="return_kind", names="names") for row in rows if row.is_sound]
        upsert(run, Category, ["slug"], values).count(report, len(values))
        slugs = {slug for row in rows if (slug := row.get("slug"))}
        run.categories.update({**dict.fromkeys(slugs - set(run.categories), 0), **ids_of(run, Category.slug, slugs)})


def import_locations(run: Run) -> None:
    fields = ("code", "kind", "name", "address", "city", "country", "latitude", "longitude")
    for _, rows, report in run.batches("locations"):
        values = [only(row.values, **{name: name for name in fields}) for row in rows if row.is_sound]
        upsert(run, Location, ["code"], values).count(report, len(values))
        codes = {code for row in rows if (code := row.get("code"))}
        run.locations.update({**dict.fromkeys(codes - set(run.locations), 0), **ids_of(run, Location.code, codes)})
    _choose_default_location(run)


def _choose_default_location(run: Run) -> None:
    """Where orders that name no place are packed: the first warehouse, else the first location."""
    if run.locations:
        warehouse = select(Location.id).where(Location.kind == "warehouse").order_by(Location.id).limit(1)
        first = min(run.locations.values())
        run.default_location = run.session.execute(warehouse).scalar_one_or_none() or first


def import_products(run: Run) -> None:
    for source, rows, report in run.batches("products"):
        values = [_product(run, source, row) for row in rows]
        sound = [each for each, row in zip(values, rows, strict=True) if row.is_sound]
        upsert(run, Product, ["handle"], sound).count(report, len(sound))
        ids = ids_of(run, Product.handle, {handle for row in rows if (handle := row.get("handle"))})
        for row in rows:
            handle = row.get("handle")
            known, was_final = run.products.get(handle, (0, False))
            run.products[handle] = (ids.get(handle, known), row.values.get("final_sale", was_final))


def _product(run: Run, source: Source, row: Row) -> Values:
    slug = row.get("category")
    if slug is not None and slug not in run.categories:
        source.blame(row, "category", f'there is no category "{slug}": add it to categories.csv')
    names = {name: name for name in ("handle", "brand", "names", "descriptions", "images", "attributes")}
    if not row.values["descriptions"]:
        names.pop("descriptions")
    return {**only(row.values, **names, is_final_sale="final_sale"), "category_id": run.categories.get(slug, 0)}


def import_variants(run: Run) -> None:
    for source, rows, report in run.batches("variants"):
        values = [_variant(run, source, row) for row in rows]
        prices = [_prices(source, row) for row in rows]
        sound = [each for each, row in zip(values, rows, strict=True) if row.is_sound]
        written = upsert(run, Variant, ["sku"], sound)
        ids = ids_of(run, Variant.sku, {sku for row in rows if (sku := row.get("sku"))})
        for row in rows:
            _remember_variant(run, row, ids.get(row.get("sku"), 0))
        priced = [(row, each) for row, each in zip(rows, prices, strict=True) if row.is_sound]
        _write_prices(run, priced, report)
        written.count(report, len(sound))


def _variant(run: Run, source: Source, row: Row) -> Values:
    handle = row.get("handle")
    if handle is not None and handle not in run.products:
        source.blame(row, "handle", f'there is no product "{handle}"')
    stored = only(row.values, sku="sku", options="options", is_active="active")
    return {**stored, "product_id": run.products.get(handle, (0, False))[0]}


def _remember_variant(run: Run, row: Row, number: int) -> None:
    sku = row.get("sku")
    known = run.variants.get(sku)
    is_final = run.products.get(row.get("handle"), (0, False))[1]
    run.variants[sku] = VariantFacts(number or (known.id if known else 0), is_final)


def _prices(source: Source, row: Row) -> dict[str, int]:
    """Minor units by currency, from the columns price_EUR, price_MXN ..."""
    found: dict[str, int] = {}
    for code, amount in row.values["prices"].items():
        minor = minor_of(source, row, f"price_{code}", amount, code)
        if minor is not None:
            found[code] = minor
    return found


def _write_prices(run: Run, priced: list[tuple[Row, dict[str, int]]], report: FileReport) -> None:
    values: list[Values] = [
        {"variant_id": run.variants[row.get("sku")].id, "currency": currency, "amount_minor": minor}
        for row, prices in priced
        for currency, minor in prices.items()
    ]
    written = upsert(run, Price, ["variant_id", "currency"], values)
    # A price is part of its variant's row: it is counted where it changed alone.
    report.changed += len(written.changed)
    report.unchanged -= len(written.changed)


def import_stock(run: Run) -> None:
    for source, rows, report in run.batches("stock"):
        values = [_level(run, source, row) for row in rows]
        sound = [each for each, row in zip(values, rows, strict=True) if row.is_sound]
        upsert(run, StockLevel, ["variant_id", "location_id"], sound).count(report, len(sound))


def _level(run: Run, source: Source, row: Row) -> Values:
    variant = known_variant(run, source, row)
    location = known_location(run, source, row, "location")
    return {
        "variant_id": variant.id if variant else 0,
        "location_id": location or 0,
        "quantity": row.get("quantity"),
    }


def known_variant(run: Run, source: Source, row: Row) -> VariantFacts | None:
    sku = row.get("sku")
    if sku is not None and sku not in run.variants:
        source.blame(row, "sku", f'there is no variant "{sku}": add it to variants.csv, with active=false if it is not sold')
    return run.variants.get(sku)


def known_location(run: Run, source: Source, row: Row, column: str) -> int | None:
    code = row.get(column)
    if code is not None and code not in run.locations:
        source.blame(row, column, f'there is no location "{code}": add it to locations.csv')
    return run.locations.get(code)


def minor_of(source: Source, row: Row, column: str, amount: Decimal | int | None, code: str) -> int | None:
    """An amount in minor units of a currency; None, and a problem, where it does not fit."""
    if amount is None:
        return None
    try:
        return cells.to_minor(Decimal(amount), cells.currency(code))
    except ValueError as error:
        source.blame(row, column, str(error))
        return None
