"""The names follow a real database: its changes, its absence, its return."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from bench.nlu.made_catalogue import made_products, store
from commerce.models import Category, Location, Product, Variant
from commerce.names import live
from commerce.names.live import LiveNames
from database import Base, engine_for, transaction

WORDS = {"joining": ["de"], "size": ["size"]}
SOON = 20.0  # seconds: a machine may be busy


@pytest.fixture
def url(url_with_tables: str) -> str:
    """A shop with one product, on each kind of database."""
    with transaction(url_with_tables) as session:
        session.add(Category(id=1, slug="boats", names={"en": "Boats"}))
        session.add(Product(id=1, handle="kayak", category_id=1, brand="Wildwater", names={"en": "Kayak Torrent"}))
        session.add(Variant(product_id=1, sku="K-1", options={"color": "teal", "size": "XL"}))
        session.add(Location(code="oslo", kind="store", name="Aker", address="", city="Oslo", country="NO"))
    return url_with_tables


def values(names: LiveNames, text: str) -> set[str]:
    return {each["value"] for each in names.find(text)}


def watching(url: str) -> LiveNames:
    names = LiveNames(WORDS, url, every=0.05)
    names.watch(SOON)
    return names


def eventually(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + SOON
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def test_names_are_there_when_the_watch_has_begun(url: str) -> None:
    assert values(watching(url), "teal kayak torrent by wildwater, size xl, in oslo") == {
        "teal",
        "kayak",
        "Wildwater",
        "XL",
        "Oslo",
    }


def test_a_new_product_is_known_without_a_restart(url: str) -> None:
    names = watching(url)
    assert values(names, "canoe meander") == set()
    with transaction(url) as session:
        session.add(Product(id=2, handle="canoe", category_id=1, names={"en": "Canoe Meander"}))
    assert eventually(lambda: values(names, "canoe meander") == {"canoe"})


def test_a_new_sku_is_known_without_a_restart(url: str) -> None:
    names = watching(url)
    assert values(names, "do you have TOR-200-M") == {"TOR-200-M"}  # in the shape of one
    assert values(names, "tor 200 m") == set()
    with transaction(url) as session:
        session.execute(update(Variant).values(sku="TOR-200-M"))
    assert eventually(lambda: values(names, "tor 200 m") == {"TOR-200-M"})


def test_a_removed_product_is_forgotten(url: str) -> None:
    names = watching(url)
    assert "kayak" in values(names, "kayak torrent")
    with transaction(url) as session:
        session.execute(delete(Variant))
        session.execute(delete(Product))
    assert eventually(lambda: values(names, "kayak torrent") == set())


@pytest.mark.parametrize(
    ("table", "change", "text", "value"),
    [
        (Product, {"names": {"en": "Kayak Cascade"}}, "the cascade", "kayak"),  # of the same length
        (Product, {"brand": "Deepwater"}, "by deepwater", "Deepwater"),
        (Variant, {"options": {"color": "plum", "size": "XL"}}, "in plum", "plum"),
        (Location, {"city": "Voss"}, "in voss", "Voss"),
        (Category, {"names": {"en": "Ships"}}, "any ships", "boats"),
    ],
)
def test_every_kind_of_name_is_followed(url: str, table: type, change: dict[str, object], text: str, value: str) -> None:
    names = watching(url)
    assert value not in values(names, text)
    with transaction(url) as session:
        session.execute(update(table).values(**change))
    assert eventually(lambda: value in values(names, text))


def test_catalogue_that_is_as_it_was_is_not_read_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = []
    read = live.vocabulary
    monkeypatch.setattr(live, "vocabulary", lambda *given: readings.append(1) or read(*given))
    names = LiveNames(WORDS, url)
    for _ in range(3):
        names.refresh()
    assert len(readings) == 1


# A database that is away


def test_without_a_database_nothing_is_found_and_none_is_made(tmp_path: Path) -> None:
    names = LiveNames(WORDS, f"sqlite:///{tmp_path / 'none.db'}")
    names.watch(SOON)
    assert names.find("kayak torrent") == []
    assert list(tmp_path.iterdir()) == []


def test_database_that_cannot_be_reached_is_no_error() -> None:
    names = LiveNames(WORDS, "postgresql://nobody@127.0.0.1:1/none")
    names.refresh()
    assert names.find("kayak torrent") == []


def test_database_without_tables_is_no_error_and_is_read_when_it_has_some(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    (tmp_path / "shop.db").touch()
    names = LiveNames(WORDS, url)
    names.refresh()
    assert names.find("kayak") == []
    Base.metadata.create_all(engine_for(url))
    with transaction(url) as session:
        store(session, made_products(50))
    names.refresh()
    assert names.find(made_products(50)[0].name) != []


def test_last_names_stay_while_the_database_is_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    Base.metadata.create_all(engine_for(url))
    with transaction(url) as session:
        store(session, made_products(50))
    names = LiveNames(WORDS, url)
    names.refresh()
    with transaction(url) as session:
        Base.metadata.drop_all(session.connection())
    names.refresh()
    assert names.find(made_products(50)[0].name) != []


# Beside the shoppers


def test_names_of_before_answer_while_new_ones_are_built(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names, is_building, may_go_on = LiveNames(WORDS, url), threading.Event(), threading.Event()
    names.refresh()
    build = live.NameIndex

    def slowly(*given: object) -> object:
        is_building.set()
        assert may_go_on.wait(SOON)
        return build(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(live, "NameIndex", slowly)
    with transaction(url) as session:
        session.execute(update(Product).values(names={"en": "Canoe Meander"}))
    thread = threading.Thread(target=names.refresh)
    thread.start()
    assert is_building.wait(SOON)
    assert values(names, "kayak torrent") == {"kayak"}
    may_go_on.set()
    thread.join(SOON)
    assert values(names, "canoe meander") == {"kayak"}


def test_building_anew_lets_others_work_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    now = iter(range(100))
    monkeypatch.setattr(live.time, "monotonic", lambda: float(next(now)))
    monkeypatch.setattr(live.time, "sleep", rests.append)
    assert list(live._unhurried("abc")) == ["a", "b", "c"]
    assert rests == [live.AT_REST] * 3


def test_look_that_takes_long_is_followed_by_a_long_pause(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = LiveNames(WORDS, url, every=5)
    assert names.refresh() == pytest.approx(5, abs=45)
    now = iter((0.0, 3.0))
    monkeypatch.setattr(live.time, "monotonic", lambda: next(now))
    assert names.refresh() == 3 / live.LOOKING_SHARE


def test_watch_ends_with_the_names(url: str) -> None:
    def watchers() -> int:
        return sum(thread.name == "catalogue names" for thread in threading.enumerate())

    before = watchers()
    names = watching(url)
    assert watchers() == before + 1
    del names
    gc.collect()
    assert eventually(lambda: watchers() <= before)
