"""What a person of ours can do for a shopper: one kind of write, what it asks, and how it is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from commerce.proposals import Operation
from desk.acts.case import Case
from desk.acts.parameters import Parameter
from desk.requests import Fields

Values = Mapping[str, Any]


class Undo(NamedTuple):
    """The write that takes an effect back."""

    operation: Operation
    parameters: Mapping[str, Any]
    told: Sequence[str]  # of its summary, in this order


class Act(ABC):
    """`needs`: how well the shopper has to be known, as the operation of the table `identity` that the assistant does alike; None:
    nobody need be known. `exception`: of the table `agent_powers`, whose limit is shown. `told`: of summary and result, what is
    shown, in this order; `titled`: values among it that are names, by the kind of title. `says`: the canned text that is suggested afterwards.
    """

    kind: ClassVar[str]
    needs: ClassVar[str | None]
    exception: ClassVar[str | None] = None
    told: ClassVar[Sequence[str]]
    titled: ClassVar[Mapping[str, str]] = {}
    says: ClassVar[str]

    @abstractmethod
    def parameters(self, case: Case) -> list[Parameter]: ...

    @abstractmethod
    def read(self, case: Case, fields: Fields) -> dict[str, Any]:
        """The operation's parameters. Raises DeskError (bad_request)."""

    @abstractmethod
    def operation(self, case: Case) -> Operation: ...

    def why_not(self, case: Case) -> str | None:
        """The label `act_not_<this>`: why it would be refused whatever the parameters."""
        return None

    def after(self, case: Case, result: Values, proposal_id: str) -> None:
        """What else goes with it, in the same transaction."""

    def undo(self, case: Case, result: Values) -> Undo | None:
        """How it would be taken back now; None where there is no way."""
        return None

    def customer_id(self, case: Case) -> int | None:
        """Whose things are touched."""
        return case.customer_id if self.needs is not None else None
