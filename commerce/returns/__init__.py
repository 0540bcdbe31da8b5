"""Returns: what may come back, returns and exchanges with their labels, and goods that arrive at the warehouse."""

from commerce.returns.authorization import AuthorizeReturn
from commerce.returns.eligibility import LineVerdict, line_refusal, returnable_lines
from commerce.returns.exchange import AuthorizeExchange, exchange_choices
from commerce.returns.issuing import items_of
from commerce.returns.quantities import open_return, pieces_left
from commerce.returns.warehouse import UnknownReturn, expire_overdue, inspect_goods, receive_goods
from commerce.returns.withdrawing import WithdrawReturn

__all__ = [
    "AuthorizeExchange",
    "AuthorizeReturn",
    "LineVerdict",
    "UnknownReturn",
    "WithdrawReturn",
    "exchange_choices",
    "expire_overdue",
    "inspect_goods",
    "items_of",
    "line_refusal",
    "open_return",
    "pieces_left",
    "receive_goods",
    "returnable_lines",
]
