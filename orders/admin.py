from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from account.requests import MemberRequest
from core.staff.longtables import Period, Sought, begun, newest, numbered
from core.staff.modeladmin import StaffAdmin
from core.staff.readonly import ReadOnly
from core.web.ratelimit import hit
from shop.admin import Prices, price_column
from shop.money import money

from . import dispatch, export, mails
from .models import (
    Invoice,
    InvoiceCounter,
    Order,
    OrderEvent,
    OrderLine,
    OrderQuerySet,
    ShippingRate,
    VatId,
    VatIdQuerySet,
    Withdrawal,
)


class LineInline(ReadOnly, admin.TabularInline):
    model = OrderLine
    fields = ["name", "quantity", "price", "vat_rate", "amount"]
    readonly_fields = ["price", "amount"]

    @admin.display(description=_("unit price"))
    def price(self, line: OrderLine) -> str:
        return money(line.unit_price, line.order.currency)

    @admin.display(description=_("amount"))
    def amount(self, line: OrderLine) -> str:
        return money(line.total, line.order.currency)


class EventInline(ReadOnly, admin.TabularInline):
    model = OrderEvent
    fields = ["created_at", "status", "note", "actor", "stripe_event"]
    readonly_fields = ["created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderEvent]:
        return super().get_queryset(request).select_related("actor")


def _shown(field: str, description: Any) -> Callable[[Any, Order], str]:
    """Return a column that shows an amount as people write it; the database keeps three decimals of each currency."""

    @admin.display(description=description, ordering=field)
    def column(_admin: Any, order: Order) -> str:
        return money(getattr(order, field), order.currency)

    return column


@admin.register(Order)
class OrderAdmin(Sought, StaffAdmin):
    """Orders are read here and acted upon; what they say is never edited."""

    list_display = ["number", "created_at", "status", "amount", "who", "papers"]
    list_filter = ["status", ("created_at", Period), ("paid_at", Period)]
    linked_lookups = ["vat_id__exact"]  # from a VAT id's page
    search_fields = ["email", "first_name", "last_name", "company"]
    search_help_text = _(
        "Number (#12), invoice (2026-00012), beginning of e-mail or last name; of the newest thousand any part of them."
    )
    inlines = [LineInline, EventInline]
    actions = ["mark_sent", "give_up", "confirm_again", "invoice_again", "export_orders", "export_lines"]
    fieldsets = [
        (None, {"fields": ["status", "links", "papers", "created_at", "paid_at", "sent_at", "tracking", "expires_at"]}),
        (_("Buyer"), {"fields": ["full_name", "email", "buyer", "company", "vat_id_checked"]}),
        (_("Address"), {"fields": ["address", "postal_code", "city", "country"]}),
        (
            _("Amounts"),
            {"fields": ["goods", "coupon_code", "taken_off", "sending", "amount", "vat_in_it", "vat_relief"]},
        ),
    ]

    class Media:
        css = {"all": ["css/orders_admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return (
            super()
            .get_queryset(request)
            .select_related("buyer")
            .prefetch_related(Prefetch("invoices", Invoice.objects.without_content()))
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        return [name for _title, options in self.fieldsets for name in options["fields"]]  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Order | None = None) -> bool:
        return False

    def ways(self, request: HttpRequest, rows: QuerySet[Order], term: str) -> Iterator[QuerySet[Order]]:
        yield numbered(rows, term)
        yield rows.filter(invoices__in=Invoice.objects.labelled(term))
        yield begun(rows, "email", [term])
        yield self.looked_through(request, begun(rows, "last_name", term.split()), term)
        yield self.looked_through(request, newest(rows), term)

    def may_open_on_site(self, request: HttpRequest, obj: Model) -> bool:
        """The buyer's address lets anybody pay, withdraw and fetch papers: only for staff who act upon orders anyway."""
        return self.has_change_permission(request)

    @admin.display(description=_("order"), ordering="pk")
    def number(self, order: Order) -> str:
        return str(order)

    @admin.display(description=_("buyer"), ordering="last_name")
    def who(self, order: Order) -> SafeString:
        return format_html("{}<br>{}", order.full_name, order.email)

    @admin.display(description=_("name"))
    def full_name(self, order: Order) -> str:
        return order.full_name

    @admin.display(description=_("total"), ordering="total")
    def amount(self, order: Order) -> str:
        return money(order.total, order.currency)

    goods = _shown("subtotal", _("goods"))
    taken_off = _shown("discount", _("discount"))
    sending = _shown("shipping", _("shipping"))
    vat_in_it = _shown("vat", _("VAT in the total"))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        # Whoever may act upon orders "may change" them, and Django would offer to save what nobody can edit.
        nothing_to_save = {"show_save": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **nothing_to_save})

    @admin.display(description=_("papers"))
    def papers(self, order: Order) -> SafeString:
        address = reverse("orders:admin_order_pdf", args=[order.pk])
        rows = ((address, paper.label, paper.label) for paper in order.invoices.all())
        return format_html_join(" ", '<a href="{}?label={}">{}</a>', rows)

    @admin.display(description=_("VAT id"))
    def vat_id_checked(self, order: Order) -> str:
        row = VatId.objects.filter(number=order.vat_id).first()
        if row is None:
            return order.vat_id
        return format_html(
            '<a href="{}">{}</a>: {}', reverse("admin:orders_vatid_change", args=[row.pk]), row, row.state_words
        )

    @admin.display(description=_("do"))
    def links(self, order: Order) -> SafeString:
        links = [
            (reverse("orders:admin_order_detail", args=[order.pk]), _("Print")),
            (reverse("orders:admin_order_handle", args=[order.pk]), _("Send, note")),
            (self.get_view_on_site_url(order), _("What the buyer sees")),
            (f"{reverse('admin:payment_payment_changelist')}?order__id__exact={order.pk}", _("Payments")),
        ]
        if order.paid_at:
            links.append((reverse("payment:refund", args=[order.pk]), _("Refund")))
        return format_html_join(" · ", '<a href="{}">{}</a>', links)

    @admin.action(description=_("Mark as sent and tell the buyers"), permissions=["change"])
    def mark_sent(self, request: MemberRequest, orders: OrderQuerySet) -> None:
        done = sum(dispatch.send(order, actor=request.user) for order in orders)
        self.message_user(request, ngettext("%d order marked as sent.", "%d orders marked as sent.", done) % done)
        self._say_left(request, len(orders) - done)

    @admin.action(description=_("Cancel unpaid orders"), permissions=["change"])
    def give_up(self, request: MemberRequest, orders: OrderQuerySet) -> None:
        done = sum(order.give_up(by=Order.UndoneBy.STAFF, actor=request.user) for order in orders)
        self.message_user(request, ngettext("%d order is cancelled.", "%d orders are cancelled.", done) % done)
        self._say_left(request, len(orders) - done)

    def _say_left(self, request: HttpRequest, left: int) -> None:
        if left:
            text = ngettext("%d order is in no state for this.", "%d orders are in no state for this.", left)
            self.message_user(request, text % left, messages.WARNING)

    @admin.action(description=_("Send the confirmation again"), permissions=["change"])
    def confirm_again(self, request: MemberRequest, orders: OrderQuerySet) -> None:
        self._send_again(request, orders, mails.CONFIRMATION_KEY)

    @admin.action(description=_("Send the invoice again"), permissions=["change"])
    def invoice_again(self, request: MemberRequest, orders: OrderQuerySet) -> None:
        self._send_again(request, orders, mails.INVOICE_KEY)

    def _send_again(self, request: MemberRequest, orders: OrderQuerySet, key: str) -> None:
        done = sum(mails.again(order, key, actor=request.user) for order in orders)
        self.message_user(request, ngettext("%d mail is on its way.", "%d mails are on their way.", done) % done)
        if left := len(orders) - done:
            text = ngettext("%d order has no such mail yet.", "%d orders have no such mail yet.", left)
            self.message_user(request, text % left, messages.WARNING)

    @admin.action(description=_("Export as CSV, a row for each order"), permissions=["view"])
    def export_orders(self, request: HttpRequest, orders: OrderQuerySet) -> StreamingHttpResponse | None:
        return export.orders_csv(orders) if self._may_export(request) else None

    @admin.action(description=_("Export as CSV, a row for each line"), permissions=["view"])
    def export_lines(self, request: HttpRequest, orders: OrderQuerySet) -> StreamingHttpResponse | None:
        return export.lines_csv(orders) if self._may_export(request) else None

    def _may_export(self, request: HttpRequest) -> bool:
        # One stolen staff session must not read the whole customer file in a loop.
        if hit("orders-csv", str(request.user.pk), "20/h"):
            return True
        self.message_user(request, _("Too many exports within an hour; please wait."), messages.ERROR)
        return False


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly, Sought, StaffAdmin):
    list_display = ["label", "kind", "order", "amount", "created_at", "file"]
    list_filter = ["kind", "year"]
    list_select_related = ["order"]
    search_fields = ["number", "order__email"]
    search_help_text = _("Number (12 or 2026-00012) or beginning of the e-mail.")
    view_on_site = False  # its address holds the order's key; the column "file" needs none

    def ways(self, request: HttpRequest, rows: QuerySet[Invoice], term: str) -> Iterator[QuerySet[Invoice]]:
        yield rows.filter(pk__in=Invoice.objects.labelled(term))
        yield numbered(rows, term, "number")
        if self.may_search(request, "order__email"):
            yield rows.filter(order__in=begun(Order.objects.all(), "email", [term]))

    @admin.display(description=_("total"))
    def amount(self, paper: Invoice) -> str:
        return money(paper.total, paper.order.currency)

    @admin.display(description=_("file"))
    def file(self, paper: Invoice) -> SafeString:
        return format_html(
            '<a href="{}?label={}">PDF</a>', reverse("orders:admin_order_pdf", args=[paper.order_id]), paper.label
        )


