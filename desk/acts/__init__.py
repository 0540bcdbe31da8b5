"""What people of the shop do for a shopper: through the same policies and the same ledger as the assistant, in their own name."""

from desk.acts.doing import ACTS, confirm, offered, propose, undo

__all__ = ["ACTS", "confirm", "offered", "propose", "undo"]
