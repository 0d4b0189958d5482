from .orders import MOVES, Order, OrderEvent, OrderLine, OrderQuerySet, new_token
from .papers import Invoice, InvoiceCounter, InvoiceQuerySet
from .terms import ShippingRate, VatId, VatIdQuerySet, Withdrawal

__all__ = [
    "MOVES",
    "Invoice",
    "InvoiceCounter",
    "InvoiceQuerySet",
    "Order",
    "OrderEvent",
    "OrderLine",
    "OrderQuerySet",
    "ShippingRate",
    "VatId",
    "VatIdQuerySet",
    "Withdrawal",
    "new_token",
]
