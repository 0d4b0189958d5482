from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace

from django.db import transaction
from django.utils import timezone

from orders import invoice
from orders.models import Order, OrderLine
from shop.models import Category, Product

_numbers = count(1)
CONTACT = {
    "first_name": "Ada",
    "last_name": "Byron",
    "email": "ada@example.com",
    "address": "12 Analytical Lane",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}


def make_item(price: str = "12.50", *, stock: int | None = None, vat_rate: str = "19", **fields: object) -> Product:
    number = next(_numbers)
    category, _ = Category.objects.get_or_create(name="Paper", slug="paper")
    fields = {"name": f"Notebook {number}", "slug": f"notebook-{number}"} | fields
    return Product.objects.create(
        category=category, price=Decimal(price), stock=stock, vat_rate=Decimal(vat_rate), **fields
    )


def make_cart(
    *lines: tuple[Product, int], discount: str = "0", changes: Sequence[str] = (), checkout_key: str = ""
) -> SimpleNamespace:
    """Return what checkout needs of a cart, with the prices these product objects had when they were made."""
    rows = [
        SimpleNamespace(
            product=product, quantity=quantity, unit_price=product.price, total=product.price * quantity, problem=""
        )
        for product, quantity in lines
    ]
    subtotal = sum((row.total for row in rows), Decimal(0))
    return SimpleNamespace(
        lines=rows,
        changes=list(changes),
        subtotal=subtotal,
        discount=Decimal(discount),
        coupon=None,
        total=subtotal - Decimal(discount),
        is_empty=not rows,
        pieces={product.pk: quantity for product, quantity in lines},
        checkout_key=checkout_key,
        renew_key=lambda: None,
    )


def make_order(
    *, lines: Sequence[tuple[Product, int]] = (), paid: bool = False, discount: str = "0", **fields: object
) -> Order:
    """Create an order without the checkout; `paid` moves it there and issues its invoice."""
    lines = lines or [(make_item(), 1)]
    subtotal = sum((product.price * quantity for product, quantity in lines), Decimal(0))
    values = {
        **CONTACT,
        "checkout_key": f"key-{next(_numbers)}",
        "currency": "EUR",
        "subtotal": subtotal,
        "discount": Decimal(discount),
        "total": subtotal - Decimal(discount),
        "expires_at": timezone.now() + timedelta(minutes=35),
    }
    order = Order.objects.create(**values | fields)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            product=product,
            name=product.name,
            unit_price=product.price,
            vat_rate=product.vat_rate,
            quantity=quantity,
        )
        for product, quantity in lines
    )
    order.vat = sum(row.vat for row in order.per_rate())
    order.save(update_fields=["vat"])
    order.remember("Order placed.", status=order.status)
    if paid:
        with transaction.atomic():
            order.move(Order.Status.PAID)
            invoice.issue(order)
    return order
