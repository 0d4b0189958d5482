from .invoices import Invoice, InvoiceCounter, InvoiceQuerySet
from .orders import MOVES, Order, OrderEvent, OrderLine, OrderQuerySet, new_token
from .shipping import ShippingRate
from .vat_ids import VatId, VatIdQuerySet
from .withdrawals import Withdrawal

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
