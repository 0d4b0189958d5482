"""Fifty orders over a year: who bought what, and how each of them ended."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from account.models import User
from cart.models import Coupon
from orders import invoice, shipping_cost
from orders.checkout import UNPAID_FOR
from orders.models import Invoice, InvoiceCounter, Order, OrderEvent, OrderLine, ShippingRate
from payment.models import Payment, Refund
from shop import recommender
from shop.charges import to_stripe
from shop.models import Product

if TYPE_CHECKING:
    from .fill import Plan

S = Order.Status
# In fifty orders, from the oldest; the last ones are on their way.
ENDINGS = [
    *([S.SENT] * 6), S.EXPIRED, *([S.SENT] * 5), S.REFUNDED, *([S.SENT] * 7), S.CANCELLED,
    *([S.SENT] * 6), S.PARTIALLY_REFUNDED, S.EXPIRED, *([S.SENT] * 7), S.REFUNDED, S.EXPIRED,
    *([S.SENT] * 6), S.EXPIRED, S.PARTIALLY_REFUNDED, S.PAID, S.PAID, S.CANCELLED, S.PAID, S.AWAITING_PAYMENT,
]  # fmt: skip
SENT_BACK = "Sent back within 14 days."
UNPAID = {S.EXPIRED, S.CANCELLED, S.AWAITING_PAYMENT}
# What people take together; "bought together" has something to say about these.
BASKETS = [
    ["Plain Notebook A5", "Bone Folder"],
    ["Plain Notebook A5", "Dot Grid Notebook A5", "Bookmarks, Herbs"],
    ["Type Specimen No. 4", "Type Specimen No. 5"],
    ["Alphabet Poster", "Specimen Mug", "Type Specimen No. 4"],
    ["Hill Country"],
    ["Three Pears", "Harvest Cards, Set of Six"],
    ["Long-Stitch Journal", "Bone Folder", "Paper Swatch Book"],
    ["Fish Mug", "Halftone Mug"],
    ["Coasters, Small Town", "Specimen Mug"],
    ["Bookmarks, Night Train", "Constellation for Beginners"],
    ["Gift Tags, Two Dozen", "Thank-You Cards, Set of Six"],
    ["Pocket Notebooks, Set of Three", "Bookmarks, Herbs"],
    ["Imposition, a Short Guide (PDF)"],
    ["Weekly Planner 2027", "Plain Notebook A5"],
    ["Tide Table", "Snow Line"],
    ["Ampersand, Two Colours", "Type Specimen No. 5"],
    ["Sketchbook, Stone Blue", "Type Case Towel"],
]


@dataclass(frozen=True)
class Guest:
    first_name: str
    last_name: str
    address: str
    postal_code: str
    city: str
    country: str
    company: str = ""
    vat_id: str = ""

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@mail.example".lower().replace(" ", "-")


GUESTS = [
    Guest("Clara", "Holm", "Havnegade 12", "1058", "Copenhagen", "DK"),
    Guest("Pieter", "de Wit", "Oudegracht 88", "3511", "Utrecht", "NL"),
    Guest("Rosa", "Ferrari", "Via dei Cartolai 7", "50122", "Florence", "IT"),
    Guest("Tomas", "Kral", "Dlouha 31", "110 00", "Prague", "CZ"),
    Guest("Elif", "Aydin", "Glogauer Strasse 5", "10999", "Berlin", "DE", "Aydin Architects", "DE123456788"),
    Guest("Maeve", "Byrne", "4 Usher Quay", "D08", "Dublin", "IE"),
    Guest("Olivier", "Petit", "18 rue des Martyrs", "75009", "Paris", "FR"),
    Guest("Sofia", "Costa", "Rua das Flores 140", "4050-265", "Porto", "PT"),
]
MEMBERS_LIVE_AT = Guest("", "", "Mill Street 9", "1010", "Vienna", "AT")


NEAR = "BE,CZ,DE,DK,ES,FR,IE,IT,NL,PL,PT"


def open_shop() -> None:
    """Write down what sending costs, and a code to try."""
    ShippingRate.objects.create(name="Austria", countries="AT", price=Decimal("3.90"), free_from=Decimal(50))
    ShippingRate.objects.create(name="Near", countries=NEAR, price=Decimal("6.90"), free_from=Decimal(90))
    ShippingRate.objects.create(name="Far", price=Decimal("14.90"))
    Coupon.objects.create(code="WELCOME", percent=Decimal(10), minimum=Decimal(20))


def events(
    plan: "Plan", members: list[User], products: dict[str, Product]
) -> Iterator[tuple[datetime, Callable[[], object]]]:
    baskets = [known for basket in BASKETS if (known := [products[name] for name in basket if name in products])]
    endings = ENDINGS[-plan.size.orders :] if plan.size.orders else []
    for number, ending in enumerate(endings if baskets else []):
        # More and more of them towards today, as one would wish.
        when = plan.ago(360 * (1 - (number + 1) / len(endings)) ** 1.9)
        if ending == S.AWAITING_PAYMENT:
            when = plan.now - timedelta(minutes=4)
        trade = Trade(plan, when, ending, baskets[number % len(baskets)])
        buyer = plan.rng.choice(members) if plan.rng.random() < 0.45 else None
        yield when, partial(trade.happen, buyer)


@dataclass
class Trade:
    """One order from placing to its end, written as the site writes it, then moved back to when it was."""

    plan: "Plan"
    when: datetime
    ending: Order.Status
    products: list[Product]

    def happen(self, buyer: User | None) -> None:
        self._place(buyer)
        if self.ending in UNPAID:
            if self.ending != S.AWAITING_PAYMENT:
                self._move(self.ending, hours=1)
            return
        self._pay()
        if self.ending != S.PAID:
            self._move(S.SENT, hours=30, note="Parcel handed over at three.")
        if self.ending == S.REFUNDED:
            self._refund(self.order.total, S.REFUNDED)
        elif self.ending == S.PARTIALLY_REFUNDED:
            self._refund(self.order.lines.all()[0].unit_price, S.PARTIALLY_REFUNDED)

    def _place(self, buyer: User | None) -> None:
        lines = [
            OrderLine(
                product=product,
                name=product.name,
                unit_price=product.price,
                vat_rate=product.vat_rate,
                quantity=self.plan.rng.choice([1, 1, 1, 2, 3]),
            )
            for product in self.products
        ]
        goods = sum((line.total for line in lines), Decimal(0))
        contact = self._contact(buyer)
        sending = shipping_cost.cost(contact["country"], goods, self.products)
        self.order = order = Order.objects.create(
            checkout_key=secrets.token_urlsafe(16),
            buyer=buyer,
            currency=settings.SHOP_CURRENCY,
            subtotal=goods,
            shipping=sending,
            total=goods + sending,
            holds_stock=self.ending not in (S.EXPIRED, S.CANCELLED),
            expires_at=self.when + UNPAID_FOR,
            **contact,
        )
        for line in lines:
            line.order = order
        OrderLine.objects.bulk_create(lines)
        vat = sum((row.vat for row in order.per_rate()), Decimal(0))
        Order.objects.filter(pk=order.pk).update(vat=vat, created_at=self.when)
        order.vat, order.created_at = vat, self.when
        order.remember("Order placed.", status=S.AWAITING_PAYMENT, actor=buyer)
        self._date_steps(self.when)
        if self.ending == S.AWAITING_PAYMENT:
            for line in lines:  # the one order whose stock will really come back
                Product.objects.take(line.product_id, line.quantity)

    def _contact(self, buyer: User | None) -> dict[str, Any]:
        guest = MEMBERS_LIVE_AT if buyer else self.plan.rng.choice(GUESTS)
        person = buyer or guest
        return {
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
            "address": guest.address,
            "postal_code": guest.postal_code,
            "city": guest.city,
            "country": guest.country,
            "company": guest.company,
            "vat_id": guest.vat_id,
        }

    def _pay(self) -> None:
        paid_at = self._move(S.PAID, minutes=3, note="Paid by card.")
        Order.objects.filter(pk=self.order.pk).update(paid_at=paid_at)
        backdate(invoice.issue(self.order), paid_at)
        self.payment = Payment.objects.create(
            order=self.order,
            payment_intent=f"pi_demo_{self.order.pk}",
            amount=to_stripe(self.order.total, settings.SHOP_CURRENCY),
            currency=self.order.currency,
        )
        Payment.objects.filter(pk=self.payment.pk).update(created_at=paid_at)
        recommender.record(self.order.pk, [product.pk for product in self.products])

    def _refund(self, amount: Decimal, status: Order.Status) -> None:
        at = self._move(status, hours=120, note=SENT_BACK)
        refund = Refund.objects.create(
            payment=self.payment,
            stripe_refund_id=f"re_demo_{self.order.pk}",
            idempotency_key=f"demo-{self.order.pk}",
            amount=to_stripe(amount, settings.SHOP_CURRENCY),
            reason=SENT_BACK,
            status=Refund.Status.SUCCEEDED,
            restocks=True,
        )
        Refund.objects.filter(pk=refund.pk).update(created_at=at)
        backdate(invoice.credit(self.order, amount, SENT_BACK, reference=refund.idempotency_key), at)

    def _move(self, to: Order.Status, note: str = "", **later: float) -> datetime:
        at = min(self.when + timedelta(**later), self.plan.now)
        self.order.move(to, note=note)
        self._date_steps(at)
        if to == S.SENT:
            Order.objects.filter(pk=self.order.pk).update(sent_at=at)
        return at

    def _date_steps(self, at: datetime) -> None:
        newest = self.order.events.order_by("-pk").values("pk")[:1]
        OrderEvent.objects.filter(pk__in=list(newest.values_list("pk", flat=True))).update(created_at=at)


def backdate(paper: Invoice, at: datetime) -> None:
    """Give the paper just issued the next number of the year it belongs to, and take its own number back."""
    InvoiceCounter.objects.filter(year=paper.year).update(last=paper.number - 1)
    counter, _ = InvoiceCounter.objects.get_or_create(year=at.year)
    counter.last += 1
    counter.save()
    snapshot = paper.snapshot | {"date": at.date().isoformat()}
    Invoice.objects.filter(pk=paper.pk).update(year=at.year, number=counter.last, created_at=at, snapshot=snapshot)