@admin.register(InvoiceCounter)
class InvoiceCounterAdmin(ReadOnly, StaffAdmin):
    list_display = ["year", "last"]


VIES = "https://ec.europa.eu/taxation_customs/vies/"


@admin.register(VatId)
class VatIdAdmin(StaffAdmin):
    """What VIES said of a buyer's VAT id; the number itself is the buyer's and is not edited."""

    list_display = ["number", "state_words", "verified_on", "checked_by", "created_at", "orders"]
    list_filter = ["is_refused", ("verified_on", admin.EmptyFieldListFilter)]
    search_fields = ["number"]
    fields = ["number", "orders", "vies", "verified_on", "consultation", "is_refused", "checked_by"]
    readonly_fields = ["number", "orders", "vies", "checked_by"]
    actions = ["mark_valid", "mark_refused"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: VatId | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: VatId, form: object, change: bool) -> None:  # noqa: FBT001
        obj.checked_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @admin.display(description=_("orders"))
    def orders(self, vat_id: VatId) -> SafeString:
        address = reverse("admin:orders_order_changelist")
        return format_html('<a href="{}?vat_id__exact={}">{}</a>', address, vat_id.number, _("orders"))

    @admin.display(description=_("look it up"))
    def vies(self, vat_id: VatId) -> SafeString:
        return format_html('<a href="{}" rel="noreferrer">VIES</a>', VIES)

    @admin.action(description=_("VIES says today: valid"), permissions=["change"])
    def mark_valid(self, request: HttpRequest, vat_ids: VatIdQuerySet) -> None:
        vat_ids.update(verified_on=timezone.localdate(), is_refused=False, checked_by=request.user)

    @admin.action(description=_("VIES says: not valid"), permissions=["change"])
    def mark_refused(self, request: HttpRequest, vat_ids: VatIdQuerySet) -> None:
        vat_ids.update(verified_on=None, is_refused=True, checked_by=request.user)


@admin.register(ShippingRate)
class ShippingRateAdmin(Prices, StaffAdmin):
    list_display = ["name", "costs", "free_above"]

    costs = price_column("price", _("price"))
    free_above = price_column("free_from", _("free from"))


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnly, StaffAdmin):
    list_display = ["created_at", "name", "email", "order_number", "order", "is_late", "handled_at"]
    list_filter = [("handled_at", admin.EmptyFieldListFilter), "is_late"]
    search_fields = ["name", "email", "order_number"]
    actions = ["mark_handled"]

    def has_handle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_withdrawal")

    @admin.action(description=_("Mark as handled"), permissions=["handle"])
    def mark_handled(self, request: HttpRequest, withdrawals: QuerySet[Withdrawal]) -> None:
        withdrawals.filter(handled_at=None).update(handled_at=timezone.now())
