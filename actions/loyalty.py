"""Points: how many, why, what expires; points into a voucher; points that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.choices import Option, folded_words
from actions.closing import close_task, refusal_values
from actions.confirmation import ConfirmStep, SubmitAction, Write
from actions.failing import never_silent
from actions.levels import is_known_well_enough
from actions.mailing import send_mail
from actions.offers import next_task, offer
from actions.order_steps import says_phrase, words_of_message
from actions.orders import identity_steps
from actions.shop import policies
from actions.task_form import NOT_NEEDED, ChoiceStep, End, Reply, Step, TaskForm
from actions.turn import Turn, turn_of
from actions.wording import worded
from commerce import loyalty
from commerce.models import LedgerEntry
from commerce.proposals import Assessment, Operation, Refusal
from messaging import formats

ENTRIES_READ, MOST_MOVEMENTS = 40, 5
SOON = timedelta(days=60)  # what expires later is no reason to hurry
ALL = -1.0  # as many as there are, among numbers that were named
WANTED = "wanted_points"  # slot: how many were named before it was known who asks
ANOTHER_NUMBER = {  # another number may be possible: what is said by the reason, before it is asked for again
    "below_minimum": "utter_points_below_minimum",
    "not_enough_points": "utter_points_not_enough_points",
    "not_a_multiple": "utter_refused_not_a_multiple",
}


class CheckPointsForm(TaskForm):
    form = "check_points_form"
    task = "check_points"
    steps = identity_steps("check_points")


class ActionTellPoints(Action):
    def name(self) -> str:
        return "action_tell_points"

    @never_silent
    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        with turn_of(dispatcher, tracker) as turn:
            if turn.slots.get("current_task") == CheckPointsForm.form:
                tell_points(turn)
                turn.set("offers", None)
                close_task(turn, settled=False)
                if not turn.slots.get("offers"):
                    _offer_to_use(turn)
            return turn.events


def tell_points(turn: Turn) -> None:
    """Balance and tier, the way to the next tier, the newest movements, and what expires next."""
    standing = loyalty.standing(turn.session, turn.customer_id, turn.now, policies())
    values: dict[str, Any] = {"balance": turn.number(standing.balance), "tier": turn.label(f"tier_{standing.tier}")}
    if standing.next_tier is not None:
        next_tier = turn.label(f"tier_{standing.next_tier}")
        turn.say("utter_points_with_next_tier", missing=turn.number(standing.missing), next_tier=next_tier, **values)
    else:
        turn.say("utter_points", **values)
    if movements := _movements(turn):
        turn.say("utter_points_movements", movements=formats.bullets(movements))
    if standing.next_expiry is not None:
        first = standing.next_expiry
        response = "utter_points_expiry" if first.date - turn.today <= SOON else "utter_points_expiry_far"
        turn.say(response, points=turn.number(first.points), day=turn.day(first.date))


def tell_expiries(turn: Turn) -> None:
    """What expires when, the soonest first."""
    lots = loyalty.lots(turn.session, turn.customer_id, turn.now)
    expiring = ((lot.expires_at.date(), lot.left) for lot in lots if lot.expires_at)
    dated = [(day, sum(left for _, left in each)) for day, each in groupby(expiring, lambda one: one[0])][:MOST_MOVEMENTS]
    if dated:
        listed = formats.bullets(f"{turn.day(day)}: {turn.number(points)} {turn.label('points')}" for day, points in dated)
        turn.say("utter_points_expiries", expiries=listed)


def _offer_to_use(turn: Turn) -> None:
    """A voucher where there are points enough for one, else how many are needed."""
    least = policies().number("redemption", "redeem_minimum", turn.today)
    if loyalty.balance(turn.session, turn.customer_id, turn.now) >= least:
        offer(turn, [next_task(turn, "redeem_points")], "utter_points_offer_voucher", decline=True)
    else:
        turn.say("utter_points_keep_earning", least=turn.number(least))


def _movements(turn: Turn) -> list[str]:
    """The newest first. A voucher that took points of several lots is one movement."""
    entries = loyalty.explain(turn.session, turn.customer_id, ENTRIES_READ)
    groups = groupby(entries, key=lambda entry: (entry.occurred_at, entry.kind, entry.reason, entry.order_id))
    return [_movement_in_words(turn, list(entries)) for _, entries in groups][:MOST_MOVEMENTS]


def _movement_in_words(turn: Turn, entries: list[LedgerEntry]) -> str:
    entry, points = entries[0], sum(each.points for each in entries)
    sign = "+" if points > 0 else "−"
    order = f" ({entry.order.number})" if entry.order is not None else ""
    reason = turn.label(f"points_{entry.reason or entry.kind}")
    return f"{turn.day(entry.occurred_at.date())}: {sign}{turn.number(abs(points))}, {reason}{order}"


# Points into a voucher


class PointsStep(Step):
    """How many: a number, "all of them", or one of the amounts offered. A number that the policy refuses is asked for again."""

    slot = "points"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        said = self._said(turn, asked)
        if said is None:
            return None
        if is_known_well_enough(turn, Redeeming.task):
            return Reply(self._fitting(turn, self._counted(turn, said)))
        turn.set(WANTED, said)  # whether that many are there is told to their owner only
        return Reply(None)

    def settle(self, turn: Turn) -> Any | End | None:
        wanted = turn.slots.get(WANTED)
        turn.set(WANTED, None)
        if not PointsChoice().options(turn):
            balance = loyalty.balance(turn.session, turn.customer_id, turn.now)
            outcome = self._assess(turn, balance)
            return End(refusal=outcome) if isinstance(outcome, Refusal) else None
        return self._fitting(turn, self._counted(turn, wanted)) if wanted else None

    def ask(self, turn: Turn) -> None:
        PointsChoice().ask(turn)

    def forget(self, turn: Turn) -> None:
        turn.set(self.slot, None)
        if turn.begins_form:
            turn.set(WANTED, None)

    def _said(self, turn: Turn, asked: bool) -> float | None:
        if asked and (chosen := PointsChoice().read(turn, asked)) is not None:
            return float(chosen.value)
        is_asked_for = asked or (turn.intent == Redeeming.task and turn.entity("order_number") is None)
        said = turn.entity("points") or (_bare_number(turn) if is_asked_for else None)
        if said is None and is_asked_for and says_phrase(words_of_message(turn), turn.label("redeem_all_words").split("|")):
            return ALL
        return float(said.replace(".", "").replace(",", "")) if said else None

    def _counted(self, turn: Turn, said: float) -> float:
        return float(PointsChoice().most(turn)) if said == ALL else said

    def _fitting(self, turn: Turn, points: float) -> float | None:
        outcome = self._assess(turn, int(points))
        if isinstance(outcome, Refusal) and outcome.reason in ANOTHER_NUMBER:
            turn.say(ANOTHER_NUMBER[outcome.reason], **refusal_values(turn, outcome))
            return None
        return points

    def _assess(self, turn: Turn, points: int) -> Assessment | Refusal:
        return turn.assess(REDEEMING.operation(turn), {"points": points})


class PointsChoice(ChoiceStep):
    """Amounts that the policy allows: the least, the half and the most."""

    slot = "points"
    question = "utter_choose_points"

    def options(self, turn: Turn) -> list[Option]:
        step, least, most = self._bounds(turn)
        if most < least:
            return []
        amounts = sorted({least, max(least, most // 2 // step * step), most})
        titles = {amount: f"{turn.number(amount)} {turn.label('points')}" for amount in amounts}
        words = {most // 2 // step * step: "half_words", most: "all_words"}
        also = {amount: tuple(turn.label(key).split("|")) for amount, key in words.items()}
        return [Option(str(amount), titles[amount], also.get(amount, ())) for amount in amounts]

    def values(self, turn: Turn) -> dict[str, Any]:
        return {"balance": turn.number(loyalty.balance(turn.session, turn.customer_id, turn.now))}

    def most(self, turn: Turn) -> int:
        return self._bounds(turn)[2]

    def _bounds(self, turn: Turn) -> tuple[int, int, int]:
        step = policies().number("redemption", "redeem_step", turn.today)
        least = policies().number("redemption", "redeem_minimum", turn.today)
        return step, least, loyalty.balance(turn.session, turn.customer_id, turn.now) // step * step


def _bare_number(turn: Turn) -> str | None:
    digits = "".join(c for c in turn.text if c.isdigit())
    return digits if digits and len(turn.text.split()) <= 4 else None


class Redeeming(Write):
    form = "redeem_points_form"
    task = "redeem_points"

    def operation(self, turn: Turn) -> Operation:
        return loyalty.RedeemPoints(policies())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        return {"points": int(turn.slots["points"])}

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        return {**worded(turn, summary), "points": turn.number(summary["points"]), "rest": turn.number(summary["balance_after"])}


REDEEMING = Redeeming()


class RedeemPointsForm(TaskForm):
    form = Redeeming.form
    task = Redeeming.task
    steps = (*identity_steps("redeem_points"), PointsStep(), ConfirmStep(REDEEMING))


class ActionRedeemPoints(SubmitAction):
    write = REDEEMING
    action = "action_redeem_points"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        words = worded(turn, result)
        turn.say("utter_done_redeem_points", voucher=result["code"], amount=words["amount"], expires=words["expires_on"])
        if turn.customer is not None:
            key = f"voucher:{result['code']}"
            points = turn.number(result["points"])
            values = {"amount": words["amount"], "expires": words["expires_on"], "points": points}
            send_mail(turn, "redeem_voucher", turn.customer, key, voucher_code=result["code"], **values)


# Points that are missing


class DisputeCauseStep(Step):
    """Points that never came, a promotion that was not applied, or points taken off: it is the first message that tells."""

    slot = "problem"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        said = turn.entity("promotion") or ("other" if _speaks_of_taken_points(turn) else None)
        claimed = turn.entity("points")
        if said and claimed:
            turn.set(WANTED, float(claimed.replace(".", "").replace(",", "")))
        return Reply(said) if said else None

    def settle(self, turn: Turn) -> Any | End | None:
        return "missing_points"

    def forget(self, turn: Turn) -> None:
        turn.set(self.slot, None)
        if turn.begins_form:
            turn.set(WANTED, None)


def _speaks_of_taken_points(turn: Turn) -> bool:
    said = f" {' '.join(folded_words(turn.text))} "
    return any(f" {' '.join(folded_words(word))} " in said for word in turn.label("points_taken_words").split("|"))


class DisputedOrderStep(Step):
    """The order whose points are missing, where one was named; else every delivered order is looked through."""

    slot = "order_number"

    def read(self, turn: Turn, asked: bool) -> Reply | None:
        number = turn.entity("order_number")
        return Reply(number) if number else None

    def settle(self, turn: Turn) -> Any | End | None:
        return NOT_NEEDED


class Disputing(Write):
    form = "dispute_points_form"
    task = "dispute_points"

    def operation(self, turn: Turn) -> Operation:
        return loyalty.DisputePoints(policies())

    def parameters(self, turn: Turn) -> dict[str, Any]:
        number, claimed = turn.slots["order_number"], turn.slots.get(WANTED)
        return {
            "order_number": None if number == NOT_NEEDED else number,
            "cause": turn.slots["problem"],
            "points_claimed": int(claimed) if claimed else None,
        }

    def summary_values(self, turn: Turn, summary: Mapping[str, Any]) -> dict[str, Any]:
        orders = formats.listed((each["number"] for each in summary["orders"]), turn.locale)
        return {**worded(turn, summary), "points": turn.number(summary["points"]), "orders": orders}

    def summary_response(self, turn: Turn, summary: Mapping[str, Any]) -> str:
        return f"utter_confirm_{self.task}" if summary["orders"] else "utter_confirm_promotion_points"


DISPUTING = Disputing()


class DisputePointsForm(TaskForm):
    form = Disputing.form
    task = Disputing.task
    steps = (*identity_steps("dispute_points"), DisputeCauseStep(), DisputedOrderStep(), ConfirmStep(DISPUTING))


class ActionDisputePoints(SubmitAction):
    write = DISPUTING
    action = "action_dispute_points"

    def done(self, turn: Turn, result: Mapping[str, Any]) -> None:
        points, balance = turn.number(result["points"]), turn.number(result["balance"])
        turn.say("utter_done_dispute_points", points=points, balance=balance)
