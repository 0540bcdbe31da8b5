"""What the assistant is mostly asked for, to choose from."""

from __future__ import annotations

from actions import offers
from actions.turn import Turn

MENU = ("track_order", "request_return", "cancel_order", "check_points", "search_product", "human_agent")


def show_menu(turn: Turn, response: str) -> None:
    offers.offer(turn, [offers.next_task(turn, task) for task in MENU], response)
