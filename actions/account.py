"""The shopper's own data: what is known, erased on request; invoices; payments explained."""

from __future__ import annotations

import json
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import customer_data
from actions.closing import close_task
from actions.confirmation import ConfirmStep, SubmitAction, Write
from actions.customer_data import Found
from actions.failing import never_silent
from actions.mailing import send_mail, send_mail_to
from actions.offers import go_on_with_second, next_task, offer
from actions.order_steps import OrderStep, own_order
from actions.orders import identity_steps
from actions.task_form import TaskForm
from actions.turn import Turn, turn_of
from actions.wording import item_in_words
from commerce import orders, privacy
from commerce.models import Customer, Order
from commerce.proposals import Done, Operation
from database import home_folder
from messaging.mail import LAST_MAIL
from messaging.secret import secret_key

Events = list[dict[str, Any]]


# What is known


class DataExportForm(TaskForm):
    form = "data_export_form"
    task = "export_my_data"
    steps = identity_steps("export_my_data")


class ActionExportData(Action):
    def name(self) -> str:
        return "action_export_data"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == DataExportForm.form and turn.customer is not None:
                self._export(turn, turn.customer)
                close_task(turn, settled=False)
            return turn.events

    def _export(self, turn: Turn, customer: Customer) -> None:
        path = write_export(turn, customer)
        key = f"export:{customer.number}:{turn.now:%Y%m%d%H%M%S}"
        send_mail(turn, "data_export", customer, key, [path])
        turn.say("utter_data_exported")


def write_export(turn: Turn, customer: Customer) -> str:
    """Everything that is held about the customer as a JSON file; its path below the home folder."""
    everything = customer_data.export(turn.session, customer_data.found(customer))
    file = home_folder() / "exports" / f"{customer.number}-{turn.now:%Y%m%d%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(everything, ensure_ascii=False, indent=2, default=str), encoding="utf-8")
    return str(file.relative_to(home_folder()))


# Erased


class Erasing(Write):
    form = "data_erasure_form"
    task = "delete_my_data"

    def operation(self, turn: Turn) -> Operation:
        return privacy.EraseCustomer()

    def parameters(self, turn: Turn) -> dict[str, Any]:
        return {}


ERASING = Erasing()


class DataErasureForm(TaskForm):
    form = Erasing.form
    task = Erasing.task
    steps = (*identity_steps("delete_my_data"), ConfirmStep(ERASING))


class ActionEraseData(SubmitAction):
    """Erases in one transaction what the shop, the conversations and their trackers hold; then the files and mails.

    Rasa writes the conversation that is going on once more when this turn ends, since it has it in memory: the slot
    `forget_conversation` tells the tracker store to write nothing and to delete what there is. What remains: the orders
    and points without a name, and one last mail that says so, whose row is emptied as soon as it has gone out. A mail
    server, and without one the outbox folder in its place, keeps that mail as any mailbox does.
    """

    write = ERASING
    action = "action_erase_data"

    def _confirm(self, turn: Turn, proposal_id: str) -> Events:
        customer = turn.session.get(Customer, turn.customer_id)
        who, address = customer_data.found(customer), customer.email
        customer_data.hold_conversations(turn.session, who)
        traces = privacy.traces_of(turn.session, who.id)  # afterwards nobody knows
        events = super()._confirm(turn, proposal_id)
        if customer.erased_at is not None:
            erased = customer_data.erase_around(turn.session, who, traces, turn.now, secret_key(home_folder()))
            _say_goodbye(turn, who, address)
            events = [*events, SlotSet("forget_conversation", True)]
            turn.after_commit.append(lambda: customer_data.erase_files(home_folder(), erased))
        return events

    def _done(self, turn: Turn, outcome: Done) -> Events:
        """No rating is asked for, and no other task is offered: who is erased is not kept for that."""
        turn.say("utter_done_delete_my_data")
        return []


def _say_goodbye(turn: Turn, who: Found, address: str | None) -> None:
    """After erasing, which takes the mails that wait for this address."""
    if address:
        send_mail_to(turn, "data_erased", address, key=f"{LAST_MAIL}{who.number}")


# Promotions


class ActionTellPromotions(Action):
    def name(self) -> str:
        return "action_tell_promotions"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            turn.say("utter_promotions")
            turn.set("carried", None)
            go_on_with_second(turn, beside=bool(turn.tracker.active_loop_name))
            return turn.events


# Invoices and payments


class InvoiceForm(TaskForm):
    form = "invoice_form"
    task = "get_invoice"
    steps = (*identity_steps("get_invoice"), OrderStep())


class ActionSendInvoice(Action):
    def name(self) -> str:
        return "action_send_invoice"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == InvoiceForm.form:
                order = own_order(turn)
                if order.status == "placed":
                    turn.say("utter_invoice_not_paid", order_number=order.number)
                elif order.customer.email is None:
                    turn.say("utter_no_email_on_file")
                else:
                    self._send(turn, order)
                close_task(turn, settled=False)
            return turn.events

    def _send(self, turn: Turn, order: Order) -> None:
        lines = [
            f"{item_in_words(turn, orders.item_values(line))}: {_money(turn, orders.line_total(line), order)}"
            for line in order.lines
        ]
        key = f"invoice:{order.number}:v{order.version}"
        total = _money(turn, order.total_minor, order)
        send_mail(turn, "invoice", order.customer, key, order_number=order.number, items="\n".join(lines), total=total)
        turn.say("utter_invoice_sent", order_number=order.number)


def _money(turn: Turn, amount_minor: int, order: Order) -> str:
    return turn.money(amount_minor, order.currency)


class PaidOrderStep(OrderStep):
    """Any order may have been charged twice; those that are not paid come first."""

    def _candidates(self, turn: Turn) -> list[Order]:
        return sorted(super()._candidates(turn), key=lambda order: order.status != "placed")


class PaymentIssueForm(TaskForm):
    form = "payment_issue_form"
    task = "payment_issue"
    steps = (*identity_steps("payment_issue"), PaidOrderStep())


class ActionExplainPayment(Action):
    """What the shop knows of each payment of the order, and what to do about it."""

    def name(self) -> str:
        return "action_explain_payment"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == PaymentIssueForm.form:
                self._explain(turn, own_order(turn))
            return turn.events

    def _explain(self, turn: Turn, order: Order) -> None:
        words = [
            f"{payment.label or turn.label(f'method_{payment.method}')}: {_money(turn, payment.amount_minor, order)}, "
            f"{turn.label(f'payment_{payment.status}')}"
            for payment in order.payments
        ]
        turn.say("utter_payments", order_number=order.number, payments="\n".join(f"• {word}" for word in words))
        unpaid = order.status == "placed"
        close_task(turn, settled=False)
        if unpaid and not turn.slots.get("offers"):
            again = next_task(turn, "change_payment", order_number=order.number)
            offer(turn, [again, next_task(turn, "human_agent")], "utter_payment_help")
        elif not turn.slots.get("offers"):
            turn.say("utter_payment_settled_help")
