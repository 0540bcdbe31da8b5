"""Which store is nearest to a place on the map."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import Location

RADIUS_OF_EARTH = 6371.0088  # kilometres, the mean


@dataclass(frozen=True)
class Near:
    """A store, and how far it is as the crow flies."""

    store: Location
    kilometres: float


def nearest(session: Session, latitude: float, longitude: float, limit: int = 2) -> list[Near]:
    """The nearest stores of which it is known where they are, the nearest first. Degrees north and east."""
    located = select(Location).where(Location.kind == "store", Location.latitude.is_not(None), Location.longitude.is_not(None))
    found = [Near(each, _kilometres(latitude, longitude, each)) for each in session.execute(located).scalars()]
    return sorted(found, key=lambda near: (near.kilometres, near.store.id))[:limit]


def _kilometres(latitude: float, longitude: float, store: Location) -> float:
    """Along the great circle, by the haversine formula."""
    north, east = radians(store.latitude - latitude), radians(store.longitude - longitude)
    share = sin(north / 2) ** 2 + cos(radians(latitude)) * cos(radians(store.latitude)) * sin(east / 2) ** 2
    return 2 * RADIUS_OF_EARTH * asin(sqrt(min(1.0, share)))
