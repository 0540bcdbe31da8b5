"""Two assistants on one PostgreSQL, both on WhatsApp: each message is answered once, also when one of them is killed."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.whatsapp_shop import ASKED, ASKS, answered_once, answers, open_shop, until


def test_two_assistants_answer_each_message_once_though_one_is_killed(tmp_path: Path, postgres_url: str) -> None:
    with open_shop(tmp_path, postgres_url, servers=2) as shop:
        people = shop.people(40)
        shop.simulator.control("delivery", {"repeat": 2})  # and the second one perhaps to the other server
        for person in people[:20]:
            person.say(ASKS)
        until(lambda: answers(people) >= 5, "they are in the middle of it")
        shop.kill(shop.ports[1])
        for person in people[20:]:
            person.say(ASKS)
        answered_once(shop, people, (ASKED,))
        assert [shop.messages(each) for each in people] == [["done"]] * 40
        assert shop.simulator.refused == []
