"""Which form or action does what a shopper asks for. The rules in `data/rules` say the same for a first message."""

from __future__ import annotations

from messaging.tasks_at_hand import FORMS as FORMS

TASKS = {
    **{task: form for form, task in FORMS.items()},
    "search_product": "action_search_product",
    "place_order": "action_place_order",
    "ask_faq": "action_answer_faq",
    "ask_promotions": "action_tell_promotions",
    "human_agent": "action_handoff",
    "ask_help": "action_menu",
}
# What is done to one order: "no, the other one" asks for another order.
ABOUT_ONE_ORDER = frozenset(
    TASKS[task]
    for task in (
        "track_order cancel_order change_order change_address change_payment request_return request_exchange report_problem "
        "get_invoice payment_issue"
    ).split()
)
