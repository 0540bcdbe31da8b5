"""Changing an order before it is packed: another variant or quantity, another address, another way to pay."""

from commerce.order_changes.addresses import ChangeAddress, addresses
from commerce.order_changes.payment_methods import ChangePayment, methods_to_change_to
from commerce.order_changes.variants import ChangeVariant, Choice, choices_for_variant_change

__all__ = [
    "ChangeAddress",
    "ChangePayment",
    "ChangeVariant",
    "Choice",
    "addresses",
    "choices_for_variant_change",
    "methods_to_change_to",
]
