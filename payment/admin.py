from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.staff.longtables import Lately, LongTable, Sought, begun, numbered
from core.staff.modeladmin import StaffAdmin
from core.staff.readonly import ReadOnly
from orders.admin import OrderAdmin
from orders.models import Order
from shop.money import money

from . import gateway
from .models import CheckoutAttempt, Dispute, Payment, Problem, Refund, WebhookEvent


class ReadOnlyAdmin(ReadOnly, LongTable, StaffAdmin):
    """Rows that only the code writes: what Stripe said is not for editing."""

    @admin.display(description=_("order"), ordering="order_id")
    def order_link(self, row: Any) -> str:
        return _order_link(row.order_id)

    @admin.display(description=_("amount"), ordering="amount")
    def amount_in_words(self, row: Payment | Refund | Dispute) -> str:
        currency = row.payment.currency if isinstance(row, Refund) else row.currency
        return money(row.total, currency)


def _order_link(order_id: int | None) -> str:
    if order_id is None:
        return "-"
    return format_html('<a href="{}">#{}</a>', reverse("admin:orders_order_change", args=[order_id]), order_id)


@admin.register(CheckoutAttempt)
class CheckoutAttemptAdmin(Sought, ReadOnlyAdmin):
    list_display = ["__str__", "order_link", "status", "created_at", "expires_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["session_id", "=order__id"]
    exclude = ["url", "params"]  # the pay page, and the way back from it with the order's key

    def ways(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> Iterator[QuerySet[Any]]:
        yield rows.filter(session_id=term)
        yield numbered(rows, term, "order")


class AtStripe:
    """A column that leads to the payment's page in Stripe's dashboard."""

    @admin.display(description=_("at Stripe"))
    def stripe(self, payment: Payment) -> str:
        url = gateway.dashboard_url(payment.payment_intent)
        if payment.is_free or not url:
            return "-"
        return format_html('<a href="{}" rel="noreferrer">{}</a>', url, _("open"))


@admin.register(Payment)
class PaymentAdmin(AtStripe, Sought, ReadOnlyAdmin):
    list_display = [
        "payment_intent",
        "order_link",
        "amount_in_words",
        "is_accepted",
        "dispute_status",
        "created_at",
        "stripe",
    ]
    list_filter = ["is_accepted", "dispute_status", "created_at"]
    linked_lookups = ["order__id__exact"]  # from an order's page
    search_fields = ["payment_intent", "session_id", "=order__id", "order__email"]
    readonly_fields = ["stripe"]

    def ways(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> Iterator[QuerySet[Any]]:
        yield rows.filter(payment_intent=term)
        yield numbered(rows, term, "order")
        yield rows.filter(session_id=term)
        if self.may_search(request, "order__email"):
            yield rows.filter(order__in=begun(Order.objects.all(), "email", [term]))


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ["dispute_id", "order", "amount_in_words", "status", "reason", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["payment"]
    search_fields = ["dispute_id", "payment_intent", "=payment__order__id"]

    @admin.display(description=_("order"))
    def order(self, dispute: Dispute) -> str:
        return _order_link(dispute.payment.order_id if dispute.payment else None)


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "order", "amount_in_words", "status", "reason", "actor", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["payment", "actor"]
    search_fields = ["stripe_refund_id", "payment__payment_intent", "=payment__order__id"]

    @admin.display(description=_("order"))
    def order(self, refund: Refund) -> str:
        return _order_link(refund.payment.order_id)


@admin.register(WebhookEvent)
class WebhookEventAdmin(Sought, ReadOnlyAdmin):
    list_display = ["kind", "event_id", "status", "attempts", "happened_at", "received_at"]
    list_filter = ["status", ("kind", Lately), "received_at"]
    search_fields = ["event_id"]
    exclude = ["payload"]  # it repeats the way back from the pay page, with the order's key
    actions = ["try_again"]

    def ways(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> Iterator[QuerySet[Any]]:
        yield rows.filter(event_id=term)

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payment.change_webhookevent")

    @admin.action(description=_("Process again"), permissions=["try_again"])
    def try_again(self, request: HttpRequest, events: Any) -> None:
        """Put failed events back; the sweeper takes them within a minute."""
        failed = events.filter(status=WebhookEvent.Status.FAILED)
        count = failed.update(status=WebhookEvent.Status.RECEIVED, attempts=0, due_at=timezone.now())
        self.message_user(request, _("%(count)d events are processed again.") % {"count": count})


@admin.register(Problem)
class ProblemAdmin(ReadOnlyAdmin):
    list_display = ["text", "order_link", "created_at", "resolved_at"]
    list_filter = [("resolved_at", admin.EmptyFieldListFilter), "created_at"]
    search_fields = ["text", "=order__id"]
    actions = ["resolve"]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payment.change_problem")

    @admin.action(description=_("Mark as resolved"), permissions=["resolve"])
    def resolve(self, request: HttpRequest, problems: Any) -> None:
        problems.filter(resolved_at=None).update(resolved_at=timezone.now())


class PaymentInline(AtStripe, ReadOnly, admin.TabularInline):
    model = Payment
    fields = ["payment_intent", "paid", "is_accepted", "dispute_status", "created_at", "stripe"]
    readonly_fields = ["paid", "created_at", "stripe"]
    show_change_link = True

    @admin.display(description=_("amount"))
    def paid(self, payment: Payment) -> str:
        return money(payment.total, payment.currency)


# The order's page belongs to a lower app, which cannot know of payments.
OrderAdmin.inlines = [*OrderAdmin.inlines, PaymentInline]
