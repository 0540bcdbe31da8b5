"""Which form or action does what a shopper asks for. The rules in `data/rules` say the same for a first message."""

from __future__ import annotations

TASKS = {
    "track_order": "track_order_form",
    "list_orders": "list_orders_form",
    "cancel_order": "cancel_order_form",
    "change_order": "change_order_form",
    "change_address": "change_address_form",
    "change_payment": "change_payment_form",
    "request_return": "return_request_form",
    "request_exchange": "exchange_request_form",
    "report_problem": "problem_report_form",
    "refund_status": "refund_status_form",
    "check_points": "check_points_form",
    "redeem_points": "redeem_points_form",
    "dispute_points": "dispute_points_form",
    "get_invoice": "invoice_form",
    "payment_issue": "payment_issue_form",
    "export_my_data": "data_export_form",
    "delete_my_data": "data_erasure_form",
    "subscribe_newsletter": "newsletter_form",
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
FORMS = {form: task for task, form in TASKS.items() if form.endswith("_form")}
