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


class Act(ABC):
    """What each kind has of its own."""

    kind: ClassVar[str]
    needs: ClassVar[str | None]  # an operation of the table `identity`: how well the shopper is known; None: not at all
    exception: ClassVar[str | None] = None  # of the table `agent_powers`: its limit is shown
    told: ClassVar[Sequence[str]]  # of summary and result, in this order
    titled: ClassVar[Mapping[str, str]] = {}  # values among it that are names, by the kind of title
    undo_told: ClassVar[Sequence[str]] = ()  # of taking it back

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

    def after(self, case: Case, result: Values, proposal_id: str) -> None:  # noqa: B027 (most have nothing)
        """What else goes with it, in the same transaction."""

    def says(self, result: Values) -> str:
        """The key of the canned reply that is suggested afterwards."""
        return f"act_{self.kind}"

    def undo(self, case: Case, result: Values) -> Undo | None:
        """How it would be taken back now; None where there is no way."""
        return None

    def customer_id(self, case: Case) -> int | None:
        """Whose things are touched."""
        return case.customer_id if self.needs is not None else None
