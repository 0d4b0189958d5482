"""
Take the demo away from a site that goes live, and leave what its owner has made.

The demo fills an empty site, so what it wrote is known by its numbers: in each table, everything up to the last id
there was when it ended (DemoContent). Orders placed since then through the local Stripe were for trying, and go too.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import AutoField, Max, Model, QuerySet

from account.models import User
from actions.models import Action, ViewCount
from archive import personal_data
from archive.tables import all_models
from blog.models import Comment, Post, Tag
from cart.models import Coupon, CouponUse
from demo.models import DemoContent
from images.models import Image
from mail.models import OutgoingMail, ProvenAddress
from orders.models import Invoice, InvoiceCounter, Order, ShippingRate, VatId, Withdrawal
from payment.models import CheckoutAttempt, Payment, Problem, Refund, WebhookEvent
from search import index
from shop.models import Basket, BoughtTogether, Category, Product

# What hangs on an order before the order: the latter protects itself.
TRADE = [CouponUse, Problem, Refund, Payment, CheckoutAttempt, WebhookEvent, Withdrawal, Invoice, InvoiceCounter, VatId]
TRADE += [Order, Basket, BoughtTogether]
FREE, DEMO, TRIAL = "free-", "pi_demo_", "cs_test_"


class StillNeeded(Exception):
    """Something of the owner's rests on the demo; the message says what, and what to do."""


def note_content() -> None:
    """Write down where each table ends, right after the demo was written into an empty site."""
    numbered = [model for model in all_models(apps) if isinstance(model._meta.pk, AutoField) and model != DemoContent]
    last = {model._meta.label: model._base_manager.aggregate(last=Max("pk"))["last"] for model in numbered}
    DemoContent.objects.bulk_create(DemoContent(model=label, last_id=pk) for label, pk in last.items() if pk)


def remove() -> int:
    """Remove the demo and return how many posts, pictures and products it was; raises StillNeeded before any change."""
    if not DemoContent.objects.exists():
        raise StillNeeded(
            "There are accounts of the demo here, but no note of what else it wrote, so it cannot be told from what is "
            "yours. Switch the accounts off in the admin, or give them other passwords."
        )
    with transaction.atomic():
        _refuse_what_is_needed()
        _remove_trade()
        removed = sum(map(_delete_each, [demo(Post), demo(Image), demo(Product)]))
        demo(Category).filter(products=None).delete()
        _remove_people()
        _remove_the_rest()
    return removed


def demo(model: type[Model]) -> QuerySet[Any]:
    """Return the model's rows that the demo has written."""
    last = DemoContent.objects.filter(model=model._meta.label).values_list("last_id", flat=True).first()
    return model._default_manager.filter(pk__lte=last or 0)


def _refuse_what_is_needed() -> None:
    sold = Payment.objects.exclude(payment_intent__startswith=DEMO).exclude(session_id__startswith=TRIAL)
    if sold.exclude(payment_intent__startswith=FREE).exists():
        raise StillNeeded(
            "The shop has taken real money, so its orders and invoices have to stay. Hide the demo's products and "
            "posts in the admin, and give its members another password."
        )
    written = Post.objects.filter(author__in=demo(User)).exclude(pk__in=demo(Post))
    if first := written.first():
        raise StillNeeded(
            f"Posts of your own are signed by an account of the demo, such as “{first}”. Give them another author first."
        )


def _remove_trade() -> None:
    """Remove every order with all that hangs on it; invoice numbers begin anew."""
    for model in TRADE:
        model._base_manager.all().delete()
    Coupon.objects.update(used=0)
    demo(Coupon).delete()
    demo(ShippingRate).delete()


def _remove_people() -> None:
    for user in demo(User):
        personal_data.erase(user)
        index.remove(user)
        ProvenAddress.objects.filter(email=user.email).delete()
        user.delete()


def _remove_the_rest() -> None:
    for model in (Action, ViewCount, OutgoingMail, Comment):
        demo(model).delete()
    demo(Tag).filter(post_tags=None).delete()
    DemoContent.objects.all().delete()


def _delete_each(rows: Iterable[Any]) -> int:
    """Delete one by one, by the model's own verb: counts, search and files follow."""
    acts: list[Callable[[], Any]] = [getattr(row, "remove", row.delete) for row in rows]
    for act in acts:
        act()
    return len(acts)
