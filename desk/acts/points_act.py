"""Points given or taken by hand."""

from __future__ import annotations

from typing import Any

from commerce.loyalty import AdjustPoints as Adjustment
from commerce.loyalty import TakeBackAdjustment
from commerce.proposals import Operation
from desk.acts import parameters as read
from desk.acts.act import Act, Undo, Values
from desk.acts.case import Case
from desk.acts.parameters import Parameter
from desk.requests import Fields
from desk.shop_policies import kept_policies


class AdjustPoints(Act):
    kind = "adjust_points"
    needs = "dispute_points"
    exception = "goodwill_points"
    told = ("points", "balance_after", "reason", "exception_minor")
    undo_told = ("points", "balance_after")

    def parameters(self, case: Case) -> list[Parameter]:
        return [Parameter("points", "number"), Parameter("reason", "text")]

    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        return {"points": read.points(fields, "points"), "reason": read.reason(fields)}

    def operation(self, case: Case) -> Operation:
        return Adjustment(kept_policies(), case.powers)

    def undo(self, case: Case, result: Values) -> Undo:
        return Undo(TakeBackAdjustment(kept_policies(), case.powers), {"points": result["points"]})
