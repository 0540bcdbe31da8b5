"""The packet: what the assistant knows of a matter, in the agent's words, and where each thing came from."""

from __future__ import annotations

from typing import Any

import pytest

from desk import packet
from messaging import tasks_at_hand
from messaging.models import ReceivedFile
from messaging.tasks_at_hand import Task
from tests.contract.sources import labels, languages
from tests.desk.acts.acting import CHAT, Acting


def shown(acting: Acting, language: str = "en", **more: Any) -> dict[str, Any]:
    return packet.shown(acting.session, acting.handoff(), language, **more)


def asks(acting: Acting, sender: str = "web-2", **about: Any) -> None:
    acting.handoff_id = acting.asks(sender, **{"customer_id": acting.ana.id, **about})


def values(told: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in told["collected"]}


def test_goal_reason_and_what_was_tried_have_titles(acting: Acting) -> None:
    asks(acting, goal="request_return", reason="policy", tried=["track_order", "request_return"])
    told = shown(acting)
    assert told["goal"] == {"name": "request_return", "title": "Return something"}
    assert told["reason"] == {"name": "policy", "title": "The rules leave it to a person"}
    assert [each["title"] for each in told["tried"]] == ["Where is my order", "Return something"]
    assert shown(acting, "nb")["reason"]["title"] == "Reglene overlater det til et menneske"


def test_what_was_collected_is_in_words_with_its_source(acting: Acting) -> None:
    order = acting.shop.order(acting.ana, {"SHI-OXF-BLU-M": 2}, status="delivered")
    line = order.lines[0].id
    collected = {
        "order_number": order.number,
        "return_items": [{"line_id": line, "quantity": 2}],
        "return_reason": "too_small",
        "package": "sealed",
        "return_method": "drop_off",
        "refund_to": "store_credit",
        "new_payment_method": "card,paypal",
        "points": "1200",
        "new_variant": str(acting.shop.variant("SHI-OXF-BLU-L").id),
        "new_address": {"address": {"line1": "Calle Mayor 1", "postcode": "28013", "city": "Madrid"}},
    }
    said = {"from": "said", "text": "the blue shirts, they are too small", "at": "2026-11-18T14:58:00+00:00"}
    asks(acting, collected=collected, sources={"return_reason": said})
    told = shown(acting)
    assert values(told) == {
        "order_number": order.number,
        "return_items": "2 × Oxford Shirt (M, blue)",
        "return_reason": "Too small",
        "package": "still sealed",
        "return_method": "drop-off point",
        "refund_to": "Store credit",
        "new_payment_method": "card and PayPal",
        "points": "1,200",
        "new_variant": "L, blue",
        "new_address": "Calle Mayor 1, 28013, Madrid",
    }
    by_name = {each["name"]: each for each in told["collected"]}
    assert by_name["return_reason"] == {"name": "return_reason", "title": "Why return", "value": "Too small", **said}
    assert (by_name["package"]["from"], by_name["package"]["text"], by_name["package"]["at"]) == (None, "", None)


def test_things_of_another_customer_are_not_looked_up(acting: Acting) -> None:
    theirs = acting.shop.order(acting.ben, status="delivered")
    saved = acting.ben.addresses[0].id
    asks(acting, collected={"line_id": str(theirs.lines[0].id), "new_address": {"address_id": saved}})
    assert values(shown(acting)) == {"line_id": "?", "new_address": "?"}
    asks(acting, "web-3", customer_id=None, collected={"line_id": str(theirs.lines[0].id)})
    assert values(shown(acting)) == {"line_id": "?"}


def test_the_verdict_has_its_rule_in_words_and_what_would_change_it(acting: Acting) -> None:
    changes = [
        {"fact": "days_since_delivery", "to": 30, "verdict": "allow", "rule": "in_window"},
        {"fact": "tier", "to": "gold", "verdict": "allow", "rule": "in_window"},
        {"fact": "picture", "to": True, "verdict": "allow", "rule": "x"},
    ]
    asks(acting, verdict={"rule": "gift_window_closed", "reason": "window_closed", "verdict": "deny", "would_change": changes})
    assert shown(acting)["verdict"] == {
        "verdict": "deny",
        "rule": "gift_window_closed",
        "title": "The time for returns is over",
        "change": "days since delivery: 30; level: Gold; picture: yes",
    }
    asks(acting, "web-3", verdict={"rule": "above_limit", "verdict": "needs_human", "claim": "CLM-1"})
    assert shown(acting)["verdict"]["title"] == "Above the limit for deciding without a person"
    assert shown(acting)["verdict"]["change"] == ""


def test_without_a_verdict_there_is_none(acting: Acting) -> None:
    told = shown(acting)
    assert (told["verdict"], told["goal"], told["suspended"], told["files"], told["ad"]) == (None, None, None, [], None)


def test_the_task_that_the_assistant_will_go_on_with_is_named(acting: Acting) -> None:
    tasks_at_hand.note(acting.session, CHAT, None, Task("return_request_form", {}), acting.now)
    assert shown(acting)["suspended"] == {"name": "request_return", "title": "Return something"}


def test_files_have_addresses_and_never_paths(acting: Acting) -> None:
    rows = [_file(acting, "stored", "a" * 64), _file(acting, "waiting", None)]
    files = [{"file": f"received:{each.id}", "kind": "image", "name": "torn.jpg"} for each in rows]
    asks(
        acting,
        collected={"files": [*files, {"file": "received:999", "kind": "image", "name": "gone.jpg"}], "ad": {"headline": "Sale"}},
    )
    told = shown(acting, address=lambda reference: f"/signed/{reference}")
    assert told["files"] == [
        {"kind": "image", "name": "torn.jpg", "address": f"/signed/received:{rows[0].id}"},
        {"kind": "image", "name": "torn.jpg", "address": ""},
    ]
    assert told["ad"] == {"headline": "Sale"}
    assert told["collected"] == []
    assert "a" * 64 not in str(told)


def _file(acting: Acting, state: str, sha256: str | None) -> ReceivedFile:
    named = {"provider_id": f"f-{state}", "sender_id": "web-2", "message_id": f"m-{state}", "file_name": "torn.jpg"}
    row = ReceivedFile(channel="webchat", kind="image", state=state, sha256=sha256, received_at=acting.now, **named)
    acting.session.add(row)
    acting.session.flush()
    return row


@pytest.mark.parametrize("language", languages())
def test_whatever_is_collected_and_whatever_a_rule_refuses_has_words_for_agents(language: str) -> None:
    from actions.handoff import COLLECTED, CONTACT
    from desk.acts import ACTS
    from desk.shop_policies import kept_policies
    from messaging.handoffs import REASONS

    known = labels(language)
    wanted = [f"slot_{each}" for each in (*COLLECTED, CONTACT)] + [f"handoff_{each}" for each in REASONS]
    wanted += [f"refused_{key.split('.', 1)[1]}" for key in kept_policies().reason_keys()]
    tables = [version for versions in kept_policies().tables.values() for version in versions]
    wanted += [f"fact_{fact.name}" for table in tables for fact in table.facts if fact.can_change]
    wanted += [f"{word}_{kind}" for kind in ACTS for word in ("act", "did")]
    assert [each for each in wanted if each not in known] == []
