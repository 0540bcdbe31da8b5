"""Which store is nearest, and how far it is."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from commerce import stores
from commerce.models import Location


@pytest.mark.parametrize(
    ("place", "nearest", "kilometres"),
    [
        ((40.4168, -3.7038), "madrid", 1.06),  # Puerta del Sol
        ((19.4326, -99.1332), "cdmx", 3.45),  # the Zócalo
        ((59.9139, 10.7522), "madrid", 2388),  # Oslo
        ((-33.4489, -70.6693), "cdmx", 6595),  # Santiago de Chile
    ],
)
def test_nearest_store_comes_first_with_its_distance(
    demo: Session, place: tuple[float, float], nearest: str, kilometres: float
) -> None:
    first, second = stores.nearest(demo, *place)
    assert first.store.code == nearest
    assert first.kilometres == pytest.approx(kilometres, rel=0.01)
    assert second.kilometres > first.kilometres


def test_distance_across_the_date_line_is_the_short_way(demo: Session) -> None:
    demo.execute(update(Location).where(Location.code == "madrid").values(latitude=0, longitude=179.5))
    (near,) = stores.nearest(demo, 0, -179.5, limit=1)
    assert near.kilometres == pytest.approx(111.2, rel=0.01)


def test_store_without_a_place_and_a_warehouse_are_not_named(demo: Session) -> None:
    demo.execute(update(Location).where(Location.code == "madrid").values(longitude=None))
    demo.execute(update(Location).where(Location.kind == "warehouse").values(latitude=40.4, longitude=-3.7))
    assert [each.store.code for each in stores.nearest(demo, 40.4168, -3.7038)] == ["cdmx"]
