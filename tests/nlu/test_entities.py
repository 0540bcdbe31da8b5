"""The messages in which entities are marked, and how it is counted which are found."""

from __future__ import annotations

import pytest
import yaml

from tests.nlu.entities import Marked, kinds, marked, told, with_found
from tests.nlu.findings import by_languages
from tests.nlu.test_held_out import LANGUAGES
from tests.nlu.understanding import ROOT

FEWEST, FEWEST_EMPTY = 60, 10
DOMAIN = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
MESSAGE = Marked(
    "es", "la camisa azul, pedido 10234", frozenset({("category", "shirts"), ("color", "blue"), ("order_number", "10234")})
)


def _found(*entities: tuple[str, str]) -> Marked:
    return with_found(MESSAGE, {"entities": [{"entity": entity, "value": value} for entity, value in entities]})


@pytest.mark.parametrize("language", LANGUAGES)
def test_enough_messages_are_marked_and_some_hold_nothing(language: str) -> None:
    messages = by_languages(marked())[language]
    assert len({each.text for each in messages}) == len(messages) >= FEWEST
    assert sum(not each.wanted for each in messages) >= FEWEST_EMPTY


def test_what_is_marked_is_an_entity_of_the_domain() -> None:
    assert {kind for each in marked() for kind, _ in each.wanted} <= set(DOMAIN["entities"])


def test_entity_counts_as_found_by_kind_and_canonical_value() -> None:
    found = _found(("category", "shirts"), ("color", "navy"), ("order_number", "10234"), ("order_number", "10234"))
    assert (found.missed, found.invented) == ([("color", "blue")], [("color", "navy")])
    assert told([found]).f1 == pytest.approx(2 * 2 / (3 + 3))


def test_every_kind_is_counted_by_itself() -> None:
    found = kinds([_found(("category", "shirts"), ("size", "M"))])
    assert {kind: (each.right, each.named, each.there) for kind, each in found.items()} == {
        "category": (1, 1, 1),
        "color": (0, 0, 1),
        "order_number": (0, 0, 1),
        "size": (0, 1, 0),
    }


def test_goods_are_marked_and_not_judged_yet() -> None:
    assert _found(("product", "camisa"), ("brand", "Norte"), *MESSAGE.wanted).invented == []
